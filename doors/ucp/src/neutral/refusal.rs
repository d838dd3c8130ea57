//! The one table from refusals to what the protocol says: an outcome of business, or an error of the transport.

use handel_domain::{
    Code, Refusal,
    refusal::{FieldError, Kind},
    text::looks_like_card_number,
};
use handel_engine::Error;

use super::{
    Message,
    delivery::no_such_option,
    message::{CLOSED, Severity, path},
};
use crate::TransportError;

/// How a refusal is told.
pub(crate) enum Told {
    /// The request was worked on; this came of it.
    Outcome(Vec<Message>),
    /// The request was not worked on.
    Transport(TransportError),
}

/// Tells a refusal in the words of the protocol. What failed inside goes to the log here, once.
pub(crate) fn tell(error: Error) -> Told {
    if let Some(source) = &error.source {
        tracing::error!(code = %error.code(), %source, "a request failed");
    }
    let refusal = error.refusal;
    match transport(&refusal) {
        Some(error) => Told::Transport(error),
        None => Told::Outcome(outcome(&refusal)),
    }
}

/// The errors of the transport: nothing was decided about the shop.
fn transport(refusal: &Refusal) -> Option<TransportError> {
    let (status, code) = match refusal.code {
        Code::IdempotencyConflict => (409, "idempotency_conflict"),
        Code::IdempotencyInFlight => (409, "idempotency_in_flight"),
        Code::IdempotencyKeyRequired => (400, "idempotency_key_required"),
        Code::CursorInvalid => (400, "invalid_cursor"),
        Code::TooLarge => (413, "request_too_large"),
        Code::WriteConflict => (503, "unavailable"),
        Code::ProviderUnavailable => return None,
        other => match other.kind() {
            Kind::Unauthenticated => (401, "unauthorized"),
            Kind::Forbidden => (403, "forbidden"),
            Kind::Limited => (429, "rate_limited"),
            Kind::Unavailable => (503, "unavailable"),
            Kind::Internal => (500, "internal_error"),
            _ => return None,
        },
    };
    let error = TransportError::new(status, code, refusal.message.clone());
    Some(TransportError { retry_after_ms: refusal.details.retry_after_ms, ..error })
}

fn outcome(refusal: &Refusal) -> Vec<Message> {
    use Severity::{Recoverable, Unrecoverable};
    let text = &refusal.message;
    let (code, severity) = match refusal.code {
        Code::CartUnknown | Code::CheckoutUnknown | Code::OrderUnknown | Code::ProductUnknown => {
            ("not_found", Unrecoverable)
        }
        Code::VariantUnknown | Code::NotPriced => ("item_unavailable", Recoverable),
        Code::StockShort => ("out_of_stock", Recoverable),
        Code::CountryRefused | Code::TaxRateMissing => ("address_undeliverable", Recoverable),
        Code::ShippingMethodUnknown => return vec![no_such_option()],
        Code::CheckoutClosed | Code::CartClosed | Code::TransitionRefused => {
            (CLOSED, Unrecoverable)
        }
        Code::PaymentInProgress => ("complete_in_progress", Recoverable),
        Code::TotalsChanged => {
            let text = format!("{text}; show the buyer the new total, then complete again");
            return vec![Message::repairable("totals_changed", text).at(path::TOTALS)];
        }
        Code::CartChanged | Code::VersionConflict => ("checkout_changed", Recoverable),
        Code::CheckoutIncomplete => ("incomplete", Recoverable),
        Code::PromotionUsedUp => ("discount_code_expired", Recoverable),
        Code::PaymentDeclined
        | Code::InsufficientFunds
        | Code::AmountMismatch
        | Code::PaymentTokenInvalid
        | Code::PaymentSuperseded
        | Code::ProviderUnavailable
        | Code::ProviderUnknown => ("payment_failed", Recoverable),
        Code::PaymentsNotConfigured => ("payment_unavailable", Unrecoverable),
        Code::CardNumberRefused => ("card_number_refused", Recoverable),
        _ => ("invalid_input", Recoverable),
    };
    let errors = &refusal.details.errors;
    if errors.is_empty() || refusal.code == Code::CheckoutIncomplete {
        let message = Message::error(code, severity, text.clone());
        return vec![match refusal.code {
            Code::CountryRefused | Code::TaxRateMissing => message.at(path::DESTINATION),
            _ => message,
        }];
    }
    errors.iter().map(|error| of_field(code, severity, error)).collect()
}

