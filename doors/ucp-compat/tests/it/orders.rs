//! Orders after the purchase.

use handel_testkit::{Sent, both_databases};
use serde_json::{Value, json};

use super::support::{NEWS, SECRET, Sandbox, amount, paying, session};

fn order_path(bought: &Value) -> String {
    format!("/orders/{}", bought["order"]["id"].as_str().expect("an order"))
}

both_databases! {
    /// Goal: an order says what was promised: the way that was chosen, the place, and the price.
    async fn an_order_says_what_was_promised(sandbox: Sandbox) {
        let bought = sandbox.bought(2).await;
        let order = sandbox.get(&order_path(&bought)).send().await.expect(200);
        assert_eq!(order["checkout_id"], bought["id"]);
        assert_eq!(order["totals"], bought["totals"]);
        assert_eq!(amount(&order, "total"), Some(7500));
        let promised = &order["fulfillment"]["expectations"][0];
        assert_eq!(promised["description"], "Standard Shipping");
        assert_eq!(promised["destination"], json!({ "address_country": "US" }));
        assert_eq!(promised["line_items"][0]["quantity"], 2);
        assert_eq!(order["line_items"][0]["status"], "processing");
        assert_eq!(order["fulfillment"]["events"], Value::Null);
    }

    /// Goal: parcels leave for whoever knows the secret and for nobody else, and only once.
    async fn only_the_secret_sends_parcels_off(sandbox: Sandbox) {
        let bought = sandbox.bought(1).await;
        let order_path = order_path(&bought);
        let path = format!("/testing/simulate-shipping/{}", bought["order"]["id"].as_str().expect("an order"));
        sandbox.post(&path).send().await.is(403);
        sandbox.post(&path).header("simulation-secret", "for sure not").send().await.is(403);
        let order = sandbox.get(&order_path).send().await.expect(200);
        assert_eq!(order["line_items"][0]["status"], "processing");
        for _ in 0..2 {
            sandbox.post(&path).header("simulation-secret", SECRET).send().await.is(200);
        }
        let order = sandbox.get(&order_path).send().await.expect(200);
        assert_eq!(order["line_items"][0]["status"], "fulfilled");
        let events = order["fulfillment"]["events"].as_array().expect("a parcel");
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["type"], "shipped");
    }

    /// Goal: a platform hears of its order when it is paid and when it leaves, in the form of the suite, and of
    /// nothing before.
    async fn a_platform_hears_of_its_order(sandbox: Sandbox) {
        let declined = sandbox.ready(1).await;
        let complete = sandbox.post(&format!("{}/complete", session(&declined))).key("declined");
        complete.json(&paying("fail_token")).send().await.is(402);
        let bought = sandbox.bought(1).await;
        let id = bought["order"]["id"].as_str().expect("an order").to_owned();
        let ship = sandbox.post(&format!("/testing/simulate-shipping/{id}"));
        ship.header("simulation-secret", SECRET).send().await.is(200);
        sandbox.settle().await;
        let sent = sandbox.web.sent();
        assert!(sent.iter().all(|sent| sent.url == NEWS), "{sent:?}");
        let news: Vec<Value> = sent.iter().map(Sent::json).collect();
        let kinds: Vec<_> = news.iter().map(|news| &news["event_type"]).collect();
        assert_eq!(kinds, ["order_placed", "order_shipped"]);
        for news in &news {
            assert_eq!(news["checkout_id"], bought["id"]);
            assert_eq!(news["order"]["id"], id);
            let promised = &news["order"]["fulfillment"]["expectations"][0];
            assert_eq!(promised["destination"]["address_country"], "US");
        }
        assert_eq!(news[1]["order"]["fulfillment"]["events"][0]["type"], "shipped");
        assert!(!sent.iter().any(|sent| sent.body.windows(5).any(|text| text == b"token")));
        // What waits for a payment that was declined ends with its reservation.
        sandbox.settle_after(16 * 60).await;
    }

    /// Goal: notes of a platform are shown, move neither parcels nor money, and are not doubled when it sends the
    /// whole order back.
    async fn notes_are_shown_and_do_nothing(sandbox: Sandbox) {
        let bought = sandbox.bought(1).await;
        let path = order_path(&bought);
        let mut order = sandbox.get(&path).send().await.expect(200);
        order["fulfillment"]["events"] = json!([{
            "id": "evt_1", "occurred_at": "2026-01-12T10:00:00Z", "type": "shipped", "tracking_number": "TRACK123",
            "line_items": [{ "id": order["line_items"][0]["id"], "quantity": 1 }],
        }]);
        order["adjustments"] = json!([{ "id": "adj_1", "type": "refund", "occurred_at": "2026-01-12T10:00:00Z",
            "status": "pending", "amount": 500 }]);
        let noted = sandbox.put(&path).json(&order).send().await.expect(200);
        assert_eq!(noted["fulfillment"]["events"][0]["tracking_number"], "TRACK123");
        let again = sandbox.put(&path).json(&noted).send().await.expect(200);
        assert_eq!(again, noted);
        assert_eq!(sandbox.get(&path).send().await.expect(200), noted);
        assert_eq!(noted["line_items"][0]["status"], "processing", "no parcel left");
        assert_eq!(sandbox.payments.calls().refunds, 0);
        let mut wrong = noted;
        wrong["adjustments"][0]["status"] = json!("INVALID_STATUS");
        sandbox.put(&path).json(&wrong).send().await.is(422);
        wrong["adjustments"] = json!({ "id": "adj_1", "amount": 100 });
        sandbox.put(&path).json(&wrong).send().await.is(422);
    }
}
