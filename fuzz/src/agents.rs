//! What programs send: over UCP, and as messages of MCP.

use std::{sync::Once, time::Duration};

use handel_ucp::{Operation, Version};
use http::{HeaderMap, Method, Request, StatusCode, header, request::Builder};
use serde_json::{Value, json};

use crate::front::{Front, Raw, SHOP, front, split};

/// Operations whose bodies somebody else writes.
const OPERATIONS: [Operation; 8] = [
    Operation::CreateCheckout,
    Operation::UpdateCheckout,
    Operation::CompleteCheckout,
    Operation::CreateCart,
    Operation::UpdateCart,
    Operation::SearchCatalog,
    Operation::LookupCatalog,
    Operation::GetProduct,
];

/// Bodies of all operations in all versions: the first byte chooses. What was taken in can be read, and adds up.
pub(crate) fn ucp_body(data: &[u8]) {
    let (route, body) = split(data);
    let route = usize::from(route);
    let (operation, version) = (
        OPERATIONS[route % OPERATIONS.len()],
        Version::ALL[route / OPERATIONS.len() % Version::ALL.len()],
    );
    let front = front();
    let id = match operation {
        Operation::UpdateCheckout | Operation::CompleteCheckout => {
            Some(made(front, version, Operation::CreateCheckout))
        }
        Operation::UpdateCart => Some(made(front, version, Operation::CreateCart)),
        _ => None,
    };
    let id = id.unwrap_or_default();
    let Some(answer) = front.ask(request(front, version, operation, &id), body.to_vec()) else {
        return;
    };
    let resource = understood(&answer);
    let look = match operation.name() {
        name if name.ends_with("_checkout") => Operation::GetCheckout,
        name if name.ends_with("_cart") => Operation::GetCart,
        _ => return,
    };
    let id = resource["id"].as_str().unwrap_or(&id);
    if !id.is_empty() {
        let seen = front.ask(request(front, version, look, id), "").expect("a request");
        assert_eq!(seen.status, StatusCode::OK, "after {answer:?}: {seen:?}");
        adds_up(&understood(&seen));
    }
}

/// A new resource with two mugs: its id.
fn made(front: &Front, version: Version, operation: Operation) -> String {
    let body = json!({
        "line_items": [{ "item": { "id": "MUG" }, "quantity": 2 }],
        "buyer": { "email": "ada@buyer.example" },
        "fulfillment": { "methods": [{
            "type": "shipping", "selected_destination_id": "home",
            "destinations": [{
                "id": "home", "first_name": "Ada", "last_name": "Buyer", "street_address": "1 Main Street",
                "address_locality": "Berlin", "postal_code": "10115", "address_country": "DE",
            }],
            "groups": [{ "selected_option_id": "standard" }],
        }] },
    });
    let made = front.ask(request(front, version, operation, ""), body.to_string());
    let resource = understood(&made.expect("a request"));
    resource["id"].as_str().unwrap_or_else(|| panic!("{resource}")).to_owned()
}

/// A request of a program that can do everything.
fn request(front: &Front, version: Version, operation: Operation, id: &str) -> Builder {
    static PUBLISHED: Once = Once::new();
    PUBLISHED.call_once(|| {
        let lent = Request::builder().uri(handel_mcp::ASSISTANT);
        let lent = front.ask(lent, "").expect("a request");
        let lent = String::from_utf8(lent.bytes.to_vec()).expect("a profile");
        for version in Version::ALL {
            let profile = lent.replace(Version::ROOT.name(), version.name());
            front.shop.web.publish(&profile_of(version), HeaderMap::new(), profile);
        }
    });
    let path = format!("{}{}", version.endpoint(), operation.path().replace("{id}", id));
    Request::builder()
        .method(operation.method())
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header("ucp-agent", format!("profile=\"{}\"", profile_of(version)))
        .header("idempotency-key", format!("fuzz-{}-{}", std::process::id(), front.count()))
}

fn profile_of(version: Version) -> String {
    format!("https://agent.example/{}.json", version.name())
}

/// An answer in the form of the protocol: a resource, an outcome, or an error of transport.
fn understood(answer: &Raw) -> Value {
    let text = String::from_utf8_lossy(&answer.bytes);
    let body: Value = serde_json::from_slice(&answer.bytes).unwrap_or(Value::Null);
    if answer.status.is_success() {
        assert!(body["ucp"]["version"].is_string(), "{} {text}", answer.status);
    } else {
        let is_error = body["code"].is_string() && body["content"].is_string();
        assert!(is_error, "{} {text}", answer.status);
    }
    body
}

/// The rows are what the total says, and nobody owes less than nothing.
fn adds_up(resource: &Value) {
    let Some(rows) = resource["totals"].as_array() else { return };
    let amount = |row: &Value| row["amount"].as_i64().unwrap_or_else(|| panic!("{resource}"));
    let total = rows.iter().find(|row| row["type"] == "total").map(amount);
    let Some(total) = total else { panic!("no total: {resource}") };
    assert!(total >= 0, "{resource}");
    if resource["ucp"]["version"] == Version::ROOT.name() {
        let sum: i64 = rows.iter().filter(|row| row["type"] != "total").map(amount).sum();
        assert_eq!(sum, total, "{resource}");
    }
}

/// Profiles of programs, as their hosts hand them out. Whatever stands there, the program is met or told why not.
pub(crate) fn ucp_profile(data: &[u8]) {
    let front = front();
    // Each is read once, and only some in a second.
    front.shop.clock.advance(Duration::from_secs(1));
    let url = format!("https://agent.example/fuzz/{}", front.count());
    front.shop.web.publish(&url, HeaderMap::new(), data.to_vec());
    for version in Version::ALL {
        let meet = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/carts", version.endpoint()))
            .header(header::CONTENT_TYPE, "application/json")
            .header("ucp-agent", format!("profile=\"{url}\""));
        let body = r#"{"line_items":[{"item":{"id":"MUG"},"quantity":1}]}"#;
        let Some(answer) = front.ask(meet, body) else { return };
        understood(&answer);
    }
}

/// Messages of MCP, as they are posted, in both revisions. The first byte chooses.
pub(crate) fn mcp_message(data: &[u8]) {
    let (route, body) = split(data);
    let revision = if route.is_multiple_of(2) { "2025-11-25" } else { "2026-07-28" };
    let post = Request::builder()
        .method(Method::POST)
        .uri(handel_mcp::PATH)
        .header(header::ORIGIN, SHOP)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header("mcp-protocol-version", revision);
    let Some(answer) = front().ask(post, body.to_vec()) else { return };
    let text = String::from_utf8_lossy(&answer.bytes);
    // JSON-RPC 2.0, §5.1: our own faults.
    assert!(!text.contains("-32603"), "{} {text}", answer.status);
}
