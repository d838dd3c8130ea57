//! What the profile links to: a page and a JSON Schema for each capability and payment handler.
//!
//! The suite fetches all of them, and a sandbox may have no way to the web. They say what this sandbox reads
//! and writes, in its own words; the protocol's documents are at ucp.dev.

use axum::{
    Json,
    response::{Html, IntoResponse as _, Response},
};
use handel_domain::{Code, Refusal};
use handel_kit::{PathParams, Problem};
use serde_json::{Value, json};

use crate::VERSION;

/// Every page with what it says.
pub(crate) const SPECS: [(&str, &str); 9] = [
    ("shopping", "Checkout sessions over REST: create, read, replace, complete, cancel."),
    ("checkout", "A basket on its way to an order, with its price, its buyer and its payment."),
    ("order", "What was bought, what is on its way, and what was given back."),
    ("discount", "Codes that lower the price, one after another; unknown ones change nothing."),
    ("fulfillment", "Where the goods go and how, with one shipping method for the whole basket."),
    ("buyer_consent", "What a buyer agrees to: analytics, preferences, marketing, sale of data."),
    ("google_pay", "A stand-in for Google Pay that moves no money."),
    (
        "mock_payment_handler",
        "Instruments of the test data; a card is exchanged for a token at once.",
    ),
    ("shop_pay", "A stand-in for Shop Pay that moves no money."),
];

pub(crate) async fn spec(PathParams(name): PathParams<String>) -> Result<Response, Problem> {
    let (_, text) = SPECS.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
    let page = format!(
        "<!doctype html><html lang=\"en\"><title>{name}</title><h1>{name}, {VERSION}</h1><p>{text}</p></html>"
    );
    Ok(Html(page).into_response())
}

pub(crate) async fn schema(PathParams(name): PathParams<String>) -> Result<Response, Problem> {
    let schema = name.strip_suffix(".json").and_then(schema_of).ok_or_else(unknown)?;
    Ok(Json(schema).into_response())
}

fn unknown() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such document")
}

fn schema_of(name: &str) -> Option<Value> {
    let (title, required, properties) = match name {
        "shopping" => return Some(openapi()),
        "checkout" => ("Checkout", CHECKOUT, checkout()),
        "order" => ("Order", ORDER, order()),
        "discount" => ("Discounts of a checkout", &[][..], discount()),
        "fulfillment" => ("Fulfillment of a checkout", &[][..], fulfillment()),
        "buyer_consent" => ("Consent of a buyer", &[][..], consent()),
        "card" => ("Card", &["id", "handler_id", "type", "credential"][..], card()),
        "google_pay" => (
            "Configuration of Google Pay",
            &["environment"][..],
            texts(&["environment", "merchant_id"]),
        ),
        "shop_pay" => ("Configuration of Shop Pay", &["shop_id"][..], texts(&["shop_id"])),
        "mock_payment_handler" => ("Configuration of the mock handler", &[][..], json!({})),
        _ => return None,
    };
    Some(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "required": required,
        "properties": properties,
    }))
}

const CHECKOUT: &[&str] =
    &["ucp", "id", "line_items", "status", "currency", "totals", "links", "payment"];
const ORDER: &[&str] =
    &["ucp", "id", "checkout_id", "permalink_url", "line_items", "fulfillment", "totals"];

fn checkout() -> Value {
    json!({
        "ucp": { "type": "object" },
        "id": { "type": "string" },
        "status": { "enum": [
            "incomplete", "requires_escalation", "ready_for_complete", "complete_in_progress", "completed", "canceled",
        ] },
        "currency": { "type": "string" },
        "line_items": list(&json!({
            "type": "object", "required": ["id", "item", "quantity", "totals"],
            "properties": {
                "id": { "type": "string" },
                "item": item(),
                "quantity": { "type": "integer", "minimum": 1 },
                "totals": totals(),
            },
        })),
        "totals": totals(),
        "buyer": { "type": "object", "properties": texts(&["first_name", "last_name", "email", "phone_number"]) },
        "links": list(&json!({ "type": "object", "properties": texts(&["type", "url"]) })),
        "payment": { "type": "object", "required": ["handlers"], "properties": { "handlers": { "type": "array" } } },
        "order": { "type": "object", "properties": texts(&["id", "permalink_url"]) },
    })
}

