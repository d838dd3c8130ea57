//! A second completion of a checkout that became an order: the order as it is, or another attempt to pay it.

use handel_domain::{
    Money, Refusal,
    checkout::check_total,
    id::OrderId,
    payment::{Attempt, AttemptStatus, Payment},
};
use handel_store::{Bound, Transaction};
use jiff::{SignedDuration, Timestamp};

use super::{Claimed, in_progress, sql};
use crate::{
    Completion, Engine, Error, PaymentSummary,
    idempotency::{self, Known},
    order::{self, Placed, Ticket, new_attempt, sql as orders},
};

/// What ids can tell apart.
const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

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
        let resumes = match idempotency::look_up(tx, ctx, now).await? {
            Known::Done(completion) => return Ok(Placed::Replayed(completion)),
            Known::Abandoned => true,
            Known::New => false,
        };
        let order = orders::lock(tx, ctx.tenant_id, order_id).await?.ok_or_else(order::unknown)?;
        let found = sql::lock_of_order(tx, ctx.tenant_id, order_id).await?;
        let order_token = self.order_token(ctx.tenant_id, order_id);
        let mut bounds = Vec::new();
        // The process that was refused died before it noted that: the same request is answered so, and charges no more.
        let refused = |latest: &Option<Attempt>| latest.as_ref().is_some_and(Attempt::was_refused);
        let placed = match found {
            Some((payment, latest)) if order.awaits_payment() && !(resumes && refused(&latest)) => {
                if ticket.complete.payment.is_none() {
                    return Err(Refusal::field("/payment", "is needed").into());
                }
                // The order has its price; who names another one looked at something else.
                let expected = ticket.complete.expected_total_minor;
                let expected = expected.map(|minor| Money::new(minor, payment.currency));
                check_total(payment.money(), expected.or(Some(payment.money())))?;
                // Ids tell which attempt is the latest, also where clocks differ or two are made in one
                // millisecond.
                let after = latest.as_ref().map(|latest| latest.created_at + MILLISECOND);
                let made_at = after.map_or(now, |after| after.max(now));
                let attempt = match latest.filter(|latest| !latest.status.is_final()) {
                    // The process that made it died: the same request may send it again, because the
                    // provider takes the money of one key once.
                    Some(mut latest) if resumes => {
                        latest.send_again(now);
                        bounds.push(sql::update_attempt(ctx.tenant_id, &mut latest));
                        Claimed::new(&payment, &latest, true)
                    }
                    Some(mut latest) if latest.status == AttemptStatus::RequiresAction => {
                        latest.supersede();
                        bounds.push(sql::update_attempt(ctx.tenant_id, &mut latest));
                        self.claim_new(ticket, &payment, made_at, &mut bounds)
                    }
                    Some(_) => return Err(in_progress(Some(order_id)).into()),
                    None => self.claim_new(ticket, &payment, made_at, &mut bounds),
                };
                Placed::Charge(attempt)
            }
            found => {
                let payment = found.map(|(payment, latest)| PaymentSummary::new(payment, latest));
                Placed::Done(Completion { order, order_token, payment, ordered_before: !resumes })
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

    fn claim_new(
        &self,
        ticket: &Ticket,
        payment: &Payment,
        now: Timestamp,
        bounds: &mut Vec<Bound>,
    ) -> Claimed {
        let provider = ticket.provider.expect("it was checked that there is a payment");
        let attempt = new_attempt(self, payment, provider, now);
        bounds.push(sql::insert_attempt(ticket.ctx.tenant_id, &attempt));
        Claimed::new(payment, &attempt, false)
    }
}
