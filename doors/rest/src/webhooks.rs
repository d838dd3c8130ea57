//! What payment providers report.

use axum::{Json, extract::State};
use handel_kit::{Door, PathParams, Problem, ProblemBody, RawBody, Request};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::documents::Always;

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(receive_webhook))
}

/// That a webhook arrived.
#[derive(Serialize, ToSchema)]
struct ReceiptView {
    /// Whether it was new; a repetition changes nothing.
    accepted: bool,
}

/// Takes a webhook in: checked over its raw body, stored once, applied right after.
#[utoipa::path(post, path = "/webhooks/{provider}", tag = "webhooks",
    params(("provider" = String, Path, description = "The provider")),
    request_body(content = String, content_type = "application/json"), responses(
    Always,
    (status = 200, description = "It is stored", body = ReceiptView),
    (status = 401, description = "The signature is missing, wrong or too old", body = ProblemBody,
        content_type = "application/problem+json"),
    (status = 404, description = "No such provider", body = ProblemBody, content_type = "application/problem+json"),
    (status = 413, description = "The body is too large", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn receive_webhook(
    State(door): State<Door>,
    PathParams(provider): PathParams<String>,
    request: Request,
    RawBody(body): RawBody,
) -> Result<Json<ReceiptView>, Problem> {
    let receipt =
        door.engine().receive_webhook(&request.ctx, &provider, &request.headers, &body).await?;
    Ok(Json(ReceiptView { accepted: receipt.accepted }))
}
