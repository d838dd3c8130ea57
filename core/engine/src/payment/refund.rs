//! Gives money back: a stored operation, a job that calls the provider with its key, and the outcome.

use handel_domain::{
    Money,
    event::OrderChange,
    id::{OperationId, OperationKind as OperationIdKind, OrderId, TenantId},
    payment::{Attempt, OperationKind},
};
use handel_ports::{CrashPoint, Refund, RefundOutcome, System};
use handel_store::{Bound, Transaction};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sql;
use crate::{Context, Engine, Error, jobs, journal, order};

/// The kind of the job that calls the provider.
pub(crate) const REFUND_JOB: &str = "payment.refund";

/// What the job needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RefundJob {
    operation_id: OperationId,
    order_id: OrderId,
    provider: String,
    reference: String,
    amount: Money,
}

/// The rows that make a refund certain to happen: the operation, whose id is the key at the provider, and the
/// job. The payment must count it as pending. `attempt` took the money.
pub(crate) fn refund_rows(
    system: &System,
    ctx: &Context,
    attempt: &Attempt,
    amount: Money,
    reason: &str,
    now: Timestamp,
) -> Vec<Bound> {
    let operation_id = system.mint::<OperationIdKind>(now);
    let reference = attempt.reference.clone().unwrap_or_default();
    let operation = sql::Operation {
        id: operation_id,
        payment_id: attempt.payment_id,
        attempt_id: attempt.id,
        kind: OperationKind::Refund,
        is_done: false,
        amount,
        reference: Some(&reference),
        reason: Some(reason),
    };
    let insert = operation.insert(ctx.tenant_id, now);
    let (order_id, provider) = (attempt.order_id, attempt.provider.clone());
    let job = RefundJob { operation_id, order_id, provider, reference: reference.clone(), amount };
    vec![insert, jobs::enqueue(system, ctx.tenant_id, REFUND_JOB, &job, None, now)]
}

impl Engine {
    /// Calls the provider. Fails while the outcome is not known, so that the job is run again.
    pub(crate) async fn run_refund(
        &self,
        tenant_id: TenantId,
        job: RefundJob,
    ) -> Result<(), String> {
        let provider = self.provider(Some(&job.provider)).map_err(|refusal| refusal.to_string())?;
        let refund =
            Refund { key: job.operation_id, reference: job.reference.clone(), amount: job.amount };
        let outcome =
            self.system().within(self.limits().provider_timeout, provider.refund(refund)).await;
        self.system().reach(CrashPoint::RefundAnswered).await;
        match outcome.unwrap_or(RefundOutcome::Unknown) {
            RefundOutcome::Unknown => {
                Err("the provider did not say what became of the refund".to_owned())
            }
            RefundOutcome::Done => self.end_refund(tenant_id, job, true).await,
            RefundOutcome::Refused => self.end_refund(tenant_id, job, false).await,
        }
    }

    async fn end_refund(
        &self,
        tenant_id: TenantId,
        job: RefundJob,
        succeeded: bool,
    ) -> Result<(), String> {
        let engine = self.clone();
        let ctx = Context::system(tenant_id, "refund", self.request_id());
        let ended = self
            .database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                let mut order = order::sql::lock(tx, tenant_id, job.order_id)
                    .await?
                    .ok_or_else(order::unknown)?;
                let found = sql::lock_of_order(tx, tenant_id, job.order_id).await?;
                let (mut payment, _) = found.ok_or_else(|| Error::internal("no payment"))?;
                let operation = (payment.id, job.operation_id);
                if tx.run(sql::end_operation(tenant_id, operation, succeeded, now)).await? == 0 {
                    return Ok(());
                }
                let amount_minor = job.amount.amount_minor;
                if job.amount.currency == payment.currency {
                    payment.refund_pending_minor -= amount_minor;
                    payment.refunded_minor += if succeeded { amount_minor } else { 0 };
                }
                let payment_id = payment.id;
                let change = match succeeded {
                    true => OrderChange::PaymentRefunded { payment_id, amount_minor },
                    false => OrderChange::RefundFailed { payment_id, amount_minor },
                };
                let events =
                    journal::record_order(engine.system(), &ctx, &mut order, vec![change], now);
                let mut bounds = vec![
                    sql::update_payment(tenant_id, &mut payment),
                    order::sql::update(&mut order),
                ];
                bounds.extend(events);
                if tx.run_all(bounds).await?[..2].iter().any(|changed| *changed != 1) {
                    return Err(tx.restart().into());
                }
                Ok::<_, Error>(())
            })
            .await;
        ended.map_err(|error| error.to_string())
    }
}
