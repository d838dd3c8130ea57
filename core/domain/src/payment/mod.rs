//! Payments: an intent (what an order owes), attempts to collect it, and operations (money that
//! moved at a provider).

mod settle;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use settle::{Report, Settlement, settle};

use crate::{
    id::{AttemptId, OrderId, PaymentId},
    money::{Currency, Money},
    order::PaymentStatus,
    refusal::Code,
};

/// What an order owes, and what has moved so far. All amounts are in minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Identity.
    pub id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// The currency.
    pub currency: Currency,
    /// What is owed.
    pub amount_minor: i64,
    /// What was taken.
    pub captured_minor: i64,
    /// What is going back or went back.
    pub refund_pending_minor: i64,
    /// What went back.
    pub refunded_minor: i64,
    /// Grows with every change.
    pub version: i64,
}

/// Where an attempt to pay stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// Its key is stored; the provider is about to be called, or was called and has not answered.
    Pending,
    /// The provider did not answer in time: the money may have been taken.
    Unknown,
    /// The buyer must do something at the provider.
    RequiresAction,
    /// The provider is working on it and will report.
    Processing,
    /// The money was taken.
    Succeeded,
    /// The money was not taken, or is going back.
    Failed,
}

impl AttemptStatus {
    /// Whether the attempt has ended.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }

    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::RequiresAction => "requires_action",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// What a buyer must do before the money can be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NextAction {
    /// Open this address and follow it.
    Redirect {
        /// Where to go.
        url: String,
    },
    /// Hand this to the provider's own script in the browser.
    Confirm {
        /// The provider's secret for this payment.
        client_secret: String,
    },
}

/// One attempt to collect a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Identity, and the key that the provider is given with every call about it.
    pub id: AttemptId,
    /// The payment that it collects.
    pub payment_id: PaymentId,
    /// The order.
    pub order_id: OrderId,
    /// The provider's name.
    pub provider: String,
    /// The provider's own name of it.
    pub reference: Option<String>,
    /// Where it stands.
    pub status: AttemptStatus,
    /// What is asked for, in minor units.
    pub amount_minor: i64,
    /// Why it failed.
    pub failure: Option<Code>,
    /// What the buyer must do.
    pub next_action: Option<NextAction>,
    /// When to ask the provider; none once it has ended.
    pub check_at: Option<Timestamp>,
    /// How often the provider was asked.
    pub checks: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last sent to the provider, or was about to be.
    pub sent_at: Timestamp,
    /// Grows with every change.
    pub version: i64,
}

impl Attempt {
    /// How long after the call the provider is asked what became of it, in milliseconds. Longer than a
    /// call may take, so that nobody asks about a call that is still under way.
    pub const FIRST_CHECK_MS: i64 = 15_000;
    /// How long a provider may need to know of a call whose answer was lost, in milliseconds. Only
    /// after that does "never heard of it" mean that nothing was charged.
    pub const GRACE_MS: i64 = 60_000;
    /// How long a provider is asked about an attempt that does not end, in hours.
    pub const ASK_HOURS_MAX: i64 = 48;
    const CHECK_MS_MAX: i64 = 10 * 60_000;

    /// When to ask again: 1 s, 2 s, 4 s … up to ten minutes apart.
    pub(crate) fn next_check(&self, now: Timestamp) -> Timestamp {
        let exponent = u32::try_from(self.checks.clamp(0, 16)).expect("clamped");
        let wait_ms = (1_000i64 << exponent).min(Self::CHECK_MS_MAX);
        now + SignedDuration::from_millis(wait_ms)
    }
}

impl Attempt {
    /// Whether the provider answered it for good without taking money for the order. One that never reached the
    /// provider was not answered.
    pub fn was_refused(&self) -> bool {
        self.status == AttemptStatus::Failed && self.failure != Some(Code::ProviderUnavailable)
    }

    /// Sends an attempt once more, because the process that made it died. The provider needs as long to know
    /// of it as it did the first time.
    pub fn send_again(&mut self, now: Timestamp) {
        self.sent_at = self.sent_at.max(now);
    }

    /// Ends an attempt that waits for the buyer, because the buyer tries again another way. If its money
    /// comes after all, it goes back.
    pub fn supersede(&mut self) {
        self.status = AttemptStatus::Failed;
        self.failure = Some(Code::PaymentSuperseded);
        self.next_action = None;
        self.check_at = None;
    }
}

impl Payment {
    /// What may still go back, in minor units.
    pub fn refundable_minor(&self) -> i64 {
        self.captured_minor - self.refund_pending_minor - self.refunded_minor
    }

    /// Whether all that came went back.
    pub fn is_returned(&self) -> bool {
        self.refundable_minor() == 0 && self.refund_pending_minor == 0
    }

    /// Where the money is, given the latest attempt.
    pub fn status(&self, latest: Option<AttemptStatus>) -> PaymentStatus {
        let returned_minor = self.refund_pending_minor + self.refunded_minor;
        if self.captured_minor > returned_minor {
            return if returned_minor > 0 {
                PaymentStatus::PartiallyRefunded
            } else if self.captured_minor >= self.amount_minor {
                PaymentStatus::Paid
            } else {
                PaymentStatus::PartiallyPaid
            };
        }
        // Money that went back, such as another amount, pays for nothing: the latest attempt counts.
        match latest {
            Some(AttemptStatus::RequiresAction) => PaymentStatus::RequiresAction,
            Some(AttemptStatus::Pending | AttemptStatus::Processing) => PaymentStatus::Processing,
            Some(AttemptStatus::Unknown) => PaymentStatus::Unknown,
            Some(AttemptStatus::Failed) => PaymentStatus::Unpaid,
            Some(AttemptStatus::Succeeded) | None if self.captured_minor > 0 => {
                PaymentStatus::Refunded
            }
            Some(AttemptStatus::Succeeded) | None => PaymentStatus::Unpaid,
        }
    }

    /// What is owed, as money.
    pub fn money(&self) -> Money {
        Money::new(self.amount_minor, self.currency)
    }
}

/// The kind of a movement of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Money came.
    Capture,
    /// Money went back.
    Refund,
}

impl OperationKind {
    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Refund => "refund",
        }
    }
}

/// Whether a movement of money took place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// The provider is to do it, or has not said that it did.
    Pending,
    /// It did.
    Succeeded,
    /// It refused.
    Failed,
}

impl OperationStatus {
    /// Every status.
    pub const ALL: [OperationStatus; 3] = [Self::Pending, Self::Succeeded, Self::Failed];

    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}
