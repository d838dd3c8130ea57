//! Test tokens: what stands for the buyer's card decides what the provider does.
//!
//! Owns the meaning of every token. Whether it was already charged is the ledger's matter.

use handel_domain::{Refusal, refusal::Code, text::looks_like_card_number};

use super::ledger::ChargeStatus;

/// Declares every token once, with what it does.
macro_rules! tokens {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)*) => {
        /// What a token makes the provider do.
        ///
        /// A token may go on with a colon and a suffix that makes it unique and means nothing, such as
        /// `tok_ok:7f3a`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum TestToken {
            $($(#[doc = $doc])+ $name,)*
        }

        impl TestToken {
            /// Every token.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The text without a suffix, such as `tok_ok`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

tokens! {
    /// The money is taken at once.
    Ok = "tok_ok";
    /// The charge is declined.
    Declined = "tok_declined";
    /// The charge is declined for lack of funds.
    InsufficientFunds = "tok_insufficient_funds";
    /// The buyer is sent to a page to approve or decline.
    ActionRequired = "tok_action_required";
    /// The buyer must confirm within the shop's own page.
    ConfirmRequired = "tok_confirm_required";
    /// The call ends without an answer, and nothing was charged.
    TimeoutBeforeCharge = "tok_timeout_before_charge";
    /// The money is taken, but the first call ends without an answer.
    TimeoutAfterCharge = "tok_timeout_after_charge";
    /// The provider cannot be reached, and nothing was charged.
    Unreachable = "tok_unreachable";
    /// The money is taken a little later, and a webhook says so.
    AsyncOk = "tok_async_ok";
    /// The charge is declined a little later, and a webhook says so.
    AsyncDeclined = "tok_async_declined";
    /// One minor unit too much is taken.
    AmountMismatch = "tok_amount_mismatch";
    /// The money is taken at once, but never given back.
    RefundFails = "tok_refund_fails";
    /// The money is taken at once, and the first call of a refund ends without an answer though it was
    /// done.
    RefundTimeout = "tok_refund_timeout";
}

/// Longest suffix, in bytes.
const SUFFIX_MAX: usize = 128;

impl TestToken {
    /// Reads a token, with or without a suffix.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if looks_like_card_number(text) {
            return Err(Refusal::new(
                Code::CardNumberRefused,
                "a card number is not a token; have the payment provider make one",
            ));
        }
        let (name, suffix) = match text.split_once(':') {
            Some((name, suffix)) => (name, Some(suffix)),
            None => (text, None),
        };
        let token = Self::ALL.iter().copied().find(|token| token.as_str() == name);
        token.filter(|_| suffix.is_none_or(is_suffix)).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|token| token.as_str()).collect();
            Refusal::new(
                Code::PaymentTokenInvalid,
                format!("the test provider takes one of {}", known.join(", ")),
            )
        })
    }

    /// How a charge starts; none if it never reaches the provider's books.
    pub(super) fn first_status(self) -> Option<ChargeStatus> {
        match self {
            Self::TimeoutBeforeCharge | Self::Unreachable => None,
            Self::Declined | Self::InsufficientFunds => Some(ChargeStatus::Declined),
            Self::ActionRequired | Self::ConfirmRequired => Some(ChargeStatus::ActionRequired),
            Self::AsyncOk | Self::AsyncDeclined => Some(ChargeStatus::Processing),
            Self::Ok
            | Self::TimeoutAfterCharge
            | Self::AmountMismatch
            | Self::RefundFails
            | Self::RefundTimeout => Some(ChargeStatus::Captured),
        }
    }

    /// What the provider takes when it is asked for `amount_minor`.
    pub(super) fn taken_minor(self, amount_minor: i64) -> i64 {
        match self {
            Self::AmountMismatch => amount_minor.saturating_add(1),
            _ => amount_minor,
        }
    }

    /// Why a charge of this token is declined, if it is.
    pub(super) fn decline_code(self) -> Code {
        match self {
            Self::InsufficientFunds => Code::InsufficientFunds,
            _ => Code::PaymentDeclined,
        }
    }
}

impl std::str::FromStr for TestToken {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        Self::parse(text)
    }
}

fn is_suffix(suffix: &str) -> bool {
    !suffix.is_empty()
        && suffix.len() <= SUFFIX_MAX
        && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
