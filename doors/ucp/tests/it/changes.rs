//! Updates: taken over whole, or refused whole with what is wrong, and never as if they had been taken.

use handel_domain::order::Status;
use handel_testkit::both_databases;
use serde_json::{Value, json};

use crate::support::{Shop, address, amount, basket, codes, home};

/// The messages of a kind with a code.
fn message<'v>(resource: &'v Value, code: &str) -> &'v Value {
    let messages = resource["messages"].as_array().expect("messages");
    let found = messages.iter().find(|message| message["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}: {resource}"))
}

both_databases! {
    /// Goal: after a decline the program reads until when the order waits and what it can do, changes the checkout in
    /// one request, and buys what it said last.
    async fn after_a_decline_a_checkout_can_be_changed(shop: Shop) {
        let mug = shop.product("MUG", 1_200, 10).await;
        for version in handel_ucp::Version::ALL {
            let agent = shop.agent_in(version);
            let checkout = agent.post("/checkout-sessions", &basket("MUG", 1)).send().await.expect(201).json();
            let key = |text: &str| format!("{text}-{}", version.name());
            let declined = agent.complete(&checkout, "tok_declined", &key("declined")).await.expect(200).json();
            let text = message(&declined, "payment_failed")["content"].as_str().expect("a text").to_owned();
            let until = (shop.now() + jiff::SignedDuration::from_mins(15)).strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            for part in ["waits until", &until, "another payment", "update"] {
                assert!(text.contains(part), "{part}: {text}");
            }
            let mut two = basket("MUG", 2);
            if version.name() == "2026-01-23" {
                // Updates of this version repeat the id.
                two["id"] = checkout["id"].clone();
            }
            let changed = agent.put(&address(&checkout), &two).send().await.expect(200).json();
            assert_eq!((&changed["status"], codes(&changed, "error").len()), (&json!("ready_for_complete"), 0), "{changed}");
            assert_eq!((&changed["line_items"][0]["quantity"], amount(&changed, "total")), (&json!(2), Some(2_890)));
            let bought = agent.complete(&checkout, "tok_ok", &key("bought")).await.expect(200).json();
            assert_eq!((&bought["status"], &bought["line_items"][0]["quantity"]), (&json!("completed"), &json!(2)));
            let order = shop.order(shop.order_id(&bought)).await.order;
            assert_eq!((order.status, shop.kept_minor(order.id).await), (Status::Paid, 2_890));
        }
        assert_eq!(shop.stock(&mug).await.allocated, 2 * i64::try_from(handel_ucp::Version::ALL.len()).expect("few"));
    }

    /// Goal: while a payment may still take the money an update is refused, and the answer says until when.
    async fn a_payment_under_way_refuses_an_update_and_says_until_when(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        for (token, status) in [("tok_async_ok", "complete_in_progress"), ("tok_action_required", "requires_escalation")] {
            let checkout = agent.ready("MUG", 1).await;
            agent.complete(&checkout, token, token).await.ok();
            let refused = agent.put(&address(&checkout), &basket("MUG", 3)).send().await.ok();
            assert_eq!((&refused["status"], &refused["line_items"][0]["quantity"]), (&json!(status), &json!(1)));
            let text = message(&refused, "complete_in_progress")["content"].as_str().expect("a text");
            assert!(text.contains("nothing was changed") && text.contains("T") && text.contains("until"), "{text}");
            assert_eq!(message(&refused, "update_not_applied")["type"], "warning");
        }
        shop.settle_after(60).await;
    }

    /// Goal: an update of which something cannot be taken over changes nothing, names every wrong part, asks for
    /// nothing that was just sent, and does not look as if it had been taken.
    async fn an_update_with_a_wrong_part_changes_nothing_and_says_so(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let ready = agent.ready("MUG", 1).await;
        let before = agent.get(&address(&ready)).send().await.ok();
        let mut elsewhere = basket("MUG", 2);
        elsewhere["buyer"]["email"] = json!("no e-mail address");
        elsewhere["fulfillment"]["methods"][0]["destinations"][0]["address_country"] = json!("ES");
        let refused = agent.put(&address(&ready), &elsewhere).send().await.ok();
        assert_eq!(refused["status"], "incomplete");
        assert_eq!(message(&refused, "invalid_input")["path"], "$.buyer.email");
        let place = "$.fulfillment.methods[0].destinations[0].address_country";
        assert_eq!(message(&refused, "address_undeliverable")["path"], place);
        assert_eq!(codes(&refused, "warning"), ["update_not_applied"]);
        assert!(!codes(&refused, "error").iter().any(|code| code.ends_with("_required")), "{refused}");
        let mut pigeon = basket("MUG", 2);
        pigeon["fulfillment"]["methods"][0]["groups"][0]["selected_option_id"] = json!("pigeon");
        let refused = agent.put(&address(&ready), &pigeon).send().await.ok();
        assert_eq!((&refused["status"], codes(&refused, "error")), (&json!("incomplete"), vec!["fulfillment_option_unavailable".to_owned()]));
        assert_eq!(codes(&refused, "warning"), ["update_not_applied"]);
        assert_eq!(agent.get(&address(&ready)).send().await.ok(), before);
        // A checkout that lacks all: what is wrong is named, and what was right is not asked for.
        let bare = json!({ "line_items": basket("MUG", 1)["line_items"] });
        let bare = agent.post("/checkout-sessions", &bare).send().await.created();
        let mut half = basket("MUG", 1);
        half["fulfillment"]["methods"][0]["destinations"][0]["address_country"] = json!("ES");
        let refused = agent.put(&address(&bare), &half).send().await.ok();
        assert_eq!(codes(&refused, "error"), ["address_undeliverable"], "{refused}");
        assert_eq!(codes(&refused, "warning"), ["update_not_applied"]);
    }

    /// Goal: when a checkout is made, good parts are taken and each bad one is named once.
    async fn a_new_checkout_takes_the_good_parts_and_names_the_bad_ones(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let mut wrong = basket("MUG", 1);
        wrong["fulfillment"]["methods"][0]["destinations"][0]["address_country"] = json!("ES");
        let made = agent.post("/checkout-sessions", &wrong).send().await.created();
        assert_eq!(made["buyer"]["email"], "ada@example.com");
        assert!(codes(&made, "error").contains(&"address_undeliverable".to_owned()));
        assert!(!codes(&made, "error").contains(&"destination_required".to_owned()), "{made}");
        let mut wrong = basket("MUG", 1);
        wrong["buyer"]["email"] = json!("nobody");
        let made = agent.post("/checkout-sessions", &wrong).send().await.created();
        assert_eq!((&made["status"], codes(&made, "error")), (&json!("incomplete"), vec!["invalid_input".to_owned()]));
        assert_eq!(message(&made, "invalid_input")["path"], "$.buyer.email");
        assert_eq!(made["fulfillment"]["methods"][0]["selected_destination_id"], home()["id"]);
    }

    /// Goal: codes that come with a cart count where the cart has none, and are not dropped without a word.
    async fn codes_that_come_with_a_cart_are_taken_or_named(shop: Shop) {
        use handel_domain::promotion::Class;
        use handel_testkit::fixtures::{percent, promotion_rules};
        shop.product("MUG", 1_000, 10).await;
        shop.promotion(promotion_rules(Class::Order, percent(10)), &["TEN"]).await;
        shop.promotion(promotion_rules(Class::Order, percent(20)), &["TWENTY"]).await;
        let agent = shop.agent();
        for (of_cart, total, warnings) in [(json!([]), 1_390, vec![]), (json!(["TWENTY"]), 1_290, vec!["discount_code_not_taken"])] {
            let cart = json!({ "line_items": basket("MUG", 1)["line_items"], "discounts": { "codes": of_cart } });
            let cart = agent.post("/carts", &cart).send().await.created();
            let mut open = basket("MUG", 1);
            open["cart_id"] = cart["id"].clone();
            open["discounts"] = json!({ "codes": ["TEN"] });
            let made = agent.post("/checkout-sessions", &open).send().await.created();
            assert_eq!((amount(&made, "total"), codes(&made, "warning")), (Some(total), warnings.into_iter().map(str::to_owned).collect()));
            assert_eq!(made["status"], "ready_for_complete");
        }
    }
}
