//! Orders, as staff see them and work on them.

pub(super) mod steps;

use axum::{Json, extract::State, response::Response};
use handel_domain::{
    Code, Refusal,
    id::OrderId,
    order::{self, Order},
    text::Email,
};
use handel_engine::{AuditEntry, Context, ListOrders, OrderSummary, Page, ProviderCheck};
use handel_kit::{Door, PathParams, Problem, ProblemBody, QueryParams, Request, Staff, needs};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{PageQuery, page_limit};
use crate::documents::{Always, BadQuery, Refused};
use crate::{
    replies::{PageBody, versioned},
    views::{OrderSummaryView, OrderView},
};

/// Which orders.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct OrdersQuery {
    /// Only those with this status. At most one of `status`, `email` and `number` may be sent.
    #[param(inline)]
    status: Option<OrderStatusQuery>,
    /// Only those of this buyer.
    #[param(value_type = Option<String>)]
    email: Option<Email>,
    /// Only the one with this number.
    number: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[serde(default = "page_limit")]
    #[param(default = 24, minimum = 1, maximum = 100)]
    limit: u32,
}

wire_enum! {
    /// How far an order has come.
    OrderStatusQuery = order::Status {
        /// It was placed; its stock is not promised yet.
        Created,
        /// Its stock is promised; it waits for money.
        Reserved,
        /// It is paid.
        Paid,
        /// Somebody is packing it.
        Packing,
        /// All of it is on its way.
        Shipped,
        /// All of it has arrived.
        Delivered,
        /// It was called off before it shipped.
        Canceled,
    }
}

/// A row of the audit log.
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditEntryView {
    /// Identity.
    #[schema(example = "aud_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// What happened.
    #[schema(example = "order_paid")]
    action: String,
    /// Who did it: `shopper:…`, `agent:…`, `api_key:…`, `operator`, `provider:…` or `system:…`.
    #[schema(example = "api_key:key_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    actor: String,
    /// In which request.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// What exactly; differs by action.
    #[schema(value_type = Object)]
    detail: serde_json::Value,
    /// When it happened.
    #[schema(format = DateTime)]
    occurred_at: String,
}

/// What the shop and the payment provider say of an order's money.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReconciliationView {
    /// The comparison; absent where no payment was ever tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<ProviderCheckView>,
}

/// A comparison with what a payment provider says.
#[derive(Serialize, ToSchema)]
struct ProviderCheckView {
    /// The latest attempt to collect the money.
    #[schema(example = "att_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    attempt_id: String,
    /// The provider.
    provider: String,
    /// Whether both agree.
    agrees: bool,
    /// What the provider says: `captured`, `declined`, `processing`, `requires_action`, `not_found` or
    /// `unreachable`.
    #[schema(example = "captured")]
    provider_says: String,
}

/// The orders of the shop, newest first.
///
/// Needs the scope `orders:read`.
#[utoipa::path(
    get, path = "/orders", operation_id = "admin_list_orders",
    tag = "admin-orders", security(("api_key" = [])), params(OrdersQuery),
    responses(
        (status = 200, description = "The orders", body = PageBody<OrderSummaryView>),
        Always, Refused, BadQuery,
    )
)]
pub(super) async fn list_orders(
    _: Staff<needs::OrdersRead>,
    State(door): State<Door>,
    QueryParams(query): QueryParams<OrdersQuery>,
    request: Request,
) -> Result<Json<PageBody<OrderSummaryView>>, Problem> {
    let page = match query.number {
        Some(number) => with_number(&door, &request.ctx, number, &query).await?,
        None => door.engine().list_orders(&request.ctx, query.into()).await?,
    };
    Ok(Json(PageBody::from(page)))
}

