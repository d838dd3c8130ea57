//! News of orders: the whole order, signed, for the program that bought it (UCP, order, "Webhooks").

use bytes::Bytes;
use handel_engine::{Delivery, OrderNews, WebhookFormat};
use handel_ports::Secret;
use handel_signatures::{Seal, SigningKey, Target, seal_request};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};

use crate::{Version, neutral::order::Order, signing::introduction};

/// The headers beside those that are always signed: who sends it, and which message it is.
const SIGNED: [&str; 4] = ["ucp-agent", "idempotency-key", "webhook-id", "webhook-timestamp"];

/// How news are written in a version of the protocol.
pub struct OrderNewsFormat {
    name: String,
    version: Version,
    public_url: String,
    key: SigningKey,
}

impl OrderNewsFormat {
    /// One for each version. `seed` is the secret that the shop's key is made of.
    pub fn all(public_url: &str, seed: &Secret<[u8; 32]>) -> Vec<Self> {
        let format = |version: Version| Self {
            name: format!("ucp/{}", version.name()),
            version,
            public_url: public_url.to_owned(),
            key: SigningKey::es256(seed.expose()),
        };
        Version::ALL.into_iter().map(format).collect()
    }
}

impl WebhookFormat for OrderNewsFormat {
    fn name(&self) -> &str {
        &self.name
    }

    fn write(&self, news: &OrderNews) -> Result<Bytes, String> {
        let order = Order::new(&news.story, &news.order_token, &self.public_url);
        let order = order.map_err(|refusal| refusal.message)?;
        let id = news.delivery_id.to_string();
        let body = self.version.codec().order_news(&order, &id, news.occurred_at);
        serde_json::to_vec(&body).map(Bytes::from).map_err(|error| error.to_string())
    }

    fn headers(&self, delivery: &Delivery, body: &Bytes) -> Result<HeaderMap, String> {
        let uri: Uri = delivery.url.parse().map_err(|_| "the address is malformed".to_owned())?;
        let target = Target::of(&Method::POST, &uri).ok_or("the address is not absolute")?;
        let at_s = delivery.written_at.as_second();
        let id =
            HeaderValue::try_from(delivery.id.to_string()).map_err(|error| error.to_string())?;
        let agent = introduction(&self.public_url).ok_or("the shop's own address is malformed")?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(HeaderName::from_static("ucp-agent"), agent);
        // A message that is sent again is the same one.
        headers.insert(HeaderName::from_static("idempotency-key"), id.clone());
        headers.insert(HeaderName::from_static("webhook-id"), id);
        headers.insert(HeaderName::from_static("webhook-timestamp"), HeaderValue::from(at_s));
        if let Some((name, signature)) = self.version.codec().body_signature(&self.key, body) {
            headers.insert(HeaderName::from_static(name), signature);
        }
        let seal = Seal { key: &self.key, label: "sig1", created_s: Some(at_s), headers: &SIGNED };
        seal_request(&seal, target, &mut headers, body).map_err(|error| error.to_string())?;
        Ok(headers)
    }
}
