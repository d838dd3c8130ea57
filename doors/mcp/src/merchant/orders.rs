//! Orders, as the merchant lists them.

use handel_domain::{order::Status, text::Email};
use handel_engine::{Context, Engine, Error, ListOrders, OrderSummary};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{page, page_limit, page_properties, page_schema};

/// Which orders.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    status: Option<Status>,
    email: Option<Email>,
    cursor: Option<String>,
    #[serde(default = "page_limit")]
    limit: u32,
}

pub(super) fn input() -> Value {
    let mut properties = page_properties();
    properties["status"] = json!({
        "type": "string", "enum": Status::ALL.map(Status::as_str),
        "description": "Only those with this status. Either this or email."
    });
    properties["email"] = json!({ "type": "string", "description": "Only those of this buyer." });
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

pub(super) fn output() -> Value {
    let order = json!({
        "type": "object",
        "required": ["id", "number", "status", "email", "currency", "total_minor", "placed_at"],
        "properties": {
            "id": { "type": "string" },
            "number": { "type": "integer" },
            "status": { "type": "string" },
            "email": { "type": "string" },
            "currency": { "type": "string" },
            "total_minor": { "type": "integer", "description": "What the buyer pays, in minor units." },
            "placed_at": { "type": "string", "format": "date-time" }
        }
    });
    page_schema("orders", &order)
}

pub(super) async fn list(engine: &Engine, ctx: &Context, wanted: Wanted) -> Result<Value, Error> {
    let Wanted { status, email, cursor, limit } = wanted;
    let found = engine.list_orders(ctx, ListOrders { status, email, cursor, limit }).await?;
    let entries: Vec<_> = found.items.iter().map(view).collect();
    Ok(page("orders", &entries, found.next_cursor))
}

fn view(order: &OrderSummary) -> Value {
    json!({
        "id": order.id.to_string(),
        "number": order.number,
        "status": order.status.as_str(),
        "email": order.email.to_string(),
        "currency": order.currency.to_string(),
        "total_minor": order.total_minor,
        "placed_at": order.placed_at.to_string(),
    })
}
