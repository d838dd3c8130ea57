//! What staff ask.

use handel_domain::promotion::Class;
use handel_engine::{AdjustStock, Context, Engine, ListOrders, Parcel, StockKey};
use handel_testkit::fixtures::sku;

use super::{
    Said, other, serve_anybody,
    told::{once, told},
};
use crate::door::{Call, Reply, reply::Order};

pub(super) async fn serve(engine: &Engine, ctx: &Context, call: Call) -> Said {
    let order = |order: &handel_domain::order::Order| Reply::Order(Order::from(order));
    match call {
        Call::ListOrders { status } => {
            let list = ListOrders { status, limit: 100, ..ListOrders::default() };
            let page = engine.list_orders(ctx, list).await?;
            let ids: Vec<_> = page.items.iter().map(|order| order.id).collect();
            Ok(told(&ids, |ids| Reply::Orders(ids.clone())))
        }
        Call::SetPrice { sku: of, prices } => {
            let set = engine.set_prices(ctx, sku(&of), prices, None).await?;
            once(&set, |product| Reply::Other(format!("product v{}", product.version)))
        }
        Call::SetShipping { amount_minor } => {
            let channel = engine.get_channel(ctx).await?;
            let mut settings = channel.settings.clone();
            settings.shipping_methods[0].amount_minor = amount_minor;
            let set = engine.put_channel(ctx, channel.code.clone(), settings, None).await?;
            once(&set, |channel| Reply::Other(format!("channel v{}", channel.version)))
        }
        Call::SetFreeShipping { minimum_minor } => {
            let promotions = engine.list_promotions(ctx, None, 100).await?.items.into_iter();
            let mut shipping =
                promotions.filter(|known| known.promotion.rules.class == Class::Shipping);
            let Some(found) = shipping.next() else { return other("no promotion of shipping") };
            let mut rules = found.promotion.rules.clone();
            rules.conditions.minimum_subtotal_minor = Some(minimum_minor);
            let id = found.promotion.id;
            let set = engine.replace_promotion(ctx, id, rules, Vec::new(), None).await?;
            once(&set, |set| Reply::Other(format!("promotion v{}", set.promotion.version)))
        }
        Call::AdjustStock { sku: of, delta } => {
            let adjust = AdjustStock {
                variant: StockKey::Sku(sku(&of)),
                location: None,
                delta,
                reason: "counted".to_owned(),
            };
            let adjusted = engine.adjust_stock(ctx, adjust).await?;
            once(&adjusted, |view| Reply::Other(format!("{} on hand", view.level.on_hand)))
        }
        Call::Cancel { order: id } => {
            once(&engine.cancel_order(ctx, id, "a whim".to_owned(), None).await?, order)
        }
        Call::Pack { order: id } => once(&engine.pack_order(ctx, id, None).await?, order),
        Call::Ship { order: id, units } => once(
            &engine.ship_order(ctx, id, Parcel { units, ..Parcel::default() }, None).await?,
            order,
        ),
        Call::Deliver { order: id } => once(&engine.deliver_order(ctx, id, None).await?, order),
        Call::Reconcile { order: id } => {
            let check = engine.reconcile_order(ctx, id).await?;
            other(check.map_or("no payment".to_owned(), |check| check.provider_says))
        }
        Call::ReplayJobs => {
            let dead = engine.list_dead_jobs(ctx, None, 100).await?;
            for job in &dead.items {
                engine.replay_job(ctx, job.id).await?;
            }
            other(format!("{} dead jobs", dead.items.len()))
        }
        call => serve_anybody(engine, ctx, call).await,
    }
}
