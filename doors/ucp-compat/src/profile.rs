//! Discovery: `/.well-known/ucp` in the shape of 2026-01-11, where capabilities are a list, a service is one
//! object, and payment handlers stand beside `ucp`.

use axum::{Json, extract::State};
use serde_json::{Value, json};

use crate::{Compat, VERSION, payment::HANDLERS};

/// What the sandbox can do: name without the prefix, and what it extends.
pub(crate) const CAPABILITIES: [(&str, Option<&str>); 5] = [
    ("checkout", None),
    ("order", None),
    ("discount", Some("checkout")),
    ("fulfillment", Some("checkout")),
    ("buyer_consent", Some("checkout")),
];
/// What the names of capabilities begin with.
const SHOPPING: &str = "dev.ucp.shopping";

pub(crate) async fn show(State(compat): State<Compat>) -> Json<Value> {
    Json(profile(&compat.settings.base_url))
}

fn profile(base_url: &str) -> Value {
    let capabilities = CAPABILITIES.map(|(name, extends)| {
        let mut capability = capability(name);
        capability["spec"] = json!(format!("{base_url}/specs/{name}"));
        capability["schema"] = json!(format!("{base_url}/schemas/{name}.json"));
        if let Some(extended) = extends {
            capability["extends"] = json!(format!("{SHOPPING}.{extended}"));
        }
        capability
    });
    json!({
        "ucp": {
            "version": VERSION,
            "services": { SHOPPING: {
                "version": VERSION,
                "spec": format!("{base_url}/specs/shopping"),
                "rest": {
                    "schema": format!("{base_url}/schemas/shopping.json"),
                    "endpoint": base_url,
                },
            } },
            "capabilities": capabilities,
        },
        "payment": { "handlers": handlers(base_url) },
    })
}

/// The payment handlers, as the profile and every checkout name them.
pub(crate) fn handlers(base_url: &str) -> Vec<Value> {
    let handler = |(id, name): (&str, &str)| {
        let config = match id {
            "shop_pay" => json!({ "shop_id": "handel-sandbox" }),
            "google_pay" => json!({ "environment": "TEST", "merchant_id": "handel-sandbox" }),
            _ => json!({}),
        };
        json!({
            "id": id,
            "name": name,
            "version": VERSION,
            "spec": format!("{base_url}/specs/{id}"),
            "config_schema": format!("{base_url}/schemas/{id}.json"),
            "instrument_schemas": [format!("{base_url}/schemas/card.json")],
            "config": config,
        })
    };
    HANDLERS.map(handler).to_vec()
}

/// What every answer says of itself, with the capabilities that it is made by.
pub(crate) fn envelope(names: &[&str]) -> Value {
    let capabilities: Vec<_> = names.iter().map(|name| capability(name)).collect();
    json!({ "version": VERSION, "capabilities": capabilities })
}

fn capability(name: &str) -> Value {
    json!({ "name": format!("{SHOPPING}.{name}"), "version": VERSION })
}
