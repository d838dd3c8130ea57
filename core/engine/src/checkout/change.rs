//! Changes of a checkout, also of one that became an order whose payment failed.

use std::sync::Arc;

use handel_domain::{
    Code,
    id::{CheckoutId, OrderId},
};
use handel_store::Transaction;
use jiff::Timestamp;

use super::{CheckoutView, check_owner, sql, unknown};
use crate::{Context, Engine, Error, Once, order::Ending};

/// The checkout that is changed.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) id: CheckoutId,
    /// The version that the caller saw.
    pub(super) expected_version: Option<i64>,
}

impl Engine {
    /// Runs a change of a checkout once per idempotency key. Where the checkout became an order that waits because its
    /// payment failed, the order is canceled, the checkout opens again and is changed, all in one transaction.
    ///
    /// `change` gets the version that the checkout must have. Refuses while an attempt to pay may still take the money.
    pub(super) async fn change_once<F>(
        &self,
        ctx: &Context,
        target: Target,
        change: F,
    ) -> Result<Once<CheckoutView>, Error>
    where
        F: for<'a, 'b> AsyncFn(
                &'a mut Transaction<'b>,
                Option<i64>,
                Timestamp,
            ) -> Result<CheckoutView, Error>
            + Send
            + Sync
            + 'static,
    {
        let change = Arc::new(change);
        let plain = change.clone();
        let changed = self
            .answer_once(ctx, async move |tx, now| (*plain)(tx, target.expected_version, now).await)
            .await;
        let order_id = match &changed {
            Err(error) if error.code() == Code::CheckoutClosed => error.refusal.details.order_id,
            _ => None,
        };
        let Some(order_id) = order_id else { return changed };
        // What was left hanging may have ended at the provider since.
        self.check_payment_of(ctx.tenant_id, order_id).await?;
        let (engine, context) = (self.clone(), ctx.clone());
        let changed = self
            .answer_once(ctx, async move |tx, now| {
                let expected = engine.open_again(tx, &context, target, order_id, now).await?;
                (*change)(tx, expected, now).await
            })
            .await;
        self.0.jobs_wake.notify_one();
        changed
    }

    /// Cancels the order of a checkout if it still waits, and returns the version that the checkout must have then.
    async fn open_again(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        Target { id, expected_version }: Target,
        order_id: OrderId,
        now: Timestamp,
    ) -> Result<Option<i64>, Error> {
        let seen = sql::find(tx, ctx.tenant_id, id).await?.ok_or_else(unknown)?;
        check_owner(ctx, &seen)?;
        if seen.order_id != Some(order_id) {
            return Ok(expected_version);
        }
        crate::check_version(seen.version, expected_version)?;
        self.cancel_waiting_order(tx, ctx, order_id, Ending::Changed, now).await?;
        let after = sql::find(tx, ctx.tenant_id, id).await?.ok_or_else(unknown)?;
        Ok(expected_version.map(|_| after.version))
    }
}
