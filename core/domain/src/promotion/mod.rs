//! Promotions: what is taken off a basket, when, and what may be taken off together.
//!
//! Owns the rules of a merchant, the codes of buyers, and the pure evaluation of both. How often a promotion
//! was used comes in as a number; who counts, and who guards the count, is not decided here.

mod apply;
mod code;
mod evaluate;
mod rules;
mod select;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use code::{CODES_MAX, CouponCode, PROMOTION_CODES_MAX, checked_codes};
pub use evaluate::{Candidate, Deals, Input, Line, Outcome, evaluate};
pub use rules::{Action, CombinesWith, Conditions, Rules};

use crate::{
    id::{LineId, PromotionId},
    text::Email,
};

/// Most promotions without a code that may be in force in one channel. Each of them is looked at for every
/// basket.
pub const AUTOMATIC_MAX: usize = 100;

/// A promotion as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// Identity.
    pub id: PromotionId,
    /// Everything that the merchant may change.
    pub rules: Rules,
    /// Whether it needs no code.
    pub is_automatic: bool,
    /// Grows with every change of its rules or codes.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What a promotion takes its discount from. They are applied in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// From the lines that it is for, each on its own.
    Product,
    /// From what all lines cost after the discounts on products.
    Order,
    /// From what shipping costs.
    Shipping,
}

/// A discount that a basket gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedDiscount {
    /// The promotion.
    pub promotion_id: PromotionId,
    /// The code that the buyer gave, as it was given; none where none was needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the buyer reads.
    pub title: String,
    /// What it is taken from.
    pub class: Class,
    /// How much is taken off, in minor units; positive, and the sum of the allocations.
    pub amount_minor: i64,
    /// Where it is taken off.
    pub allocations: Vec<Allocation>,
}

/// A part of a discount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// The line that it is taken from; none for shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_id: Option<LineId>,
    /// How much, in minor units; positive.
    pub amount_minor: i64,
}

/// A code that does nothing for a basket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedCode {
    /// The code as the buyer gave it.
    pub code: String,
    /// Why.
    pub reason: Rejection,
}

/// Why a code does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// There is no such code, or not in this channel.
    Unknown,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// It was used as often as it may be, by everybody or by this buyer.
    UsedUp,
    /// The basket, its currency or its destination does not fulfill the conditions.
    NotEligible,
    /// Another promotion saves more and cannot be combined with it.
    NotCombinable,
    /// The same code, or another one of the same promotion, is applied already.
    AlreadyApplied,
}

impl Rejection {
    /// The text on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::UsedUp => "used_up",
            Self::NotEligible => "not_eligible",
            Self::NotCombinable => "not_combinable",
            Self::AlreadyApplied => "already_applied",
        }
    }
}

impl Class {
    /// The text on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Order => "order",
            Self::Shipping => "shipping",
        }
    }
}

/// By what a buyer is recognized where a promotion may be used only so often by each: the address for the
/// receipt, however it is capitalized.
pub fn customer_of(email: &Email) -> String {
    email.as_str().to_lowercase()
}
