//! Stock: what lies where, how it moved, and changes by staff.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use handel_domain::{
    Refusal,
    id::VariantId,
    text::{Sku, Slug},
};
use handel_engine::{AdjustStock, MovementEntry, Page, StockKey, StockView};
use handel_kit::{
    Door, PathParams, Problem, ProblemBody, QueryParams, Request, Staff, Write, needs,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::PageQuery;
use crate::documents::{Always, BadBody, BadQuery, IdempotencyKey, Refused};
use crate::replies::{PageBody, once};

/// A change of what is on hand. Names the variant by exactly one of `variant_id` and `sku`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdjustmentBody {
    /// The variant by its id.
    #[schema(value_type = Option<String>)]
    variant_id: Option<VariantId>,
    /// The variant by its SKU.
    #[schema(value_type = Option<String>, example = "SHIRT-BLUE-L")]
    sku: Option<Sku>,
    /// The location by its code; the first one if absent.
    #[schema(value_type = Option<String>)]
    location: Option<Slug>,
    /// By how many units it changes; negative for what is lost, never 0.
    #[schema(example = 12)]
    delta: i64,
    /// Why, for the ledger.
    #[schema(example = "delivery 4711", max_length = 200)]
    reason: String,
}

/// The stock of a variant at a location, in units.
#[derive(Serialize, ToSchema)]
pub(crate) struct StockLevelView {
    /// What is stocked.
    #[schema(example = "var_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    variant_id: String,
    /// Where it lies.
    #[schema(example = "loc_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    location_id: String,
    /// How many lie there.
    on_hand: i64,
    /// How many of them are promised to orders that have not shipped.
    allocated: i64,
    /// How many of them open checkouts hold.
    held: i64,
    /// How many are never sold.
    safety: i64,
    /// How many more than on hand may be promised; absent where that has no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    backorder_limit: Option<i64>,
    /// How many can be bought now, backorders included; absent where that has no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
}

/// A row of the stock ledger, in units.
#[derive(Serialize, ToSchema)]
pub(crate) struct MovementView {
    /// Identity.
    #[schema(example = "mov_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// Where it lay.
    location_id: String,
    /// `adjustment`, `allocation`, `release` or `shipment`.
    #[schema(example = "shipment")]
    kind: String,
    /// By how many what is on hand changed.
    on_hand_delta: i64,
    /// By how many what is promised to orders changed.
    allocated_delta: i64,
    /// The order that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// What staff said.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When it happened.
    #[schema(format = DateTime)]
    occurred_at: String,
}

/// The stock of a variant at every location where it ever lay.
///
/// Needs the scope `stock:read`.
#[utoipa::path(
    get, path = "/stock/{variant_id}", operation_id = "admin_get_stock",
    tag = "admin-stock", security(("api_key" = [])),
    params(("variant_id" = String, Path, description = "The variant's id")),
    responses(
        (status = 200, description = "One entry for each location, on one page",
            body = PageBody<StockLevelView>),
        Always, Refused,
        (status = 404, description = "This is not the id of a variant",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_stock(
    _: Staff<needs::StockRead>,
    State(door): State<Door>,
    PathParams(id): PathParams<VariantId>,
    request: Request,
) -> Result<Json<PageBody<StockLevelView>>, Problem> {
    let items = door.engine().get_stock(&request.ctx, id).await?;
    Ok(Json(PageBody::from(Page { items, next_cursor: None })))
}

/// How the stock of a variant moved, newest first.
///
/// Needs the scope `stock:read`.
#[utoipa::path(
    get, path = "/stock/{variant_id}/movements", operation_id = "admin_list_movements",
    tag = "admin-stock", security(("api_key" = [])),
    params(("variant_id" = String, Path, description = "The variant's id"), PageQuery),
    responses(
        (status = 200, description = "The movements", body = PageBody<MovementView>),
        Always, Refused, BadQuery,
        (status = 404, description = "This is not the id of a variant",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list_movements(
    _: Staff<needs::StockRead>,
    State(door): State<Door>,
    PathParams(id): PathParams<VariantId>,
    QueryParams(query): QueryParams<PageQuery>,
    request: Request,
) -> Result<Json<PageBody<MovementView>>, Problem> {
    let engine = door.engine();
    let page = engine.list_movements(&request.ctx, id, query.cursor, query.limit).await?;
    Ok(Json(PageBody::from(page)))
}

/// Changes what is on hand of a variant: a count, a delivery or a loss.
///
/// Needs the scope `stock:write`. What is promised to buyers cannot be taken away.
#[utoipa::path(
    post, path = "/stock/adjustments", operation_id = "admin_adjust_stock",
    tag = "admin-stock", security(("api_key" = [])), params(IdempotencyKey), request_body = AdjustmentBody,
    responses(
        (status = 200, description = "The stock at that location now", body = StockLevelView),
        Always, Refused, BadBody,
        (status = 404, description = "No such variant or location",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A field is wrong, the stock is not counted, or less would be left than \
            is promised to buyers",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn adjust_stock(
    _: Staff<needs::StockWrite>,
    State(door): State<Door>,
    write: Write<AdjustmentBody>,
) -> Result<Response, Problem> {
    let adjusted = door.engine().adjust_stock(&write.ctx, write.body.try_into()?).await?;
    Ok(once(adjusted, |stock| Json(StockLevelView::from(stock)).into_response()))
}

impl TryFrom<AdjustmentBody> for AdjustStock {
    type Error = Refusal;

    fn try_from(body: AdjustmentBody) -> Result<Self, Refusal> {
        let variant = match (body.variant_id, body.sku) {
            (Some(id), None) => StockKey::Id(id),
            (None, Some(sku)) => StockKey::Sku(sku),
            (None, None) => {
                return Err(Refusal::field("/sku", "either sku or variant_id is needed"));
            }
            (Some(_), Some(_)) => {
                return Err(Refusal::field("/sku", "must not be sent together with variant_id"));
            }
        };
        Ok(Self { variant, location: body.location, delta: body.delta, reason: body.reason })
    }
}

impl From<StockView> for StockLevelView {
    fn from(StockView { level, available }: StockView) -> Self {
        Self {
            variant_id: level.variant_id.to_string(),
            location_id: level.location_id.to_string(),
            on_hand: level.on_hand,
            allocated: level.allocated,
            held: level.held,
            safety: level.safety,
            backorder_limit: level.backorder_limit,
            available,
        }
    }
}

impl From<MovementEntry> for MovementView {
    fn from(entry: MovementEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            location_id: entry.location_id.to_string(),
            kind: entry.kind,
            on_hand_delta: entry.on_hand_delta,
            allocated_delta: entry.allocated_delta,
            order_id: entry.order_id.map(|id| id.to_string()),
            reason: entry.reason,
            occurred_at: entry.occurred_at.to_string(),
        }
    }
}
