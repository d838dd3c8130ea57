//! Checkout sessions.

use handel_domain::promotion::{Action, Class, Rules};
use handel_engine::ListOrders;
use handel_testkit::{
    both_databases,
    fixtures::{percent, promotion_rules},
};
use serde_json::{Value, json};

use super::support::{Sandbox, amount, paying, roses, session, to_country};

fn options(checkout: &Value) -> Vec<(&str, i64)> {
    let groups = checkout["fulfillment"]["methods"][0]["groups"].as_array();
    let options = groups.and_then(|groups| groups[0]["options"].as_array());
    let option = |option: &'_ Value| option["totals"][0]["amount"].as_i64().expect("an amount");
    options
        .expect("options")
        .iter()
        .map(|shown| (shown["id"].as_str().expect("an id"), option(shown)))
        .collect()
}

both_databases! {
    /// Goal: the shop decides what things cost and are called, whatever a platform says.
    async fn the_shop_sets_the_price(sandbox: Sandbox) {
        let body = json!({ "currency": "EUR", "line_items": [{
            "item": { "id": "bouquet_roses", "title": "Wrong", "price": 1 }, "quantity": 2,
        }] });
        let checkout = sandbox.post("/checkout-sessions").json(&body).send().await.expect(201);
        assert_eq!(checkout["currency"], "USD");
        assert_eq!(checkout["line_items"][0]["item"]["title"], "Product bouquet_roses");
        assert_eq!((amount(&checkout, "subtotal"), amount(&checkout, "total")), (Some(7000), Some(7000)));
        assert_eq!(amount(&checkout, "fulfillment"), None, "nothing is chosen");
        assert_eq!(checkout["status"], "incomplete");
    }

    /// Goal: ways to send goods follow from the country alone, and the choice is in the total.
    async fn a_country_is_enough_for_an_offer(sandbox: Sandbox) {
        let checkout = sandbox.ready(1).await;
        assert_eq!(checkout["status"], "ready_for_complete");
        assert_eq!(options(&checkout), [("std-ship", 500), ("exp-ship-us", 1500)]);
        assert_eq!((amount(&checkout, "fulfillment"), amount(&checkout, "total")), (Some(500), Some(4000)));
        let destination = &checkout["fulfillment"]["methods"][0]["destinations"][0];
        assert_eq!(*destination, json!({ "id": "dest_1", "address_country": "US" }));
        let body = json!({ "fulfillment": to_country("CA", None) });
        let moved = sandbox.put(&session(&checkout)).json(&body).send().await.expect(200);
        assert_eq!(options(&moved), [("std-ship", 500), ("exp-ship-intl", 2500)]);
        assert_eq!(amount(&moved, "fulfillment"), None, "the choice was for another country");
    }

    /// Goal: promotions come off one after another, and free shipping stands in the option and in its title.
    async fn promotions_are_shown_as_the_suite_reads_them(sandbox: Sandbox) {
        let usd = Some("USD".parse().expect("a currency"));
        let rules = |class, action| Rules { currency: usd, ..promotion_rules(class, action) };
        sandbox.promotion(rules(Class::Order, percent(10)), &["10OFF"]).await;
        sandbox.promotion(rules(Class::Order, percent(20)), &["WELCOME20"]).await;
        sandbox.promotion(rules(Class::Shipping, Action::Fixed { amount_minor: 500 }), &[]).await;
        let plain = sandbox.ready(1).await;
        assert_eq!(options(&plain), [("std-ship", 0), ("exp-ship-us", 1000)]);
        assert_eq!(plain["discounts"], Value::Null, "what comes off shipping is in its price");
        let body = json!({ "discounts": { "codes": ["10OFF", "WELCOME20", "NOSUCH"] } });
        let cheaper = sandbox.put(&session(&plain)).json(&body).send().await.expect(200);
        let group = &cheaper["fulfillment"]["methods"][0]["groups"][0];
        assert_eq!(group["options"][0]["title"], "Standard Shipping (Free)");
        let sums = ["subtotal", "discount", "fulfillment", "total"].map(|kind| amount(&cheaper, kind));
        assert_eq!(sums, [Some(3500), Some(980), Some(0), Some(2520)]);
        let applied = cheaper["discounts"]["applied"].as_array().expect("discounts");
        let codes: Vec<_> = applied.iter().map(|one| (&one["code"], &one["amount"])).collect();
        assert_eq!(codes, [(&json!("10OFF"), &json!(350)), (&json!("WELCOME20"), &json!(630))]);
        assert_eq!(applied[0]["allocations"], json!([{ "path": "$.line_items[0]", "amount": 350 }]));
        assert_eq!(cheaper["messages"][0]["code"], "discount_code_invalid");
        let complete = sandbox.post(&format!("{}/complete", session(&plain))).key("buy");
        let bought = complete.json(&paying("success_token")).send().await.expect(200);
        assert_eq!(bought["totals"], cheaper["totals"]);
        assert_eq!(bought["discounts"]["applied"], cheaper["discounts"]["applied"]);
        let order = format!("/orders/{}", bought["order"]["id"].as_str().expect("an order"));
        let order = sandbox.get(&order).send().await.expect(200);
        assert_eq!(order["totals"], cheaper["totals"]);
        assert_eq!(order["fulfillment"]["expectations"][0]["description"], "Standard Shipping (Free)");
    }

    /// Goal: a change keeps what it does not mention.
    async fn what_a_change_does_not_mention_stays(sandbox: Sandbox) {
        let body = json!({
            "line_items": [roses(1)],
            "buyer": { "first_name": "Jane", "email": "jane@example.com", "consent": { "marketing": true, "analytics": false } },
            "fulfillment": to_country("US", Some("exp-ship-us")),
            "discounts": { "codes": ["NOSUCH"] },
        });
        let before = sandbox.post("/checkout-sessions").json(&body).send().await.expect(201);
        let line = json!({ "id": before["line_items"][0]["id"], "item": { "id": "bouquet_roses" }, "quantity": 2 });
        let body = json!({ "line_items": [line] });
        let after = sandbox.put(&session(&before)).json(&body).send().await.expect(200);
        for kept in ["buyer", "fulfillment", "discounts"] {
            assert_eq!(after[kept], before[kept], "{kept}");
        }
        assert_eq!(after["line_items"][0]["id"], before["line_items"][0]["id"]);
        assert_eq!(amount(&after, "total"), Some(8500));
        let shown = sandbox.get(&session(&before)).send().await.expect(200);
        assert_eq!(shown, after);
    }

    /// Goal: addresses come back for the e-mail address that they were given with, and for no other.
    async fn addresses_are_remembered_by_the_email(sandbox: Sandbox) {
        let create = async |email: &str| {
            let body = json!({ "line_items": [roses(1)], "buyer": { "fullName": "New User", "email": email } });
            let made = sandbox.post("/checkout-sessions").json(&body).send().await.expect(201);
            session(&made)
        };
        let address = json!({ "street_address": "789 Pine St", "address_locality": "Villagetown",
            "address_region": "NY", "postal_code": "10001", "address_country": "US" });
        let given = json!({ "fulfillment": { "methods": [{ "type": "shipping", "destinations": [address] }] } });
        let asked = json!({ "fulfillment": { "methods": [{ "type": "shipping" }] } });
        let put = async |path: &str, body: &Value| {
            let changed = sandbox.put(path).json(body).send().await.expect(200);
            changed["fulfillment"]["methods"][0]["destinations"].clone()
        };
        let first = put(&create("new@example.com").await, &given).await;
        let again = put(&create("New@example.com").await, &asked).await;
        assert_eq!(first.as_array().map(Vec::len), Some(1));
        assert_eq!(again, first);
        assert_eq!(put(&create("other@example.com").await, &asked).await, Value::Null);
    }

    /// Goal: more than there is is refused at once, and nothing comes of it.
    async fn a_basket_that_is_too_large_is_refused_and_changes_nothing(sandbox: Sandbox) {
        let gardenias = json!({ "line_items": [{ "item": { "id": "gardenias" }, "quantity": 1 }] });
        let create = || sandbox.post("/checkout-sessions").key("too-much").json(&gardenias);
        for _ in 0..2 {
            create().send().await.detail(400, "Insufficient stock");
        }
        let unknown = json!({ "line_items": [{ "item": { "id": "pink_wumpus" }, "quantity": 1 }] });
        sandbox.post("/checkout-sessions").json(&unknown).send().await.detail(400, "not found");
        let checkout = sandbox.ready(1).await;
        let body = json!({ "line_items": [roses(10_001)] });
        let put = || sandbox.put(&session(&checkout)).key("too-much").json(&body);
        for _ in 0..2 {
            put().send().await.detail(400, "stock");
            let after = sandbox.get(&session(&checkout)).send().await.expect(200);
            assert_eq!(after["line_items"][0]["quantity"], 1);
        }
    }

    /// Goal: a repetition gets the first answer to the letter, and another request with its key is refused.
    async fn a_repetition_is_answered_as_before(sandbox: Sandbox) {
        let body = json!({ "line_items": [roses(1)], "fulfillment": to_country("US", Some("std-ship")) });
        let create = |body: &Value| sandbox.post("/checkout-sessions").key("create").json(body);
        let first = create(&body).send().await.is(201);
        assert_eq!(create(&body).send().await.is(201).text, first.text);
        create(&json!({ "line_items": [roses(2)] })).send().await.is(409);
        let path = session(&serde_json::from_str(&first.text).expect("a checkout"));

        let put = |quantity| sandbox.put(&path).key("put").json(&json!({ "line_items": [roses(quantity)] }));
        let changed = put(2).send().await.is(200);
        assert_eq!(put(2).send().await.is(200).text, changed.text);
        put(3).send().await.is(409);

        let complete = |token: &str| sandbox.post(&format!("{path}/complete")).key("buy").json(&paying(token));
        let bought = complete("success_token").send().await.is(200);
        assert_eq!(complete("success_token").send().await.is(200).text, bought.text);
        complete("different_token").send().await.is(409);
        assert_eq!(sandbox.payments.calls().charges, 1);

        let other = session(&sandbox.ready(1).await);
        let cancel = || sandbox.post(&format!("{other}/cancel")).key("cancel");
        let canceled = cancel().send().await.is(200);
        assert_eq!(cancel().send().await.is(200).text, canceled.text);
    }

    /// Goal: what has ended stays as it is.
    async fn what_has_ended_takes_no_more(sandbox: Sandbox) {
        let completed = session(&sandbox.bought(1).await);
        let canceled = session(&sandbox.ready(1).await);
        let view = sandbox.post(&format!("{canceled}/cancel")).key("c1").send().await.expect(200);
        assert_eq!(view["status"], "canceled");
        for (at, path) in [&completed, &canceled].into_iter().enumerate() {
            let body = json!({ "line_items": [roses(2)] });
            sandbox.put(path).json(&body).send().await.is(409);
            sandbox.post(&format!("{path}/cancel")).key(&format!("late-{at}")).send().await.is(409);
            let complete = sandbox.post(&format!("{path}/complete")).key(&format!("again-{at}"));
            complete.json(&paying("success_token")).send().await.is(409);
        }
        let shown = sandbox.get(&completed).send().await.expect(200);
        assert_eq!(shown["status"], "completed");
        assert_eq!(sandbox.payments.calls().charges, 1);
    }

    /// Goal: two completions at once are one order and one charge.
    async fn two_completions_at_once_buy_once(sandbox: Sandbox) {
        let path = format!("{}/complete", session(&sandbox.ready(1).await));
        let complete = |key: &str| sandbox.post(&path).key(key).json(&paying("success_token")).send();
        let (one, two) = tokio::join!(complete("one"), complete("two"));
        let bought = [one, two].into_iter().filter(|reply| reply.status == 200).count();
        assert!(bought >= 1, "one of them is served");
        assert_eq!(sandbox.payments.calls().charges, 1);
        let list = ListOrders { limit: 10, ..ListOrders::default() };
        let orders = sandbox.engine.list_orders(&sandbox.staff(), list).await.expect("orders");
        assert_eq!(orders.items.len(), 1);
    }

    /// Goal: refusals of the payment and of what is missing have the statuses of the suite.
    async fn what_cannot_be_bought_is_said_in_the_words_of_the_suite(sandbox: Sandbox) {
        let checkout = sandbox.ready(1).await;
        let complete = |path: &str, key: &str, body: &Value| {
            sandbox.post(&format!("{path}/complete")).key(key).json(body).send()
        };
        let path = session(&checkout);
        complete(&path, "fail", &paying("fail_token")).await.is(402);
        sandbox.post(&format!("{path}/complete")).json(&paying("success_token")).send().await.is(400);
        let bare = json!({ "line_items": [roses(1)] });
        let bare = sandbox.post("/checkout-sessions").json(&bare).send().await.expect(201);
        let refused = complete(&session(&bare), "early", &paying("success_token")).await;
        refused.detail(400, "Fulfillment address and option must be selected");
        complete(&path, "again", &paying("success_token")).await.is(200);
    }

    /// Goal: a card number is gone before anything is stored, and its request is known again all the same.
    async fn a_card_number_is_nowhere(sandbox: Sandbox) {
        let path = format!("{}/complete", session(&sandbox.ready(1).await));
        let mut body = paying("");
        body["payment_data"]["credential"] = json!({ "type": "card", "card_number_type": "fpan",
            "number": "4242424242424242", "cvc": "987", "expiry_month": 12, "expiry_year": 2030 });
        let complete = || sandbox.post(&path).key("card").json(&body);
        let bought = complete().send().await.is(200);
        assert_eq!(complete().send().await.is(200).text, bought.text);
        assert!(!bought.text.contains("4242424242424242"));
        let checkout: Value = serde_json::from_str(&bought.text).expect("a checkout");
        let id = checkout["order"]["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let history = sandbox.engine.order_history(&sandbox.staff(), id, None, 100).await;
        let known = format!("{:?}", history.expect("a history"));
        assert!(!known.contains("4242424242424242"), "{known}");
        let hidden = json!({ "line_items": [roses(1)], "buyer": { "first_name": "4242 4242 4242 4242" } });
        let refused = sandbox.post("/checkout-sessions").json(&hidden).send().await.is(422);
        assert!(!refused.text.contains("4242 4242"), "{}", refused.text);
    }

    /// Goal: a platform is known by its profile, and sees nothing of another one.
    async fn a_platform_sees_its_own_alone(sandbox: Sandbox) {
        let bought = sandbox.bought(1).await;
        let path = session(&bought);
        let order = format!("/orders/{}", bought["order"]["id"].as_str().expect("an order"));
        let stranger = "profile=\"https://other.example/profile.json\"";
        for path in [&path, &order] {
            sandbox.get(path).header("ucp-agent", stranger).send().await.is(404);
            sandbox.get(path).send().await.is(200);
        }
        let body = json!({ "line_items": [roses(2)] });
        sandbox.put(&path).header("ucp-agent", stranger).json(&body).send().await.is(404);
        let old = sandbox.get(&path).header("ucp-agent", "profile=\"x\"; version=\"2099-01-01\"");
        old.send().await.detail(400, "2026-01-11");
    }

    /// Goal: nonsense is refused, and leaves the shop standing.
    async fn nonsense_is_refused(sandbox: Sandbox) {
        for (body, status) in [
            (json!({}), 422),
            (json!([]), 422),
            (json!({ "line_items": [] }), 400),
            (json!({ "line_items": [roses(0)] }), 422),
            (json!({ "line_items": [roses(-1)] }), 422),
            (json!({ "line_items": "roses" }), 422),
            (json!({ "line_items": [roses(1)], "fulfillment": { "methods": [{ "type": "pickup" }] } }), 422),
            (json!({ "line_items": [roses(1)], "fulfillment": to_country("Nowhere", None) }), 422),
            (json!({ "line_items": [roses(1)], "buyer": { "email": "nobody" } }), 422),
        ] {
            let refused = sandbox.post("/checkout-sessions").json(&body).send().await;
            assert_eq!(refused.status.as_u16(), status, "{body}: {}", refused.text);
            assert!(refused.text.contains("\"detail\":\""), "{}", refused.text);
        }
        // A way of sending that does not go there is left out, and cannot be chosen afterwards.
        let body = json!({ "line_items": [roses(1)], "fulfillment": to_country("US", Some("exp-ship-intl")) });
        let made = sandbox.post("/checkout-sessions").json(&body).send().await.expect(201);
        assert_eq!(made["status"], "incomplete", "{made}");
        sandbox.put(&session(&made)).json(&body).send().await.is(400);
        sandbox.get("/checkout-sessions/nonsense").send().await.is(404);
        sandbox.get("/checkout-sessions").send().await.is(405);
    }
}
