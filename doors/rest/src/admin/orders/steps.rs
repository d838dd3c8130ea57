//! The steps that staff take with an order. Each answers with the order as the step left it.

use axum::{extract::State, response::Response};
use handel_domain::{
    Refusal,
    id::{LineId, OrderId},
    order::{LineQuantity, Order, Tracking},
};
use handel_engine::Parcel;
use handel_kit::{Door, PathParams, Problem, ProblemBody, Staff, Write, expected_version, needs};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::admin::NoBody;
use crate::documents::{Always, BadBody, IdempotencyKey, IfMatchOptional, Refused, Stale};
use crate::{
    replies::{once, versioned},
    views::OrderView,
};

/// What leaves the warehouse.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShipBody {
    /// The units that leave; all that are left if absent.
    lines: Option<Vec<ShipLineBody>>,
    /// Who carries them.
    #[schema(example = "DHL", max_length = 100)]
    carrier: Option<String>,
    /// The carrier's number of the parcel.
    #[schema(example = "00340434161094000000", max_length = 100)]
    tracking_number: Option<String>,
    /// Where the buyer sees how far the parcel is.
    #[schema(example = "https://carrier.example/track/00340434161094000000", max_length = 2048)]
    tracking_url: Option<String>,
}

/// Some units of a line.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShipLineBody {
    /// The line of the order.
    #[schema(value_type = String, example = "line_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    line_id: LineId,
    /// How many units of it leave.
    #[schema(minimum = 1)]
    quantity: i64,
}

/// Why an order is called off.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelBody {
    /// Why, for the audit log and the refund.
    #[schema(example = "the buyer changed their mind", max_length = 200)]
    reason: String,
}

/// Somebody starts to pack an order that is paid.
///
/// Needs the scope `orders:write`.
#[utoipa::path(
    post, path = "/orders/{id}/pack", operation_id = "admin_pack_order",
    tag = "admin-orders", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id"), IfMatchOptional, IdempotencyKey),
    responses(
        (status = 200, description = "The order without its payment", body = OrderView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such order",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Its status does not allow this; `allowed` lists what it allows",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn pack_order(
    _: Staff<needs::OrdersWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<OrderId>,
    write: Write<NoBody>,
) -> Result<Response, Problem> {
    let expected = expected_version(&write.headers)?;
    let packed = door.engine().pack_order(&write.ctx, id, expected).await?;
    Ok(once(packed, |order| answer(&order)))
}

/// Units of an order leave the warehouse, and the stock. The order is shipped when nothing is left.
///
/// Needs the scope `orders:write`.
#[utoipa::path(
    post, path = "/orders/{id}/ship", operation_id = "admin_ship_order",
    tag = "admin-orders", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id"), IfMatchOptional, IdempotencyKey),
    request_body(content = Option<ShipBody>, description = "Without a body, all that is left leaves"),
    responses(
        (status = 200, description = "The order without its payment", body = OrderView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such order",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Its status does not allow this; `allowed` lists what it allows",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong, or fewer units are left to be shipped",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ship_order(
    _: Staff<needs::OrdersWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<OrderId>,
    write: Write<Option<ShipBody>>,
) -> Result<Response, Problem> {
    let expected = expected_version(&write.headers)?;
    let parcel = write.body.map_or(Ok(Parcel::default()), ShipBody::read)?;
    let shipped = door.engine().ship_order(&write.ctx, id, parcel, expected).await?;
    Ok(once(shipped, |order| answer(&order)))
}

/// All of an order has arrived.
///
/// Needs the scope `orders:write`.
#[utoipa::path(
    post, path = "/orders/{id}/deliver", operation_id = "admin_deliver_order",
    tag = "admin-orders", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id"), IfMatchOptional, IdempotencyKey),
    responses(
        (status = 200, description = "The order without its payment", body = OrderView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such order",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Its status does not allow this; `allowed` lists what it allows",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn deliver_order(
    _: Staff<needs::OrdersWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<OrderId>,
    write: Write<NoBody>,
) -> Result<Response, Problem> {
    let expected = expected_version(&write.headers)?;
    let delivered = door.engine().deliver_order(&write.ctx, id, expected).await?;
    Ok(once(delivered, |order| answer(&order)))
}

/// Calls off an order of which nothing has shipped: its stock is free again, and what was paid goes back.
///
/// Needs the scope `orders:write`.
#[utoipa::path(
    post, path = "/orders/{id}/cancel", operation_id = "admin_cancel_order",
    tag = "admin-orders", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id"), IfMatchOptional, IdempotencyKey),
    request_body = CancelBody,
    responses(
        (status = 200, description = "The order without its payment", body = OrderView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such order",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "A part of it has shipped, or it was called off before",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn cancel_order(
    _: Staff<needs::OrdersWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<OrderId>,
    write: Write<CancelBody>,
) -> Result<Response, Problem> {
    let expected = expected_version(&write.headers)?;
    let reason = write.body.reason;
    let canceled = door.engine().cancel_order(&write.ctx, id, reason, expected).await?;
    Ok(once(canceled, |order| answer(&order)))
}

fn answer(order: &Order) -> Response {
    versioned(StatusCode::OK, order.version, OrderView::new(order, None, None).for_staff(order))
}

impl ShipBody {
    /// What leaves; no units stand for all that are left. A list that came out empty is a mistake.
    fn read(self) -> Result<Parcel, Refusal> {
        let Self { lines, carrier, tracking_number, tracking_url } = self;
        if lines.as_ref().is_some_and(Vec::is_empty) {
            let message = "must not be empty; leave it out to ship all that is left";
            return Err(Refusal::field("/lines", message));
        }
        Ok(Parcel {
            units: lines.into_iter().flatten().map(LineQuantity::from).collect(),
            tracking: Tracking { carrier, number: tracking_number, url: tracking_url },
        })
    }
}

impl From<ShipLineBody> for LineQuantity {
    fn from(ShipLineBody { line_id, quantity }: ShipLineBody) -> Self {
        Self { line_id, quantity }
    }
}
