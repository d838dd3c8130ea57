//! What one client may take from others, at every door of the program.

use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::support::{Place, Served, answer, sample};

fn agent(served: &Served) -> String {
    format!("{}/mcp/assistant.json", served.url)
}

fn tool(served: &Served, name: &str, arguments: &Value) -> Value {
    let mut arguments = arguments.clone();
    arguments["meta"] = json!({ "ucp-agent": { "profile": agent(served) } });
    json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": name, "arguments": arguments },
    })
}

/// Goal: whichever door a client comes through, it makes no more carts than it may, and goes on reading.
#[tokio::test]
async fn a_client_fills_so_many_carts_whatever_the_door() {
    let place = Place::with(&[("HANDEL__SERVER__WRITES_PER_MINUTE", "2")]);
    place.succeed(&["import", "products", &sample()]);
    let served = place.serve();
    let lines = json!({ "line_items": [{ "item": { "id": "MAP-1" }, "quantity": 1 }] });
    let cart = tool(&served, "create_cart", &json!({ "cart": lines }));
    let rest = |client: &str| {
        let add = served.request(Method::POST, "/api/v1/cart/items");
        add.header("X-Forwarded-For", client).json(&json!({ "sku": "MAP-1" }))
    };
    let ucp = |client: &str| {
        let make = served.request(Method::POST, "/ucp/2026-08-25/carts");
        let make = make.header("UCP-Agent", format!("profile=\"{}\"", agent(&served)));
        make.header("X-Forwarded-For", client).json(&lines)
    };
    let mcp = |client: &str| {
        served.request(Method::POST, "/mcp").header("X-Forwarded-For", client).json(&cart)
    };
    let form = |client: &str| {
        let add = served.request(Method::POST, "/cart/items");
        let kind = ("content-type", "application/x-www-form-urlencoded");
        add.header("X-Forwarded-For", client).header(kind.0, kind.1).body("sku=MAP-1&quantity=1")
    };
    let status = async |request: RequestBuilder| {
        let answer = request.send().await.expect("an answer");
        (answer.status(), answer.headers().contains_key("retry-after"))
    };
    for (number, door) in
        [&rest as &dyn Fn(&str) -> RequestBuilder, &ucp, &mcp, &form].into_iter().enumerate()
    {
        let client = format!("198.51.100.{number}");
        for _ in 0..2 {
            let (code, _) = status(door(&client)).await;
            assert_ne!(code, StatusCode::TOO_MANY_REQUESTS, "door {number}");
        }
        let (code, says_when) = status(door(&client)).await;
        assert_eq!((code, says_when), (StatusCode::TOO_MANY_REQUESTS, true), "door {number}");
        let list = served.request(Method::GET, "/api/v1/products");
        assert_eq!(status(list.header("X-Forwarded-For", &client)).await.0, StatusCode::OK);
    }
    let search = tool(&served, "search_catalog", &json!({ "catalog": { "query": "map" } }));
    for _ in 0..4 {
        let ask = served.request(Method::POST, "/mcp").header("X-Forwarded-For", "198.51.100.2");
        assert_eq!(answer(ask.json(&search)).await.0, 200);
    }
    served.stop().await;
}
