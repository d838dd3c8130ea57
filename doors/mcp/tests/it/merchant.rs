//! The tools of the merchant: for those with the right key, and for nobody else.

use handel_engine::Scope;
use handel_testkit::both_databases;
use serde_json::{Value, json};

use crate::support::{NEW, OLD, Shop, call};

const TOOLS: [(&str, Scope); 6] = [
    ("merchant_list_orders", Scope::OrdersRead),
    ("merchant_get_stock", Scope::StockRead),
    ("merchant_list_dead_jobs", Scope::Operations),
    ("merchant_replay_job", Scope::Operations),
    ("merchant_list_deliveries", Scope::Operations),
    ("merchant_replay_delivery", Scope::Operations),
];

async fn called(shop: &Shop, key: Option<&str>, tool: &str, arguments: Value) -> (u16, Value) {
    let bearer = key.map(|key| format!("Bearer {key}"));
    let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", bearer.as_str())).collect();
    let reply = shop.post(&headers, &call(tool, &arguments)).await;
    (reply.status, reply.body)
}

both_databases! {
    async fn each_tool_needs_its_scope(shop: Shop) {
        let without = shop.assistant(NEW).await;
        assert_eq!(without.names().len(), 13, "{:?}", without.names());
        for (tool, scope) in TOOLS {
            let (status, body) = called(shop, None, tool, json!({})).await;
            assert_eq!((status, &body["error"]["code"]), (401, &json!(-32000)), "{body}");
            let others: Vec<_> = Scope::ALL.iter().copied().filter(|other| *other != scope).collect();
            let other = shop.key(&others).await;
            let (status, body) = called(shop, Some(&other), tool, json!({})).await;
            assert_eq!((status, &body["error"]["code"]), (403, &json!(-32000)), "{body}");
            let listed = shop.assistant_with(OLD, Some(&other)).await;
            assert!(!listed.names().contains(&tool), "{tool} is listed");
            let right = shop.key(&[scope]).await;
            let listed = shop.assistant_with(OLD, Some(&right)).await;
            assert!(listed.names().contains(&tool), "{tool} is not listed");
        }
        let (status, _) = called(shop, Some("hk_made_up"), "search_catalog", json!({})).await;
        assert_eq!(status, 401, "a wrong key is refused, whatever it is for");
    }

    async fn a_merchant_sees_orders_and_stock(shop: Shop) {
        let product = shop.product("MUG", 1_200, 10).await;
        let variant = product.variants[0].id.to_string();
        let key = shop.key(Scope::ALL).await;
        let assistant = shop.assistant_with(NEW, Some(&key)).await;
        let bought = assistant.buy("mug", 3, "a-sale").await;
        let orders = assistant.call("merchant_list_orders", json!({ "status": "paid" })).await;
        assert_eq!(orders["orders"][0]["id"], bought["order"]["id"]);
        assert_eq!(orders["orders"][0]["total_minor"], 3 * 1_200 + 490);
        let none = assistant.call("merchant_list_orders", json!({ "status": "shipped" })).await;
        assert_eq!(none["orders"], json!([]));
        let stock = assistant.call("merchant_get_stock", json!({ "variant_id": variant })).await;
        assert_eq!((&stock["levels"][0]["allocated"], &stock["levels"][0]["available"]), (&json!(3), &json!(7)));
    }

    async fn pages_and_mistakes_are_told(shop: Shop) {
        let key = shop.key(Scope::ALL).await;
        let assistant = shop.assistant_with(OLD, Some(&key)).await;
        assert_eq!(assistant.call("merchant_list_dead_jobs", json!({})).await, json!({ "jobs": [] }));
        let dead = json!({ "status": "dead" });
        assert_eq!(assistant.call("merchant_list_deliveries", dead).await, json!({ "deliveries": [] }));
        for (tool, arguments) in [
            ("merchant_replay_job", json!({ "job_id": "job_01jd6z3v9q8x7k2m4n5p6r7s8t" })),
            ("merchant_replay_delivery", json!({ "delivery_id": "whd_01jd6z3v9q8x7k2m4n5p6r7s8t" })),
        ] {
            let result = assistant.try_call(tool, arguments).await.expect("a result");
            assert_eq!(result.is_error, Some(true), "{tool}");
            let text = result.content[0].as_text().expect("a text").text.clone();
            assert!(text.starts_with("not_found:"), "{text}");
        }
        let (_, body) = called(shop, Some(&key), "merchant_list_orders", json!({ "limit": 1_000 })).await;
        assert_eq!(body["result"]["isError"], true, "{body}");
        for arguments in [json!({ "status": "lost" }), json!({ "everything": true }), json!({ "limit": "x" })] {
            let (_, body) = called(shop, Some(&key), "merchant_list_orders", arguments).await;
            assert_eq!(body["error"]["code"], -32602, "{body}");
        }
    }
}
