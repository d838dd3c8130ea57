//! One request and its answer.

use axum::{Router, body::Body};
use bytes::Bytes;
use handel_ucp::Version;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::schema;

/// A request to be sent.
pub(crate) struct Call {
    router: Router,
    version: Version,
    pub(crate) request: Request<Body>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn new(router: Router, version: Version, method: Method, path: &str) -> Self {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "shop.example")
            .body(Body::empty());
        Self { router, version, request: request.expect("a request") }
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a header");
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        self.request.headers_mut().insert(name, value);
        self
    }

    pub(crate) fn headers(mut self, headers: HeaderMap) -> Self {
        self.request.headers_mut().extend(headers);
        self
    }

    pub(crate) fn once(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.bytes(body.to_string())
    }

    /// Bytes that claim to be JSON.
    pub(crate) fn bytes(self, body: impl Into<Body>) -> Self {
        let mut call = self.header("content-type", "application/json");
        *call.request.body_mut() = body.into();
        call
    }

    /// Sends it, and checks the answer against the schema of the operation.
    pub(crate) async fn send(self) -> Reply {
        let (method, path) = (self.request.method().clone(), self.request.uri().path().to_owned());
        let response = self.router.oneshot(self.request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the whole answer").to_bytes();
        let reply = Reply { status: parts.status, headers: parts.headers, body };
        schema::check(self.version, &method, &path, &reply);
        reply
    }
}

impl Reply {
    /// Insists on a status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self}");
        self
    }

    /// A resource that is new.
    #[track_caller]
    pub(crate) fn created(self) -> Value {
        self.expect(201).resource()
    }

    /// A resource.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        self.expect(200).resource()
    }

    #[track_caller]
    fn resource(self) -> Value {
        let body = self.json();
        assert_eq!(body["ucp"]["status"], "success", "{self}");
        body
    }

    /// Insists on an outcome without a resource, and on the code of its first message.
    #[track_caller]
    pub(crate) fn outcome(&self, code: &str) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{self}");
        let body = self.json();
        assert_eq!(body["ucp"]["status"], "error", "{self}");
        assert_eq!(body["messages"][0]["code"], code, "{self}");
        assert_eq!(body["messages"][0]["severity"], "unrecoverable", "{self}");
        assert!(body.get("id").is_none(), "{self}");
        body
    }

    /// Insists on an error of the transport.
    #[track_caller]
    pub(crate) fn transport(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{self}");
        let body = self.json();
        assert_eq!(body["code"], code, "{self}");
        assert!(body["content"].is_string() && body.get("ucp").is_none(), "{self}");
        body
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
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?} {}", self.status, self.headers, String::from_utf8_lossy(&self.body))
    }
}
