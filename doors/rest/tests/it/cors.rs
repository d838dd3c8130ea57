//! Pages of other sites call the shop from a browser, where the merchant named them.

use handel_engine::Scope;
use handel_testkit::both_databases;
use http::Method;
use serde_json::json;

use super::support::{Reply, Shop};

const STORE: &str = "https://store.example";

async fn allow(shop: &Shop, channel: &str, origins: &[&str]) {
    let key = shop.key(&[Scope::ChannelsWrite]).await;
    let path = format!("/admin/channels/{channel}");
    let call = shop.call(Method::PATCH, &path).bearer(&key).header("if-match", "*");
    call.json(&json!({ "cors_origins": origins })).send().await.expect(200);
}

both_databases! {
    /// Goal: a storefront in a browser can shop where it is named, and nowhere else.
    async fn named_origins_may_call_their_channel(shop: Shop) {
        shop.product("MUG", 1999, 9).await;
        let call = |origin: &str, channel: &str| {
            shop.get("/products").header("origin", origin).header("handel-channel", channel)
        };
        let allowed = |reply: &Reply| {
            reply.headers.get("access-control-allow-origin").map(|value| value.to_str().expect("text").to_owned())
        };
        assert_eq!(allowed(&call(STORE, "eur").send().await.expect(200)), None);
        allow(shop, "eur", &["HTTPS://Store.Example:443"]).await;
        let reply = call(STORE, "eur").send().await.expect(200);
        assert_eq!(allowed(&reply).as_deref(), Some(STORE));
        assert!(reply.headers.get("access-control-allow-credentials").is_none());
        assert!(reply.headers.get_all("vary").iter().any(|vary| vary == "Origin"));
        assert!(reply.header("access-control-expose-headers").contains("Cart-Token"));
        assert_eq!(allowed(&call(STORE, "default").send().await.expect(200)), None, "another channel");
        assert_eq!(allowed(&call("https://evil.example", "eur").send().await.expect(200)), None);
        assert_eq!(allowed(&call("null", "eur").send().await.expect(200)), None);

        // Errors can be read too, or a page could not say what is wrong.
        let refused = shop.post("/cart/items").header("origin", STORE).header("handel-channel", "eur");
        let refused = refused.json(&json!({ "sku": "NONE", "quantity": 1 })).send().await;
        assert_eq!((refused.status.as_u16(), allowed(&refused).as_deref()), (404, Some(STORE)));
    }

    /// Goal: browsers are told beforehand what a page may send, but nothing of what staff do.
    async fn browsers_ask_before_they_call(shop: Shop) {
        allow(shop, "eur", &[STORE]).await;
        let ask = |path: &str, origin: &str| {
            let call = shop.call(Method::OPTIONS, path).header("origin", origin);
            call.header("access-control-request-method", "POST").send()
        };
        let told = ask("/cart/items", STORE).await.expect(204);
        assert_eq!(told.header("access-control-allow-origin"), STORE);
        for header in ["Cart-Token", "Idempotency-Key", "If-Match", "Handel-Channel"] {
            assert!(told.header("access-control-allow-headers").contains(header), "{header}");
        }
        assert!(ask("/cart/items", "https://evil.example").await.headers.get("access-control-allow-origin").is_none());
        for path in ["/admin/orders", "/webhooks/test"] {
            let told = ask(path, STORE).await;
            assert!(told.headers.get("access-control-allow-origin").is_none(), "{path}");
        }
        allow(shop, "eur", &["*"]).await;
        let told = ask("/cart/items", "https://any.example").await.expect(204);
        assert_eq!(told.header("access-control-allow-origin"), "https://any.example");
    }

    /// Goal: what is no origin is refused with its place.
    async fn what_is_no_origin_is_refused(shop: Shop) {
        let key = shop.key(&[Scope::ChannelsWrite]).await;
        let call = shop.call(Method::PATCH, "/admin/channels/eur").bearer(&key).header("if-match", "*");
        let body = json!({ "cors_origins": [STORE, "https://store.example/path"] });
        call.json(&body).send().await.field("/cors_origins/1");
    }
}
