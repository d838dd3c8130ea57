//! What others must not see or do.

use std::time::Duration;

use handel_domain::id::TenantKind;
use handel_engine::{Context, Scope};
use handel_kit::DoorSettings;
use handel_testkit::both_databases;
use http::Method;
use serde_json::json;

use super::support::{Shop, paying};

both_databases! {
    /// Goal: a shopper with a cart of their own finds nothing of another's, not even that it exists.
    async fn a_shopper_finds_nothing_of_others(shop: Shop) {
        shop.product("MUG", 1999, 9).await;
        let (ada, eve) = (shop.cart("MUG", 1).await, shop.cart("MUG", 1).await);
        let checkout = shop.checkout_over_rest(&ada).await;
        let path = format!("/checkout/{}", checkout["id"].as_str().expect("an id"));
        let complete = || {
            let body = json!({ "payment": { "token": "tok_ok" } });
            shop.post(&format!("{path}/complete")).once("a-key-that-is-long").json(&body)
        };
        let patch = || shop.call(Method::PATCH, &path).json(&json!({ "email": "eve@example.com" }));
        for call in [shop.get(&path), patch(), complete()] {
            call.cart(&eve.token).send().await.problem(404, "checkout.unknown");
        }
        for call in [shop.get(&path), patch(), complete()] {
            call.send().await.problem(404, "checkout.unknown");
        }
        let line = ada.view["lines"][0]["id"].as_str().expect("a line");
        let item = format!("/cart/items/{line}");
        let removed = shop.call(Method::DELETE, &item).cart(&eve.token).send().await;
        removed.problem(404, "cart.line_unknown");

        let bought = complete().cart(&ada.token).send().await.expect(201).json();
        let order = format!("/orders/{}", bought["order"]["id"].as_str().expect("an id"));
        let token = bought["order"]["token"].as_str().expect("a token");
        shop.get(&order).send().await.problem(404, "order.unknown");
        shop.get(&order).cart(&eve.token).send().await.problem(404, "order.unknown");
        let other = shop.post("/checkout").cart(&eve.token).once("k").json(&paying("tok_ok"));
        let other = other.send().await.expect(201).json()["order"]["token"].clone();
        let other = other.as_str().expect("a token");
        for wrong in [other, &token[1..], "nonsense", ""] {
            shop.get(&order).header("order-token", wrong).send().await.problem(404, "order.unknown");
        }
        let key = shop.key(&[Scope::CatalogRead]).await;
        shop.get(&order).bearer(&key).send().await.problem(404, "order.unknown");
        let listed = shop.get("/orders").cart(&eve.token).send().await.expect(200).json();
        assert!(listed["items"].as_array().expect("a list").iter().all(|o| o["id"] != bought["order"]["id"]));
        for (name, value) in [("order-token", token), ("cart-token", &ada.token)] {
            shop.get(&order).header(name, value).send().await.expect(200);
        }
        shop.get(&format!("{order}?token={token}")).send().await.expect(200);
    }

    /// Goal: a cart token cannot be made up or changed into another cart's.
    async fn forged_cart_tokens_open_nothing(shop: Shop) {
        shop.product("MUG", 1999, 9).await;
        let (ada, eve) = (shop.cart("MUG", 1).await, shop.cart("MUG", 1).await);
        let id = ada.view["id"].as_str().expect("an id");
        let own = eve.view["id"].as_str().expect("an id");
        let swapped = eve.token.replace(own, id);
        assert_ne!(swapped, eve.token, "the token names its cart");
        let cut = &ada.token[..ada.token.len() - 1];
        for forged in [id, &swapped, cut, &format!("{}x", ada.token), ""] {
            shop.get("/cart").cart(forged).send().await.problem(404, "cart.unknown");
            let add = shop.post("/cart/items").cart(forged).json(&json!({ "sku": "MUG" }));
            add.send().await.problem(404, "cart.unknown");
        }
    }

    /// Goal: a page of another site cannot use the cookie that the browser sends along.
    async fn other_sites_cannot_act_with_the_cookie(shop: Shop) {
        shop.product("MUG", 1999, 9).await;
        let cart = shop.cart("MUG", 1).await;
        let line = cart.view["lines"][0]["id"].as_str().expect("a line");
        let item = format!("/cart/items/{line}");
        let add = || shop.post("/cart/items").cookie(&cart.token).json(&json!({ "sku": "MUG" }));
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "https://shop.example.evil.example"),
            ("origin", "https://shop.example:8443"),
            ("origin", "null"),
        ] {
            let pay = shop.post("/checkout").cookie(&cart.token).once("k").json(&paying("tok_ok"));
            let delete = shop.call(Method::DELETE, &item).cookie(&cart.token);
            for call in [add(), pay, delete] {
                call.header(name, value).send().await.problem(403, "auth.origin_refused");
            }
        }
        let deceived = add().header("sec-fetch-site", "cross-site").header("origin", "https://shop.example");
        deceived.send().await.problem(403, "auth.origin_refused");
        add().header("origin", "https://shop.example").send().await.expect(200);
        add().header("sec-fetch-site", "same-origin").send().await.expect(200);
        // Who can set a header has the token, whatever site it is.
        let header = shop.post("/cart/items").cart(&cart.token).json(&json!({ "sku": "MUG" }));
        header.header("origin", "https://app.example").send().await.expect(200);
        let read = shop.get("/cart").cookie(&cart.token).header("sec-fetch-site", "cross-site");
        assert_eq!(read.send().await.expect(200).json()["lines"][0]["quantity"], 4);
    }

    /// Goal: a key ends when it is revoked and when its time is over, at once.
    async fn keys_end_when_they_are_revoked_or_expire(shop: Shop) {
        let boss = shop.key(&[Scope::KeysWrite, Scope::OrdersRead]).await;
        let expires_at = shop.now() + jiff::SignedDuration::from_mins(10);
        let mut body = json!({ "name": "short", "scopes": ["orders:read"], "expires_at": expires_at.to_string() });
        let make = |body: &serde_json::Value| shop.post("/admin/keys").bearer(&boss).json(body);
        let short = make(&body).send().await.expect(201);
        assert_eq!(short.header("cache-control"), "no-store");
        let short = short.json()["secret"].as_str().expect("a secret").to_owned();
        body["expires_at"] = json!(null);
        let made = make(&body).send().await.expect(201).json();
        let long = made["secret"].as_str().expect("a secret");
        let use_it = |key: &str| shop.get("/admin/orders").bearer(key);
        use_it(&short).send().await.expect(200);
        use_it(long).send().await.expect(200);

        let mut wrong = long.to_owned();
        wrong.pop();
        for key in [&wrong, &format!("{long}x"), &long.to_uppercase()] {
            let refused = use_it(key).send().await;
            refused.problem(401, "auth.invalid");
            assert!(!refused.to_string().contains(&key[..20]), "{refused}");
        }
        shop.clock.advance(Duration::from_mins(10));
        use_it(&short).send().await.problem(401, "auth.invalid");
        use_it(long).send().await.expect(200);
        let path = format!("/admin/keys/{}", made["id"].as_str().expect("an id"));
        shop.call(Method::DELETE, &path).bearer(&boss).send().await.expect(204);
        use_it(long).send().await.problem(401, "auth.invalid");
        shop.call(Method::DELETE, &path).bearer(&boss).send().await.problem(404, "api_key.unknown");

        let listed = shop.get("/admin/keys").bearer(&boss).send().await.expect(200);
        let text = listed.to_string();
        for secret in [&short, long, &boss] {
            assert!(!text.contains(&secret[12..]), "a secret is listed: {text}");
        }
        body["scopes"] = json!(["orders:write"]);
        make(&body).send().await.problem(403, "auth.scope_missing");
    }

    /// Goal: the key of another merchant opens nothing of this one's.
    async fn the_key_of_another_merchant_opens_nothing(shop: Shop) {
        let product = shop.product("MUG", 1999, 9).await;
        let order = shop.buy(&[("MUG", 1)]).await.order.id;
        let tenant_id = shop.system.mint::<TenantKind>(shop.now());
        let other = Context { tenant_id, ..shop.staff() };
        let key = shop.engine.create_api_key(&other, "theirs", Scope::ALL.to_vec(), None).await;
        let key = key.expect("a key").secret.expose().clone();
        for path in ["/admin/orders", "/admin/keys", "/admin/jobs/dead"] {
            let listed = shop.get(path).bearer(&key).send().await.expect(200).json();
            let items = listed["items"].as_array().expect("a list");
            assert!(items.iter().all(|item| item["name"] == "theirs"), "{path}: {listed}");
        }
        for path in [format!("/orders/{order}"), format!("/admin/orders/{order}")] {
            shop.get(&path).bearer(&key).send().await.problem(404, "order.unknown");
        }
        let cancel = shop.post(&format!("/admin/orders/{order}/cancel")).bearer(&key);
        cancel.json(&json!({ "reason": "a test" })).send().await.problem(404, "order.unknown");
        let path = format!("/admin/products/{}", product.id);
        shop.get(&path).bearer(&key).send().await.problem(404, "product.unknown");
        let archive = shop.call(Method::DELETE, &path).bearer(&key).header("if-match", "*");
        archive.send().await.problem(404, "product.unknown");
        let stock = json!({ "sku": "MUG", "delta": -1, "reason": "a test" });
        let adjust = shop.post("/admin/stock/adjustments").bearer(&key).json(&stock);
        adjust.send().await.problem(404, "variant.unknown");
    }

    /// Goal: what a buyer pays with is not shown to anybody again, and staff do not get the buyer's token.
    async fn secrets_are_shown_to_nobody_else(shop: Shop) {
        shop.product("MUG", 1999, 9).await;
        let cart = shop.cart("MUG", 1).await;
        let submit = |key: &str| {
            shop.post("/checkout").cart(&cart.token).once(key).json(&paying("tok_ok:s3cr3t"))
        };
        let bought = submit("k").send().await.expect(201);
        let order = bought.json()["order"].clone();
        let token = order["token"].as_str().expect("a token");
        let id = order["id"].as_str().expect("an id");
        let key = shop.key(Scope::ALL).await;
        let mut replies = vec![bought, submit("k").send().await, submit("other").send().await];
        for path in [
            "/admin/orders".to_owned(), format!("/admin/orders/{id}"), format!("/orders/{id}"),
            format!("/admin/orders/{id}/history"), format!("/admin/orders/{id}/reconciliation"),
        ] {
            let reply = shop.get(&path).bearer(&key).send().await.expect(200);
            for secret in [token, &cart.token, &key] {
                assert!(!reply.to_string().contains(secret), "{path}: {reply}");
            }
            replies.push(reply);
        }
        for reply in replies {
            assert!(!reply.to_string().contains("s3cr3t"), "{reply}");
        }
    }

    /// Goal: the cookie is sent over TLS alone where the shop is reached over TLS.
    async fn the_cookie_is_secure_where_the_shop_is(shop: Shop) {
        let settings = DoorSettings { public_url: "https://shop.example".to_owned(), ..DoorSettings::default() };
        let front = shop.front(settings, axum::Router::new());
        let cookie = front.post("/cart").send().await.expect(201).header("set-cookie");
        assert!(cookie.ends_with("; Secure"), "{cookie}");
        let cookie = shop.post("/cart").send().await.expect(201).header("set-cookie");
        assert!(!cookie.contains("Secure"), "{cookie}");
    }
}
