//! The total that the owner of a checkout saw last: each answer keeps it, because only that is charged.

use handel_domain::{
    Money,
    checkout::{Checkout, CheckoutStatus},
    id::CheckoutId,
};
use handel_store::Transaction;
use jiff::Timestamp;

use super::{CheckoutView, is_owner, sql, unknown, write};
use crate::{Context, Engine, Error, Once};

/// Keeps the total that an answer shows, if it goes to the owner. Returns whether the checkout changed by it.
pub(crate) fn show_total(ctx: &Context, checkout: &mut Checkout, total: Money) -> bool {
    is_owner(ctx, checkout) && checkout.show_total(total)
}

impl CheckoutView {
    /// What it costs now.
    pub fn total(&self) -> Money {
        Money::new(self.quote.totals.total_minor, self.currency)
    }

    /// Keeps the total, because the caller is about to see it. Must be saved with the checkout.
    pub(super) fn show_to(&mut self, ctx: &Context) {
        let total = self.total();
        show_total(ctx, &mut self.checkout, total);
    }

    /// Whether the owner would see another total than the one that is kept.
    fn shows_news(&self, ctx: &Context, now: Timestamp) -> bool {
        let Checkout { status, shown_total, .. } = &self.checkout;
        *status == CheckoutStatus::Open
            && !self.checkout.has_expired(now)
            && *shown_total != Some(self.total())
            && is_owner(ctx, &self.checkout)
    }
}

impl Engine {
    /// A checkout as it stands, as an answer to the caller: its total is kept as the one that its owner saw last.
    pub async fn get_checkout(&self, ctx: &Context, id: CheckoutId) -> Result<CheckoutView, Error> {
        let view = self.peek_checkout(ctx, id).await?;
        if !view.shows_news(ctx, self.system().now()) {
            return Ok(view);
        }
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                let found = sql::lock(tx, ctx.tenant_id, id).await?.ok_or_else(unknown)?;
                let mut view = engine.own_view(tx, &ctx, found).await?;
                if view.shows_news(&ctx, engine.system().now()) {
                    view.show_to(&ctx);
                    write(tx, vec![sql::set_shown(ctx.tenant_id, &view.checkout)]).await?;
                }
                Ok(view)
            })
            .await
    }

    /// Runs a unit that answers with a checkout once per idempotency key. A repetition is answered as it was the
    /// first time, so that is what its owner saw last.
    pub(super) async fn answer_once<F>(
        &self,
        ctx: &Context,
        unit: F,
    ) -> Result<Once<CheckoutView>, Error>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>, Timestamp) -> Result<CheckoutView, Error>
            + Send
            + Sync
            + 'static,
    {
        let once = self.write_once(ctx, unit).await?;
        if once.replayed {
            self.show_again(ctx, &once.reply).await?;
        }
        Ok(once)
    }

    async fn show_again(&self, ctx: &Context, reply: &CheckoutView) -> Result<(), Error> {
        let (ctx, id, total) = (ctx.clone(), reply.checkout.id, reply.total());
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                let Some(mut found) = sql::lock(tx, ctx.tenant_id, id).await? else {
                    return Ok(());
                };
                if found.status == CheckoutStatus::Open && show_total(&ctx, &mut found, total) {
                    write(tx, vec![sql::set_shown(ctx.tenant_id, &found)]).await?;
                }
                Ok::<_, Error>(())
            })
            .await
    }
}
