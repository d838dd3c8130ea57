//! The same request, sent again.

use handel_engine::Scope;
use handel_testkit::{both_databases, fixtures::product_input, meanwhile};
use http::Method;
use serde_json::json;

use super::support::{Shop, paying};

both_databases! {
    /// Goal: a repetition gets the first answer to the letter, marked as one, and another body is refused.
    async fn a_key_is_answered_once_and_refuses_another_request(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        let cart = shop.cart("MUG", 1).await;
        let submit = |token: &str| {
            shop.post("/checkout").cart(&cart.token).once("the-key").json(&paying(token))
        };
        let first = submit("tok_ok").send().await.expect(201);
        assert!(!first.is_replayed());
        let again = submit("tok_ok").send().await.expect(201);
        assert!(again.is_replayed());
        assert_eq!(first.body, again.body);
        submit("tok_ok:other").send().await.problem(422, "idempotency.conflict");
        assert_eq!(shop.payments.calls().charges, 1);

        let other = shop.cart("MUG", 1).await;
        let theirs = shop.post("/checkout").cart(&other.token).once("the-key").json(&paying("tok_ok"));
        let theirs = theirs.send().await.expect(201);
        assert!(!theirs.is_replayed(), "a key belongs to who sent it");
        assert_ne!(theirs.json()["order"]["id"], first.json()["order"]["id"]);
    }

    /// Goal: while the provider is being asked, a repetition is told to wait, and then gets what became of it.
    async fn a_repetition_of_what_is_under_way_is_told_to_wait(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        let cart = shop.cart("MUG", 1).await;
        let gate = shop.payments.hold_before_charge();
        let submit = || shop.post("/checkout").cart(&cart.token).once("slow").json(&paying("tok_ok"));
        let first = meanwhile(submit().send());
        gate.reached().await;
        let early = submit().send().await;
        let problem = early.problem(409, "idempotency.in_flight");
        assert_eq!(early.header("retry-after"), "1");
        assert_eq!(problem["retry_after_ms"], 1000);
        gate.open();
        let first = first.await.expect("it ends").expect(201);
        let again = submit().send().await.expect(201);
        assert!(again.is_replayed());
        assert_eq!(first.body, again.body);
        assert_eq!(shop.payments.calls().charges, 1);
    }

    /// Goal: what a body means decides, not how it is written; null and absent are not the same.
    async fn a_body_is_known_by_its_meaning(shop: Shop) {
        shop.product("MUG", 1999, 50).await;
        let cart = shop.cart("MUG", 1).await;
        let add = |body: &str| shop.post("/cart/items").cart(&cart.token).once("add").text(body);
        let first = add(r#"{"sku":"MUG","quantity":2}"#).send().await.expect(200);
        assert_eq!(first.json()["lines"][0]["quantity"], 3);
        for same in [
            r#"{"quantity":2,"sku":"MUG"}"#,
            "\n{ \"sku\" : \"MUG\",\r\n\t\"quantity\" : 2 }  ",
            r#"{"sku":"\u004dUG","quantity":2}"#,
        ] {
            let again = add(same).send().await.expect(200);
            assert!(again.is_replayed(), "{same}");
            assert_eq!(first.body, again.body, "{same}");
        }
        for other in [
            r#"{"sku":"MUG","quantity":2,"variant_id":null}"#,
            r#"{"sku":"MUG","quantity":3}"#,
            r#"{"sku":"MUG"}"#,
            r#"{"sku":"MUG","quantity":2,"custom":{}}"#,
        ] {
            add(other).send().await.problem(422, "idempotency.conflict");
        }
    }

    /// Goal: what else decides what a request does is part of it: the version that it is meant for, and the
    /// channel that it is sent to.
    async fn a_key_holds_for_one_version_and_one_channel(shop: Shop) {
        let key = shop.key(&[Scope::CatalogRead, Scope::CatalogWrite]).await;
        shop.product("MUG", 1999, 50).await;
        let product = shop.get("/admin/products/mug").bearer(&key).send().await.expect(200);
        let path = format!("/admin/products/{}", product.json()["id"].as_str().expect("an id"));
        let tag = product.header("etag");
        let body = serde_json::to_value(product_input("MUG", 100)).expect("JSON");
        let replace = |tag: &str| {
            shop.call(Method::PUT, &path).bearer(&key).once("replace").header("if-match", tag).json(&body)
        };
        let first = replace(&tag).send().await.expect(200);
        assert!(replace(&tag).send().await.expect(200).is_replayed());
        for other in ["*", &first.header("etag")] {
            replace(other).send().await.problem(422, "idempotency.conflict");
        }

        let make = || shop.post("/cart").once("0b9c5a1e-7f0d-4c8e");
        let cart = make().send().await.expect(201).json();
        assert_eq!(make().send().await.expect(201).json()["id"], cart["id"]);
        make().header("handel-channel", "default").send().await.problem(422, "idempotency.conflict");
        make().without("handel-channel").send().await.problem(422, "idempotency.conflict");
    }

    /// Goal: who has no cart yet shares the space of keys with everybody, so a key that could be guessed is
    /// refused; with a cart a short one will do.
    async fn anonymous_keys_must_not_be_guessable(shop: Shop) {
        shop.product("MUG", 1999, 50).await;
        let add = |key: &str| shop.post("/cart/items").once(key).json(&json!({ "sku": "MUG" }));
        add("1").send().await.problem(422, "input.invalid");
        add("fifteen-chars-x").send().await.problem(422, "input.invalid");
        let first = add("0b9c5a1e-7f0d-4c8e").send().await.expect(201);
        let again = add("0b9c5a1e-7f0d-4c8e").send().await.expect(201);
        assert!(again.is_replayed());
        assert_eq!(first.header("cart-token"), again.header("cart-token"));
        let token = first.header("cart-token");
        add("1").cart(&token).send().await.expect(200);
        // A token that is not ours makes no caller less anonymous, and is what has to be mended.
        add("1").cart("cart_forged").send().await.problem(404, "cart.unknown");
    }

    /// Goal: keys that are empty, too long or not text are refused, not cut or ignored.
    async fn malformed_keys_are_refused(shop: Shop) {
        shop.product("MUG", 1999, 50).await;
        let cart = shop.cart("MUG", 1).await;
        let add = |key: &str| {
            shop.post("/cart/items").cart(&cart.token).once(key).json(&json!({ "sku": "MUG" }))
        };
        for wrong in ["", "   ", &"k".repeat(256), "schl\u{fc}ssel"] {
            add(wrong).send().await.problem(422, "input.invalid");
        }
        add(&"k".repeat(255)).send().await.expect(200);
        let now = shop.get("/cart").cart(&cart.token).send().await.expect(200).json();
        assert_eq!(now["lines"][0]["quantity"], 2);
    }
}
