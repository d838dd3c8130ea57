//! Applies what a provider says: the second transaction of a completion, and the only place where webhooks,
//! polls and the janitor change an order's money.

use handel_domain::{
    id::{AttemptId, OperationKind as OperationIdKind, OrderId},
    payment::{OperationKind, Report, Settlement, settle},
};
use handel_store::{Bound, Transaction};
use jiff::Timestamp;

use super::{
    Claimed, refund_rows,
    sql::{self, Concerned},
};
use crate::{
    Completion, Context, Engine, Error, PaymentSummary, idempotency, journal,
    order::{self, sql as orders},
};

/// What happens to the idempotency key of the request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    /// No request is waiting.
    None,
    /// The outcome is its reply.
    Answer,
    /// Nothing came of the request: the key is free again.
    Release,
}

impl Engine {
    /// Applies a report and stores the outcome as the reply of the request.
    ///
    /// What could not be sent at all is no outcome: the key is free again, and the same request makes a new
    /// attempt.
    pub(crate) async fn settle_with_reply(
        &self,
        ctx: &Context,
        claimed: &Claimed,
        report: Report,
    ) -> Result<Completion, Error> {
        let key = if report == Report::NotSent { Key::Release } else { Key::Answer };
        self.settle(ctx, Some(claimed.order_id), claimed.attempt_id, report, key).await
    }

    /// Applies a report that came on its own.
    pub(crate) async fn settle_report(
        &self,
        ctx: &Context,
        attempt_id: AttemptId,
        report: Report,
    ) -> Result<Completion, Error> {
        self.settle(ctx, None, attempt_id, report, Key::None).await
    }

    async fn settle(
        &self,
        ctx: &Context,
        order_id: Option<OrderId>,
        attempt_id: AttemptId,
        report: Report,
        key: Key,
    ) -> Result<Completion, Error> {
        let (engine, ctx) = (self.clone(), ctx.clone());
        let completion = self
            .database()
            .write(async move |tx: &mut Transaction<'_>| {
                let order_id = match order_id {
                    Some(order_id) => Some(order_id),
                    None => sql::order_of_attempt(tx, ctx.tenant_id, attempt_id).await?,
                };
                let order_id = order_id.ok_or_else(order::unknown)?;
                let found = sql::lock_concerned(tx, ctx.tenant_id, order_id, attempt_id).await?;
                let concerned = found.ok_or_else(order::unknown)?;
                engine.settle_in(tx, &ctx, concerned, report.clone(), key).await
            })
            .await?;
        self.wake();
        Ok(completion)
    }

    /// Decides and writes. One round trip.
    async fn settle_in(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        mut concerned: Concerned,
        report: Report,
        key: Key,
    ) -> Result<Completion, Error> {
        let now = self.system().now();
        let Concerned { order, payment, attempt, .. } = &mut concerned;
        let settlement = settle(order, payment, attempt, report, now);
        let (guarded, mut rows) = self.rows_of(ctx, &mut concerned, settlement, now);
        let Concerned { order, payment, attempt, later } = concerned;
        let order_token = self.order_token(ctx.tenant_id, order.id);
        let payment = Some(PaymentSummary::new(payment, later.or(Some(attempt))));
        let completion = Completion { order, order_token, payment, ordered_before: false };
        rows.extend(match key {
            Key::None => None,
            Key::Answer => idempotency::finish(ctx, &completion),
            Key::Release => idempotency::release(ctx),
        });
        let count = guarded.len();
        let changed = tx.run_all(guarded.into_iter().chain(rows).collect()).await?;
        if changed[..count].iter().any(|changed| *changed != 1) {
            return Err(tx.restart().into());
        }
        Ok(completion)
    }

    /// The rows that a settlement changes: those that must each change exactly one, and the others.
    fn rows_of(
        &self,
        ctx: &Context,
        concerned: &mut Concerned,
        settlement: Settlement,
        now: Timestamp,
    ) -> (Vec<Bound>, Vec<Bound>) {
        let Settlement { changes, captured, refund, attempt_changed } = settlement;
        if !attempt_changed {
            return (Vec::new(), Vec::new());
        }
        let Concerned { order, payment, attempt, .. } = concerned;
        let (tenant_id, is_news) = (ctx.tenant_id, !changes.is_empty());
        let mut rows = journal::record_order(self.system(), ctx, order, changes, now);
        let mut guarded = vec![sql::update_attempt(tenant_id, attempt)];
        if is_news {
            guarded.push(orders::update(order));
        }
        if let Some(amount) = captured {
            guarded.push(sql::update_payment(tenant_id, payment));
            let operation = sql::Operation {
                id: self.system().mint::<OperationIdKind>(now),
                payment_id: payment.id,
                attempt_id: attempt.id,
                kind: OperationKind::Capture,
                is_done: true,
                amount,
                reference: attempt.reference.as_deref(),
                reason: None,
            };
            rows.push(operation.insert(tenant_id, now));
        }
        if let Some(amount) = refund {
            let reason = "the order cannot keep this money";
            rows.extend(refund_rows(self.system(), ctx, attempt, amount, reason, now));
        }
        (guarded, rows)
    }
}
