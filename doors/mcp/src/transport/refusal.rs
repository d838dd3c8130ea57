//! Errors that no server made, in the form of JSON-RPC.

use axum::{
    body::{Body, to_bytes},
    response::{IntoResponse, Response},
};
use handel_domain::Refusal;
use handel_kit::reworded;
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

/// JSON-RPC 2.0 §5.1: this is not JSON.
pub(super) const PARSE_ERROR: i32 = -32700;
/// JSON-RPC 2.0 §5.1: this is not a request.
pub(super) const INVALID_REQUEST: i32 = -32600;
/// The first code that JSON-RPC leaves to servers.
pub(super) const SERVER_ERROR: i32 = -32000;
/// Longest text of the library that is passed on, in bytes.
const TEXT_MAX: usize = 4_096;

/// Why a request got no further than here.
#[derive(Debug)]
pub struct Wrong {
    status: StatusCode,
    code: i32,
    text: String,
    retry_after_s: Option<u64>,
}

impl Wrong {
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        let code = match status {
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::BAD_REQUEST => INVALID_REQUEST,
            _ => SERVER_ERROR,
        };
        Self { status, code, text: text.into(), retry_after_s: None }
    }

    pub(super) fn code(self, code: i32) -> Self {
        Self { code, ..self }
    }

    pub(super) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    fn body(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.text });
        if let Some(seconds) = self.retry_after_s {
            error["data"] = json!({ "retry_after": seconds });
        }
        json!({ "jsonrpc": "2.0", "id": null, "error": error })
    }

    #[cfg(test)]
    pub(super) fn json_rpc_code(&self) -> i32 {
        self.code
    }
}

impl From<Wrong> for Response {
    fn from(wrong: Wrong) -> Self {
        let mut response = (wrong.status, axum::Json(wrong.body())).into_response();
        if let Some(seconds) = wrong.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Tells a refusal that was answered as a problem document as an error of JSON-RPC.
pub(crate) fn worded(response: Response, refusal: &Refusal) -> Response {
    let retry_after_s = refusal.details.retry_after_ms.map(|ms| ms.div_ceil(1_000).max(1));
    let wrong = Wrong::new(response.status(), &*refusal.message);
    reworded(response, &Wrong { retry_after_s, ..wrong }.body())
}

/// Gives an error that the library wrote as plain text the form of all others. What went wrong inside is not told.
pub(super) async fn shaped(response: Response) -> Response {
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_shaped = kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"));
    if is_shaped || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = match status.is_server_error() {
        true => "something went wrong; it was logged".to_owned(),
        false => text_of(body).await,
    };
    let mut shaped = Response::from(Wrong::new(status, text));
    if let Some(allow) = parts.headers.get(header::ALLOW) {
        shaped.headers_mut().insert(header::ALLOW, allow.clone());
    }
    shaped
}

async fn text_of(body: Body) -> String {
    let bytes = to_bytes(body, TEXT_MAX).await.unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}
