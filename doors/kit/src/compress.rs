//! Compresses responses for clients that accept it (`Accept-Encoding`).
//!
//! Only responses that may be cached are compressed: pages of the catalog, product lists, style sheets, documents. What
//! belongs to one caller (`no-store`: carts, checkouts, orders, forms with keys) is sent as it is, because the length of a
//! compressed response reveals a secret in it to an attacker who chooses text beside the secret (BREACH). Responses that
//! are signed over their bytes are not compressed either.

use axum::{Router, body::HttpBody, middleware::map_response, response::Response};
use http::{HeaderMap, HeaderValue, header};
use tower_http::{
    CompressionLevel,
    compression::{CompressionLayer, Predicate},
};

/// Below this many bytes a response fits into one packet uncompressed.
const BYTES_MIN: u64 = 1_000;
/// Fast: most of the gain for little CPU time.
const LEVEL: CompressionLevel = CompressionLevel::Precise(4);
/// The content types that gain from it. Pictures are compressed already.
const KINDS: [&str; 8] = [
    "application/json",
    "application/schema+json",
    "application/xml",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
    "text/plain",
];

/// Adds compression around all routes. It must be the outermost layer that changes bodies.
pub fn compressed(router: Router) -> Router {
    let layer = CompressionLayer::new().quality(LEVEL).compress_when(IsWorthIt);
    router.layer(layer).layer(map_response(weaken))
}

#[derive(Clone, Copy)]
struct IsWorthIt;

impl Predicate for IsWorthIt {
    fn should_compress<B: HttpBody>(&self, response: &http::Response<B>) -> bool {
        is_cacheable(response.headers())
            && is_text(response.headers())
            && response.body().size_hint().lower() >= BYTES_MIN
    }
}

fn is_cacheable(headers: &HeaderMap) -> bool {
    let control = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    let may_be_stored = control.is_some_and(|control| !control.contains("no-store"));
    let is_signed = headers.contains_key("signature") || headers.contains_key("content-digest");
    may_be_stored && !is_signed && !headers.contains_key(header::SET_COOKIE)
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
    KINDS.contains(&essence.trim())
}

/// A strong tag stands for the exact bytes, which compression changes.
async fn weaken(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let strong = headers.get(header::ETAG).filter(|tag| tag.as_bytes().starts_with(b"\""));
    if let (true, Some(tag)) = (headers.contains_key(header::CONTENT_ENCODING), strong) {
        let weak = [b"W/", tag.as_bytes()].concat();
        if let Ok(weak) = HeaderValue::from_bytes(&weak) {
            headers.insert(header::ETAG, weak);
        }
    }
    response
}
