//! Answers that several handlers give.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use handel_domain::{Code, Refusal};
use handel_engine::{Once, Page};
use handel_kit::Problem;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
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

/// A body that callers may keep, tagged by a digest of what it says. Who has it already, by `If-None-Match`,
/// is told so without it. Whoever keeps it asks each time, because prices and stock change at any moment.
pub(crate) fn kept<T: Serialize>(request: &HeaderMap, body: &T) -> Result<Response, Problem> {
    let body = serde_json::to_vec(body)
        .map_err(|error| Refusal::new(Code::Internal, format!("an answer is no JSON: {error}")))?;
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..TAG_BYTES]));
    let mut response = if is_known(request, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::VARY, HeaderValue::from_static("handel-channel, authorization"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// As much of a digest as two answers will never share.
const TAG_BYTES: usize = 16;

/// Whether one of the tags that a caller names is this one. A proxy that packs answers marks tags as weak.
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let named =
        request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    named
        .flat_map(|tags| tags.split(','))
        .map(str::trim)
        .any(|named| named == "*" || named.strip_prefix("W/").unwrap_or(named) == tag)
}

/// Marks the answer to a repetition.
pub(crate) fn once<T>(once: Once<T>, reply: impl FnOnce(T) -> Response) -> Response {
    let mut response = reply(once.reply);
    if once.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
