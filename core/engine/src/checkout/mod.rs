//! Checkouts: from a cart to an order.

mod cancel;
mod change;
mod complete;
mod open;
mod prepare;
mod replace;
mod shown;
pub(crate) mod sql;
mod view;

use handel_domain::{
    Code, Refusal,
    checkout::{Checkout, WithPayment},
    id::CheckoutId,
    order::{Order, PaymentStatus},
    payment::{Attempt, AttemptStatus, Payment},
};
use handel_ports::Secret;
use serde::{Deserialize, Serialize};

pub(crate) use cancel::save_canceled;
pub use open::OpenCheckout;
pub(crate) use prepare::write;
pub use replace::ReplaceCheckout;
pub(crate) use shown::show_total;
pub use view::{CheckoutView, Preselected};

use crate::{CartRef, Context, Scope, context::Caller};

/// When a caller should try again to reach a provider, in milliseconds.
const PROVIDER_RETRY_MS: u64 = 5_000;

/// How a buyer pays.
#[derive(Clone, Debug)]
pub struct PaymentChoice {
    /// The provider by name; the first that is enabled if none is named.
    pub provider: Option<String>,
    /// The token of the payment method.
    pub token: Secret<String>,
    /// Where the provider sends the buyer back to.
    pub return_url: Option<String>,
}

/// Completes a checkout.
#[derive(Clone, Debug)]
pub struct Complete {
    /// Which.
    pub checkout_id: CheckoutId,
    /// How it is paid; not needed where nothing is owed.
    pub payment: Option<PaymentChoice>,
    /// What is said of the buyer with the payment. It is kept with the order, and only with it: a refusal leaves the
    /// checkout as it was, and what became an order before learns nothing new.
    pub said: WithPayment,
    /// The total that the buyer agreed to, in minor units; the one that was shown to the owner last where none is
    /// named. If it is another by now, nothing is bought.
    pub expected_total_minor: Option<i64>,
    /// The version of the checkout that the buyer reviewed. If an open one has another by now, nothing is bought.
    pub expected_version: Option<i64>,
}

/// Makes a checkout from a cart and completes it at once.
#[derive(Clone, Debug)]
pub struct Submit {
    /// The cart.
    pub cart: CartRef,
    /// What the buyer says about delivery and contact.
    pub buyer: handel_domain::checkout::Buyer,
    /// How it is paid.
    pub payment: Option<PaymentChoice>,
    /// The total that the buyer agreed to, in minor units; the one that was shown to the owner last where none is
    /// named.
    pub expected_total_minor: Option<i64>,
}

/// What completing led to. The order exists in any case; whether it is paid is in `payment`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Completion {
    /// The order.
    pub order: Order,
    /// The token by which a guest sees it.
    pub order_token: String,
    /// Its payment; none where nothing is owed.
    pub payment: Option<PaymentSummary>,
    /// Whether an earlier request had made the order, so that this one bought nothing. Stays with the key.
    #[serde(default)]
    pub ordered_before: bool,
}

/// A payment with its latest attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSummary {
    /// The payment.
    pub payment: Payment,
    /// Where the money is.
    pub status: PaymentStatus,
    /// The latest attempt to collect it.
    pub attempt: Option<Attempt>,
}

impl PaymentSummary {
    pub(crate) fn new(payment: Payment, attempt: Option<Attempt>) -> Self {
        let status = payment.status(attempt.as_ref().map(|attempt| attempt.status));
        Self { payment, status, attempt }
    }
}

impl Completion {
    /// The refusal that the attempt to pay ended in, if it did. The order waits for another attempt.
    pub fn payment_refusal(&self) -> Option<Refusal> {
        let attempt = self.payment.as_ref()?.attempt.as_ref()?;
        let code = attempt.failure.filter(|_| attempt.status == AttemptStatus::Failed)?;
        let text = match code {
            Code::InsufficientFunds => {
                "the payment was declined for lack of funds; try another payment method"
            }
            Code::AmountMismatch => {
                "the provider charged another amount; it goes back to the buyer"
            }
            Code::ProviderUnavailable => {
                "the payment provider cannot be reached; nothing was charged"
            }
            _ => "the payment was declined; try another payment method",
        };
        let mut refusal = Refusal::new(code, text);
        refusal.details.order_id = Some(self.order.id);
        Some(match code {
            Code::ProviderUnavailable => refusal.retry_after_ms(PROVIDER_RETRY_MS),
            _ => refusal,
        })
    }
}

/// The refusal of a checkout that is not there, or not the caller's.
pub(crate) fn unknown() -> Refusal {
    Refusal::new(Code::CheckoutUnknown, "there is no such checkout")
}

/// Shoppers see the checkouts of the cart whose token they hold, programs those that they opened; keys with a
/// scope see all.
pub(crate) fn check_owner(ctx: &Context, checkout: &Checkout) -> Result<(), Refusal> {
    match &ctx.caller {
        Caller::Shopper(_) | Caller::Agent { .. } if !is_owner(ctx, checkout) => Err(unknown()),
        Caller::Shopper(_) | Caller::Agent { .. } => Ok(()),
        _ if ctx.allows(Scope::OrdersWrite) => Ok(()),
        _ => Err(unknown()),
    }
}

/// Whether the caller is one of those for whom the checkout is bought: the shopper who holds its cart's token, or
/// the agent that opened it.
fn is_owner(ctx: &Context, checkout: &Checkout) -> bool {
    match &ctx.caller {
        Caller::Shopper(cart_id) => *cart_id == Some(checkout.cart_id),
        Caller::Agent { .. } => ctx.is_agent(checkout.agent()),
        _ => false,
    }
}
