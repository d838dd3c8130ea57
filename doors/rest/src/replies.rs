//! Answers that several handlers give.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use handel_engine::{Once, Page};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Most entries of a page where nothing is said.
pub(crate) const PAGE: u32 = 24;

/// A page of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageBody<T> {
    /// What is on it.
    items: Vec<T>,
    /// What to send as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<T, U: From<T>> From<Page<T>> for PageBody<U> {
    fn from(page: Page<T>) -> Self {
        Self { items: page.items.into_iter().map(U::from).collect(), next_cursor: page.next_cursor }
    }
}

/// A body with the version of what it shows as its ETag.
pub(crate) fn versioned<T: Serialize>(status: StatusCode, version: i64, body: T) -> Response {
    let mut response = (status, Json(body)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Marks the answer to a repetition.
pub(crate) fn once<T>(once: Once<T>, reply: impl FnOnce(T) -> Response) -> Response {
    let mut response = reply(once.reply);
    if once.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
