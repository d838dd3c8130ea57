//! Payments: what providers are asked to do, and what they say.

mod again;
mod check;
mod refund;
mod settle;
pub(crate) mod sql;
mod webhook;

use std::sync::Arc;

use handel_domain::{
    Code, Money, Refusal,
    id::{AttemptId, OrderId},
    order::Order,
    payment::{Attempt, AttemptStatus, Payment},
};
use handel_ports::PaymentProvider;

pub use check::ProviderCheck;
pub(crate) use refund::{REFUND_JOB, refund_rows};
pub use webhook::WebhookReceipt;
pub(crate) use webhook::{WEBHOOK_JOB, purge as purge_webhooks};

use crate::Engine;

/// An attempt whose key is stored and that only its holder may send to the provider.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) provider: String,
    pub(crate) attempt_id: AttemptId,
    pub(crate) order_id: OrderId,
    pub(crate) amount: Money,
    /// Whether it may have been sent before, by a process that died.
    pub(crate) resumed: bool,
}

impl Claimed {
    pub(crate) fn new(payment: &Payment, attempt: &Attempt, resumed: bool) -> Self {
        Self {
            provider: attempt.provider.clone(),
            attempt_id: attempt.id,
            order_id: attempt.order_id,
            amount: Money::new(attempt.amount_minor, payment.currency),
            resumed,
        }
    }
}

/// When a buyer should look again at a payment that is under way, in milliseconds.
const RETRY_MS: u64 = 2_000;

/// The refusal of a second attempt while the first may still take the money.
pub(crate) fn in_progress(order_id: Option<OrderId>) -> Refusal {
    let mut refusal = Refusal::new(Code::PaymentInProgress, "a payment of this order is under way")
        .retry_after_ms(RETRY_MS);
    refusal.details.order_id = order_id;
    refusal
}

/// The refusal of a change while the payment of its order, of which `latest` is the status, may still take the money.
/// It says how to go on and until when.
pub(crate) fn locked(order: &Order, latest: Option<AttemptStatus>) -> Refusal {
    let until = order.reservation_expires_at.strftime("%Y-%m-%dT%H:%M:%SZ");
    let text = match latest {
        Some(AttemptStatus::RequiresAction) => format!(
            "the buyer has not confirmed the payment yet; nothing was changed. Let the buyer confirm it or send \
             another payment, or cancel the checkout and begin anew; the order waits until {until}"
        ),
        _ => format!(
            "a payment of this order may still take the money; nothing was changed. Look again after a moment: once \
             it has failed, the checkout can be changed, and another payment can be sent until {until}"
        ),
    };
    let mut refusal = Refusal::new(Code::PaymentInProgress, text).retry_after_ms(RETRY_MS);
    refusal.details.order_id = Some(order.id);
    refusal
}

impl Engine {
    /// A provider by name; the first that is enabled if none is named.
    pub(crate) fn provider(&self, name: Option<&str>) -> Result<Arc<dyn PaymentProvider>, Refusal> {
        let mut enabled = self.0.providers.iter();
        let found = match name {
            Some(name) => enabled.find(|provider| provider.name() == name),
            None => enabled.next(),
        };
        found.cloned().ok_or_else(|| match self.can_take_payments() {
            true => Refusal::new(Code::ProviderUnknown, "there is no such payment provider"),
            false => not_configured(),
        })
    }

    /// Whether a payment provider is configured. Without one, nothing that costs money can be bought.
    pub fn can_take_payments(&self) -> bool {
        !self.0.providers.is_empty()
    }

    /// Refuses to begin a purchase that could never be paid.
    pub(crate) fn check_payable(&self, total_minor: i64) -> Result<(), Refusal> {
        match total_minor == 0 || self.can_take_payments() {
            true => Ok(()),
            false => Err(not_configured()),
        }
    }
}

fn not_configured() -> Refusal {
    let message = "this shop takes no payments at present, so nothing can be bought";
    Refusal::new(Code::PaymentsNotConfigured, message)
}
