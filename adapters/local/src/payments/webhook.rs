//! The webhooks of the test provider: their body, and their signature after the Standard Webhooks scheme.
//!
//! Owns the wire format in both directions, so that what is sent and what is believed cannot drift apart.
//! It neither sends nor remembers anything.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use handel_domain::{
    Code,
    id::AttemptId,
    money::{Currency, Money},
    payment::Report,
};
use handel_ports::{ProviderReport, Secret, WebhookEvent, WebhookRejected};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::ledger::ChargeEvent;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// How far the time of signing may lie in the past or in the future, in seconds.
const WINDOW_S: u64 = 5 * 60;

/// A webhook ready to be posted.
#[derive(Clone, Debug)]
pub struct SignedWebhook {
    /// Every header that the request needs.
    pub headers: HeaderMap,
    /// The body, which must be sent as it is.
    pub body: Bytes,
}

/// What webhooks are signed with.
#[derive(Clone)]
pub(super) struct WebhookKey(Arc<Secret<Vec<u8>>>);

#[derive(Serialize)]
struct EventBody<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    data: ChargeData,
}

#[derive(Deserialize)]
struct AnyEventBody {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: serde_json::Value,
}

#[derive(Serialize, Deserialize)]
struct ChargeData {
    key: AttemptId,
    reference: String,
    amount_minor: i64,
    currency: Currency,
}

const CAPTURED: &str = "charge.captured";
const DECLINED: &str = "charge.declined";

impl WebhookKey {
    pub(super) fn new(secret: Secret<Vec<u8>>) -> Self {
        Self(Arc::new(secret))
    }

    /// Writes and signs the webhook for an event.
    pub(super) fn sign_event(&self, event: &ChargeEvent, now: Timestamp) -> SignedWebhook {
        let body = EventBody {
            id: &event.id,
            kind: if event.is_captured { CAPTURED } else { DECLINED },
            data: ChargeData {
                key: event.key,
                reference: event.reference.clone(),
                amount_minor: event.amount.amount_minor,
                currency: event.amount.currency,
            },
        };
        let body = serde_json::to_vec(&body).expect("texts and numbers are JSON");
        self.sign(&event.id, body.into(), now)
    }

    fn sign(&self, id: &str, body: Bytes, now: Timestamp) -> SignedWebhook {
        let timestamp = now.as_second().to_string();
        let signature = STANDARD.encode(self.signature(id, &timestamp, &body));
        let text = |text: &str| HeaderValue::from_str(text).expect("ids and base64 are ASCII");
        let headers = HeaderMap::from_iter([
            (ID, text(id)),
            (TIMESTAMP, text(&timestamp)),
            (SIGNATURE, text(&format!("v1,{signature}"))),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        SignedWebhook { headers, body }
    }

    fn signature(&self, id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose()).expect("HMAC takes keys of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// Checks a webhook over its raw body and says what it means.
    pub(super) fn read(
        &self,
        headers: &HeaderMap,
        body: &Bytes,
        now: Timestamp,
    ) -> Result<WebhookEvent, WebhookRejected> {
        let id = self.verify(headers, body, now)?;
        let event: AnyEventBody =
            serde_json::from_slice(body).map_err(|_| WebhookRejected::Malformed)?;
        if event.id != id {
            return Err(WebhookRejected::Malformed);
        }
        let report = match event.kind.as_str() {
            CAPTURED | DECLINED => Some(report(&event.kind, event.data)?),
            _ => None,
        };
        Ok(WebhookEvent { event_id: event.id, report })
    }

    /// Returns the id of a webhook that we signed lately.
    fn verify<'a>(
        &self,
        headers: &'a HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<&'a str, WebhookRejected> {
        let id = text(headers, &ID)?;
        let timestamp = text(headers, &TIMESTAMP)?;
        let expected = self.signature(id, timestamp, body);
        // A sender that changes its secret signs with the old and the new one for a while.
        let is_ours = text(headers, &SIGNATURE)?.split(' ').any(|signature| {
            let encoded = signature.strip_prefix("v1,").unwrap_or_default();
            STANDARD.decode(encoded).is_ok_and(|signature| signature.ct_eq(&expected).into())
        });
        if !is_ours {
            return Err(WebhookRejected::Signature);
        }
        let signed_at: i64 = timestamp.parse().map_err(|_| WebhookRejected::Malformed)?;
        if now.as_second().abs_diff(signed_at) > WINDOW_S {
            return Err(WebhookRejected::Stale);
        }
        Ok(id)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a str, WebhookRejected> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.ok_or(WebhookRejected::Signature)
}

fn report(kind: &str, data: serde_json::Value) -> Result<ProviderReport, WebhookRejected> {
    let charge: ChargeData =
        serde_json::from_value(data).map_err(|_| WebhookRejected::Malformed)?;
    let report = if kind == CAPTURED {
        let amount = Money::new(charge.amount_minor, charge.currency);
        Report::Captured { reference: charge.reference, amount }
    } else {
        Report::Declined { reference: Some(charge.reference), code: Code::PaymentDeclined }
    };
    Ok(ProviderReport { key: charge.key, report })
}
