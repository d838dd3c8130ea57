//! How the sandbox is paid: three handlers that move no money, and what becomes of a credential.
//!
//! A card number is exchanged for a token of the test provider as soon as the body is read, before anything is
//! hashed, stored or logged. Nothing behind this module ever sees one.

use handel_domain::{Code, Refusal, text::looks_like_card_number};
use handel_engine::PaymentChoice;
use handel_ports::Secret;
use serde_json::{Map, Value, json};

/// The handler that takes the instruments of the test data.
const MOCK: &str = "mock_payment_handler";
/// The handlers by id, with the names that they go by.
pub(crate) const HANDLERS: [(&str, &str); 3] = [
    ("google_pay", "com.google.pay"),
    (MOCK, "dev.ucp.mock_payment"),
    ("shop_pay", "com.shopify.shop_pay"),
];
/// The provider that all of them are.
const PROVIDER: &str = "test";
/// The token of the suite that is paid.
const PAID: &str = "success_token";
/// What the test provider calls a means of payment that is paid.
const TAKEN: &str = "tok_ok";
/// What the test provider calls a means of payment that is declined.
const DECLINED: &str = "tok_declined";

/// Puts a token in the place of a card. Bodies without a card stay as they are.
pub(crate) fn exchange_card(body: &mut Value) -> Result<(), Refusal> {
    let Some(instrument) = body.get_mut("payment_data").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    let is_mock = instrument.get("handler_id").and_then(Value::as_str) == Some(MOCK);
    let Some(credential) = instrument.get_mut("credential").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    if credential.get("type").and_then(Value::as_str) != Some("card") {
        return Ok(());
    }
    let token = token_of_card(credential, is_mock)?;
    *credential =
        Map::from_iter([("type".to_owned(), json!("token")), ("token".to_owned(), json!(token))]);
    Ok(())
}

fn token_of_card(credential: &Map<String, Value>, is_mock: bool) -> Result<String, Refusal> {
    let number = credential.get("number").and_then(Value::as_str).unwrap_or_default();
    if !is_mock || !looks_like_card_number(number) {
        let pointer = "/payment_data/credential";
        return Err(Refusal::field(pointer, format!("must be a card, and the handler {MOCK}")));
    }
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let last: String = digits[digits.len() - 4..].iter().collect();
    Ok(format!("{PAID}:card-{last}"))
}

/// Reads the `payment_data` of a completion, after [`exchange_card`].
pub(crate) fn choice(body: &Value) -> Result<PaymentChoice, Refusal> {
    let pointer = |field: &str| format!("/payment_data/{field}");
    let instrument = &body["payment_data"];
    let Some(handler) = instrument["handler_id"].as_str() else {
        return Err(Refusal::field(pointer("handler_id"), "is needed"));
    };
    if !HANDLERS.iter().any(|(id, _)| *id == handler) {
        let ids: Vec<_> = HANDLERS.iter().map(|(id, _)| *id).collect();
        let message = format!("must be one of {}", ids.join(", "));
        return Err(Refusal::field(pointer("handler_id"), message));
    }
    let Some(token) = instrument["credential"]["token"].as_str() else {
        return Err(Refusal::field(pointer("credential/token"), "is needed"));
    };
    if looks_like_card_number(token) {
        return Err(Refusal::card_number(pointer("credential/token")));
    }
    check_mandate(body)?;
    // A token that the sandbox does not know is the card of nobody, which every provider declines.
    let token = match token.split_once(':') {
        _ if token == PAID => TAKEN.to_owned(),
        Some((PAID, suffix)) => format!("{TAKEN}:{suffix}"),
        _ => DECLINED.to_owned(),
    };
    Ok(PaymentChoice {
        provider: Some(PROVIDER.to_owned()),
        token: Secret::new(token),
        return_url: None,
    })
}

