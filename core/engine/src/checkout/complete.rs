//! Completes a checkout: one path for every door, every retry, webhook and sweeper.
//!
//! 1. The order is placed (its stock promised, its payment's key stored) in one transaction.
//! 2. The provider is called outside of any transaction, with that key.
//! 3. What it says is applied in a second transaction, together with the reply.
//!
//! All of it runs in a task of its own. If the process dies in between, the same request takes the order
//! up again, or the janitor asks the provider.

use handel_domain::{Code, Refusal, checkout::WithPayment, id::CartId, payment::Report};
use handel_ports::{Charge, CrashPoint};
use handel_store::Transaction;

use super::{Complete, Completion, PaymentChoice, Submit, prepare::Draft};
use crate::{
    Context, Engine, Error, Once,
    idempotency::{self, Known},
    order::{Placed, Ticket},
    payment::Claimed,
};

impl Engine {
    /// Makes a checkout from a cart and completes it.
    pub async fn submit_checkout(
        &self,
        ctx: &Context,
        submit: Submit,
    ) -> Result<Once<Completion>, Error> {
        require_key(ctx)?;
        self.check_payment(submit.payment.as_ref())?;
        let cart_id = self.cart_id(&submit.cart)?;
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.detached(async move {
            let checkout_id = match engine.prepare_once(&ctx, cart_id, &submit).await? {
                Prepared::Done(completion) => {
                    return Ok(Once { reply: *completion, replayed: true });
                }
                Prepared::Checkout(id) => id,
            };
            let complete = Complete {
                checkout_id,
                payment: submit.payment,
                said: WithPayment::default(),
                expected_total_minor: submit.expected_total_minor,
                expected_version: None,
            };
            engine.complete_here(ctx, complete).await
        })
        .await
    }

    /// Completes a checkout. Needs an idempotency key.
    ///
    /// A checkout that became an order before is answered with that order, or, if it still waits for money,
    /// with another attempt to pay it.
    pub async fn complete_checkout(
        &self,
        ctx: &Context,
        complete: Complete,
    ) -> Result<Once<Completion>, Error> {
        require_key(ctx)?;
        self.check_payment(complete.payment.as_ref())?;
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.detached(async move { engine.complete_here(ctx, complete).await }).await
    }

    /// Refuses what can never be charged, before an order is placed for it.
    fn check_payment(&self, payment: Option<&PaymentChoice>) -> Result<(), Error> {
        match payment {
            Some(choice) => {
                Ok(self.provider(choice.provider.as_deref())?.check_token(&choice.token)?)
            }
            None => Ok(()),
        }
    }

    async fn prepare_once(
        &self,
        ctx: &Context,
        cart_id: CartId,
        submit: &Submit,
    ) -> Result<Prepared, Error> {
        let (engine, context, buyer) = (self.clone(), ctx.clone(), submit.buyer.clone());
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                // A repetition must not touch the cart, which may have become an order since.
                if let Known::Done(completion) = idempotency::look_up(tx, &context, now).await? {
                    return Ok(Prepared::Done(Box::new(completion)));
                }
                let (Draft { mut checkout, saving }, _) =
                    engine.prepare(tx, &context, cart_id, buyer.clone(), now).await?;
                saving.run(tx, context.tenant_id, &mut checkout).await?;
                Ok::<_, Error>(Prepared::Checkout(checkout.id))
            })
            .await
    }

    async fn complete_here(
        &self,
        ctx: Context,
        complete: Complete,
    ) -> Result<Once<Completion>, Error> {
        // What costs nothing needs no provider.
        let provider = match &complete.payment {
            Some(choice) => Some(self.provider(choice.provider.as_deref())?.name()),
            None => None,
        };
        let ticket = Ticket { ctx: ctx.clone(), complete, provider };
        let choice = ticket.complete.payment.clone();
        let claimed = match self.place(ticket.clone()).await? {
            Placed::Replayed(completion) => return Ok(Once { reply: completion, replayed: true }),
            Placed::Done(completion) => return Ok(Once { reply: completion, replayed: false }),
            Placed::Charge(claimed) => claimed,
            Placed::Before(order_id) => match self.pay_again(&ticket, order_id).await? {
                Placed::Charge(claimed) => claimed,
                Placed::Replayed(completion) => {
                    return Ok(Once { reply: completion, replayed: true });
                }
                Placed::Done(completion) => return Ok(Once { reply: completion, replayed: false }),
                Placed::Before(_) => {
                    return Err(Error::internal("an order was placed before, twice"));
                }
            },
        };
        let reply = self.charge(&ctx, claimed, choice).await?;
        Ok(Once { reply, replayed: false })
    }

    /// Calls the provider with the stored key and applies what it says.
    async fn charge(
        &self,
        ctx: &Context,
        claimed: Claimed,
        choice: Option<PaymentChoice>,
    ) -> Result<Completion, Error> {
        let provider = self.provider(Some(&claimed.provider))?;
        let charge = choice.map(|choice| Charge {
            key: claimed.attempt_id,
            order_id: claimed.order_id,
            amount: claimed.amount,
            token: choice.token,
            return_url: choice.return_url,
        });
        let call = async {
            // A process died between the call and its answer: ask before anything is sent again.
            let known = match claimed.resumed {
                true => provider.find(claimed.attempt_id).await,
                false => Report::NotFound,
            };
            match (known, charge) {
                (Report::NotFound, Some(charge)) => provider.charge(charge).await,
                (known, _) => known,
            }
        };
        let call = async {
            match call.await {
                // This time it never left; but it may be on its way from the time before.
                Report::NotSent if claimed.resumed => Report::Unknown,
                report => report,
            }
        };
        self.system().reach(CrashPoint::OrderPlaced).await;
        let report = self.system().within(self.limits().provider_timeout, call).await;
        let report = report.unwrap_or(Report::Unknown);
        self.system().reach(CrashPoint::ChargeAnswered).await;
        let reply = self.settle_with_reply(ctx, &claimed, report).await;
        self.system().reach(CrashPoint::ChargeSettled).await;
        reply
    }
}

enum Prepared {
    Done(Box<Completion>),
    Checkout(handel_domain::id::CheckoutId),
}

fn require_key(ctx: &Context) -> Result<(), Refusal> {
    match ctx.idempotency {
        Some(_) => Ok(()),
        None => Err(Refusal::new(
            Code::IdempotencyKeyRequired,
            "buying needs an Idempotency-Key, so that a repetition buys nothing twice",
        )),
    }
}
