//! The operations: a request that was read becomes calls of the engine, and what it says becomes an answer.

mod cart;
mod catalog;
mod checkout;
mod order;

use std::sync::Arc;

use handel_domain::{
    Code, Refusal,
    address::Country,
    channel::{self, Channel},
    id::{ChannelId, TenantId},
    text::Slug,
};
use handel_engine::{Caller, Context, Error, Idempotency};

use crate::{
    Agreement, Answer, Call, Operation, TransportError, Ucp,
    codec::Codec,
    neutral::{
        Message,
        message::Severity,
        refusal::{Told, tell},
        request::Hints,
    },
    operation::FULFILLMENT,
};

/// A call of a program that the shop has met.
pub(crate) struct Work<'a> {
    pub(crate) ucp: &'a Ucp,
    pub(crate) call: &'a Call,
    pub(crate) agreement: &'a Agreement,
    pub(crate) codec: &'static dyn Codec,
    pub(crate) ctx: Context,
}

/// Why an operation stopped early: its answer.
pub(crate) type Stop = Box<Answer>;

impl<'a> Work<'a> {
    pub(crate) fn new(ucp: &'a Ucp, call: &'a Call, agreement: &'a Agreement) -> Self {
        let idempotency = call.idempotency.as_ref().filter(|_| call.operation.writes());
        let idempotency = idempotency.map(|(key, digest)| Idempotency {
            scope: scope(agreement.agent(), call),
            key: key.clone(),
            digest: digest.clone(),
        });
        let ctx = Context {
            tenant_id: TenantId::DEFAULT,
            channel: None,
            caller: Caller::Agent { profile: agreement.agent().to_owned() },
            request_id: call.request_id,
            idempotency,
            source: call.source,
        };
        Self { ucp, call, agreement, codec: agreement.version().codec(), ctx }
    }

    pub(crate) async fn run(&self) -> Answer {
        let done = match self.call.operation {
            Operation::CreateCheckout => self.create_checkout().await,
            Operation::GetCheckout => self.get_checkout().await,
            Operation::UpdateCheckout => self.update_checkout().await,
            Operation::CompleteCheckout => self.complete_checkout().await,
            Operation::CancelCheckout => self.cancel_checkout().await,
            Operation::CreateCart => self.create_cart().await,
            Operation::GetCart => self.get_cart().await,
            Operation::UpdateCart => self.update_cart().await,
            Operation::CancelCart => self.cancel_cart().await,
            Operation::SearchCatalog => self.search_catalog().await,
            Operation::LookupCatalog => self.lookup_catalog().await,
            Operation::GetProduct => self.get_product().await,
            Operation::GetOrder => self.get_order().await,
        };
        done.unwrap_or_else(|stop| *stop)
    }

    /// The id that the call is about. One that is malformed names nothing that exists.
    fn id<T: std::str::FromStr>(&self) -> Result<T, Stop> {
        let id = self.call.id.as_deref().and_then(|id| id.parse().ok());
        id.ok_or_else(|| self.outcome(&[not_found()]))
    }

    /// An answer without a resource.
    fn outcome(&self, messages: &[Message]) -> Stop {
        let messages: Vec<_> = messages.iter().cloned().map(Message::without_resource).collect();
        Box::new(self.codec.outcome(&messages, None))
    }

    /// The answer to a refusal where there is no resource.
    fn stop(&self, error: Error) -> Stop {
        match tell(error) {
            Told::Transport(error) => Box::new(error.into()),
            Told::Outcome(messages) => self.outcome(&messages),
        }
    }

    /// What came of a refusal; an error of the transport ends the operation.
    fn told(&self, error: Error) -> Result<Vec<Message>, Stop> {
        match tell(error) {
            Told::Transport(error) => Err(Box::new(error.into())),
            Told::Outcome(messages) => Ok(messages),
        }
    }

    /// The channel that the request is for.
    async fn channel(&self, ctx: &Context) -> Result<Arc<Channel>, Stop> {
        self.ucp.engine().get_channel(ctx).await.map_err(|error| self.stop(error))
    }

    /// The channel that something belongs to.
    async fn channel_of(&self, id: ChannelId) -> Result<Arc<Channel>, Stop> {
        let found = self.ucp.engine().channel_of(&self.ctx, id).await;
        found.map_err(|error| self.stop(error))
    }

    /// The context in the channel that the shop is set to use, else in the one that fits the buyer best.
    async fn in_channel(&self, hints: &Hints) -> Result<Context, Stop> {
        let mut ctx = self.ctx.clone();
        ctx.channel = match &self.ucp.settings().channel {
            Some(channel) => Some(channel.clone()),
            None if hints.country.is_none() && hints.currency.is_none() => None,
            None => self.fitting_channel(hints).await?,
        };
        Ok(ctx)
    }

    async fn fitting_channel(&self, hints: &Hints) -> Result<Option<Slug>, Stop> {
        let channels = self.ucp.engine().list_channels(&self.ctx).await;
        let channels = channels.map_err(|error| self.stop(error))?;
        let country = hints.country.as_deref();
        let country = country.and_then(|country| Country::read("/country", country).ok());
        let currency = hints.currency.as_deref().and_then(|currency| currency.parse().ok());
        Ok(channel::fitting(&channels, country, currency).map(|channel| channel.code.clone()))
    }

    fn can_deliver(&self) -> bool {
        self.agreement.has(FULFILLMENT)
    }
}

/// What a key is unique within: who calls, and what. The address is the name of the program.
fn scope(agent: &str, call: &Call) -> String {
    format!("ucp {agent} {} {}", call.operation.name(), call.id.as_deref().unwrap_or("-"))
}

fn not_found() -> Message {
    Message::error(
        "not_found",
        Severity::Unrecoverable,
        "there is no such thing, or it is not yours",
    )
}

/// Refuses too long lists with an error of the transport.
fn too_large(what: &str, max: usize) -> Stop {
    let content = format!("at most {max} {what} are taken at once");
    Box::new(TransportError::new(400, "request_too_large", content).into())
}

/// Whether a refusal says that something does not exist, or not for this program.
fn is_unknown(error: &Error) -> bool {
    matches!(
        error.code(),
        Code::CartUnknown | Code::CheckoutUnknown | Code::OrderUnknown | Code::ProductUnknown
    )
}

/// The refusal of an id that is malformed.
fn malformed_cart() -> Error {
    Refusal::new(Code::CartUnknown, "there is no such cart").into()
}
