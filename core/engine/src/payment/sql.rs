//! Rows of payments, attempts and operations.

use handel_domain::{
    Code, Money,
    id::{AttemptId, OperationId, OrderId, PaymentId, TenantId},
    order::Order,
    payment::{Attempt, AttemptStatus, OperationKind, Payment},
};
use handel_store::{Bound, Json, Row, StoreError, Transaction, statements, values};
use jiff::Timestamp;

use crate::order::sql as orders;

statements! {
    PAYMENT = "
        select id, order_id, currency, amount_minor, captured_minor, refund_pending_minor, refunded_minor, version
          from payments where tenant_id = $1 and order_id = $2";
    LOCK_PAYMENT for update = "
        select id, order_id, currency, amount_minor, captured_minor, refund_pending_minor, refunded_minor, version
          from payments where tenant_id = $1 and order_id = $2";
    LATEST_ATTEMPT = "
        select id, payment_id, order_id, provider, reference, status, amount_minor, failure, next_action, check_at,
               checks, created_at, sent_at, version
          from payment_attempts where tenant_id = $1 and order_id = $2 order by id desc limit 1";
    ATTEMPT = "
        select id, payment_id, order_id, provider, reference, status, amount_minor, failure, next_action, check_at,
               checks, created_at, sent_at, version
          from payment_attempts where tenant_id = $1 and id = $2";
    ORDER_OF_ATTEMPT = "select order_id from payment_attempts where tenant_id = $1 and id = $2";
    PAID_BY = "
        select a.id, a.payment_id, a.order_id, a.provider, a.reference, a.status, a.amount_minor, a.failure,
               a.next_action, a.check_at, a.checks, a.created_at, a.sent_at, a.version
          from payment_attempts a
         where a.tenant_id = $1 and a.payment_id = $2 and a.status = 'succeeded'
           and a.amount_minor > (
               select coalesce(sum(o.amount_minor), 0) from payment_operations o
                where o.tenant_id = a.tenant_id and o.payment_id = a.payment_id and o.attempt_id = a.id
                  and o.kind = 'refund')
         order by a.id limit 1";
    INSERT_PAYMENT = "
        insert into payments (tenant_id, id, order_id, currency, amount_minor, captured_minor, refund_pending_minor,
                              refunded_minor, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    UPDATE_PAYMENT = "
        update payments set captured_minor = $3, refund_pending_minor = $4, refunded_minor = $5, version = version + 1
         where tenant_id = $1 and id = $2 and version = $6";
    INSERT_ATTEMPT = "
        insert into payment_attempts (tenant_id, id, payment_id, order_id, provider, reference, status, amount_minor,
                                      failure, next_action, check_at, checks, created_at, sent_at, version)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    UPDATE_ATTEMPT = "
        update payment_attempts
           set reference = $3, status = $4, failure = $5, next_action = $6, check_at = $7, checks = $8,
               sent_at = $9, version = version + 1
         where tenant_id = $1 and id = $2 and version = $10";
    INSERT_OPERATION = "
        insert into payment_operations (tenant_id, id, payment_id, attempt_id, kind, status, amount_minor, currency,
                                        reference, reason, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)";
    END_OPERATION = "
        update payment_operations set status = $4, updated_at = $5
         where tenant_id = $1 and payment_id = $2 and id = $3 and status = 'pending'";
}

/// The payment of an order with its latest attempt. One round trip.
pub(crate) async fn of_order(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    order_id: OrderId,
) -> Result<Option<(Payment, Option<Attempt>)>, StoreError> {
    load(tx, &PAYMENT, tenant_id, order_id).await
}

/// The same, with the payment locked. The order must be locked before.
pub(crate) async fn lock_of_order(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    order_id: OrderId,
) -> Result<Option<(Payment, Option<Attempt>)>, StoreError> {
    load(tx, &LOCK_PAYMENT, tenant_id, order_id).await
}

async fn load(
    tx: &mut Transaction<'_>,
    payment: &'static handel_store::Statement,
    tenant_id: TenantId,
    order_id: OrderId,
) -> Result<Option<(Payment, Option<Attempt>)>, StoreError> {
    let bounds = vec![
        payment.bind(values![tenant_id, order_id]),
        LATEST_ATTEMPT.bind(values![tenant_id, order_id]),
    ];
    let results = tx.rows_all(bounds).await?;
    let attempt = || results[1].first().map(read_attempt).transpose();
    results[0].first().map(|row| Ok((read_payment(row)?, attempt()?))).transpose()
}

/// What an attempt concerns, all of it locked by the order.
pub(crate) struct Concerned {
    pub(crate) order: Order,
    pub(crate) payment: Payment,
    pub(crate) attempt: Attempt,
    /// The latest attempt, if that is another.
    pub(crate) later: Option<Attempt>,
}

/// Locks an order and its payment, always in this sequence, so that two who settle the same order wait
/// instead of deadlocking. One round trip.
pub(crate) async fn lock_concerned(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    order_id: OrderId,
    attempt_id: AttemptId,
) -> Result<Option<Concerned>, StoreError> {
    let mut bounds: Vec<Bound> = orders::lock_bounds(tenant_id, order_id).into();
    bounds.push(LOCK_PAYMENT.bind(values![tenant_id, order_id]));
    bounds.push(LATEST_ATTEMPT.bind(values![tenant_id, order_id]));
    bounds.push(ATTEMPT.bind(values![tenant_id, attempt_id]));
    let results = tx.rows_all(bounds).await?;
    let order = orders::read_found(tenant_id, &results[..2])?;
    let payment = results[2].first().map(read_payment).transpose()?;
    let latest = results[3].first().map(read_attempt).transpose()?;
    let attempt = results[4].first().map(read_attempt).transpose()?;
    let (Some(order), Some(payment), Some(attempt)) = (order, payment, attempt) else {
        return Ok(None);
    };
    let later = latest.filter(|latest| latest.id != attempt.id);
    Ok(Some(Concerned { order, payment, attempt, later }))
}

/// The order that an attempt pays.
pub(crate) async fn order_of_attempt(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: AttemptId,
) -> Result<Option<OrderId>, StoreError> {
    tx.row(ORDER_OF_ATTEMPT.bind(values![tenant_id, id])).await?.map(|row| row.get(0)).transpose()
}

/// The attempt that paid an order: the one whose money was not sent back. What others took went back at once.
pub(crate) async fn paid_by(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    payment_id: PaymentId,
) -> Result<Option<Attempt>, StoreError> {
    tx.row(PAID_BY.bind(values![tenant_id, payment_id]))
        .await?
        .as_ref()
        .map(read_attempt)
        .transpose()
}

pub(crate) fn insert_payment(tenant_id: TenantId, payment: &Payment) -> Bound {
    INSERT_PAYMENT.bind(values![
        tenant_id,
        payment.id,
        payment.order_id,
        payment.currency,
        payment.amount_minor,
        payment.captured_minor,
        payment.refund_pending_minor,
        payment.refunded_minor,
        payment.version,
    ])
}

/// Saves a payment that was read in this transaction, and gives it its next version. Changes one row.
pub(crate) fn update_payment(tenant_id: TenantId, payment: &mut Payment) -> Bound {
    let before = payment.version;
    payment.version += 1;
    UPDATE_PAYMENT.bind(values![
        tenant_id,
        payment.id,
        payment.captured_minor,
        payment.refund_pending_minor,
        payment.refunded_minor,
        before,
    ])
}

pub(crate) fn insert_attempt(tenant_id: TenantId, attempt: &Attempt) -> Bound {
    INSERT_ATTEMPT.bind(values![
        tenant_id,
        attempt.id,
        attempt.payment_id,
        attempt.order_id,
        &attempt.provider,
        attempt.reference.as_deref(),
        attempt.status.as_str(),
        attempt.amount_minor,
        attempt.failure.map(Code::as_str),
        attempt.next_action.as_ref().map(Json),
        attempt.check_at,
        attempt.checks,
        attempt.created_at,
        attempt.sent_at,
        attempt.version,
    ])
}

/// Saves an attempt that was read in this transaction, and gives it its next version. Changes one row.
pub(crate) fn update_attempt(tenant_id: TenantId, attempt: &mut Attempt) -> Bound {
    let before = attempt.version;
    attempt.version += 1;
    UPDATE_ATTEMPT.bind(values![
        tenant_id,
        attempt.id,
        attempt.reference.as_deref(),
        attempt.status.as_str(),
        attempt.failure.map(Code::as_str),
        attempt.next_action.as_ref().map(Json),
        attempt.check_at,
        attempt.checks,
        attempt.sent_at,
        before,
    ])
}

/// A movement of money for the ledger.
pub(crate) struct Operation<'a> {
    pub(crate) id: OperationId,
    pub(crate) payment_id: PaymentId,
    pub(crate) attempt_id: AttemptId,
    pub(crate) kind: OperationKind,
    pub(crate) is_done: bool,
    pub(crate) amount: Money,
    pub(crate) reference: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
}

