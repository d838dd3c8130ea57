//! A second completion of a checkout that became an order: the order as it is, or another attempt to pay it.

use handel_domain::{id::OrderId, payment::AttemptStatus};
use handel_store::Transaction;
use jiff::SignedDuration;

use super::{Claimed, in_progress, sql};
use crate::{
    Completion, Engine, Error, PaymentSummary,
    idempotency::{self, Known},
    order::{self, Placed, Ticket, new_attempt, sql as orders},
};

impl Engine {
    /// Takes up an order that was placed before.
    pub(crate) async fn pay_again(
        &self,
        ticket: &Ticket,
        order_id: OrderId,
    ) -> Result<Placed, Error> {
        // What was left hanging may have ended at the provider since.
        self.check_payment_of(ticket.ctx.tenant_id, order_id).await?;
        let (engine, ticket) = (self.clone(), ticket.clone());
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                engine.pay_again_in(tx, &ticket, order_id).await
            })
            .await
    }

    async fn pay_again_in(
        &self,
        tx: &mut Transaction<'_>,
        ticket: &Ticket,
        order_id: OrderId,
    ) -> Result<Placed, Error> {
        let (now, ctx) = (self.system().now(), &ticket.ctx);
        if let Known::Done(completion) = idempotency::look_up(tx, ctx, now).await? {
            return Ok(Placed::Replayed(completion));
        }
        let order = orders::lock(tx, ctx.tenant_id, order_id).await?.ok_or_else(order::unknown)?;
        let found = sql::lock_of_order(tx, ctx.tenant_id, order_id).await?;
        let order_token = self.order_token(ctx.tenant_id, order_id);
        let mut bounds = Vec::new();
        let placed = match found {
            Some((payment, latest)) if order.awaits_payment() => {
                // Ids tell which attempt is the latest, also where clocks differ or two are made in one
                // millisecond.
                let after = latest
                    .as_ref()
                    .map(|latest| latest.created_at + SignedDuration::from_millis(1));
                let made_at = after.map_or(now, |after| after.max(now));
                if let Some(mut latest) = latest.filter(|latest| !latest.status.is_final()) {
                    if latest.status != AttemptStatus::RequiresAction {
                        return Err(in_progress(Some(order_id)).into());
                    }
                    latest.supersede();
                    bounds.push(sql::update_attempt(ctx.tenant_id, &mut latest));
                }
                if ticket.complete.payment.is_none() {
                    return Err(handel_domain::Refusal::field("/payment", "is needed").into());
                }
                let attempt = new_attempt(self, &payment, ticket.provider, made_at);
                bounds.push(sql::insert_attempt(ctx.tenant_id, &attempt));
                Placed::Charge(Claimed::new(&payment, &attempt, false))
            }
            found => {
                let payment = found.map(|(payment, latest)| PaymentSummary::new(payment, latest));
                Placed::Done(Completion { order, order_token, payment })
            }
        };
        let reply = match &placed {
            Placed::Done(completion) => Some(completion),
            _ => None,
        };
        if let Some(key) = &ctx.idempotency {
            let claimed = tx.run(idempotency::claim(ctx, key, &self.process(), reply, now)).await?;
            if claimed != 1 {
                return Err(tx.restart().into());
            }
        }
        tx.run_all(bounds).await?;
        Ok(placed)
    }
}