/// An order with its money and its parcels.
///
/// Needs the scope `orders:read`.
#[utoipa::path(
    get, path = "/orders/{id}", operation_id = "admin_get_order",
    tag = "admin-orders", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id")),
    responses(
        (status = 200, description = "The order", body = OrderView, headers(
            ("ETag" = String, description = "Its version"))),
        Always, Refused,
        (status = 404, description = "No such order",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_order(
    _: Staff<needs::OrdersRead>,
    State(door): State<Door>,
    PathParams(id): PathParams<OrderId>,
    request: Request,
) -> Result<Response, Problem> {
    let details = door.engine().get_order(&request.ctx, id, None).await?;
    Ok(versioned(
        StatusCode::OK,
        details.order.version,
        OrderView::from(&details).for_staff(&details.order),
    ))
}

/// What happened to an order and who did it, newest first.
///
/// Needs the scope `orders:read`.
#[utoipa::path(
    get, path = "/orders/{id}/history", operation_id = "admin_order_history",
    tag = "admin-orders", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id"), PageQuery),
    responses(
        (status = 200, description = "The entries of the audit log", body = PageBody<AuditEntryView>),
        Always, Refused, BadQuery,
        (status = 404, description = "This is not the id of an order",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn order_history(
    _: Staff<needs::OrdersRead>,
    State(door): State<Door>,
    PathParams(id): PathParams<OrderId>,
    QueryParams(query): QueryParams<PageQuery>,
    request: Request,
) -> Result<Json<PageBody<AuditEntryView>>, Problem> {
    let page = door.engine().order_history(&request.ctx, id, query.cursor, query.limit).await?;
    Ok(Json(PageBody::from(page)))
}

/// Asks the payment provider about an order's money and compares. Changes nothing.
///
/// Needs the scope `orders:read`.
#[utoipa::path(
    get, path = "/orders/{id}/reconciliation", operation_id = "admin_reconcile_order",
    tag = "admin-orders", security(("api_key" = [])),
    params(("id" = String, Path, description = "The order's id")),
    responses(
        (status = 200, description = "The comparison", body = ReconciliationView),
        Always, Refused,
        (status = 404, description = "No such order",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reconcile_order(
    _: Staff<needs::OrdersRead>,
    State(door): State<Door>,
    PathParams(id): PathParams<OrderId>,
    request: Request,
) -> Result<Json<ReconciliationView>, Problem> {
    let check = door.engine().reconcile_order(&request.ctx, id).await?;
    Ok(Json(ReconciliationView { check: check.map(ProviderCheckView::from) }))
}

/// The page with the order of that number, or an empty one.
async fn with_number(
    door: &Door,
    ctx: &Context,
    number: i64,
    query: &OrdersQuery,
) -> Result<Page<OrderSummary>, Problem> {
    if query.status.is_some() || query.email.is_some() || query.cursor.is_some() {
        return Err(Refusal::field("/number", "must be sent alone").into());
    }
    let id = match door.engine().order_id_by_number(ctx, number).await {
        Ok(id) => id,
        Err(error) if error.code() == Code::OrderUnknown => {
            return Ok(Page { items: Vec::new(), next_cursor: None });
        }
        Err(error) => return Err(error.into()),
    };
    let details = door.engine().get_order(ctx, id, None).await?;
    Ok(Page { items: vec![summary(details.order)], next_cursor: None })
}

fn summary(order: Order) -> OrderSummary {
    OrderSummary {
        id: order.id,
        number: order.number,
        status: order.status,
        email: order.email,
        currency: order.currency,
        total_minor: order.total_minor,
        placed_at: order.placed_at,
        updated_at: order.updated_at,
    }
}

impl From<OrdersQuery> for ListOrders {
    fn from(query: OrdersQuery) -> Self {
        Self {
            status: query.status.map(order::Status::from),
            email: query.email,
            cursor: query.cursor,
            limit: query.limit,
        }
    }
}

impl From<AuditEntry> for AuditEntryView {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            action: entry.action,
            actor: entry.actor,
            request_id: entry.request_id.map(|id| id.to_string()),
            detail: entry.detail,
            occurred_at: entry.occurred_at.to_string(),
        }
    }
}

impl From<ProviderCheck> for ProviderCheckView {
    fn from(check: ProviderCheck) -> Self {
        Self {
            attempt_id: check.attempt_id.to_string(),
            provider: check.provider,
            agrees: check.agrees,
            provider_says: check.provider_says,
        }
    }
}
