//! `handel mcp`: a shop for an assistant that speaks over standard input and output.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Stdio},
};

use serde_json::{Value, json};

use super::support::{Place, sample};

/// An assistant with its `handel mcp`.
struct Assistant {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    id: u64,
}

impl Assistant {
    fn start(place: &Place, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = place.command(&[&["mcp"], arguments].concat());
        command.stdin(Stdio::piped()).envs(variables.iter().copied());
        let mut child = command.spawn().expect("the program can be started");
        let input = child.stdin.take().expect("the input is piped");
        let output = BufReader::new(child.stdout.take().expect("the output is piped"));
        Self { child, input, output, id: 0 }
    }

    fn send(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("the bridge reads");
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("the bridge answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.id += 1;
        let message =
            json!({ "jsonrpc": "2.0", "id": self.id, "method": method, "params": params });
        self.send(&message.to_string());
        let answer = self.line();
        assert_eq!(answer["id"], self.id, "{answer}");
        answer
    }

    fn greet(&mut self) -> Value {
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let answer = self.ask("initialize", &params);
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        answer
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let answer = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }));
        let content = answer["result"]["structuredContent"].clone();
        assert!(content.is_object(), "{tool}: {answer}");
        content
    }

    fn tools(&mut self) -> Vec<String> {
        let answer = self.ask("tools/list", &json!({}));
        let tools = answer["result"]["tools"].as_array().expect("tools").clone();
        tools.iter().map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// Closes the input, and waits for the end.
    fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().expect("it ends").success());
    }
}

/// Goal: an assistant that knows nothing of the shop, and has no profile, finds and buys something.
#[tokio::test]
async fn an_assistant_on_the_desk_buys() {
    let place = Place::new();
    place.succeed(&["import", "products", &sample()]);
    let served = place.serve();
    let mut assistant = Assistant::start(&place, &["--url", &served.url], &[]);
    assert_eq!(assistant.greet()["result"]["serverInfo"]["name"], "handel");
    assert_eq!(assistant.tools().len(), 13);
    let found = assistant.call("search_catalog", &json!({ "catalog": { "query": "mug" } }));
    let item = &found["products"][0]["variants"][0]["id"];
    let checkout = assistant.call(
        "create_checkout",
        &json!({ "checkout": {
        "line_items": [{ "item": { "id": item }, "quantity": 2 }],
        "buyer": { "email": "ada@buyer.example" },
        "fulfillment": { "methods": [{
            "type": "shipping", "selected_destination_id": "home",
            "destinations": [{
                "id": "home", "street_address": "1 Main Street", "address_locality": "Springfield",
                "address_region": "NY", "postal_code": "10001", "address_country": "US",
                "first_name": "Ada", "last_name": "Buyer",
            }],
            "groups": [{ "selected_option_id": "standard" }],
        }] },
    } }),
    );
    assert_eq!(checkout["status"], "ready_for_complete", "{checkout}");
    let handlers = checkout["ucp"]["payment_handlers"].as_object().expect("payment handlers");
    let handler = &handlers.values().next().expect("a payment handler")[0];
    let bought = assistant.call(
        "complete_checkout",
        &json!({
            "meta": { "idempotency-key": "a-purchase-of-the-test" },
            "id": checkout["id"],
            "checkout": { "payment": { "instruments": [{
                "id": "one", "handler_id": handler["id"], "selected": true,
                "type": handler["available_instruments"][0]["type"],
                "credential": { "type": "token", "token": "tok_ok" },
            }] } },
        }),
    );
    assert_eq!(bought["status"], "completed", "{bought}");
    let order = assistant.call("get_order", &json!({ "id": bought["order"]["id"] }));
    assert_eq!(order["checkout_id"], bought["id"]);
    let uri = format!("shop://orders/{}", bought["order"]["id"].as_str().expect("an id"));
    let read = assistant.ask("resources/read", &json!({ "uri": uri }));
    assert_eq!(read["result"]["contents"][0]["uri"], json!(uri), "{read}");
    assistant.end();
    served.stop().await;
}

#[tokio::test]
async fn the_merchants_assistant_shows_a_key() {
    let place = Place::new();
    let key = place.succeed(&["key", "create", "--name", "desk", "--scopes", "orders:read"]);
    let key =
        key.split_whitespace().find(|word| word.starts_with("hk_")).expect("a key").to_owned();
    let served = place.serve();
    let mut assistant =
        Assistant::start(&place, &["--url", &served.url], &[("HANDEL__MCP__KEY", &key)]);
    assistant.greet();
    let tools = assistant.tools();
    assert!(tools.contains(&"merchant_list_orders".to_owned()), "{tools:?}");
    assert!(!tools.contains(&"merchant_get_stock".to_owned()), "{tools:?}");
    assert_eq!(assistant.call("merchant_list_orders", &json!({}))["orders"], json!([]));
    assistant.end();
    served.stop().await;
}

/// Goal: whatever goes wrong is an answer, so that the assistant is not left waiting.
#[tokio::test]
async fn a_shop_that_is_closed_is_told() {
    let place = Place::new();
    let served = place.serve();
    let mut assistant = Assistant::start(&place, &["--url", &served.url], &[]);
    assistant.greet();
    assistant.send("this is no JSON");
    assert_eq!(assistant.line()["error"]["code"], -32700);
    let unknown = assistant.ask("tools/call", &json!({ "name": "rob_the_shop", "arguments": {} }));
    assert_eq!(unknown["error"]["code"], -32602);
    let unsupported = assistant.ask("no/such", &json!({}));
    assert_eq!(unsupported["error"]["code"], -32601);
    served.stop().await;
    let gone = assistant.ask("tools/list", &json!({}));
    assert_eq!(gone["error"]["code"], -32000);
    assert!(gone["error"]["message"].as_str().is_some_and(|text| text.contains("is it running")));
    assistant.end();
}
