//! Orders, as they come along.

use handel_domain::order::{LineQuantity, Tracking};
use handel_testkit::both_databases;
use serde_json::{Value, json};

use crate::support::{Shop, amount};

fn path(checkout: &Value) -> String {
    format!("/orders/{}", checkout["order"]["id"].as_str().expect("an id"))
}

both_databases! {
    async fn an_order_is_shown_with_all_that_happened(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let bought = agent.buy("MUG", 3).await;
        let fresh = agent.get(&path(&bought)).send().await.ok();
        assert_eq!(fresh["checkout_id"], bought["id"]);
        assert_eq!(fresh["permalink_url"], bought["order"]["permalink_url"]);
        assert_eq!(fresh["line_items"][0]["quantity"], json!({ "original": 3, "total": 3, "fulfilled": 0 }));
        assert_eq!(fresh["line_items"][0]["status"], "processing");
        assert_eq!(fresh["totals"], bought["totals"]);
        let expectation = &fresh["fulfillment"]["expectations"][0];
        assert_eq!((&expectation["description"], &expectation["destination"]["address_country"]),
            (&json!("Paket"), &json!("DE")));
        let id = shop.order_id(&bought);
        let line_id = shop.order(id).await.order.lines[0].id;
        shop.engine.pack_order(&shop.staff(), id, None).await.expect("it can be packed");
        let tracking = Tracking {
            carrier: Some("DHL".into()), number: Some("1Z".into()), url: Some("https://dhl.example/1Z".into()),
        };
        let parcel = handel_engine::Parcel { units: vec![LineQuantity { line_id, quantity: 2 }], tracking };
        shop.engine.ship_order(&shop.staff(), id, parcel, None).await.expect("it can be shipped");
        let part = agent.get(&path(&bought)).send().await.ok();
        assert_eq!(part["line_items"][0]["status"], "partial");
        let events = part["fulfillment"]["events"].as_array().expect("events");
        let kinds: Vec<_> = events.iter().map(|event| event["type"].clone()).collect();
        assert_eq!(kinds, ["processing", "shipped"]);
        assert_eq!((&events[1]["tracking_number"], &events[1]["carrier"]), (&json!("1Z"), &json!("DHL")));
        assert_eq!(events[1]["line_items"], json!([{ "id": line_id, "quantity": 2 }]));
        let rest = handel_engine::Parcel::default();
        shop.engine.ship_order(&shop.staff(), id, rest, None).await.expect("the rest can be shipped");
        shop.engine.deliver_order(&shop.staff(), id, None).await.expect("it arrived");
        let whole = agent.get(&path(&bought)).send().await.ok();
        assert_eq!(whole["line_items"][0]["status"], "fulfilled");
        let later = whole["fulfillment"]["events"].as_array().expect("events");
        assert_eq!(&later[..2], &events[..], "what happened stays");
        assert_eq!((later.len(), &later[3]["type"]), (4, &json!("delivered")));
    }

    async fn what_an_answer_is_called_stands_in_the_history(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        let bought = agent.complete(&checkout, "tok_ok", "k").await;
        let request = bought.header("x-request-id");
        let id = shop.order_id(&bought.ok());
        let history = shop.engine.order_history(&shop.staff(), id, None, 100).await.expect("a history");
        assert!(history.items.iter().any(|entry| entry.request_id.is_some_and(|id| id.to_string() == request)));
    }

    async fn what_was_canceled_and_refunded_is_there_with_its_sign(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let bought = agent.buy("MUG", 1).await;
        shop.cancel(shop.order_id(&bought)).await.expect("it can be canceled");
        shop.settle().await;
        let order = agent.get(&path(&bought)).send().await.ok();
        assert_eq!(order["line_items"][0]["status"], "removed");
        assert_eq!(order["line_items"][0]["quantity"], json!({ "original": 1, "total": 0, "fulfilled": 0 }));
        let adjustments = order["adjustments"].as_array().expect("adjustments");
        let kinds: Vec<_> = adjustments.iter().map(|adjustment| adjustment["type"].clone()).collect();
        assert_eq!(kinds, ["cancellation", "refund"]);
        assert_eq!(adjustments[0]["line_items"][0]["quantity"], -1);
        assert_eq!((amount(&adjustments[1], "total"), &adjustments[1]["status"]), (Some(-1_690), &json!("completed")));
    }

    async fn the_link_of_an_order_opens_it_for_its_buyer(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let bought = shop.agent().buy("MUG", 1).await;
        let link = bought["order"]["permalink_url"].as_str().expect("a link");
        let (path, token) = link.split_once("?token=").expect("a token");
        let id = shop.order_id(&bought);
        assert_eq!(path, format!("https://shop.example/orders/{id}"));
        let seen = shop.engine.get_order(&shop.ctx(), id, Some(token.to_owned())).await;
        assert_eq!(seen.expect("the token opens it").order.id, id);
    }
}
