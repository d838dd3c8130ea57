//! Orders: read, noted upon, and sent off by whoever knows the secret of the simulation.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use handel_domain::{
    Code, Refusal,
    event::OrderChange,
    id::{LineId, OrderId, TenantId},
    order::{LineQuantity, Order, OrderLine, Source, Status},
    payment::OperationStatus,
};
use handel_engine::{Caller, Context, OrderStory, Parcel, RefundEntry, StoryEvent};
use handel_kit::{PathParams, Problem};
use http::HeaderMap;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use crate::{
    Compat,
    address::PostalAddress,
    call::Call,
    money::Sums,
    notes::{Adjustment, AdjustmentStatus, FulfillmentEvent, Note, OrderBody, Units},
    profile::envelope,
    refuse::problem,
    view::{item, option_title},
};

/// The header that sends parcels off.
const SECRET: &str = "simulation-secret";

/// `GET /orders/{id}`.
pub(crate) async fn show(
    State(compat): State<Compat>,
    PathParams(id): PathParams<OrderId>,
    call: Call,
) -> Result<Response, Problem> {
    let story = compat.door.engine().order_story(&call.ctx, id, None).await.map_err(problem)?;
    Ok(Json(noted(&compat, &story)).into_response())
}

/// `PUT /orders/{id}`: what the platform wrote onto the order is shown with it from now on.
pub(crate) async fn note(
    State(compat): State<Compat>,
    PathParams(id): PathParams<OrderId>,
    call: Call,
) -> Result<Response, Problem> {
    let body: OrderBody = call.read()?;
    let story = compat.door.engine().order_story(&call.ctx, id, None).await.map_err(problem)?;
    compat.notes.put(id, body.into_note(&own(&story))?);
    Ok(Json(noted(&compat, &story)).into_response())
}

/// `POST /testing/simulate-shipping/{id}`: everything of a paid order leaves the warehouse.
pub(crate) async fn simulate_shipping(
    State(compat): State<Compat>,
    PathParams(id): PathParams<OrderId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let secret = compat.settings.simulation_secret.as_ref();
    let is_known = match (secret, headers.get(SECRET)) {
        (Some(secret), Some(given)) => secret.expose().as_bytes().ct_eq(given.as_bytes()).into(),
        _ => false,
    };
    if !is_known {
        let message = "the Simulation-Secret is missing or wrong";
        return Err(Refusal::new(Code::ScopeMissing, message).into());
    }
    let engine = compat.door.engine();
    let ctx = Context {
        tenant_id: TenantId::DEFAULT,
        channel: None,
        caller: Caller::System("ucp-compat"),
        request_id: engine.request_id(),
        idempotency: None,
        source: Source::Ucp,
    };
    let order = engine.get_order(&ctx, id, None).await.map_err(problem)?.order;
    if order.status == Status::Paid {
        engine.pack_order(&ctx, id, None).await.map_err(problem)?;
    }
    if !matches!(order.status, Status::Shipped | Status::Delivered) {
        engine.ship_order(&ctx, id, Parcel::default(), None).await.map_err(problem)?;
    }
    Ok(Json(json!({ "id": id.to_string(), "status": "shipped" })).into_response())
}

fn noted(compat: &Compat, story: &OrderStory) -> Value {
    let mut note = own(story);
    let written = compat.notes.of(story.details.order.id);
    note.events.extend(written.events);
    note.adjustments.extend(written.adjustments);
    view(&compat.door.settings().public_url, &story.details.order, &note)
}

/// An order with what happened to it.
pub(crate) fn view(public_url: &str, order: &Order, note: &Note) -> Value {
    let sums = Sums::of_order(order);
    let mut shown = json!({
        "ucp": envelope(&["order", "discount", "fulfillment"]),
        "id": order.id.to_string(),
        "checkout_id": order.checkout_id.to_string(),
        "permalink_url": format!("{public_url}/orders/{}", order.id),
        "line_items": order.lines.iter().map(|line| line_view(line, &sums)).collect::<Vec<_>>(),
        "fulfillment": { "expectations": expectations(order) },
        "totals": sums.entries(),
    });
    if !note.events.is_empty() {
        shown["fulfillment"]["events"] = json!(note.events);
    }
    if !note.adjustments.is_empty() {
        shown["adjustments"] = json!(note.adjustments);
    }
    shown
}

