//! Refusals as the suite wants them: a status of the 4xx, and a sentence in `detail`. The rest of the problem
//! document is what every door of the shop says.

use handel_domain::{Code, Refusal};
use handel_engine::Error;
use handel_kit::Problem;
use http::StatusCode;

/// What is asked of a platform that completes before it said where the goods go and how.
const NO_DELIVERY: &str = "Fulfillment address and option must be selected";

/// A refusal of the engine, in the words that the suite looks for.
pub(crate) fn problem(error: impl Into<Problem>) -> Problem {
    let problem: Problem = error.into();
    let refusal = &problem.refusal;
    let (status, message) = match refusal.code {
        Code::VariantUnknown | Code::NotPriced | Code::ProductUnknown => {
            (StatusCode::BAD_REQUEST, "Product not found".to_owned())
        }
        Code::CheckoutIncomplete if lacks_delivery(refusal) => {
            (StatusCode::BAD_REQUEST, NO_DELIVERY.to_owned())
        }
        Code::CheckoutIncomplete | Code::CartEmpty | Code::ShippingMethodUnknown => {
            (StatusCode::BAD_REQUEST, refusal.message.clone())
        }
        Code::StockShort => (StatusCode::CONFLICT, "Insufficient stock".to_owned()),
        Code::IdempotencyConflict => (StatusCode::CONFLICT, refusal.message.clone()),
        _ => return problem,
    };
    Problem::with_status(status, Refusal { message, ..(*problem.refusal).clone() })
}

/// A refusal to open a checkout. What is not on the shelf at all is a wrong request to the suite, not a conflict.
pub(crate) fn short_basket(error: Error) -> Problem {
    let problem = problem(error);
    match problem.refusal.code {
        Code::StockShort => {
            Problem::with_status(StatusCode::BAD_REQUEST, (*problem.refusal).clone())
        }
        _ => problem,
    }
}

/// The refusal of a basket that is larger than what lies on the shelf.
pub(crate) fn insufficient_stock(sku: &str) -> Problem {
    let message = format!("Insufficient stock for {sku}");
    Problem::with_status(StatusCode::BAD_REQUEST, Refusal::new(Code::StockShort, message))
}

/// Whether a refusal says that somebody else was faster, so that it makes sense to look again.
pub(crate) fn is_stale(error: &Error) -> bool {
    matches!(error.code(), Code::VersionConflict | Code::CartChanged)
}

fn lacks_delivery(refusal: &Refusal) -> bool {
    let mut lacking = refusal.details.errors.iter();
    lacking.any(|error| error.pointer.starts_with("/shipping_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_for_delivery_is_said_in_the_words_of_the_suite() {
        let mut refusal = Refusal::field("/shipping_address", "is needed");
        refusal.code = Code::CheckoutIncomplete;
        let said = problem(refusal);
        assert_eq!(
            (said.status(), said.refusal.message.as_str()),
            (StatusCode::BAD_REQUEST, NO_DELIVERY)
        );
        let mut refusal = Refusal::field("/lines/0", "is no longer for sale");
        refusal.code = Code::CheckoutIncomplete;
        assert_ne!(problem(refusal).refusal.message, NO_DELIVERY);
    }

    #[test]
    fn other_refusals_stay_what_they_are() {
        let declined = problem(Refusal::new(Code::PaymentDeclined, "no"));
        assert_eq!(declined.status(), StatusCode::PAYMENT_REQUIRED);
        let closed = problem(Refusal::new(Code::CheckoutClosed, "over"));
        assert_eq!(closed.status(), StatusCode::CONFLICT);
        let reused = problem(Refusal::new(Code::IdempotencyConflict, "other"));
        assert_eq!(reused.status(), StatusCode::CONFLICT);
        let short = insufficient_stock("gardenias");
        assert_eq!(short.status(), StatusCode::BAD_REQUEST);
        assert_eq!(short.refusal.message, "Insufficient stock for gardenias");
    }
}
