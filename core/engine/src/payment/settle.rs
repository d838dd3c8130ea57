//! Applies what a provider says: the second transaction of a completion, and the only place where webhooks,
//! polls and the janitor change an order's money.

use handel_domain::{
    id::{AttemptId, OperationKind as OperationIdKind},
    payment::{OperationKind, Report, settle},
};
use handel_store::{Bound, Transaction};
use jiff::Timestamp;

use super::{refund_rows, sql};
use crate::{
    Completion, Context, Engine, Error, PaymentSummary, idempotency, journal,
    order::{self, sql as orders},
};

impl Engine {
    /// Applies a report and stores the outcome as the reply of the request.
    ///
    /// What could not be sent at all is no outcome: the key is free again, and the same request makes a new
    /// attempt.
    pub(crate) async fn settle_with_reply(
        &self,
        ctx: &Context,
        attempt_id: AttemptId,
        report: Report,
    ) -> Result<Completion, Error> {
        let (engine, ctx) = (self.clone(), ctx.clone());
        let forget = report == Report::NotSent;
        let completion = self
            .database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                let completion =
                    engine.settle_in(tx, &ctx, attempt_id, report.clone(), now).await?;
                let reply = if forget {
                    idempotency::release(&ctx)
                } else {
                    idempotency::finish(&ctx, &completion)
                };
                tx.run_all(reply.into_iter().collect()).await?;
                Ok::<_, Error>(completion)
            })
            .await?;
        self.wake();
        Ok(completion)
    }

    /// Applies a report that came on its own.
    pub(crate) async fn settle_report(
        &self,
        ctx: &Context,
        attempt_id: AttemptId,
        report: Report,
    ) -> Result<Completion, Error> {
        let (engine, ctx) = (self.clone(), ctx.clone());
        let completion = self
            .database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                engine.settle_in(tx, &ctx, attempt_id, report.clone(), now).await
            })
            .await?;
        self.wake();
        Ok(completion)
    }

    async fn settle_in(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        attempt_id: AttemptId,
        report: Report,
        now: Timestamp,
    ) -> Result<Completion, Error> {
        let tenant_id = ctx.tenant_id;
        let order_id =
            sql::order_of_attempt(tx, tenant_id, attempt_id).await?.ok_or_else(order::unknown)?;
        // Always in this order, so that two who settle the same order wait instead of deadlocking.
        let mut order = orders::lock(tx, tenant_id, order_id).await?.ok_or_else(order::unknown)?;
        let (mut payment, latest) = sql::lock_of_order(tx, tenant_id, order_id)
            .await?
            .ok_or_else(|| Error::internal("no payment"))?;
        let other = latest.clone().filter(|latest| latest.id != attempt_id);
        let mut attempt = match latest.filter(|latest| latest.id == attempt_id) {
            Some(latest) => latest,
            None => sql::attempt(tx, tenant_id, attempt_id)
                .await?
                .ok_or_else(|| Error::internal("no attempt"))?,
        };
        let settlement = settle(&mut order, &mut payment, &mut attempt, report, now);
        if settlement.attempt_changed {
            let is_news = !settlement.changes.is_empty();
            let events =
                journal::record_order(self.system(), ctx, &mut order, settlement.changes, now);
            let mut guarded = vec![sql::update_attempt(tenant_id, &mut attempt)];
            if is_news {
                guarded.push(orders::update(&mut order));
            }
            if settlement.captured.is_some() {
                guarded.push(sql::update_payment(tenant_id, &mut payment));
            }
            let count = guarded.len();
            let mut bounds: Vec<Bound> = guarded;
            bounds.extend(events);
            if let Some(amount) = settlement.captured {
                let captured = sql::Operation {
                    id: self.system().mint::<OperationIdKind>(now),
                    payment_id: payment.id,
                    attempt_id,
                    kind: OperationKind::Capture,
                    is_done: true,
                    amount,
                    reference: attempt.reference.as_deref(),
                    reason: None,
                };
                bounds.push(captured.insert(tenant_id, now));
            }
            if let Some(amount) = settlement.refund {
                let reason = "the order cannot keep this money";
                bounds.extend(refund_rows(self.system(), ctx, &attempt, amount, reason, now));
            }
            if tx.run_all(bounds).await?[..count].iter().any(|changed| *changed != 1) {
                return Err(tx.restart().into());
            }
        }
        let order_token = self.order_token(tenant_id, order_id);
        let payment = Some(PaymentSummary::new(payment, other.or(Some(attempt))));
        Ok(Completion { order, order_token, payment })
    }
}