impl Operation<'_> {
    pub(crate) fn insert(&self, tenant_id: TenantId, now: Timestamp) -> Bound {
        INSERT_OPERATION.bind(values![
            tenant_id,
            self.id,
            self.payment_id,
            self.attempt_id,
            self.kind.as_str(),
            if self.is_done { "succeeded" } else { "pending" },
            self.amount.amount_minor,
            self.amount.currency,
            self.reference,
            self.reason,
            now,
        ])
    }
}

/// Ends an operation that is pending. Changes no row if it had ended.
pub(crate) fn end_operation(
    tenant_id: TenantId,
    (payment_id, id): (PaymentId, OperationId),
    succeeded: bool,
    now: Timestamp,
) -> Bound {
    let status = if succeeded { "succeeded" } else { "failed" };
    END_OPERATION.bind(values![tenant_id, payment_id, id, status, now])
}

fn read_payment(row: &Row) -> Result<Payment, StoreError> {
    Ok(Payment {
        id: row.get(0)?,
        order_id: row.get(1)?,
        currency: row.get(2)?,
        amount_minor: row.get(3)?,
        captured_minor: row.get(4)?,
        refund_pending_minor: row.get(5)?,
        refunded_minor: row.get(6)?,
        version: row.get(7)?,
    })
}

fn read_attempt(row: &Row) -> Result<Attempt, StoreError> {
    let failure: Option<String> = row.get(7)?;
    Ok(Attempt {
        id: row.get(0)?,
        payment_id: row.get(1)?,
        order_id: row.get(2)?,
        provider: row.get(3)?,
        reference: row.get(4)?,
        status: read_status(&row.get::<String>(5)?)?,
        amount_minor: row.get(6)?,
        failure: failure
            .and_then(|text| Code::ALL.iter().find(|code| code.as_str() == text).copied()),
        next_action: row.get::<Option<Json<_>>>(8)?.map(|Json(action)| action),
        check_at: row.get(9)?,
        checks: row.get(10)?,
        created_at: row.get(11)?,
        sent_at: row.get(12)?,
        version: row.get(13)?,
    })
}

fn read_status(text: &str) -> Result<AttemptStatus, StoreError> {
    use AttemptStatus::{Failed, Pending, Processing, RequiresAction, Succeeded, Unknown};
    let all = [Pending, Unknown, RequiresAction, Processing, Succeeded, Failed];
    let known = all.into_iter().find(|status| status.as_str() == text);
    known.ok_or_else(|| StoreError::Unit(format!("an attempt has the unknown status {text}")))
}
