//! Messages about orders to the programs that bought them: what waits, what was given up, and sending it again.

use axum::{Json, extract::State};
use handel_domain::id::{DeliveryId, OrderId};
use handel_engine::{DeliveryEntry, DeliveryStatus, ListDeliveries, ReplayDeliveries};
use handel_kit::{
    Door, PathParams, Problem, ProblemBody, QueryParams, Request, Staff, Write, needs,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{NoBody, page_limit};
use crate::documents::{Always, BadBody, BadQuery, Refused};
use crate::replies::PageBody;

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct DeliveriesQuery {
    /// Only those that have come so far. At most one of `status` and `order_id` may be sent.
    #[param(inline)]
    status: Option<DeliveryStatusView>,
    /// Only those about this order.
    #[param(value_type = Option<String>)]
    order_id: Option<OrderId>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[serde(default = "page_limit")]
    #[param(default = 24, minimum = 1, maximum = 100)]
    limit: u32,
}

wire_enum! {
    /// How far a message has come.
    DeliveryStatusView = DeliveryStatus {
        /// It is to be sent, or sent again.
        Waiting,
        /// The receiver has it.
        Delivered,
        /// The receiver did not take it, however often it was sent.
        Dead,
        /// The receiver answered 410: it wants no more of them.
        Gone,
    }
}

/// A message about an order.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeliveryView {
    /// Identity; the receiver sees it in every sending.
    #[schema(example = "whd_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// The order.
    #[schema(example = "ord_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    order_id: String,
    /// The event that it is sent for.
    #[schema(example = "order_shipped")]
    event: String,
    /// The host that it goes to. The rest of the address may hold a secret of the receiver.
    #[schema(example = "agent.example")]
    host: String,
    /// How far it has come.
    status: DeliveryStatusView,
    /// How often it was tried.
    attempts: i64,
    /// When it is tried next; absent while an earlier message of the order waits, and when it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    due_at: Option<String>,
    /// What the receiver last answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_status: Option<i64>,
    /// What went wrong the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Which dead messages are sent again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayBody {
    /// Only those to this host, as the list shows it. All of them if it is missing.
    #[schema(example = "agent.example")]
    host: Option<String>,
}

/// How many messages are sent again.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReplayedView {
    /// How many; ask again until it is 0.
    replayed: i64,
}

/// Messages to programs about the orders that they bought, newest first.
///
/// They are kept for 14 days after they were delivered or given up. Needs the scope `operations`.
#[utoipa::path(
    get, path = "/webhooks/deliveries", operation_id = "admin_list_deliveries",
    tag = "admin-webhooks", security(("api_key" = [])), params(DeliveriesQuery),
    responses(
        (status = 200, description = "The messages", body = PageBody<DeliveryView>),
        Always, Refused, BadQuery,
    )
)]
pub(super) async fn list_deliveries(
    _: Staff<needs::Operations>,
    State(door): State<Door>,
    QueryParams(query): QueryParams<DeliveriesQuery>,
    request: Request,
) -> Result<Json<PageBody<DeliveryView>>, Problem> {
    let list = ListDeliveries {
        status: query.status.map(DeliveryStatus::from),
        order_id: query.order_id,
        cursor: query.cursor,
        limit: query.limit,
    };
    let page = door.engine().list_deliveries(&request.ctx, list).await?;
    Ok(Json(PageBody::from(page)))
}

/// Sends a message again that was given up, as often as a new one.
///
/// It is the same message, with its id, time and bytes. Later messages of the order that still wait come after it.
/// Needs the scope `operations`.
#[utoipa::path(
    post, path = "/webhooks/deliveries/{id}/replay", operation_id = "admin_replay_delivery",
    tag = "admin-webhooks", security(("api_key" = [])),
    params(("id" = String, Path, description = "The message's id")),
    responses(
        (status = 202, description = "It will be sent"),
        Always, Refused, BadBody,
        (status = 404, description = "No such message, or it is neither dead nor gone",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn replay_delivery(
    _: Staff<needs::Operations>,
    State(door): State<Door>,
    PathParams(id): PathParams<DeliveryId>,
    write: Write<NoBody>,
) -> Result<StatusCode, Problem> {
    door.engine().replay_delivery(&write.ctx, id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Sends up to 100 messages again that were given up, oldest first.
///
/// Needs the scope `operations`.
#[utoipa::path(
    post, path = "/webhooks/deliveries/replay", operation_id = "admin_replay_deliveries",
    tag = "admin-webhooks", security(("api_key" = [])),
    request_body(content = Option<ReplayBody>, description = "Without a body, those to every host"),
    responses(
        (status = 202, description = "They will be sent", body = ReplayedView),
        Always, Refused, BadBody,
    )
)]
pub(super) async fn replay_deliveries(
    _: Staff<needs::Operations>,
    State(door): State<Door>,
    write: Write<ReplayBody>,
) -> Result<(StatusCode, Json<ReplayedView>), Problem> {
    let replay = ReplayDeliveries { host: write.body.host };
    let once = door.engine().replay_deliveries(&write.ctx, replay).await?;
    Ok((StatusCode::ACCEPTED, Json(ReplayedView { replayed: once.reply })))
}

impl From<DeliveryEntry> for DeliveryView {
    fn from(entry: DeliveryEntry) -> Self {
        Self {
            id: entry.id.to_string(),
            order_id: entry.order_id.to_string(),
            event: entry.event,
            host: entry.host,
            status: entry.status.into(),
            attempts: entry.attempts,
            due_at: entry.due_at.map(|at| at.to_string()),
            last_status: entry.last_status,
            last_error: entry.last_error,
            created_at: entry.created_at.to_string(),
            updated_at: entry.updated_at.to_string(),
        }
    }
}
