//! News of orders as the suite of 2026-01-11 reads them: what happened, and the whole order beside it.

use bytes::Bytes;
use handel_engine::{Delivery, OrderNews, WebhookFormat};
use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use crate::{orders, session::protocol};

/// Writes news for platforms that bought through the sandbox. They are not signed.
pub struct CompatWebhooks {
    name: String,
    public_url: String,
}

impl CompatWebhooks {
    /// The format, for a shop that buyers reach at `public_url`.
    pub fn new(public_url: &str) -> Self {
        Self { name: protocol(), public_url: public_url.to_owned() }
    }
}

impl WebhookFormat for CompatWebhooks {
    fn name(&self) -> &str {
        &self.name
    }

    fn tells(&self, event: &str) -> bool {
        kind(event).is_some()
    }

    fn write(&self, news: &OrderNews) -> Result<Bytes, String> {
        let kind = kind(&news.event).ok_or("the suite has no word for this")?;
        let (order, note) = (&news.story.details.order, orders::own(&news.story));
        let body = json!({
            "event_type": kind,
            "checkout_id": order.checkout_id.to_string(),
            "order": orders::view(&self.public_url, order, &note),
        });
        Ok(Bytes::from(body.to_string()))
    }

    fn headers(&self, _: &Delivery, _: &Bytes) -> Result<HeaderMap, String> {
        let json = HeaderValue::from_static("application/json");
        Ok(HeaderMap::from_iter([(header::CONTENT_TYPE, json)]))
    }
}

/// What an event is called here; none for what the suite has no word for.
fn kind(event: &str) -> Option<&'static str> {
    Some(match event {
        "order_paid" => "order_placed",
        "order_shipped" | "order_partially_shipped" => "order_shipped",
        "order_delivered" => "order_delivered",
        "order_canceled" => "order_canceled",
        _ => return None,
    })
}
