//! UCP 2026-01-23: checkouts and orders only; no amount is negative; what has no resource is an error of the transport;
//! bodies of webhooks are signed as detached JWS.

use handel_signatures::SigningKey;
use http::HeaderValue;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Answer, TransportError, Version,
    codec::{Capability, Codec},
    handlers::Handler,
    negotiate::Agreement,
    neutral::{Message, checkout::Checkout, order::Order, request::Wanted},
    operation::{CHECKOUT, CONSENT, DISCOUNT, FULFILLMENT, ORDER, Operation},
    v2026_04_08::V2026_04_08,
    wire::{envelope, order, profile::Shape},
};

/// The version.
pub(crate) struct V2026_01_23;

const CAPABILITIES: [Capability; 5] = [
    Capability::root(CHECKOUT, "schemas/shopping/checkout.json", "specification/checkout/"),
    Capability::root(ORDER, "schemas/shopping/order.json", "specification/order/"),
    Capability::extension(
        DISCOUNT,
        &[CHECKOUT],
        "schemas/shopping/discount.json",
        "specification/discount/",
    ),
    Capability::extension(
        FULFILLMENT,
        &[CHECKOUT],
        "schemas/shopping/fulfillment.json",
        "specification/fulfillment/",
    ),
    Capability::extension(
        CONSENT,
        &[CHECKOUT],
        "schemas/shopping/buyer_consent.json",
        "specification/buyer-consent/",
    ),
];

const SHAPE: Shape = Shape {
    version: Version::V2026_01_23,
    capabilities: &CAPABILITIES,
    rest: "services/shopping/openapi.json",
    mcp: "services/shopping/openrpc.json",
    spec: "specification/overview/",
};

impl Codec for V2026_01_23 {
    fn shape(&self) -> &'static Shape {
        &SHAPE
    }

    fn read_update(&self, body: &Value, id: &str) -> Result<Wanted, TransportError> {
        let is_named = body.get("id").and_then(Value::as_str) == Some(id);
        if !is_named {
            return Err(TransportError::malformed("id: must be that of the checkout"));
        }
        self.read_wanted(body)
    }

    fn checkout(
        &self,
        checkout: &Checkout,
        agreement: &Agreement,
        operation: Operation,
        handlers: &[Handler],
    ) -> Value {
        // The next version writes the same members, some of them in another way.
        let mut value = V2026_04_08.checkout(checkout, agreement, operation, handlers);
        as_then(&mut value);
        value
    }

    fn order(&self, order: &Order, agreement: &Agreement) -> Value {
        let ucp = envelope::of(agreement, Operation::GetOrder);
        let mut value = order::order(order).with("ucp", ucp).into();
        as_then(&mut value);
        value
    }

    fn order_news(&self, order: &Order, id: &str, occurred_at: Timestamp) -> Value {
        let mut value = order::order(order)
            .with("ucp", envelope::unasked(self.version().name(), ORDER))
            .with("event_id", id)
            .with("created_time", occurred_at.to_string())
            .into();
        as_then(&mut value);
        value
    }

    fn body_signature(&self, key: &SigningKey, body: &[u8]) -> Option<(&'static str, HeaderValue)> {
        let signature = HeaderValue::try_from(key.sign_detached(body)).ok()?;
        Some(("request-signature", signature))
    }

    fn error(&self, error: &TransportError) -> Value {
        let mut body = error.body();
        // A failed negotiation had the form of a checkout that somebody must look at (overview, "Error Handling").
        if matches!(error.code, "version_unsupported" | "capabilities_incompatible") {
            body["ucp"] = json!({ "version": self.version().name() });
            body["status"] = json!("requires_escalation");
            body["messages"] = json!([{
                "type": "error",
                "code": error.code,
                "content": error.content,
                "severity": "requires_buyer_input",
            }]);
        }
        body
    }

    fn outcome(&self, messages: &[Message], _: Option<&str>) -> Answer {
        let first = messages.first();
        let (code, content) = first
            .map_or(("invalid_input", "the request was refused"), |message| {
                (message.code, message.content.as_str())
            });
        let status = match code {
            "not_found" => 404,
            "out_of_stock" | "already_closed" => 409,
            _ => 400,
        };
        TransportError::new(status, code, content).into()
    }
}

/// Writes what this version knew, as this version wrote it.
fn as_then(value: &mut Value) {
    if let Some(ucp) = value.get_mut("ucp").and_then(Value::as_object_mut) {
        ucp.remove("status");
    }
    for message in list(value, "messages") {
        if message["severity"] == "unrecoverable" {
            message["severity"] = json!("recoverable");
        }
    }
    for line in list(value, "line_items") {
        if line["status"] == "removed" {
            line["status"] = json!("fulfilled");
        }
    }
    for adjustment in list(value, "adjustments") {
        // Where no money moves there are none.
        let totals = adjustment.as_object_mut().and_then(|members| members.remove("totals"));
        let amount = totals.as_ref().and_then(|totals| totals.pointer("/0/amount")?.as_i64());
        if let Some(amount) = amount {
            adjustment["amount"] = json!(amount.abs());
        }
        for unit in list(adjustment, "line_items") {
            unit["quantity"] = json!(unit["quantity"].as_i64().unwrap_or(0).abs());
        }
    }
    without_signs(value);
}

fn list<'v>(value: &'v mut Value, name: &str) -> impl Iterator<Item = &'v mut Value> {
    value.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten()
}

/// Rows of amounts have no sign and no parts.
fn without_signs(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_array_mut().filter(|_| name == "totals") {
                    Some(rows) => rows.iter_mut().for_each(without_sign),
                    None => without_signs(member),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_signs),
        _ => {}
    }
}

fn without_sign(row: &mut Value) {
    if let Some(members) = row.as_object_mut() {
        members.remove("lines");
    }
    row["amount"] = json!(row["amount"].as_i64().unwrap_or(0).abs());
}