/// A mandate is looked at, not verified: the suite sends words in the shape of one.
fn check_mandate(body: &Value) -> Result<(), Refusal> {
    let Some(ap2) = body.get("ap2").filter(|ap2| !ap2.is_null()) else { return Ok(()) };
    match ap2["checkout_mandate"].as_str() {
        Some(mandate) if has_shape_of_mandate(mandate) => Ok(()),
        _ => Err(Refusal::new(Code::InputInvalid, "the checkout mandate must be an SD-JWT")),
    }
}

/// Three parts with points between, and then parts with tildes before.
fn has_shape_of_mandate(text: &str) -> bool {
    let is_part = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let mut parts = text.split('~');
    let head: Vec<_> = parts.next().unwrap_or_default().split('.').collect();
    let [header, payload, signature] = head[..] else { return false };
    !header.is_empty()
        && !signature.is_empty()
        && [header, payload, signature].into_iter().all(is_part)
        && parts.all(|part| !part.is_empty() && is_part(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paying(credential: &Value) -> Value {
        json!({ "payment_data": {
            "id": "instr_1", "handler_id": MOCK, "type": "card", "credential": credential,
        } })
    }

    fn token_for(mut body: Value) -> Result<String, Refusal> {
        exchange_card(&mut body)?;
        choice(&body).map(|choice| choice.token.expose().clone())
    }

    #[test]
    fn a_card_is_a_token_before_anybody_sees_it() {
        let mut body = paying(&json!({
            "type": "card", "card_number_type": "fpan", "number": "4242 4242 4242 4242", "cvc": "123",
        }));
        exchange_card(&mut body).expect("a card");
        let text = body.to_string();
        assert!(
            !text.contains("4242 4242") && !text.contains("cvc") && !text.contains("123\""),
            "{text}"
        );
        assert_eq!(choice(&body).expect("a choice").token.expose(), "tok_ok:card-4242");
    }

    #[test]
    fn only_what_is_known_is_paid() {
        let token = |token: &str| token_for(paying(&json!({ "type": "token", "token": token })));
        assert_eq!(token("success_token"), Ok("tok_ok".to_owned()));
        assert_eq!(token("fail_token"), Ok("tok_declined".to_owned()));
        assert_eq!(token("different_token"), Ok("tok_declined".to_owned()));
        assert_eq!(token("tok_ok"), Ok("tok_declined".to_owned()));
        let number = token("4242424242424242").expect_err("a card number is no token");
        assert_eq!(number.code, Code::CardNumberRefused);
        assert!(token_for(paying(&json!({ "type": "card", "number": "12" }))).is_err());
        assert!(token_for(json!({})).is_err());
    }

    #[test]
    fn other_handlers_take_no_cards_and_other_names_are_no_handlers() {
        let card = json!({ "type": "card", "number": "4242424242424242" });
        for handler in ["google_pay", "shop_pay", "nobody"] {
            let mut body = paying(&card);
            body["payment_data"]["handler_id"] = json!(handler);
            assert!(token_for(body).is_err(), "{handler}");
        }
        let mut body = paying(&json!({ "type": "token", "token": "success_token" }));
        body["payment_data"]["handler_id"] = json!("shop_pay");
        assert!(token_for(body.clone()).is_ok());
        body["payment_data"]["handler_id"] = json!("nobody");
        assert!(token_for(body).is_err());
    }

    #[test]
    fn a_mandate_has_a_shape() {
        for good in ["header.payload.signature~kb_signature", "a.b.c", "a..c~d~e"] {
            assert!(has_shape_of_mandate(good), "{good}");
        }
        for bad in ["", "a.b", "a.b.c~", "a.b.c.d", ".b.c", "a.b.", "a.b.c d", "a.b.c~d e"] {
            assert!(!has_shape_of_mandate(bad), "{bad}");
        }
        let mut body = paying(&json!({ "type": "token", "token": "success_token" }));
        body["ap2"] = json!({ "checkout_mandate": "nonsense" });
        assert!(token_for(body).is_err());
    }
}
