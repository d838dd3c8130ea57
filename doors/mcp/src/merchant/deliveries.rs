//! News of orders that programs were sent, or should have been.

use handel_domain::id::{DeliveryId, OrderId};
use handel_engine::{Context, DeliveryEntry, DeliveryStatus, Engine, Error, ListDeliveries};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{page, page_limit, page_properties, page_schema};

/// Which messages.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    status: Option<Status>,
    order_id: Option<OrderId>,
    cursor: Option<String>,
    #[serde(default = "page_limit")]
    limit: u32,
}

/// How far a message has come.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Waiting,
    Delivered,
    Dead,
    Gone,
}

/// Which message.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replayed {
    delivery_id: DeliveryId,
}

pub(super) fn list_input() -> Value {
    let mut properties = page_properties();
    properties["status"] = json!({
        "type": "string", "enum": DeliveryStatus::ALL.map(DeliveryStatus::as_str),
        "description": "Only those that have come so far; dead ones failed too often. Either this or order_id."
    });
    properties["order_id"] =
        json!({ "type": "string", "description": "Only those about this order." });
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

pub(super) fn list_output() -> Value {
    let delivery = json!({
        "type": "object",
        "required": ["id", "order_id", "event", "host", "status", "attempts", "created_at"],
        "properties": {
            "id": { "type": "string" },
            "order_id": { "type": "string" },
            "event": { "type": "string", "description": "What it tells of." },
            "host": { "type": "string", "description": "Where it goes." },
            "status": { "type": "string" },
            "attempts": { "type": "integer" },
            "last_status": { "type": "integer", "description": "What the receiver last answered." },
            "last_error": { "type": "string" },
            "created_at": { "type": "string", "format": "date-time" }
        }
    });
    page_schema("deliveries", &delivery)
}

pub(super) async fn list(engine: &Engine, ctx: &Context, wanted: Wanted) -> Result<Value, Error> {
    let Wanted { status, order_id, cursor, limit } = wanted;
    let status = status.map(|status| match status {
        Status::Waiting => DeliveryStatus::Waiting,
        Status::Delivered => DeliveryStatus::Delivered,
        Status::Dead => DeliveryStatus::Dead,
        Status::Gone => DeliveryStatus::Gone,
    });
    let list = ListDeliveries { status, order_id, cursor, limit };
    let found = engine.list_deliveries(ctx, list).await?;
    let entries: Vec<_> = found.items.iter().map(view).collect();
    Ok(page("deliveries", &entries, found.next_cursor))
}

fn view(delivery: &DeliveryEntry) -> Value {
    let mut view = json!({
        "id": delivery.id.to_string(),
        "order_id": delivery.order_id.to_string(),
        "event": delivery.event,
        "host": delivery.host,
        "status": delivery.status.as_str(),
        "attempts": delivery.attempts,
        "created_at": delivery.created_at.to_string(),
    });
    if let Some(status) = delivery.last_status {
        view["last_status"] = json!(status);
    }
    if let Some(error) = &delivery.last_error {
        view["last_error"] = json!(error);
    }
    view
}

pub(super) fn replay_input() -> Value {
    json!({
        "type": "object",
        "required": ["delivery_id"],
        "properties": {
            "delivery_id": { "type": "string", "description": "The id of a dead one of merchant_list_deliveries." }
        },
        "additionalProperties": false
    })
}

pub(super) fn replay_output() -> Value {
    json!({
        "type": "object",
        "required": ["delivery_id", "status"],
        "properties": {
            "delivery_id": { "type": "string" },
            "status": { "type": "string", "enum": ["waiting"] }
        }
    })
}

pub(super) async fn replay(
    engine: &Engine,
    ctx: &Context,
    wanted: Replayed,
) -> Result<Value, Error> {
    engine.replay_delivery(ctx, wanted.delivery_id).await?;
    Ok(json!({ "delivery_id": wanted.delivery_id.to_string(), "status": "waiting" }))
}
