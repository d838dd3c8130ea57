//! One request and its answer.

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// A request to be sent. It says that it is for the channel of the fixtures.
pub(crate) struct Call {
    router: Router,
    request: Request<Body>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What does not lie below the prefix of the interface.
const ELSEWHERE: [&str; 7] =
    ["/api", "/health", "/metrics", "/docs", "/errors", "/media", "/openapi.json"];

impl Call {
    pub(crate) fn new(router: Router, method: Method, path: &str) -> Self {
        let is_elsewhere = ELSEWHERE.iter().any(|place| path.starts_with(place));
        let prefix = if is_elsewhere { "" } else { handel_rest::PREFIX };
        let request = Request::builder()
            .method(method)
            .uri(format!("{prefix}{path}"))
            .header(header::HOST, "shop.example")
            .header("handel-channel", "eur")
            .body(Body::empty());
        Self { router, request: request.expect("a request") }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header");
        self.request.headers_mut().insert(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn headers(mut self, headers: &HeaderMap) -> Self {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        self.request.headers_mut().extend(headers);
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    pub(crate) fn cart(self, token: &str) -> Self {
        self.header("cart-token", token)
    }

    pub(crate) fn cookie(self, token: &str) -> Self {
        self.header("cookie", &format!("theme=dark; handel_cart={token}"))
    }

    pub(crate) fn bearer(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    pub(crate) fn once(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    /// A text that claims to be JSON.
    pub(crate) fn text(self, body: &str) -> Self {
        self.bytes(body.as_bytes().to_vec())
    }

    /// Bytes that claim to be JSON.
    pub(crate) fn bytes(self, body: impl Into<Body>) -> Self {
        let mut call = self.header("content-type", "application/json");
        *call.request.body_mut() = body.into();
        call
    }

    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    pub(crate) async fn send(self) -> Reply {
        let response = self.router.oneshot(self.request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the whole answer").to_bytes();
        Reply { status: parts.status, headers: parts.headers, body }
    }
}

impl Reply {
    /// Insists on a status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self}");
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.headers.get(name).unwrap_or_else(|| panic!("no {name}: {self}"));
        value.to_str().expect("a text").to_owned()
    }

    pub(crate) fn is_replayed(&self) -> bool {
        self.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
    }

    /// Insists on a whole problem document.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self}");
        assert_eq!(problem["status"], status, "{self}");
        assert!(problem["type"].as_str().is_some_and(|kind| kind.ends_with(code)), "{self}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{self}");
        assert_eq!(problem["request_id"], self.header("x-request-id"), "{self}");
        assert_eq!(self.header("cache-control"), "no-store", "{self}");
        problem
    }

    /// Insists on a problem of one field.
    #[track_caller]
    pub(crate) fn field(&self, pointer: &str) {
        let problem = self.problem(422, "input.invalid");
        let pointers = problem["errors"].as_array().expect("the wrong fields");
        assert!(pointers.iter().any(|error| error["pointer"] == pointer), "{pointer}: {self}");
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(&self.body))
    }
}
