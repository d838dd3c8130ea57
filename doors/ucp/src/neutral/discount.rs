//! Codes that a program sent, and what is taken off.

use handel_domain::{
    checkout::Quote,
    promotion::{AppliedDiscount, RejectedCode, Rejection},
};

use super::{Message, message::path};

/// Codes and what came of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Discounts {
    /// The codes as they were sent.
    pub(crate) codes: Vec<String>,
    pub(crate) applied: Vec<Applied>,
}

/// Something that is taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// The code; none where the shop gives it to everybody.
    pub(crate) code: Option<String>,
    pub(crate) title: String,
    /// How much, as a positive amount in minor units.
    pub(crate) amount_minor: i64,
    /// From what: paths with positive amounts, whose sum is the amount.
    pub(crate) allocations: Vec<(String, i64)>,
}

/// Where the price of sending stands in a response.
const SHIPPING: &str = "$.totals[?@.type == 'fulfillment']";

impl Discounts {
    /// `line_ids` are the lines in the order in which the response shows them.
    pub(crate) fn new(codes: &[String], applied: &[AppliedDiscount], line_ids: &[String]) -> Self {
        let applied = applied.iter().filter(|discount| discount.amount_minor > 0);
        Self {
            codes: codes.to_vec(),
            applied: applied.map(|discount| Applied::new(discount, line_ids)).collect(),
        }
    }
}

impl Applied {
    fn new(discount: &AppliedDiscount, line_ids: &[String]) -> Self {
        let allocations = discount.allocations.iter().filter(|part| part.amount_minor > 0);
        let place = |id: &str| line_ids.iter().position(|line_id| line_id == id);
        let allocations = allocations.filter_map(|part| match part.line_id {
            Some(id) => Some((path::line(place(&id.to_string())?), part.amount_minor)),
            None => Some((SHIPPING.to_owned(), part.amount_minor)),
        });
        Self {
            code: discount.code.clone(),
            title: discount.title.clone(),
            amount_minor: discount.amount_minor,
            allocations: allocations.collect(),
        }
    }
}

/// Why codes took nothing off: warnings, because the basket is fine without them.
pub(crate) fn rejections(codes: &[String], quote: &Quote) -> Vec<Message> {
    let rejected = quote.rejected_codes.iter();
    rejected
        .map(|rejected| {
            let (code, content) = words(rejected);
            let at = codes.iter().position(|sent| sent.eq_ignore_ascii_case(&rejected.code));
            let sent = at.and_then(|at| codes.get(at)).unwrap_or(&rejected.code);
            let message = Message::warning(code, format!("{sent}: {content}"));
            match at {
                Some(at) => message.at(path::code(at)),
                None => message,
            }
        })
        .collect()
}

fn words(rejected: &RejectedCode) -> (&'static str, &'static str) {
    match rejected.reason {
        Rejection::Expired => ("discount_code_expired", "this code is no longer valid"),
        Rejection::UsedUp => ("discount_code_expired", "this code was used up"),
        Rejection::NotYetValid => ("discount_code_invalid", "this code is not valid yet"),
        Rejection::Unknown => ("discount_code_invalid", "there is no such code"),
        Rejection::NotEligible => {
            ("discount_code_user_ineligible", "this code does not fit this basket or buyer")
        }
        Rejection::NotCombinable => (
            "discount_code_combination_disallowed",
            "this code cannot be combined with the other discounts",
        ),
        Rejection::AlreadyApplied => ("discount_code_already_applied", "this code was given twice"),
    }
}
