//! Buying over REST.

use handel_domain::catalog::Price;
use handel_testkit::{Fault, both_databases, fixtures::sku};
use http::Method;
use serde_json::json;

use super::support::{Shop, buyer, paying, paying_what_was_shown};

both_databases! {
    /// Goal: a program that sends the header token can browse, fill a cart, check out, pay and see its order,
    /// and every answer carries the version that it may insist on.
    async fn a_program_buys_with_the_header_token(shop: Shop) {
        let product = shop.product("MUG", 1999, 5).await;
        let listed = shop.get("/products").send().await.expect(200).json();
        assert_eq!(listed["items"][0]["price_min_minor"], 1999);
        let cart = shop.cart("MUG", 1).await;
        let line = cart.view["lines"][0]["id"].as_str().expect("a line").to_owned();

        let path = format!("/cart/items/{line}");
        let call = || shop.call(Method::PATCH, &path).cart(&cart.token).json(&json!({ "quantity": 2 }));
        let changed = call().header("if-match", "\"1\"").send().await.expect(200);
        assert_eq!((changed.header("etag"), changed.json()["version"].as_i64()), ("\"2\"".into(), Some(2)));
        assert_eq!(changed.json()["subtotal_minor"], 3998);
        let stale = call().header("if-match", "\"1\"").send().await.problem(412, "version.conflict");
        assert_eq!(stale["version"], 2, "the one that is stored now");
        call().header("if-match", "two").send().await.problem(422, "input.invalid");
        call().header("if-match", "*").send().await.expect(200);

        let checkout = shop.post("/checkout").cart(&cart.token).json(&buyer()).send().await.expect(201);
        let view = checkout.json();
        assert_eq!((&view["total_minor"], &view["missing"]), (&json!(4488), &json!([])));
        assert_eq!(checkout.header("etag"), format!("\"{}\"", view["version"]));
        let path = format!("/checkout/{}", view["id"].as_str().expect("an id"));
        let other = json!({ "shipping_method": "courier" });
        let patch = || shop.call(Method::PATCH, &path).cart(&cart.token).json(&other);
        patch().header("if-match", "\"99\"").send().await.problem(412, "version.conflict");
        let patched = patch().header("if-match", &checkout.header("etag")).send().await.expect(200);
        assert_eq!(patched.json()["total_minor"], 4988);

        let complete = |total: i64| {
            let body = json!({ "payment": { "token": "tok_ok" }, "expected_total_minor": total });
            shop.post(&format!("{path}/complete")).cart(&cart.token).json(&body)
        };
        complete(4988).send().await.problem(400, "idempotency.key_required");
        let changed = complete(1).once("pay-1").send().await.problem(409, "checkout.totals_changed");
        assert_eq!(changed["total_minor"], 4988);
        let bought = complete(4988).once("pay-2").send().await.expect(201).json();
        assert_eq!((&bought["order"]["status"], &bought["payment"]["status"]), (&json!("paid"), &json!("paid")));
        assert_eq!(bought["order"]["total_minor"], 4988);

        let id = bought["order"]["id"].as_str().expect("an id");
        let token = bought["order"]["token"].as_str().expect("a token");
        let order = shop.get(&format!("/orders/{id}")).header("order-token", token).send().await.expect(200);
        assert_eq!(order.header("etag"), format!("\"{}\"", order.json()["version"]));
        let own = shop.get("/orders").cart(&cart.token).send().await.expect(200).json();
        assert_eq!(own["items"][0]["id"], id);
        let closed = shop.post("/cart/items").cart(&cart.token).json(&json!({ "sku": "MUG" })).send().await;
        closed.problem(409, "cart.closed");
        assert_eq!(shop.stock(&product).await.allocated, 2);
    }

    /// Goal: who names no total is charged the one that an answer showed last, and nothing else.
    async fn a_total_that_was_not_shown_is_never_charged(shop: Shop) {
        shop.product("MUG", 1999, 9).await;
        let reprice = async |amount_minor| {
            let prices = vec![Price { currency: "EUR".parse().expect("a currency"), amount_minor, compare_at_minor: None }];
            shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, None).await.expect("staff may");
        };
        for (price, looks) in [(2999, false), (999, false), (1500, true)] {
            reprice(1999).await;
            let cart = shop.cart("MUG", 1).await;
            let view = shop.post("/checkout").cart(&cart.token).json(&buyer()).send().await.expect(201).json();
            reprice(price).await;
            let path = format!("/checkout/{}", view["id"].as_str().expect("an id"));
            let key = format!("pay-{price}");
            let complete = || shop.post(&format!("{path}/complete")).cart(&cart.token).once(&key).json(&json!({ "payment": { "token": "tok_ok" } }));
            if looks {
                let seen = shop.get(&path).cart(&cart.token).send().await.expect(200);
                assert_eq!(seen.header("etag"), format!("\"{}\"", view["version"]), "a look changes no version");
            } else {
                let changed = complete().send().await.problem(409, "checkout.totals_changed");
                assert_eq!(changed["total_minor"], price + 490);
            }
            let bought = complete().send().await.expect(201).json();
            assert_eq!(bought["order"]["total_minor"], price + 490);
        }
        // All in one request: the first answer names the total, and the same request buys at it.
        let cart = shop.cart("MUG", 1).await;
        let submit = || shop.post("/checkout").cart(&cart.token).once("at-once").json(&paying_what_was_shown("tok_ok"));
        let named = submit().send().await.problem(409, "checkout.totals_changed");
        assert_eq!((&named["total_minor"], shop.payments.calls().charges), (&json!(1990), 3));
        assert_eq!(submit().send().await.expect(201).json()["order"]["total_minor"], 1990);
    }

    /// Goal: a checkout that changed since its buyer looked is not bought.
    async fn a_checkout_is_bought_in_the_version_that_was_seen(shop: Shop) {
        shop.product("MUG", 1999, 9).await;
        let cart = shop.cart("MUG", 1).await;
        let seen = shop.post("/checkout").cart(&cart.token).json(&buyer()).send().await.expect(201);
        let path = format!("/checkout/{}", seen.json()["id"].as_str().expect("an id"));
        let other = json!({ "email": "other@example.com" });
        let now = shop.call(Method::PATCH, &path).cart(&cart.token).json(&other).send().await.expect(200);
        let complete = |tag: &str| {
            let body = json!({ "payment": { "token": "tok_ok" } });
            shop.post(&format!("{path}/complete")).cart(&cart.token).once("k").header("if-match", tag).json(&body)
        };
        complete(&seen.header("etag")).send().await.problem(412, "version.conflict");
        complete(&now.header("etag")).send().await.expect(201);
    }

    /// Goal: a browser that only keeps the cookie can buy too, and the cookie is out of reach of scripts and of
    /// other sites.
    async fn a_browser_buys_with_the_cookie(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        let first = shop.post("/cart").send().await.expect(201);
        let cookie = first.header("set-cookie");
        for part in ["handel_cart=", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(cookie.contains(part), "{part}: {cookie}");
        }
        let (_, rest) = cookie.split_once("handel_cart=").expect("the cookie");
        let token = rest.split(';').next().expect("its value");
        assert_eq!(token, first.header("cart-token"));

        let added = shop.post("/cart/items").cookie(token).json(&json!({ "sku": "MUG" })).send().await;
        assert_eq!(added.expect(200).json()["id"], first.json()["id"]);
        let body = paying("tok_ok");
        let bought = shop.post("/checkout").cookie(token).once("one").json(&body).send().await;
        assert_eq!(bought.expect(201).json()["order"]["status"], "paid");
        let cart = shop.get("/cart").cookie(token).send().await.expect(200).json();
        assert_eq!(cart["status"], "ordered");
    }

    /// Goal: a declined card leaves the order waiting for another attempt, and nobody is charged twice.
    async fn a_declined_payment_can_be_tried_again(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        let cart = shop.cart("MUG", 1).await;
        let submit = |token: &str, key: &str| {
            shop.post("/checkout").cart(&cart.token).once(key).json(&paying(token))
        };
        let declined = submit("tok_declined", "first").send().await;
        let order = declined.problem(402, "payment.declined")["order_id"].clone();
        let again = submit("tok_declined", "first").send().await;
        again.problem(402, "payment.declined");
        assert!(again.is_replayed());
        let bought = submit("tok_ok", "second").send().await.expect(201).json();
        assert_eq!(bought["order"]["id"], order);
        assert_eq!(shop.payments.calls().charges, 2);
    }

    /// Goal: money of another amount pays nothing, and what is under way afterwards is told as that.
    async fn another_amount_does_not_hide_the_next_attempt(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        let cart = shop.cart("MUG", 1).await;
        let submit = |token: &str, key: &str| {
            shop.post("/checkout").cart(&cart.token).once(key).json(&paying(token))
        };
        shop.payments.fail_charge(Fault::OtherAmount(5));
        submit("tok_ok", "first").send().await.problem(402, "payment.amount_mismatch");
        let next = submit("tok_async_ok", "second").send().await.expect(202).json();
        assert_eq!((&next["order"]["status"], &next["payment"]["status"]), (&json!("reserved"), &json!("processing")));
        shop.settle_after(60).await;
    }

    /// Goal: a provider that cannot be reached takes nothing, and the buyer is told when to come back with the same
    /// request.
    async fn a_provider_out_of_reach_is_told_with_a_time_to_come_back(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        let cart = shop.cart("MUG", 1).await;
        let submit = || shop.post("/checkout").cart(&cart.token).once("k").json(&paying("tok_ok"));
        shop.payments.fail_charge(Fault::NotSent);
        let away = submit().send().await;
        assert_eq!(away.header("retry-after"), "5");
        assert_eq!(away.problem(503, "payment.provider_unavailable")["retry_after_ms"], 5_000);
        assert_eq!(submit().send().await.expect(201).json()["order"]["status"], "paid");
    }

    /// Goal: items can be taken out by a quantity of 0 and by DELETE, and stock that is short is named.
    async fn lines_are_removed_and_shortages_are_named(shop: Shop) {
        shop.product("MUG", 1999, 3).await;
        let cart = shop.cart("MUG", 1).await;
        let line = |view: &serde_json::Value| view["lines"][0]["id"].as_str().expect("a line").to_owned();
        let path = format!("/cart/items/{}", line(&cart.view));
        let set = |quantity: i64| {
            shop.call(Method::PATCH, &path).cart(&cart.token).json(&json!({ "quantity": quantity }))
        };
        let short = set(4).send().await.problem(409, "stock.short");
        assert_eq!((&short["shortages"][0]["requested"], &short["shortages"][0]["available"]), (&json!(4), &json!(3)));
        assert_eq!(set(0).send().await.expect(200).json()["lines"], json!([]));
        set(1).send().await.problem(404, "cart.line_unknown");
        let added = shop.post("/cart/items").cart(&cart.token).json(&json!({ "sku": "MUG" })).send().await;
        let path = format!("/cart/items/{}", line(&added.expect(200).json()));
        let removed = shop.call(Method::DELETE, &path).cart(&cart.token).send().await.expect(200).json();
        assert_eq!(removed["lines"], json!([]));
        let empty = shop.post("/checkout").cart(&cart.token).once("k").json(&paying("tok_ok"));
        empty.send().await.problem(422, "cart.empty");
        shop.post("/cart/items").json(&json!({ "sku": "NONE" })).send().await.problem(404, "variant.unknown");
    }
}
