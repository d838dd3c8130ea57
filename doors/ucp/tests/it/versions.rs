//! Older versions of the protocol, each at an endpoint of its own.

use handel_testkit::both_databases;
use handel_ucp::Version;
use http::Method;
use serde_json::{Value, json};

use crate::support::{
    Agent, Call, Shop, address, amount, basket, codes, paying, platform, validate,
};

/// A purchase, by what every version has in common.
async fn buy(agent: &Agent) -> (Value, Value) {
    let made = agent.post("/checkout-sessions", &basket("MUG", 2)).send().await.expect(201).json();
    let path = format!("{}/complete", address(&made));
    let bought = agent.post(&path, &paying("tok_ok")).once("buy").send().await.expect(200).json();
    assert_eq!(bought["status"], "completed", "{bought}");
    (made, bought)
}

both_databases! {
    async fn the_same_basket_costs_the_same_in_every_version(shop: Shop) {
        shop.product("MUG", 1_200, 100).await;
        let mut orders = Vec::new();
        for version in Version::ALL {
            let agent = shop.agent_in(version);
            let (made, bought) = buy(&agent).await;
            assert_eq!(made["ucp"]["version"], version.name());
            assert_eq!(amount(&made, "total"), Some(2_890), "{}", version.name());
            assert_eq!((amount(&bought, "subtotal"), amount(&bought, "fulfillment")), (Some(2_400), Some(490)));
            let order = shop.order(shop.order_id(&bought)).await.order;
            assert_eq!(order.origin.clone().expect("an origin").protocol, Some(format!("ucp/{}", version.name())));
            orders.push((order.total_minor, order.tax_minor, order.shipping));
            let read = agent.get(&format!("/orders/{}", order.id)).send().await.expect(200).json();
            assert_eq!(amount(&read, "total"), Some(2_890));
        }
        assert!(orders.windows(2).all(|pair| pair[0] == pair[1]), "{orders:?}");
    }

    async fn every_version_has_a_profile_in_its_own_form(shop: Shop) {
        for version in Version::ALL {
            let path = format!("/.well-known/ucp/{}", version.name());
            let call = Call::new(shop.agent().router, version, Method::GET, &path);
            let profile = call.send().await.expect(200).json();
            validate(version, "profile", &profile);
            let keys = if version == Version::ROOT { "keys" } else { "signing_keys" };
            assert_eq!(profile[keys][0]["alg"], "ES256");
            assert!(profile.get(if version == Version::ROOT { "signing_keys" } else { "keys" }).is_none());
        }
        let root = Call::new(shop.agent().router, Version::ROOT, Method::GET, "/.well-known/ucp");
        let others = root.send().await.json()["ucp"]["supported_versions"].clone();
        assert_eq!(others, json!({
            "2026-04-08": "https://shop.example/.well-known/ucp/2026-04-08",
            "2026-01-23": "https://shop.example/.well-known/ucp/2026-01-23",
        }));
    }

    async fn a_profile_of_one_version_opens_no_other(shop: Shop) {
        for version in Version::ALL {
            for other in Version::ALL.into_iter().filter(|other| *other != version) {
                let agent = Agent { version: other, ..shop.agent_in(version) };
                let path = "/checkout-sessions/x";
                let refused = agent.get(path).send().await.expect(422).json();
                assert_eq!(refused["code"], "version_unsupported");
            }
        }
    }

    async fn consents_are_flags_in_old_versions(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        for version in [Version::V2026_04_08, Version::V2026_01_23] {
            let agent = shop.agent_in(version);
            let mut body = basket("MUG", 1);
            body["buyer"]["consent"] = json!({ "marketing": true, "analytics": false });
            let made = agent.post("/checkout-sessions", &body).send().await.expect(201).json();
            assert_eq!(made["buyer"]["consent"], json!({ "marketing": true, "analytics": false }));
        }
    }

    async fn the_oldest_has_no_carts_and_tells_by_status_what_is_missing(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent_in(Version::V2026_01_23);
        agent.post("/carts", &json!({ "line_items": [] })).send().await.transport(404, "not_found");
        agent.get("/checkout-sessions/x").send().await.transport(404, "not_found");
        let none = agent.post("/checkout-sessions", &basket("NONE", 1)).send().await;
        none.transport(400, "item_unavailable");
        let (_, bought) = buy(&agent).await;
        assert!(bought["ucp"].get("status").is_none());
        let again = agent.post(&format!("{}/cancel", address(&bought)), &json!({})).once("c").send().await;
        let again = again.expect(200).json();
        assert_eq!(codes(&again, "error"), ["already_closed"]);
    }

    async fn the_oldest_names_the_checkout_in_an_update_too(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent_in(Version::V2026_01_23);
        let made = agent.post("/checkout-sessions", &basket("MUG", 1)).send().await.expect(201).json();
        for id in [Value::Null, json!("chk_other")] {
            let mut body = basket("MUG", 2);
            body["id"] = id;
            agent.put(&address(&made), &body).send().await.transport(400, "invalid_request");
        }
        let same = agent.get(&address(&made)).send().await.expect(200).json();
        assert_eq!(same["line_items"][0]["quantity"], 1);
        let mut body = basket("MUG", 2);
        body["id"] = made["id"].clone();
        let more = agent.put(&address(&made), &body).send().await.expect(200).json();
        assert_eq!(more["line_items"][0]["quantity"], 2);
    }

    async fn the_oldest_shows_and_tells_of_what_was_canceled(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent_in(Version::V2026_01_23);
        let (_, bought) = buy(&agent).await;
        let id = shop.order_id(&bought);
        shop.cancel(id).await.expect("it can be canceled");
        shop.settle().await;
        let order = agent.get(&format!("/orders/{id}")).send().await.expect(200).json();
        validate(Version::V2026_01_23, "order", &order);
        let adjustments = order["adjustments"].as_array().expect("adjustments");
        assert_eq!((&adjustments[0]["type"], &adjustments[0]["line_items"][0]["quantity"]), (&json!("cancellation"), &json!(2)));
        assert!(adjustments[0].get("amount").is_none(), "no money moves by it");
        assert_eq!((&adjustments[1]["type"], &adjustments[1]["amount"]), (&json!("refund"), &json!(2_890)));
        let sent = shop.web.sent();
        assert_eq!(sent.last().expect("a message").json()["adjustments"], order["adjustments"]);
    }

    async fn a_negotiation_that_failed_looks_like_a_checkout_in_the_oldest(shop: Shop) {
        let other = Agent { version: Version::V2026_01_23, ..shop.agent_in(Version::ROOT) };
        let answer = other.get("/checkout-sessions/x").send().await.expect(422).json();
        assert_eq!((&answer["code"], &answer["status"]), (&json!("version_unsupported"), &json!("requires_escalation")));
        assert_eq!(answer["ucp"], json!({ "version": "2026-01-23" }));
        assert_eq!(answer["messages"], json!([{
            "type": "error", "code": "version_unsupported", "content": answer["content"],
            "severity": "requires_buyer_input",
        }]));
        let agent = shop.agent_in(Version::V2026_01_23);
        let missing = agent.get("/checkout-sessions/x").send().await.expect(404).json();
        assert!(missing.get("status").is_none(), "that is no negotiation");
    }

    async fn the_oldest_signs_bodies_of_news(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent_in(Version::V2026_01_23);
        let (_, bought) = buy(&agent).await;
        shop.settle().await;
        let sent = shop.web.sent();
        let message = sent.first().expect("it is told that it was paid");
        let body = message.json();
        validate(Version::V2026_01_23, "order", &body);
        assert_eq!(body["id"], bought["order"]["id"]);
        assert!(body["event_id"].is_string() && body["created_time"].is_string());
        let signature = message.headers["request-signature"].to_str().expect("a text");
        let parts: Vec<_> = signature.split('.').collect();
        assert!(parts.len() == 3 && parts[1].is_empty(), "detached: {signature}");
    }

    async fn a_program_may_move_to_another_version(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let old = shop.agent_in(Version::V2026_04_08);
        let made = old.post("/checkout-sessions", &basket("MUG", 1)).send().await.created();
        let profile = platform(Version::ROOT);
        shop.web.publish(old.profile.as_deref().expect("it has one"), http::HeaderMap::new(), profile.to_string());
        shop.clock.advance(std::time::Duration::from_secs(61));
        let new = Agent { version: Version::ROOT, ..old };
        let read = new.get(&address(&made)).send().await.ok();
        assert_eq!(read["totals"], made["totals"]);
        assert_eq!(read["fulfillment"]["methods"][0]["destinations"][0]["type"], "shipping_address");
    }
}