fn of_field(code: &'static str, severity: Severity, error: &FieldError) -> Message {
    let path = json_path(&error.pointer);
    // An entry of a list has no name.
    let name = path.as_deref().and_then(|path| path.rsplit('.').next());
    let content = match name.filter(|name| !name.starts_with('$') && !name.ends_with(']')) {
        Some(name) => format!("{name} {}", error.message),
        None => error.message.clone(),
    };
    let message = Message::error(code, severity, unechoed(content));
    match path {
        Some(path) => message.at(path),
        None => message,
    }
}

/// A checker may say what it found instead of what it expected. A card number must not come back that way.
fn unechoed(text: String) -> String {
    match looks_like_card_number(&text) {
        true => "a value looks like a card number; this shop takes tokens only".to_owned(),
        false => text,
    }
}

/// Where the program wrote what our field came from.
fn json_path(pointer: &str) -> Option<String> {
    let mut parts = pointer.split('/').skip(1);
    let (first, at) = (parts.next()?, parts.next());
    let at = at.and_then(|at| at.parse::<usize>().ok());
    let rest: Vec<_> = parts.collect();
    Some(match (first, at) {
        ("items" | "lines", Some(at)) => match rest.first() {
            Some(&"quantity") => format!("{}.quantity", path::line(at)),
            Some(&"line_id") => format!("{}.id", path::line(at)),
            _ => path::line(at),
        },
        ("items", None) => "$.line_items".to_owned(),
        ("codes", Some(at)) => path::code(at),
        ("codes", None) => "$.discounts.codes".to_owned(),
        ("email", _) => path::EMAIL.to_owned(),
        ("first_name", _) => "$.buyer.first_name".to_owned(),
        ("last_name", _) => "$.buyer.last_name".to_owned(),
        ("phone", _) => "$.buyer.phone_number".to_owned(),
        ("consents", _) => "$.buyer.consent".to_owned(),
        ("destinations", Some(at)) => path::destination(at, ""),
        ("destinations", None) => "$.fulfillment.methods[0].destinations".to_owned(),
        ("shipping_address" | "selected_destination", _) => path::DESTINATION.to_owned(),
        ("shipping_method", _) => path::OPTION.to_owned(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_told() {
        for code in Code::ALL {
            let told = tell(Refusal::new(*code, "no").into());
            match told {
                Told::Outcome(messages) => {
                    assert!(
                        !messages.is_empty() && messages.iter().all(Message::is_error),
                        "{code}"
                    );
                }
                Told::Transport(error) => {
                    assert!((400..600).contains(&error.status), "{code}");
                    assert!(!matches!(code.kind(), Kind::NotFound | Kind::PaymentFailed), "{code}");
                }
            }
        }
    }

    #[test]
    fn wrong_fields_are_named_where_the_program_wrote_them() {
        for (pointer, path) in [
            ("/items/2", "$.line_items[2]"),
            ("/items/0/quantity", "$.line_items[0].quantity"),
            ("/email", "$.buyer.email"),
            ("/codes/1", "$.discounts.codes[1]"),
            ("/destinations/3/address/city", "$.fulfillment.methods[0].destinations[3]"),
        ] {
            let Told::Outcome(messages) = tell(Refusal::field(pointer, "is wrong").into()) else {
                panic!("{pointer} is no fault of the transport")
            };
            assert_eq!(messages[0].path.as_deref(), Some(path));
        }
    }

    #[test]
    fn a_card_number_is_not_repeated() {
        let refusal = Refusal::field("/email", "4242 4242 4242 4242 is no address");
        let Told::Outcome(messages) = tell(refusal.into()) else { panic!("an outcome") };
        assert!(!messages[0].content.contains("4242"), "{messages:?}");
    }
}
