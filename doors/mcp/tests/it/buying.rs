//! From a word to an order, by tools alone.

use handel_domain::catalog::Price;
use handel_kit::DoorSettings;
use handel_testkit::{both_databases, fixtures::sku, together};
use handel_ucp::UcpSettings;
use serde_json::{Value, json};

use crate::support::{NEW, OLD, STRANGER, Shop, as_agent, call, paying, post, ready, with_meta};

fn total(resource: &Value) -> i64 {
    let totals = resource["totals"].as_array().expect("totals");
    let total = totals.iter().find(|total| total["type"] == "total").expect("a total");
    total["amount"].as_i64().expect("an amount")
}

both_databases! {
    /// Who is turned away before anything is read is told so in the form of JSON-RPC, and when to come back.
    async fn who_finds_no_room_is_told_in_the_form_of_the_protocol(shop: Shop) {
        let full = DoorSettings { requests_max: 0, ..DoorSettings::default() };
        let full = shop.open_with(UcpSettings::default(), full).await;
        let told = post(&full, &[], &call("search_catalog", &json!({}))).await;
        assert_eq!(told.status, 503, "{told:?}");
        assert_eq!(told.body, json!({ "jsonrpc": "2.0", "id": null, "error": {
            "code": -32000, "message": "too many requests are on their way; come back shortly", "data": { "retry_after": 1 },
        } }));
    }

    async fn an_assistant_buys_in_every_revision(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        for revision in [OLD, NEW] {
            let assistant = shop.assistant(revision).await;
            let bought = assistant.buy("mug", 2, &format!("buy-with-{revision}")).await;
            assert_eq!(total(&bought), 2 * 1_200 + 490);
            let order = assistant.call("get_order", with_meta(json!({ "id": bought["order"]["id"] }))).await;
            assert_eq!((&order["checkout_id"], total(&order)), (&bought["id"], 2_890));
            let id = bought["order"]["id"].as_str().expect("an id").parse().expect("an id");
            assert_eq!(shop.order(id).await.order.source.as_str(), "mcp");
        }
    }

    /// What an assistant was answered last is what its buyer is charged.
    async fn a_total_that_was_not_answered_is_never_charged(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let checkout = ready(shop, "MUG").await;
        let currency = "EUR".parse().expect("a currency");
        let prices = vec![Price { currency, amount_minor: 9_900, compare_at_minor: None }];
        shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, None).await.expect("staff may");
        let arguments = paying(&checkout, "tok_ok", "buy-once");
        let refused = shop.plain("complete_checkout", arguments.clone()).await.content();
        assert_eq!((&refused["status"], total(&refused)), (&json!("ready_for_complete"), 10_390));
        assert_eq!((&refused["messages"][0]["code"], shop.payments.calls().charges), (&json!("totals_changed"), 0));
        let bought = shop.plain("complete_checkout", arguments).await.content();
        assert_eq!((&bought["status"], total(&bought)), (&json!("completed"), 10_390));
    }

    async fn a_repetition_buys_once(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let checkout = ready(shop, "MUG").await;
        let arguments = paying(&checkout, "tok_ok", "buy-once");
        let first = shop.plain("complete_checkout", arguments.clone()).await.content();
        assert_eq!(first["status"], "completed", "{first}");
        let assistant = shop.assistant(NEW).await;
        // Another connection, another id of the message, and other things in meta: still the same call.
        let mut again = arguments.clone();
        again["meta"]["trace"] = json!("second attempt");
        assert_eq!(assistant.call("complete_checkout", again).await, first);
        let other = paying(&checkout, "tok_declined", "buy-once");
        let refused = shop.plain("complete_checkout", other).await;
        refused.error(409, -32000, "idempotency_conflict");
        let id = first["order"]["id"].as_str().expect("an id").parse().expect("an id");
        assert_eq!(shop.kept_minor(id).await, 1_690);
    }

    async fn two_calls_at_once_with_one_key_buy_once(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let checkout = ready(shop, "MUG").await;
        let arguments = paying(&checkout, "tok_ok", "at-once");
        let message = call("complete_checkout", &arguments);
        let calls = (0..4).map(|_| {
            let (url, message) = (shop.url.clone(), message.clone());
            async move { post(&url, &[], &message).await }
        });
        let replies = together(calls).await;
        let mut orders = Vec::new();
        for reply in replies {
            match reply.status {
                200 => orders.push(reply.content()["order"]["id"].clone()),
                // The other one is still at it.
                409 => assert_eq!(reply.body["error"]["code"], -32000, "{reply:?}"),
                _ => panic!("{reply:?}"),
            }
        }
        orders.dedup();
        assert_eq!(orders.len(), 1, "{orders:?}");
        let id = orders[0].as_str().expect("an id").parse().expect("an id");
        assert_eq!(shop.kept_minor(id).await, 1_690);
    }
}

both_databases! {
    async fn what_the_shop_says_no_to_is_a_result(shop: Shop) {
        shop.product("MUG", 1_200, 1).await;
        let checkout = ready(shop, "MUG").await;
        let declined = shop.plain("complete_checkout", paying(&checkout, "tok_declined", "no-money"));
        let declined = declined.await.content();
        assert_eq!(declined["messages"][0]["code"], "payment_failed", "{declined}");
        let id = json!({ "id": "chk_01jd6z3v9q8x7k2m4n5p6r7s8t" });
        let unknown = shop.plain("get_checkout", with_meta(id)).await.content();
        assert_eq!(unknown["ucp"]["status"], "error", "{unknown}");
        assert_eq!(unknown["messages"][0]["code"], "not_found");
        let mut cancel = with_meta(json!({ "id": checkout["id"] }));
        cancel["meta"]["idempotency-key"] = json!("never-mind");
        let canceled = shop.plain("cancel_checkout", cancel).await.content();
        assert_eq!(canceled["status"], "canceled", "{canceled}");
    }

    async fn what_others_made_looks_like_what_does_not_exist(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let assistant = shop.assistant(NEW).await;
        let bought = assistant.buy("mug", 1, "mine-alone").await;
        for (tool, id) in [("get_checkout", &bought["id"]), ("get_order", &bought["order"]["id"])] {
            let found = shop.plain(tool, as_agent(STRANGER, json!({ "id": id }))).await.content();
            assert_eq!(found["messages"][0]["code"], "not_found", "{tool}: {found}");
            assert!(found.get("totals").is_none());
        }
    }
}
