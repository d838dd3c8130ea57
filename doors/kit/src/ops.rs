//! What operators and load balancers look at.

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::header;
use serde_json::json;

use crate::{Door, Problem};

/// `/health/live`, `/health/ready` and `/metrics`.
pub fn ops_router(door: Door) -> Router {
    Router::new()
        .route("/health/live", get(async || Json(json!({ "status": "ok" }))))
        .route("/health/ready", get(ready))
        .route("/metrics", get(metrics))
        .with_state(door)
}

/// Ready means that the shop can sell: the database answers and takes a write.
async fn ready(State(door): State<Door>) -> Result<Response, Problem> {
    door.engine().check_ready().await?;
    Ok(Json(json!({ "status": "ok" })).into_response())
}

async fn metrics(State(door): State<Door>) -> Result<Response, Problem> {
    let text = door.metrics().render(door.engine()).await?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
