//! What news of an order say, in either of the forms that the shop writes here.

use handel_ports::Post;
use serde_json::Value;

/// A message about an order.
pub(super) struct Message {
    pub(super) id: String,
    pub(super) order: String,
    /// Never less than in the news before.
    pub(super) progress: i64,
    /// Whether it is more than in the news before.
    pub(super) is_numbered: bool,
}

impl Message {
    pub(super) fn read(post: &Post) -> Option<Self> {
        let body: Value = serde_json::from_slice(&post.body).ok()?;
        let id = post.headers.get("webhook-id")?.to_str().ok()?.to_owned();
        if let Some(sequence) = body["sequence"].as_i64() {
            let order = body["order"]["id"].as_str()?.to_owned();
            return Some(Self { id, order, progress: sequence, is_numbered: true });
        }
        post.headers.get("signature")?;
        let length = |value: &Value| value.as_array().map_or(0, Vec::len);
        // The protocol does not number news, but nothing that happened to an order is taken back.
        let happened = length(&body["fulfillment"]["events"]) + length(&body["adjustments"]);
        let order = body["id"].as_str()?.to_owned();
        Some(Self { id, order, progress: i64::try_from(happened).ok()?, is_numbered: false })
    }
}
