//! What payment providers report over HTTP.

use std::time::Duration;

use handel_testkit::both_databases;
use http::HeaderMap;
use serde_json::json;

use super::support::{Call, Shop, paying};

/// An order whose provider says later that it was paid; returns its path and what the provider will say.
macro_rules! pending {
    ($shop:ident) => {{
        $shop.product("MUG", 1999, 5).await;
        let cart = $shop.cart("MUG", 1).await;
        let submit =
            $shop.post("/checkout").cart(&cart.token).once("k").json(&paying("tok_async_ok"));
        let order = submit.send().await.expect(202).json()["order"].clone();
        $shop.clock.advance(Duration::from_secs(60));
        let event = $shop.due_webhooks().await.pop().expect("the provider has something to say");
        let path = format!("/orders/{}", order["id"].as_str().expect("an id"));
        (path, cart, event)
    }};
}

fn post(shop: &Shop, headers: &HeaderMap, body: &bytes::Bytes) -> Call {
    shop.post("/webhooks/test").headers(headers).body(body.clone())
}

both_databases! {
    /// Goal: what the provider signed is believed, once, and a repetition is told that it is one.
    async fn a_signed_webhook_is_taken_in_once(shop: Shop) {
        let (path, cart, event) = pending!(shop);
        let signed = shop.sign(&event);
        let first = post(shop, &signed.headers, &signed.body).send().await.expect(200);
        assert_eq!(first.json(), json!({ "accepted": true }));
        let again = post(shop, &signed.headers, &signed.body).send().await.expect(200);
        assert_eq!(again.json(), json!({ "accepted": false }));
        let later = shop.sign(&event);
        let again = post(shop, &later.headers, &later.body).send().await.expect(200);
        assert_eq!(again.json(), json!({ "accepted": false }), "signed anew, it is the same event");
        shop.settle().await;
        let order = shop.get(&path).cart(&cart.token).send().await.expect(200).json();
        assert_eq!((&order["status"], &order["payment"]["captured_minor"]), (&json!("paid"), &json!(2489)));
    }

    /// Goal: what was not signed by the provider, lately and as it is, changes nothing.
    async fn what_the_provider_did_not_sign_is_refused(shop: Shop) {
        let (path, cart, event) = pending!(shop);
        let signed = shop.sign(&event);
        for name in ["webhook-signature", "webhook-id", "webhook-timestamp"] {
            let missing = post(shop, &signed.headers, &signed.body).without(name).send().await;
            missing.problem(401, "webhook.refused");
        }
        for (name, value) in [
            ("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            ("webhook-signature", ""),
            ("webhook-id", "evt_other"),
            ("webhook-timestamp", "1"),
        ] {
            let changed = post(shop, &signed.headers, &signed.body).header(name, value).send().await;
            changed.problem(401, "webhook.refused");
        }
        let body = String::from_utf8(signed.body.to_vec()).expect("JSON").replace("2489", "2488");
        assert_ne!(body.as_bytes(), &signed.body[..]);
        post(shop, &signed.headers, &body.into()).send().await.problem(401, "webhook.refused");
        shop.clock.advance(Duration::from_secs(6 * 60));
        let stale = post(shop, &signed.headers, &signed.body).send().await;
        stale.problem(401, "webhook.refused");
        let order = shop.get(&path).cart(&cart.token).send().await.expect(200).json();
        assert_ne!(order["status"], "paid");

        let signed = shop.sign(&event);
        let elsewhere = shop.post("/webhooks/nobody").headers(&signed.headers).body(signed.body.clone());
        elsewhere.send().await.problem(404, "payment.provider_unknown");
        post(shop, &signed.headers, &signed.body).send().await.expect(200);
        shop.settle().await;
    }

    /// Goal: an event that cannot be told from others is not stored, even if it is signed.
    async fn an_event_needs_an_id(shop: Shop) {
        let (_, _, event) = pending!(shop);
        for id in [String::new(), "e".repeat(256)] {
            let mut unnamed = event.clone();
            unnamed.id = id;
            let signed = shop.sign(&unnamed);
            post(shop, &signed.headers, &signed.body).send().await.field("/id");
        }
        let signed = shop.sign(&event);
        let first = post(shop, &signed.headers, &signed.body).send().await.expect(200);
        assert_eq!(first.json(), json!({ "accepted": true }));
        shop.settle().await;
    }
}
