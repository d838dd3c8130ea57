//! Requests and answers over connections that stay open.

mod admin;
mod answer;
mod connection;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri, header};
use http_body_util::Full;

pub use admin::{Admin, Reply};
pub use answer::Answer;
pub use connection::{Connection, Lost};

/// A request whose body is known.
pub type Request = http::Request<Full<Bytes>>;

/// Names the cart of a shopper.
pub const CART_TOKEN: HeaderName = HeaderName::from_static("cart-token");
/// Makes a repetition harmless.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Marks the answer to a repetition.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request without a body.
pub fn get(uri: Uri) -> Request {
    let mut request = Request::new(Full::default());
    *request.uri_mut() = uri;
    request
}

/// A request with a JSON body, or with none.
pub fn post(uri: Uri, body: Bytes) -> Request {
    let has_body = !body.is_empty();
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    if has_body {
        request.headers_mut().insert(header::CONTENT_TYPE, JSON);
    }
    request
}
