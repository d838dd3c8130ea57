//! The janitor: asks providers what became of attempts whose outcome is not known.

use handel_domain::{
    Code,
    id::{AttemptId, CheckoutId, OrderId, TenantId},
    payment::{Attempt, Payment, Report},
};
use handel_ports::CrashPoint;
use handel_store::{Row, StoreError, Transaction, statements, values};
use serde::{Deserialize, Serialize};

use super::sql;
use crate::{Context, Engine, Error, Scope, order};

statements! {
    DUE = "
        select tenant_id, id, provider from payment_attempts
         where check_at is not null and check_at <= $1 order by check_at limit 50";
    PULL_FORWARD = "
        update payment_attempts set check_at = $1 where check_at is not null and status = 'pending' and check_at > $1";
}

/// What the shop and the provider say of a payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProviderCheck {
    /// The attempt.
    pub attempt_id: AttemptId,
    /// The provider.
    pub provider: String,
    /// Whether both agree.
    pub agrees: bool,
    /// What the provider says: `captured`, `declined`, `processing`, `requires_action`, `not_found` or
    /// `unreachable`.
    pub provider_says: String,
}

impl Engine {
    /// Asks about some attempts that are due. Returns how many there were.
    pub(crate) async fn check_payments(&self) -> Result<usize, Error> {
        let now = self.system().now();
        let due = self
            .database()
            .read(async move |tx: &mut Transaction<'_>| {
                let rows = tx.rows(DUE.bind(values![now])).await?;
                let read = |row: &Row| {
                    Ok((row.get::<TenantId>(0)?, row.get::<AttemptId>(1)?, row.get::<String>(2)?))
                };
                rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()
            })
            .await?;
        let count = due.len();
        for (tenant_id, id, provider) in due {
            self.check_attempt(tenant_id, id, &provider).await?;
        }
        Ok(count)
    }

    /// Asks about the latest attempt of an order, if its outcome is not known.
    pub(crate) async fn check_payment_of(
        &self,
        tenant_id: TenantId,
        order_id: OrderId,
    ) -> Result<(), Error> {
        let found = self
            .database()
            .read(async move |tx: &mut Transaction<'_>| {
                sql::of_order(tx, tenant_id, order_id).await
            })
            .await?;
        match found.and_then(|(_, latest)| latest).filter(|latest| !latest.status.is_final()) {
            Some(Attempt { id, provider, .. }) => {
                self.check_attempt(tenant_id, id, &provider).await
            }
            None => Ok(()),
        }
    }

    /// Asks the provider about the latest payment attempt of a checkout's order, where its outcome is not known: for a
    /// buyer who comes back from the provider's page. The outcome is in the checkout afterwards; it is unchanged where
    /// the provider does not answer, and where there is no order.
    ///
    /// Errors: `checkout.unknown` where the checkout is not the caller's.
    pub async fn confirm_payment(&self, ctx: &Context, id: CheckoutId) -> Result<(), Error> {
        let checkout = self.own_checkout(ctx, id).await?;
        match checkout.order_id {
            Some(order_id) => {
                let (engine, tenant_id) = (self.clone(), ctx.tenant_id);
                self.detached(async move { engine.check_payment_of(tenant_id, order_id).await })
                    .await
            }
            None => Ok(()),
        }
    }

    /// Compares what the shop and the provider say of an order's money. Never silent: a provider that
    /// cannot be reached, or has never heard of it, is said so.
    pub async fn reconcile_order(
        &self,
        ctx: &Context,
        order_id: OrderId,
    ) -> Result<Option<ProviderCheck>, Error> {
        ctx.require(Scope::OrdersRead)?;
        let tenant_id = ctx.tenant_id;
        let found = self
            .database()
            .read(async move |tx: &mut Transaction<'_>| {
                order::sql::find(tx, tenant_id, order_id).await?.ok_or_else(order::unknown)?;
                Ok::<_, Error>(sql::of_order(tx, tenant_id, order_id).await?)
            })
            .await?;
        let Some((payment, Some(attempt))) = found else { return Ok(None) };
        let report = self.ask(&attempt.provider, attempt.id).await?;
        let (provider_says, agrees) = compare(&payment, &attempt, &report);
        Ok(Some(ProviderCheck {
            attempt_id: attempt.id,
            provider: attempt.provider,
            agrees,
            provider_says: provider_says.to_owned(),
        }))
    }

    async fn check_attempt(
        &self,
        tenant_id: TenantId,
        id: AttemptId,
        provider: &str,
    ) -> Result<(), Error> {
        let report = self.ask(provider, id).await?;
        self.system().reach(CrashPoint::PaymentChecked).await;
        let ctx = Context::system(tenant_id, "janitor", self.request_id());
        self.settle_report(&ctx, id, report).await.map(drop)
    }

    async fn ask(&self, provider: &str, id: AttemptId) -> Result<Report, Error> {
        // A provider that is no longer enabled cannot be asked; the attempt waits until it is back.
        let Ok(provider) = self.provider(Some(provider)) else { return Ok(Report::Unknown) };
        let report = self.system().within(self.limits().provider_timeout, provider.find(id)).await;
        Ok(report.unwrap_or(Report::Unknown))
    }

    /// Lets the janitor ask at once about everything that a dead process left pending.
    pub(crate) async fn pull_checks_forward(
        &self,
        tx: &mut Transaction<'_>,
    ) -> Result<u64, StoreError> {
        tx.run(PULL_FORWARD.bind(values![self.system().now()])).await
    }
}

fn compare(payment: &Payment, attempt: &Attempt, report: &Report) -> (&'static str, bool) {
    use handel_domain::payment::AttemptStatus::{Failed, Processing, RequiresAction, Succeeded};
    match report {
        Report::Captured { amount, .. } => {
            let is_taken =
                attempt.status == Succeeded && amount.amount_minor == attempt.amount_minor;
            // Another amount pays nothing, and went back.
            let is_returned =
                attempt.failure == Some(Code::AmountMismatch) && payment.is_returned();
            ("captured", is_taken || is_returned)
        }
        Report::Declined { .. } => ("declined", attempt.status == Failed),
        Report::Processing { .. } => ("processing", attempt.status == Processing),
        Report::ActionRequired { .. } => ("requires_action", attempt.status == RequiresAction),
        Report::NotFound => ("not_found", attempt.status == Failed),
        Report::Unknown | Report::NotSent => ("unreachable", false),
    }
}
