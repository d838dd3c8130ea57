//! Payments on the wire.

use handel_domain::{order::PaymentStatus, payment::NextAction};
use handel_engine::PaymentSummary;
use serde::Serialize;
use utoipa::ToSchema;

/// A payment with what the buyer must do.
#[derive(Serialize, ToSchema)]
pub(crate) struct PaymentView {
    /// Identity.
    id: String,
    /// `unpaid`, `requires_action`, `processing`, `unknown`, `partially_paid`, `paid`, `partially_refunded` or
    /// `refunded`.
    status: PaymentStatusView,
    /// ISO 4217 currency.
    currency: String,
    /// What is owed, in minor units.
    amount_minor: i64,
    /// What was taken, in minor units.
    captured_minor: i64,
    /// What went back or is going back, in minor units.
    refunded_minor: i64,
    /// The provider of the latest attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// Why the latest attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure_code: Option<String>,
    /// `redirect` or `confirm`, where the buyer must do something.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<&'static str>,
    /// Where to send the buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect_url: Option<String>,
    /// What to hand to the provider's script in the browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
}

/// Where the money is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentStatusView {
    /// Nothing has been paid.
    Unpaid,
    /// The buyer must do something at the provider.
    RequiresAction,
    /// The provider is working on it.
    Processing,
    /// Nobody knows yet whether the provider took the money.
    Unknown,
    /// Some of it has been paid.
    PartiallyPaid,
    /// All of it has been paid.
    Paid,
    /// Some of what was paid went back.
    PartiallyRefunded,
    /// All of what was paid went back.
    Refunded,
}

impl From<PaymentStatus> for PaymentStatusView {
    fn from(status: PaymentStatus) -> Self {
        match status {
            PaymentStatus::Unpaid => Self::Unpaid,
            PaymentStatus::RequiresAction => Self::RequiresAction,
            PaymentStatus::Processing => Self::Processing,
            PaymentStatus::Unknown => Self::Unknown,
            PaymentStatus::PartiallyPaid => Self::PartiallyPaid,
            PaymentStatus::Paid => Self::Paid,
            PaymentStatus::PartiallyRefunded => Self::PartiallyRefunded,
            PaymentStatus::Refunded => Self::Refunded,
        }
    }
}

impl From<&PaymentSummary> for PaymentView {
    fn from(summary: &PaymentSummary) -> Self {
        let (payment, attempt) = (&summary.payment, summary.attempt.as_ref());
        let (next_action, redirect_url, client_secret) =
            match attempt.and_then(|attempt| attempt.next_action.clone()) {
                Some(NextAction::Redirect { url }) => (Some("redirect"), Some(url), None),
                Some(NextAction::Confirm { client_secret }) => {
                    (Some("confirm"), None, Some(client_secret))
                }
                None => (None, None, None),
            };
        Self {
            id: payment.id.to_string(),
            status: summary.status.into(),
            currency: payment.currency.to_string(),
            amount_minor: payment.amount_minor,
            captured_minor: payment.captured_minor,
            refunded_minor: payment.refunded_minor + payment.refund_pending_minor,
            provider: attempt.map(|attempt| attempt.provider.clone()),
            failure_code: attempt.and_then(|attempt| attempt.failure).map(|code| code.to_string()),
            next_action,
            redirect_url,
            client_secret,
        }
    }
}
