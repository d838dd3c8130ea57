//! Orders for those who bought them.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use handel_domain::{id::OrderId, order::Status, text::Email};
use handel_engine::{ListOrders, Scope};
use handel_kit::{Door, PathParams, Problem, ProblemBody, QueryParams, Request};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    documents::{Always, BadQuery},
    replies::{PAGE, PageBody, versioned},
    views::{OrderSummaryView, OrderView},
};

const ORDER_TOKEN: &str = "order-token";

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(list_orders)).routes(routes!(get_order))
}

/// Which orders.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Only those with this status; for staff.
    status: Option<String>,
    /// Only those of this buyer; for staff.
    email: Option<String>,
    /// Where the last page ended.
    cursor: Option<String>,
    /// How many at most, up to 100.
    limit: Option<u32>,
}

/// The orders of a cart.
#[derive(Serialize, ToSchema)]
struct OwnOrders {
    /// The orders.
    items: Vec<OrderView>,
}

/// The access token of an order.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct TokenQuery {
    /// The token of the order; the header `Order-Token` is the better place for it.
    token: Option<String>,
}

/// The order that became of the cart of the token; with an API key (`orders:read`) every order of the shop.
#[utoipa::path(get, path = "/orders", tag = "orders", security((), ("cart_token" = []), ("api_key" = [])),
    params(ListQuery), responses(
    Always, BadQuery,
    (status = 200, description = "The orders; summaries for staff", body = PageBody<OrderSummaryView>),
))]
async fn list_orders(
    State(door): State<Door>,
    request: Request,
    QueryParams(query): QueryParams<ListQuery>,
) -> Result<Response, Problem> {
    if !request.ctx.allows(Scope::OrdersRead) {
        let orders = door.engine().list_own_orders(&request.ctx).await?;
        let items = orders.iter().map(OrderView::from).collect();
        return Ok(Json(OwnOrders { items }).into_response());
    }
    let page = door.engine().list_orders(&request.ctx, query.read()?).await?;
    Ok(Json(PageBody::<OrderSummaryView>::from(page)).into_response())
}

/// An order: by its token for guests, by the cart it came from, or by an API key with `orders:read`.
#[utoipa::path(get, path = "/orders/{id}", tag = "orders",
    security(("order_token" = []), ("cart_token" = []), ("api_key" = [])),
    params(("id" = String, Path, description = "The order"), TokenQuery), responses(
    Always,
    (status = 200, description = "The order", body = OrderView),
    (status = 404, description = "No such order, or not yours", body = ProblemBody,
        content_type = "application/problem+json"),
))]
async fn get_order(
    State(door): State<Door>,
    PathParams(id): PathParams<OrderId>,
    QueryParams(query): QueryParams<TokenQuery>,
    request: Request,
) -> Result<Response, Problem> {
    let header =
        request.headers.get(ORDER_TOKEN).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let order = door.engine().get_order(&request.ctx, id, header.or(query.token)).await?;
    Ok(versioned(StatusCode::OK, order.order.version, OrderView::from(&order)))
}

impl ListQuery {
    fn read(self) -> Result<ListOrders, Problem> {
        let known = |text: &String| Status::ALL.into_iter().find(|status| status.as_str() == text);
        let status = match &self.status {
            Some(text) => {
                let unknown =
                    || handel_domain::Refusal::field("/status", "must be a status of an order");
                Some(known(text).ok_or_else(unknown)?)
            }
            None => None,
        };
        let email = self.email.as_deref().map(|email| Email::parse("/email", email)).transpose()?;
        Ok(ListOrders { status, email, cursor: self.cursor, limit: self.limit.unwrap_or(PAGE) })
    }
}
