//! Requests over HTTP to routes in the same process: no sockets, no threads, no real time.

use axum::{Router, body::Body};
use bytes::Bytes;
use handel_domain::{Code, Refusal, id::OrderId, refusal::Kind};
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tower::ServiceExt;

use super::{Reply, Request, reply::Told};

/// What is sent.
pub(super) struct Sending {
    method: Method,
    path: String,
    body: Option<Bytes>,
}

impl Sending {
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), body: None }
    }

    pub(super) fn post(path: impl Into<String>) -> Self {
        Self { method: Method::POST, path: path.into(), body: None }
    }

    pub(super) fn put(path: impl Into<String>) -> Self {
        Self { method: Method::PUT, path: path.into(), body: None }
    }

    pub(super) fn patch(path: impl Into<String>) -> Self {
        Self { method: Method::PATCH, path: path.into(), body: None }
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.bytes(body.to_string())
    }

    /// Bytes that are JSON.
    pub(super) fn bytes(self, body: impl Into<Bytes>) -> Self {
        Self { body: Some(body.into()), ..self }
    }

    /// Sends it with the key of a request and one header more, which says who asks.
    pub(super) async fn send(
        self,
        router: &Router,
        request: &Request,
        who: Option<(&'static str, &str)>,
    ) -> Result<Received, Refusal> {
        let mut sending = http::Request::builder()
            .method(self.method)
            .uri(self.path)
            .header(header::HOST, "shop.example");
        if let Some((name, value)) = who {
            sending = sending.header(name, value);
        }
        if let Some(key) = &request.key {
            sending = sending.header("idempotency-key", key);
        }
        let body = match self.body {
            Some(body) => {
                sending = sending.header(header::CONTENT_TYPE, "application/json");
                Body::from(body)
            }
            None => Body::empty(),
        };
        let sending = sending.body(body).expect("a request of the simulation is one");
        let answer = router.clone().oneshot(sending).await.expect("a router always answers");
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| broken(&error.to_string()))?.to_bytes();
        let received = Received { status: parts.status, headers: parts.headers, body };
        received.checked()
    }
}

/// What came back.
pub(super) struct Received {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Received {
    /// What holds for every answer.
    fn checked(self) -> Result<Self, Refusal> {
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            return Err(self.broken("a fault"));
        }
        match self.headers.contains_key("x-request-id") {
            true => Ok(self),
            false => Err(self.broken("an answer without an id")),
        }
    }

    pub(super) fn media_type(&self) -> &str {
        let value = self.headers.get(header::CONTENT_TYPE);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(&self.body).map_err(|error| self.broken(&error.to_string()))
    }

    /// A reply with the exact words. What differs with each answer is in the headers, but the status is not.
    pub(super) fn told(&self, reply: Reply) -> Told {
        Told { reply, words: self.words() }
    }

    /// A problem document as the refusal that it was made from.
    pub(super) fn problem(&self) -> Result<Refusal, Refusal> {
        let problem: Problem = self.json()?;
        let code = Code::ALL.iter().find(|code| code.as_str() == problem.code);
        let code = *code.ok_or_else(|| self.broken("a problem with an unknown code"))?;
        let is_whole = problem.status == self.status.as_u16()
            && self.media_type() == "application/problem+json"
            && (code.kind() != Kind::Unavailable || self.headers.contains_key("retry-after"));
        if !is_whole {
            return Err(self.broken("a problem that is not whole"));
        }
        let mut refusal = Refusal::new(code, problem.detail);
        refusal.details.order_id = problem.order_id;
        refusal.details.total_minor = problem.total_minor;
        Ok(refusal)
    }

    /// What must never be; the actors report it.
    pub(super) fn broken(&self, what: &str) -> Refusal {
        broken(&format!("{what}: {}", self.words()))
    }

    fn words(&self) -> String {
        format!("{} {}", self.status.as_u16(), String::from_utf8_lossy(&self.body))
    }
}

fn broken(what: &str) -> Refusal {
    Refusal::new(Code::Internal, what)
}

#[derive(Deserialize)]
struct Problem {
    status: u16,
    code: String,
    detail: String,
    order_id: Option<OrderId>,
    total_minor: Option<i64>,
}
