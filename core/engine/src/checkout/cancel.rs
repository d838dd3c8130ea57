//! Checkouts that their owner gives up.

use handel_domain::{
    checkout::Checkout,
    id::{CheckoutId, OrderId, TenantId},
};
use handel_store::Transaction;
use jiff::Timestamp;

use super::{CheckoutView, check_owner, prepare::write, sql, unknown, view};
use crate::{Context, Engine, Error, Once, channel::Which, order::Ending, stock};

impl Engine {
    /// Gives a checkout up. An order that waits for money is canceled with it, and its stock is free again.
    ///
    /// Refuses a checkout that has ended, and one whose payment is under way: the money may be on its way.
    pub async fn cancel_checkout(
        &self,
        ctx: &Context,
        id: CheckoutId,
    ) -> Result<Once<CheckoutView>, Error> {
        // What was left hanging may have ended at the provider since.
        if let Some(order_id) = self.order_of_checkout(ctx, id).await? {
            self.check_payment_of(ctx.tenant_id, order_id).await?;
        }
        let (engine, context) = (self.clone(), ctx.clone());
        let once = self
            .write_once(ctx, async move |tx, now| {
                engine.cancel_checkout_in(tx, &context, id, now).await
            })
            .await?;
        self.0.jobs_wake.notify_one();
        Ok(once)
    }

    async fn order_of_checkout(
        &self,
        ctx: &Context,
        id: CheckoutId,
    ) -> Result<Option<OrderId>, Error> {
        let ctx = ctx.clone();
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let found = sql::find(tx, ctx.tenant_id, id).await?;
                let own = found.filter(|checkout| check_owner(&ctx, checkout).is_ok());
                Ok::<_, Error>(own.and_then(|checkout| checkout.order_id))
            })
            .await
    }

    async fn cancel_checkout_in(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        id: CheckoutId,
        now: Timestamp,
    ) -> Result<CheckoutView, Error> {
        let tenant_id = ctx.tenant_id;
        let seen = sql::find(tx, tenant_id, id).await?.ok_or_else(unknown)?;
        check_owner(ctx, &seen)?;
        // An order is locked before its cart and checkout, as everywhere.
        if let Some(order_id) = seen.order_id {
            self.cancel_waiting_order(tx, ctx, order_id, Ending::GivenUp, now).await?;
        }
        let found = sql::lock_with_cart(tx, tenant_id, id).await?;
        let (mut checkout, _) = found.ok_or_else(unknown)?;
        if checkout.order_id.is_some() && seen.order_id.is_none() {
            // It became an order meanwhile: begin with that.
            return Err(tx.restart().into());
        }
        checkout.check_open(now)?;
        let market = self.market(tx, tenant_id, Which::Id(checkout.channel_id)).await?;
        checkout.cancel(&market.channel.settings, now);
        save_canceled(tx, tenant_id, &mut checkout, now).await?;
        view::view(tx, tenant_id, checkout, &market, now).await
    }
}

/// Saves a checkout that was canceled, and gives back the stock that it held.
pub(crate) async fn save_canceled(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    checkout: &mut Checkout,
    now: Timestamp,
) -> Result<(), Error> {
    let save = sql::update(tenant_id, checkout);
    write(tx, vec![save]).await?;
    stock::release_holds(tx, tenant_id, checkout.id, now).await
}
