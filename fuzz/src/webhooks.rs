//! Webhooks of a payment provider: signed as they must be or not at all, with any body.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use sha2::Sha256;

use crate::front::{front, request, split};

/// What the test kit's provider signs with.
const SECRET: &[u8] = b"a secret of the tests";

/// An even first byte signs the body, so that what it says is read; else the rest is the signature.
pub(crate) fn webhook(data: &[u8]) {
    let (kind, data) = split(data);
    let front = front();
    let id = format!("evt_{}", front.count());
    let time = front.shop.now().as_second().to_string();
    let call = request(Method::POST, "/webhooks/test").header("webhook-id", &id);
    if kind % 2 == 0 {
        let signature = STANDARD.encode(signature(&id, &time, data));
        let call = call.header("webhook-timestamp", &time);
        front.json(call.header("webhook-signature", format!("v1,{signature}")), data);
        return;
    }
    let (time, signature) = match data.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (time.as_bytes(), data),
    };
    let call = call.header("webhook-timestamp", time).header("webhook-signature", signature);
    if let Some(answer) = front.json(call, br#"{"id":"evt_1","type":"charge.captured"}"#) {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
    }
}

fn signature(id: &str, time: &str, body: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET).expect("HMAC takes keys of any length");
    for part in [id.as_bytes(), b".", time.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}
