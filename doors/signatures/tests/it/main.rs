//! Goal: what a signature says of a message holds, and nothing else counts as signed.

mod keys;
mod requests;

use handel_signatures::{
    AGENT_HEADERS, KeySet, Message, NotVerified, Rules, Seal, SigningKey, Target, Verified,
    seal_request, verify,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// The time at which everything happens unless a test says otherwise.
const NOW_S: i64 = 1_767_225_600;

/// A request that a test signs, changes and checks.
#[derive(Clone)]
struct Request {
    method: Method,
    authority: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Request {
    /// A checkout that a program posts.
    fn post() -> Self {
        let mut request = Self {
            method: Method::POST,
            authority: "shop.example".to_owned(),
            path: "/checkout-sessions".to_owned(),
            query: None,
            headers: HeaderMap::new(),
            body: br#"{"line_items":[]}"#.to_vec(),
        };
        request.set("content-type", "application/json");
        request.set("ucp-agent", r#"profile="https://agent.example/profile.json""#);
        request.set("idempotency-key", "0b6d5f3e-2f7f-4d2c-9a94-6a3f4f0c8e11");
        request
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.headers
            .insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header"));
    }

    fn target(&self) -> Target<'_> {
        Target {
            method: &self.method,
            scheme: "https",
            authority: &self.authority,
            path: &self.path,
            query: self.query.as_deref(),
        }
    }

    fn message(&self) -> Message<'_> {
        Message::request(self.target(), &self.headers, &self.body)
    }

    fn seal(mut self, key: &SigningKey) -> Self {
        let seal = Seal { key, label: "sig1", created_s: Some(NOW_S), headers: AGENT_HEADERS };
        let mut headers = std::mem::take(&mut self.headers);
        seal_request(&seal, self.target(), &mut headers, &self.body).expect("it can be signed");
        Self { headers, ..self }
    }

    fn verify(&self, keys: &KeySet) -> Result<Verified, NotVerified> {
        verify(&self.message(), keys, &rules())
    }
}

fn rules() -> Rules<'static> {
    Rules { now_s: NOW_S, age_max_s: None, headers: AGENT_HEADERS }
}

fn keys() -> [SigningKey; 2] {
    [SigningKey::es256(&[7; 32]), SigningKey::ed25519(&[7; 32])]
}

fn set(key: &SigningKey) -> KeySet {
    KeySet::new([key.jwk()])
}
