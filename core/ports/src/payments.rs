//! Payment providers.

use async_trait::async_trait;
use bytes::Bytes;
use handel_domain::{
    id::{AttemptId, OperationId, OrderId},
    money::Money,
    payment::Report,
};
use http::HeaderMap;

use crate::Secret;

/// An order to take money.
#[derive(Clone, Debug)]
pub struct Charge {
    /// The idempotency key at the provider: one key takes money at most once, however often it is sent.
    /// It was stored before the call.
    pub key: AttemptId,
    /// The order that is paid.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// What stands for the buyer's means of payment. Never a card number.
    pub token: Secret<String>,
    /// Where the provider sends the buyer back to, if it sends the buyer away.
    pub return_url: Option<String>,
}

/// An order to give money back.
#[derive(Clone, Debug)]
pub struct Refund {
    /// The idempotency key at the provider. It was stored before the call.
    pub key: OperationId,
    /// The provider's own name of the payment.
    pub reference: String,
    /// How much.
    pub amount: Money,
}

/// What became of a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundOutcome {
    /// The money is on its way back.
    Done,
    /// The provider refuses for good; somebody must look.
    Refused,
    /// No answer, or not now; ask again with the same key.
    Unknown,
}

/// What a provider says, and of which attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderReport {
    /// The attempt, by the key that it was sent with.
    pub key: AttemptId,
    /// What became of it.
    pub report: Report,
}

/// A webhook whose signature was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The provider's id of the event; the same event never counts twice.
    pub event_id: String,
    /// What it says; none for events that nobody needs.
    pub report: Option<ProviderReport>,
}

/// Why a webhook was not believed. The caller only learns that it was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookRejected {
    /// The signature is missing or wrong.
    #[error("the signature is missing or wrong")]
    Signature,
    /// The time of signing is too long ago or in the future.
    #[error("the signature is too old")]
    Stale,
    /// The signature is right but the body makes no sense.
    #[error("the body cannot be understood")]
    Malformed,
}

/// A payment provider.
///
/// Contract, checked by one suite for all implementations: a key takes money at most once; the same key
/// gives the same answer; a call that does not end in time may have taken money and is
/// [`Report::Unknown`]; [`Report::NotSent`] is only said when the request surely never left.
#[async_trait]
pub trait PaymentProvider: Send + Sync {
    /// The name that requests and rows use, such as `test`.
    fn name(&self) -> &'static str;

    /// Refuses a token that can never be charged, before an order is placed for it.
    fn check_token(&self, token: &Secret<String>) -> Result<(), handel_domain::Refusal>;

    /// Takes money.
    async fn charge(&self, charge: Charge) -> Report;

    /// Says what became of a charge; [`Report::NotFound`] if it never arrived.
    async fn find(&self, key: AttemptId) -> Report;

    /// Gives money back.
    async fn refund(&self, refund: Refund) -> RefundOutcome;

    /// Checks a webhook over its raw body and says what it means.
    fn read_webhook(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<WebhookEvent, WebhookRejected>;
}
