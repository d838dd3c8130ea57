//! Which webhooks are believed, and what they mean.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use handel_domain::{Code, payment::Report};
use handel_local::payments::{ChargeEvent, SignedWebhook};
use handel_ports::{PaymentProvider as _, ProviderReport, WebhookEvent, WebhookRejected};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;

use crate::world::{SECRET, World, captured, euros, key, reference};

fn event(is_captured: bool) -> ChargeEvent {
    ChargeEvent {
        id: "test_evt_1".to_owned(),
        key: key(1),
        reference: reference(key(1)),
        is_captured,
        amount: euros(1250),
    }
}

/// Signs with the code of the standard rather than with ours.
fn signed(secret: &[u8], id: &str, timestamp: &str, body: &str) -> HeaderMap {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", id.parse().unwrap());
    headers.insert("webhook-timestamp", timestamp.parse().unwrap());
    headers.insert("webhook-signature", format!("v1,{signature}").parse().unwrap());
    headers
}

fn read(world: &World, webhook: &SignedWebhook) -> Result<WebhookEvent, WebhookRejected> {
    world.payments.read_webhook(&webhook.headers, &webhook.body)
}

#[test]
fn what_we_sign_is_believed_and_understood() {
    let world = World::new();
    let declined =
        Report::Declined { reference: Some(reference(key(1))), code: Code::PaymentDeclined };
    for (is_captured, report) in [(true, captured(key(1), 1250)), (false, declined)] {
        let webhook = world.payments.sign_webhook(&event(is_captured));
        assert_eq!(
            read(&world, &webhook).unwrap(),
            WebhookEvent {
                event_id: "test_evt_1".to_owned(),
                report: Some(ProviderReport { key: key(1), report }),
            }
        );
    }
}

#[test]
fn the_signature_is_the_one_of_the_standard() {
    let world = World::new();
    let webhook = world.payments.sign_webhook(&event(true));
    let timestamp = world.system.now().as_second().to_string();
    let body = std::str::from_utf8(&webhook.body).unwrap();
    let expected = signed(SECRET, "test_evt_1", &timestamp, body);
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert_eq!(webhook.headers[name], expected[name]);
    }
    let json: serde_json::Value = serde_json::from_slice(&webhook.body).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "id": "test_evt_1",
            "type": "charge.captured",
            "data": {
                "key": key(1),
                "reference": reference(key(1)),
                "amount_minor": 1250,
                "currency": "EUR",
            },
        })
    );
}

#[test]
fn what_somebody_changed_or_did_not_sign_is_not_believed() {
    let world = World::new();
    let webhook = world.payments.sign_webhook(&event(true));

    let mut other_body = webhook.clone();
    other_body.body =
        String::from_utf8(webhook.body.to_vec()).unwrap().replace("1250", "1251").into();
    assert_eq!(read(&world, &other_body), Err(WebhookRejected::Signature));

    let timestamp = world.system.now().as_second().to_string();
    let body = std::str::from_utf8(&webhook.body).unwrap();
    let headers = signed(b"the secret of somebody else", "test_evt_1", &timestamp, body);
    let forged = SignedWebhook { headers, body: webhook.body.clone() };
    assert_eq!(read(&world, &forged), Err(WebhookRejected::Signature));

    let later = (world.system.now().as_second() + 1).to_string();
    let v1 = webhook.headers["webhook-signature"].to_str().unwrap();
    for (name, value) in [
        ("webhook-id", "test_evt_2"),
        ("webhook-timestamp", later.as_str()),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,!!"),
        ("webhook-signature", &v1["v1,".len()..]),
        ("webhook-signature", &v1.replace("v1,", "v2,")),
        ("webhook-signature", &v1[..v1.len() - 4]),
    ] {
        let mut changed = webhook.clone();
        changed.headers.insert(name, HeaderValue::from_str(value).unwrap());
        assert_eq!(read(&world, &changed), Err(WebhookRejected::Signature), "{name}: {value}");
    }
}

#[test]
fn no_header_may_be_missing() {
    let world = World::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut webhook = world.payments.sign_webhook(&event(true));
        webhook.headers.remove(name);
        assert_eq!(read(&world, &webhook), Err(WebhookRejected::Signature), "{name}");
    }
}

#[test]
fn one_right_signature_among_several_is_enough_wherever_it_stands() {
    let world = World::new();
    let webhook = world.payments.sign_webhook(&event(true));
    let right = webhook.headers["webhook-signature"].to_str().unwrap().to_owned();
    let wrong = format!("v1,{}", STANDARD.encode([0; 32]));
    for signatures in
        [format!("{wrong} {right}"), format!("{right} {wrong}"), format!("v1a,x {wrong} {right}")]
    {
        let mut webhook = webhook.clone();
        webhook.headers.insert("webhook-signature", signatures.parse().unwrap());
        assert!(read(&world, &webhook).is_ok(), "{signatures}");
    }
}

#[test]
fn a_signature_holds_for_five_minutes() {
    let world = World::new();
    let webhook = world.payments.sign_webhook(&event(true));
    world.clock.advance(Duration::from_secs(300));
    assert!(read(&world, &webhook).is_ok());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(read(&world, &webhook), Err(WebhookRejected::Stale));

    let future = (world.system.now().as_second() + 301).to_string();
    let body = std::str::from_utf8(&webhook.body).unwrap();
    let headers = signed(SECRET, "test_evt_1", &future, body);
    let from_the_future = SignedWebhook { headers, body: webhook.body.clone() };
    assert_eq!(read(&world, &from_the_future), Err(WebhookRejected::Stale));
}

#[test]
fn a_signed_body_must_still_make_sense() {
    let world = World::new();
    let timestamp = world.system.now().as_second().to_string();
    let read = |body: &str| {
        let headers = signed(SECRET, "test_evt_1", &timestamp, body);
        world.payments.read_webhook(&headers, &Bytes::copy_from_slice(body.as_bytes()))
    };
    for body in [
        "",
        "{}",
        r#"{"id": "test_evt_2", "type": "other"}"#,
        r#"{"id": "test_evt_1", "type": "charge.captured"}"#,
        r#"{"id": "test_evt_1", "type": "charge.captured", "data": {"key": "ord_1"}}"#,
    ] {
        assert_eq!(read(body), Err(WebhookRejected::Malformed), "{body}");
    }
    let other = read(r#"{"id": "test_evt_1", "type": "payout.paid", "data": {"x": 1}}"#).unwrap();
    assert_eq!(other, WebhookEvent { event_id: "test_evt_1".to_owned(), report: None });
}
