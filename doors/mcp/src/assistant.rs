//! A profile for assistants that have none of their own.
//!
//! Programs introduce themselves to a UCP shop by the address of a profile. An assistant on somebody's desk has
//! none, so the shop lends it one. Whatever was made with it belongs to whoever knows its id, and ids cannot be
//! guessed.

use axum::{Json, Router, response::IntoResponse, routing::get};
use handel_ucp::{Operation, Version};
use http::header;
use serde_json::{Map, Value, json};

/// Where the profile is.
pub const ASSISTANT: &str = "/mcp/assistant.json";
/// Extensions of the capabilities that operations need.
const EXTENSIONS: [&str; 3] =
    ["dev.ucp.shopping.discount", "dev.ucp.shopping.fulfillment", "dev.ucp.shopping.buyer_consent"];

/// The route of the profile.
pub(crate) fn router() -> Router {
    Router::new().route(ASSISTANT, get(profile))
}

async fn profile() -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "public, max-age=3600")], Json(document()))
}

/// UCP, `schemas/profile.json`: a platform that can do whatever a shop of this version can.
fn document() -> Value {
    let version = Version::ROOT.name();
    let mut capabilities = Map::new();
    for name in Operation::ALL.map(Operation::capability) {
        capabilities.entry(name).or_insert_with(|| json!([capability(name, version)]));
    }
    for name in EXTENSIONS {
        let mut extension = capability(name, version);
        extension["extends"] = json!(["dev.ucp.shopping.checkout", "dev.ucp.shopping.cart"]);
        capabilities.insert(name.to_owned(), json!([extension]));
    }
    json!({ "ucp": {
        "version": version, "services": {}, "capabilities": capabilities, "payment_handlers": {},
    } })
}

fn capability(name: &str, version: &str) -> Value {
    let file = name.trim_start_matches("dev.ucp.shopping.").replace('.', "_");
    json!({
        "version": version,
        "spec": format!("https://ucp.dev/{version}/specification/overview/"),
        "schema": format!("https://ucp.dev/{version}/schemas/shopping/{file}.json"),
    })
}