fn line_view(line: &OrderLine, sums: &Sums<'_>) -> Value {
    let total = line.ordered - line.canceled;
    let status = match line.shipped {
        shipped if shipped >= total => "fulfilled",
        0 => "processing",
        _ => "partial",
    };
    json!({
        "id": line.id.to_string(),
        "item": item(line.sku.as_str(), &line.title, line.unit_price_minor, line.image_url.as_deref()),
        "quantity": { "total": total, "fulfilled": line.shipped },
        "totals": sums.of_line(line.id, &line.totals),
        "status": status,
    })
}

/// What the buyer was told: everything that is sent goes together.
fn expectations(order: &Order) -> Vec<Value> {
    let (Some(address), Some(method)) = (&order.shipping_address, &order.shipping_method) else {
        return Vec::new();
    };
    let sent = order.lines.iter().filter(|line| line.requires_shipping);
    let units = sent.map(|line| (line.id, line.ordered - line.canceled));
    let units: Vec<Value> = units
        .filter(|(_, quantity)| *quantity > 0)
        .map(|(id, quantity)| json!({ "id": id.to_string(), "quantity": quantity }))
        .collect();
    if units.is_empty() {
        return Vec::new();
    }
    vec![json!({
        "id": format!("{}-shipping", order.id),
        "line_items": units,
        "method_type": "shipping",
        "destination": PostalAddress::of_shop(address),
        "description": option_title(
            &method.name,
            order.shipping.subtotal_minor,
            order.shipping.discount_minor,
        ),
    })]
}

/// What the shop itself says of parcels and money after the purchase.
pub(crate) fn own(story: &OrderStory) -> Note {
    let order = &story.details.order;
    Note {
        events: story.events.iter().filter_map(|event| parcel(order, event)).collect(),
        adjustments: story.refunds.iter().map(refund).collect(),
    }
}

fn parcel(order: &Order, event: &StoryEvent) -> Option<FulfillmentEvent> {
    let (kind, units, tracking) = match &event.change {
        OrderChange::Shipped { lines, tracking }
        | OrderChange::PartiallyShipped { lines, tracking } => {
            ("shipped", units(lines), tracking.clone())
        }
        OrderChange::Delivered => ("delivered", all_units(order), Default::default()),
        _ => return None,
    };
    Some(FulfillmentEvent {
        id: event.id.to_string(),
        occurred_at: event.occurred_at,
        kind: kind.to_owned(),
        line_items: units,
        tracking_number: tracking.number,
        tracking_url: tracking.url,
        carrier: tracking.carrier,
        description: None,
    })
}

fn units(lines: &[LineQuantity]) -> Vec<Units> {
    lines.iter().filter_map(|unit| of_line(unit.line_id, unit.quantity)).collect()
}

fn all_units(order: &Order) -> Vec<Units> {
    order.lines.iter().filter_map(|line| of_line(line.id, line.delivered)).collect()
}

fn of_line(id: LineId, quantity: i64) -> Option<Units> {
    let quantity = u32::try_from(quantity).ok().filter(|quantity| *quantity > 0)?;
    Some(Units { id: id.to_string(), quantity })
}

fn refund(refund: &RefundEntry) -> Adjustment {
    Adjustment {
        id: refund.id.to_string(),
        kind: "refund".to_owned(),
        occurred_at: refund.created_at,
        status: match refund.status {
            OperationStatus::Pending => AdjustmentStatus::Pending,
            OperationStatus::Succeeded => AdjustmentStatus::Completed,
            OperationStatus::Failed => AdjustmentStatus::Failed,
        },
        line_items: None,
        amount: Some(refund.amount.amount_minor),
        description: refund.reason.clone(),
    }
}
