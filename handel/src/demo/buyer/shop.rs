//! The shop as the buyer reaches it: over HTTP, with nothing but an address.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use reqwest::{Client, Method, Response, StatusCode, header::HeaderMap};
use serde_json::Value;

/// How long one request may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A connection to the shop.
#[derive(Clone)]
pub struct Shop {
    client: Client,
    url: String,
}

/// What a request is made with.
#[derive(Clone, Default)]
pub struct Visit {
    /// The token of the buyer's cart.
    pub cart: Option<String>,
    /// The channel that the buyer chose.
    pub channel: Option<&'static str>,
    /// The idempotency key.
    pub key: Option<String>,
    /// The token of an order.
    pub order: Option<String>,
}

/// What the shop answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Shop {
    pub fn new(local_url: &str) -> Result<Self> {
        let client = Client::builder().no_proxy().timeout(LIMIT).build();
        let client = client.context("the buyer's client cannot be made")?;
        Ok(Self { client, url: format!("{local_url}{}", handel_rest::PREFIX) })
    }

    pub async fn get(&self, path: &str, visit: &Visit) -> Result<Answer> {
        self.send(Method::GET, path, visit, None).await
    }

    pub async fn post(&self, path: &str, visit: &Visit, body: &Value) -> Result<Answer> {
        self.send(Method::POST, path, visit, Some(body)).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        visit: &Visit,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        let headers = [
            ("cart-token", visit.cart.as_deref()),
            ("handel-channel", visit.channel),
            ("idempotency-key", visit.key.as_deref()),
            ("order-token", visit.order.as_deref()),
        ];
        for (name, value) in headers {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.with_context(|| format!("{path} was not answered"))?;
        Answer::read(response).await.with_context(|| format!("the answer to {path} makes no sense"))
    }
}

impl Answer {
    async fn read(response: Response) -> Result<Self> {
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Self { status, headers, body: response.json().await? })
    }

    /// Fails unless the status is the expected one.
    pub fn expect(self, status: StatusCode) -> Result<Self> {
        let detail = || self.body["detail"].as_str().unwrap_or_default().to_owned();
        ensure!(self.status == status, "expected {status}, got {}: {}", self.status, detail());
        Ok(self)
    }

    /// Whether the shop said that it had answered this before.
    pub fn is_replay(&self) -> bool {
        self.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
    }

    /// A text of the body.
    pub fn text(&self, pointer: &str) -> Result<String> {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        Ok(text.with_context(|| format!("the answer has no {pointer}"))?.to_owned())
    }

    /// A number of the body.
    pub fn number(&self, pointer: &str) -> Result<i64> {
        let number = self.body.pointer(pointer).and_then(Value::as_i64);
        number.with_context(|| format!("the answer has no {pointer}"))
    }
}
