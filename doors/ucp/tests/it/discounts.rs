//! Codes and what they take off.

use handel_domain::promotion::Class;
use handel_testkit::{
    both_databases,
    fixtures::{percent, promotion_rules},
};
use serde_json::{Value, json};

use crate::support::{Shop, address, amount, basket, codes};

fn with_codes(sku: &str, quantity: i64, codes: &[&str]) -> Value {
    let mut body = basket(sku, quantity);
    body["discounts"] = json!({ "codes": codes });
    body
}

/// The sum of the rows is the total, and what is taken off the lines is what the rows say.
#[track_caller]
fn adds_up(resource: &Value) {
    let rows = resource["totals"].as_array().expect("rows");
    let others = rows.iter().filter(|row| row["type"] != "total");
    let sum: i64 = others.map(|row| row["amount"].as_i64().expect("an amount")).sum();
    assert_eq!(Some(sum), amount(resource, "total"), "{resource}");
    let lines = resource["line_items"].as_array().expect("lines").iter();
    let off: i64 = lines.filter_map(|line| amount(line, "items_discount")).sum();
    assert_eq!(off, amount(resource, "items_discount").unwrap_or(0));
    for applied in resource["discounts"]["applied"].as_array().expect("discounts") {
        let parts = applied["allocations"].as_array().expect("allocations").iter();
        let sum: i64 = parts.map(|part| part["amount"].as_i64().expect("an amount")).sum();
        assert_eq!(Some(sum), applied["amount"].as_i64());
    }
}

both_databases! {
    async fn codes_take_off_what_they_say(shop: Shop) {
        shop.product("MUG", 1_000, 50).await;
        shop.promotion(promotion_rules(Class::Order, percent(10)), &["TEN"]).await;
        shop.promotion(promotion_rules(Class::Shipping, percent(100)), &["SHIPFREE"]).await;
        let agent = shop.agent();
        let body = with_codes("MUG", 3, &["ten", "SHIPFREE", "NONSENSE"]);
        let checkout = agent.post("/checkout-sessions", &body).send().await.created();
        assert_eq!(checkout["status"], "ready_for_complete", "a code that does nothing is in nobody's way");
        assert_eq!(checkout["discounts"]["codes"], json!(["ten", "SHIPFREE", "NONSENSE"]));
        assert_eq!((amount(&checkout, "items_discount"), amount(&checkout, "discount")), (Some(-300), Some(-490)));
        assert_eq!(amount(&checkout, "total"), Some(2_700));
        adds_up(&checkout);
        assert_eq!(codes(&checkout, "warning"), ["discount_code_invalid"]);
        assert_eq!(checkout["messages"][0]["path"], "$.discounts.codes[2]");
        assert_eq!(checkout["messages"][0]["content"], "NONSENSE: there is no such code");
        let fewer = agent.put(&address(&checkout), &with_codes("MUG", 3, &["SHIPFREE"])).send().await.ok();
        assert_eq!((amount(&fewer, "items_discount"), amount(&fewer, "total")), (None, Some(3_000)));
        let none = agent.put(&address(&checkout), &basket("MUG", 3)).send().await.ok();
        assert_eq!((&none["discounts"], amount(&none, "total")), (&json!({ "codes": [], "applied": [] }), Some(3_490)));
        let again = agent.put(&address(&checkout), &body).send().await.ok();
        let bought = agent.complete(&again, "tok_ok", "k").await.ok();
        assert_eq!(bought["discounts"], again["discounts"]);
        assert_eq!(bought["totals"], again["totals"]);
        adds_up(&bought);
        assert_eq!(shop.order(shop.order_id(&bought)).await.order.total_minor, 2_700);
    }

    async fn a_cart_hands_its_codes_on(shop: Shop) {
        shop.product("MUG", 1_000, 50).await;
        shop.promotion(promotion_rules(Class::Product, percent(50)), &["HALF"]).await;
        let agent = shop.agent();
        let cart = json!({ "line_items": crate::support::lines("MUG", 1), "discounts": { "codes": ["HALF"] } });
        let cart = agent.post("/carts", &cart).send().await.created();
        assert_eq!((amount(&cart, "items_discount"), amount(&cart, "total")), (Some(-500), Some(500)));
        adds_up(&cart);
        let mut body = basket("MUG", 1);
        body["cart_id"] = cart["id"].clone();
        let checkout = agent.post("/checkout-sessions", &body).send().await.created();
        assert_eq!(checkout["discounts"]["codes"], json!(["HALF"]));
        assert_eq!(amount(&checkout, "total"), Some(990));
    }
}
