//! What programs ask: whole baskets, said anew each time.

use handel_domain::origin::Origin;
use handel_engine::{Basket, Complete, Context, Engine, OpenCheckout, ReplaceCheckout};
use handel_testkit::agents;

use crate::receiver;

use super::{Call, Reply, Served, once, pays, see_order};

pub(super) async fn serve(engine: &Engine, ctx: &Context, call: Call) -> Served {
    let checkout = |view| Reply::Checkout(Box::new(view));
    match call {
        Call::Open { wish, buyer } => {
            let (basket, origin) = (Some(basket(wish)), told());
            let open = OpenCheckout { cart_id: None, basket, buyer, origin };
            once(engine.open_checkout(ctx, open).await?, checkout)
        }
        Call::Replace { checkout: checkout_id, wish, buyer, expected_version } => {
            let (basket, origin) = (basket(wish), None);
            let to = ReplaceCheckout { checkout_id, basket, buyer, origin, expected_version };
            once(engine.replace_checkout(ctx, to).await?, checkout)
        }
        Call::CancelCheckout { checkout: id } => {
            once(engine.cancel_checkout(ctx, id).await?, checkout)
        }
        Call::SeeCheckout { checkout: id } => {
            Ok((checkout(engine.get_checkout(ctx, id).await?), false))
        }
        Call::Complete { checkout, token, expected_total_minor } => {
            let complete =
                Complete { checkout_id: checkout, payment: pays(token), expected_total_minor };
            let done = engine.complete_checkout(ctx, complete).await?;
            once(done, |completion| Reply::Completion(Box::new(completion)))
        }
        Call::SeeOrder { order } => see_order(engine, ctx, order).await,
        other => unreachable!("a program does not {}", other.name()),
    }
}

/// What a program wants: units of goods by SKU, with the codes that it found.
#[derive(Clone, Debug)]
pub struct Wish {
    pub items: Vec<(&'static str, i64)>,
    pub codes: Vec<String>,
}

fn basket(wish: Wish) -> Basket {
    Basket { codes: wish.codes, ..agents::basket(&wish.items) }
}

/// Programs want to be told of their orders.
fn told() -> Origin {
    Origin { webhook_url: Some(receiver::URL.to_owned()), ..agents::origin() }
}
