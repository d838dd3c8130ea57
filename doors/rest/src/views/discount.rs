//! Discounts and codes on the wire.

use handel_domain::promotion::{AppliedDiscount, RejectedCode};
use serde::Serialize;
use utoipa::ToSchema;

/// A discount of a cart, checkout or order.
#[derive(Serialize, ToSchema)]
pub(crate) struct DiscountView {
    /// The promotion that gives it.
    #[schema(example = "prm_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    promotion_id: String,
    /// The code that the buyer gave; absent where none was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What the buyer reads.
    title: String,
    /// What it is taken from: `product`, `order` or `shipping`.
    class: &'static str,
    /// How much is taken off, in minor units: the sum of the allocations.
    amount_minor: i64,
    /// Where it is taken off. The lines' own `discount_minor` contain it.
    allocations: Vec<AllocationView>,
}

/// A part of a discount.
#[derive(Serialize, ToSchema)]
pub(crate) struct AllocationView {
    /// The line; absent for shipping.
    #[serde(skip_serializing_if = "Option::is_none")]
    line_id: Option<String>,
    /// How much is taken off it, in minor units.
    amount_minor: i64,
}

/// A code that does nothing at the moment.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectedCodeView {
    /// The code as it was given.
    code: String,
    /// `unknown`, `expired`, `not_yet_valid`, `used_up`, `not_eligible`, `not_combinable` or
    /// `already_applied`.
    reason: &'static str,
}

impl From<&AppliedDiscount> for DiscountView {
    fn from(discount: &AppliedDiscount) -> Self {
        let allocation = |part: &handel_domain::promotion::Allocation| AllocationView {
            line_id: part.line_id.map(|id| id.to_string()),
            amount_minor: part.amount_minor,
        };
        Self {
            promotion_id: discount.promotion_id.to_string(),
            code: discount.code.clone(),
            title: discount.title.clone(),
            class: discount.class.as_str(),
            amount_minor: discount.amount_minor,
            allocations: discount.allocations.iter().map(allocation).collect(),
        }
    }
}

impl From<RejectedCode> for RejectedCodeView {
    fn from(rejected: RejectedCode) -> Self {
        Self { code: rejected.code, reason: rejected.reason.as_str() }
    }
}
