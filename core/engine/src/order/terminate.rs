//! Orders that are called off: by staff, or because no money came in time.

use handel_domain::{
    id::{OrderId, TenantId},
    order::{Order, Status},
    payment::AttemptStatus,
};
use handel_store::{Bound, Transaction, statements, values};
use jiff::Timestamp;

use super::{sql, unknown};
use crate::{
    Context, Engine, Error, Once, Scope, cart, channel::Which, checkout, journal, payment,
    promotion, stock,
};

statements! {
    EXPIRED = "
        select tenant_id, id from orders
         where status = 'reserved' and reservation_expires_at <= $1 order by reservation_expires_at limit 100";
}

/// Why an order ends before it is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The buyer gave up.
    GivenUp,
    /// The buyer wants another order in its place.
    Changed,
}

impl Ending {
    /// Whether an order whose latest attempt to pay has this status may end. An attempt that waits for the buyer ends
    /// with a buyer who gives up. Who wants something else may still approve it by mistake, and would pay for nothing.
    fn may_end(self, status: AttemptStatus) -> bool {
        status.is_final() || (self == Self::GivenUp && status == AttemptStatus::RequiresAction)
    }

    fn reason(self) -> &'static str {
        match self {
            Self::GivenUp => "the buyer gave up",
            Self::Changed => "the buyer changed the checkout",
        }
    }
}

impl Engine {
    /// Cancels an order that has not shipped: its stock is free again, and what was paid goes back.
    pub async fn cancel_order(
        &self,
        ctx: &Context,
        id: OrderId,
        reason: String,
        expected: Option<i64>,
    ) -> Result<Once<Order>, Error> {
        ctx.require(Scope::OrdersWrite)?;
        let reason = handel_domain::text::line("/reason", &reason, 200)?;
        let (engine, context) = (self.clone(), ctx.clone());
        let once = self
            .write_once(ctx, async move |tx, now| {
                let order = sql::lock(tx, context.tenant_id, id).await?.ok_or_else(unknown)?;
                crate::check_version(order.version, expected)?;
                engine.cancel_in(tx, &context, order, reason.clone(), now).await
            })
            .await?;
        self.0.jobs_wake.notify_one();
        Ok(once)
    }

    /// Cancels some orders for which no money came in time. The provider is asked before, so that an order
    /// is not canceled while its money is on the way. Returns how many were looked at.
    pub(crate) async fn expire_orders(&self) -> Result<usize, Error> {
        let now = self.system().now();
        let due = self
            .database()
            .read(async move |tx: &mut Transaction<'_>| {
                let rows = tx.rows(EXPIRED.bind(values![now])).await?;
                let read = |row: &handel_store::Row| {
                    Ok::<_, Error>((row.get::<TenantId>(0)?, row.get::<OrderId>(1)?))
                };
                rows.iter().map(read).collect::<Result<Vec<_>, _>>()
            })
            .await?;
        let count = due.len();
        for (tenant_id, id) in due {
            self.check_payment_of(tenant_id, id).await?;
            self.expire_order(tenant_id, id).await?;
        }
        Ok(count)
    }

    async fn expire_order(&self, tenant_id: TenantId, id: OrderId) -> Result<(), Error> {
        let ctx = Context::system(tenant_id, "scheduler", self.request_id());
        let engine = self.clone();
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                let Some(order) = sql::lock(tx, tenant_id, id).await? else { return Ok(()) };
                if order.status != Status::Reserved || order.reservation_expires_at > now {
                    return Ok(());
                }
                engine
                    .cancel_in(tx, &ctx, order, "no payment came in time".to_owned(), now)
                    .await?;
                Ok::<_, Error>(())
            })
            .await
    }

    /// Cancels an order that its buyer does not want as it is before it is paid. One that is past that is left alone.
    /// Refused while an attempt to pay it may still take the money.
    pub(crate) async fn cancel_waiting_order(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        id: OrderId,
        ending: Ending,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(order) = sql::lock(tx, ctx.tenant_id, id).await? else { return Ok(()) };
        if !order.awaits_payment() {
            return Ok(());
        }
        let latest = payment::sql::lock_of_order(tx, ctx.tenant_id, id).await?;
        let latest = latest.and_then(|(_, attempt)| attempt).map(|attempt| attempt.status);
        if latest.is_some_and(|status| !ending.may_end(status)) {
            return Err(match ending {
                Ending::GivenUp => payment::in_progress(Some(id)),
                Ending::Changed => payment::locked(&order, latest),
            }
            .into());
        }
        self.cancel_in(tx, ctx, order, ending.reason().to_owned(), now).await.map(drop)
    }

    /// Cancels an order that is locked. One that was never paid gives its checkout and cart back.
    async fn cancel_in(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        mut order: Order,
        reason: String,
        now: Timestamp,
    ) -> Result<Order, Error> {
        let was_paid = order.status != Status::Reserved;
        let mut bounds: Vec<Bound> = Vec::new();
        let mut refund_minor = 0;
        if let Some((mut payment, _)) =
            payment::sql::lock_of_order(tx, ctx.tenant_id, order.id).await?
        {
            let paid_by = payment::sql::paid_by(tx, ctx.tenant_id, payment.id).await?;
            if let Some(attempt) = paid_by {
                // What another attempt took is not this one's to give back, even where its own return failed.
                refund_minor = payment.refundable_minor().min(attempt.amount_minor);
                let refund = handel_domain::Money::new(refund_minor, payment.currency);
                payment.refund_pending_minor += refund_minor;
                bounds.push(payment::sql::update_payment(ctx.tenant_id, &mut payment));
                bounds.extend(payment::refund_rows(
                    self.system(),
                    ctx,
                    &attempt,
                    refund,
                    &reason,
                    now,
                ));
            }
        }
        let change = order.cancel(reason, refund_minor, now)?;
        promotion::release(tx, &order).await?;
        stock::release_order(tx, self.system(), ctx, order.id, now).await?;
        bounds.extend(journal::record_order(self.system(), ctx, &mut order, vec![change], now));
        bounds.extend(sql::update_lines(&order));
        let save = sql::update(&mut order);
        if tx.run(save).await? != 1 {
            return Err(tx.restart().into());
        }
        tx.run_all(bounds).await?;
        if !was_paid {
            self.reopen(tx, ctx.tenant_id, &order, now).await?;
        }
        Ok(order)
    }

    /// Lets the buyer of a canceled order try again.
    async fn reopen(
        &self,
        tx: &mut Transaction<'_>,
        tenant_id: TenantId,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), Error> {
        let channel = self.channel(tx, tenant_id, Which::Id(order.channel_id)).await?;
        let mut bounds = Vec::new();
        let cart = cart::sql::lock(tx, tenant_id, order.cart_id).await?;
        let checkout = checkout::sql::lock(tx, tenant_id, order.checkout_id).await?;
        let mut version = None;
        if let Some(mut cart) = cart {
            cart.reopen(&channel.settings, now);
            bounds.push(cart::sql::update(tenant_id, &mut cart));
            version = Some(cart.version);
        }
        if let Some(mut checkout) = checkout {
            checkout.reopen(&channel.settings, now);
            // It still holds what is in the cart, which changed only by being closed and opened.
            checkout.cart_version = version.unwrap_or(checkout.cart_version);
            bounds.push(checkout::sql::update(tenant_id, &mut checkout));
        }
        tx.run_all(bounds).await?;
        Ok(())
    }
}
