//! Carts, and how they become checkouts.

use handel_testkit::both_databases;
use serde_json::{Value, json};

use crate::support::{Shop, address, amount, basket, codes, id, lines};

fn cart(sku: &str, quantity: i64) -> Value {
    json!({ "line_items": lines(sku, quantity), "buyer": { "email": "ada@example.com" } })
}

both_databases! {
    async fn a_cart_is_said_whole_each_time(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        shop.product("CUP", 300, 10).await;
        let agent = shop.agent();
        let made = agent.post("/carts", &cart("MUG", 2)).once("k").send().await;
        let again = agent.post("/carts", &cart("MUG", 2)).once("k").send().await;
        assert_eq!(made.body, again.body, "a repetition makes no second cart");
        let made = made.created();
        assert_eq!((amount(&made, "subtotal"), amount(&made, "total")), (Some(2_400), Some(2_400)));
        let path = format!("/carts/{}", id(&made));
        let both = json!({ "line_items": [
            { "item": { "id": "CUP" }, "quantity": 1 },
            { "id": made["line_items"][0]["id"], "item": { "id": "MUG" }, "quantity": 1 },
        ] });
        let changed = agent.put(&path, &both).send().await.ok();
        assert_eq!(changed["line_items"][1]["id"], made["line_items"][0]["id"]);
        assert_eq!(amount(&changed, "total"), Some(1_500));
        assert!(changed["buyer"].get("email").is_none(), "it was not said again");
        assert_eq!(agent.get(&path).send().await.ok()["line_items"], changed["line_items"]);
        let refused = agent.put(&path, &cart("NONE", 1)).send().await.ok();
        assert_eq!((codes(&refused, "error"), &refused["line_items"]),
            (vec!["item_unavailable".to_owned()], &changed["line_items"]));
    }

    async fn a_cart_has_one_checkout_and_what_it_holds_counts(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let made = agent.post("/carts", &cart("MUG", 2)).send().await.created();
        let mut body = basket("MUG", 7);
        body["buyer"]["email"] = json!("other@example.com");
        body["cart_id"] = made["id"].clone();
        let first = agent.post("/checkout-sessions", &body).send().await.created();
        assert_eq!(first["line_items"][0]["quantity"], 2, "the cart says what is bought");
        assert_eq!(first["buyer"]["email"], "ada@example.com", "and by whom");
        let second = agent.post("/checkout-sessions", &body).send().await.ok();
        assert_eq!(second["id"], first["id"]);
        let bought = agent.complete(&first, "tok_ok", "k").await.ok();
        assert_eq!(bought["status"], "completed");
        let late = agent.post("/checkout-sessions", &body).send().await;
        late.outcome("already_closed");
        let refused = agent.put(&format!("/carts/{}", id(&made)), &cart("MUG", 1)).send().await.ok();
        assert_eq!(codes(&refused, "error"), ["already_closed"]);
        assert_eq!(address(&bought), address(&first));
    }

    async fn a_cart_that_was_given_up_is_shown_once_more(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let made = agent.post("/carts", &cart("MUG", 2)).send().await.created();
        let path = format!("/carts/{}", id(&made));
        let canceled = agent.post(&format!("{path}/cancel"), &json!({})).once("c").send().await;
        let again = agent.post(&format!("{path}/cancel"), &json!({})).once("c").send().await;
        assert_eq!(canceled.body, again.body, "a repetition");
        assert_eq!(canceled.ok()["line_items"], made["line_items"]);
        agent.get(&path).send().await.outcome("not_found");
        agent.put(&path, &cart("MUG", 1)).send().await.outcome("not_found");
        agent.post(&format!("{path}/cancel"), &json!({})).once("d").send().await.outcome("not_found");
    }

    async fn carts_belong_to_the_program_that_made_them(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let made = shop.agent().post("/carts", &cart("MUG", 2)).send().await.created();
        let profile = crate::support::platform(handel_ucp::Version::ROOT);
        let stranger = shop.agent_with("https://other.example/p", &profile);
        let path = format!("/carts/{}", id(&made));
        stranger.get(&path).send().await.outcome("not_found");
        stranger.put(&path, &cart("MUG", 1)).send().await.outcome("not_found");
        let mut body = basket("MUG", 1);
        body["cart_id"] = made["id"].clone();
        stranger.post("/checkout-sessions", &body).send().await.outcome("not_found");
        body["cart_id"] = json!("nonsense");
        stranger.post("/checkout-sessions", &body).send().await.outcome("not_found");
    }
}