fn order() -> Value {
    let parcel = json!({ "type": "object", "properties": texts(&["id", "type", "occurred_at", "description"]) });
    json!({
        "ucp": { "type": "object" },
        "id": { "type": "string" },
        "checkout_id": { "type": "string" },
        "permalink_url": { "type": "string", "format": "uri" },
        "line_items": list(&json!({ "type": "object", "properties": { "id": { "type": "string" }, "item": item() } })),
        "fulfillment": { "type": "object", "properties": {
            "expectations": list(&json!({ "type": "object", "properties": texts(&["id", "description"]) })),
            "events": list(&parcel),
        } },
        "adjustments": list(&json!({ "type": "object", "required": ["id", "type", "occurred_at", "status"] })),
        "totals": totals(),
    })
}

fn discount() -> Value {
    json!({ "discounts": { "type": "object", "properties": {
        "codes": list(&json!({ "type": "string" })),
        "applied": list(&json!({ "type": "object", "required": ["title", "amount"] })),
    } } })
}

fn fulfillment() -> Value {
    json!({ "fulfillment": { "type": "object", "properties": { "methods": list(&json!({
        "type": "object", "required": ["id", "type", "line_item_ids"],
        "properties": {
            "type": { "const": "shipping" },
            "destinations": list(&json!({ "type": "object" })),
            "selected_destination_id": { "type": ["string", "null"] },
            "groups": list(&json!({ "type": "object" })),
        },
    })) } } })
}

fn consent() -> Value {
    let granted = json!({ "type": "boolean" });
    json!({ "buyer": { "type": "object", "properties": { "consent": { "type": "object", "properties": {
        "analytics": granted, "preferences": granted, "marketing": granted, "sale_of_data": granted,
    } } } } })
}

fn card() -> Value {
    json!({
        "id": { "type": "string" },
        "handler_id": { "type": "string" },
        "type": { "const": "card" },
        "brand": { "type": "string" },
        "last_digits": { "type": "string" },
        "credential": { "type": "object", "required": ["type"] },
    })
}

fn item() -> Value {
    json!({ "type": "object", "required": ["id", "title", "price"], "properties": {
        "id": { "type": "string" }, "title": { "type": "string" }, "price": { "type": "integer", "minimum": 0 },
    } })
}

fn totals() -> Value {
    list(&json!({ "type": "object", "required": ["type", "amount"], "properties": {
        "type": { "enum": ["items_discount", "subtotal", "discount", "fulfillment", "tax", "fee", "total"] },
        "amount": { "type": "integer", "minimum": 0 },
    } }))
}

fn list(of: &Value) -> Value {
    json!({ "type": "array", "items": of })
}

fn texts(names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), json!({ "type": "string" }))).collect()
}

fn openapi() -> Value {
    let answer = json!({ "200": { "description": "The checkout" } });
    let operation = |summary: &str| json!({ "summary": summary, "responses": answer });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "UCP sandbox", "version": VERSION },
        "paths": {
            "/checkout-sessions": { "post": operation("Make a checkout") },
            "/checkout-sessions/{id}": { "get": operation("Read it"), "put": operation("Change it") },
            "/checkout-sessions/{id}/complete": { "post": operation("Buy") },
            "/checkout-sessions/{id}/cancel": { "post": operation("Give up") },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{payment::HANDLERS, profile::CAPABILITIES};

    #[test]
    fn everything_that_is_advertised_has_a_page_and_a_schema() {
        let names = CAPABILITIES.map(|(name, _)| name).into_iter();
        for name in names.chain(HANDLERS.map(|(id, _)| id)).chain(["shopping"]) {
            assert!(SPECS.iter().any(|(known, _)| *known == name), "{name}");
            assert!(schema_of(name).is_some(), "{name}");
        }
        assert!(schema_of("card").is_some() && schema_of("../card").is_none());
    }
}
