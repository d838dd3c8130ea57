//! Which key a request has, and by what a repetition of it is known.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use handel_domain::{Code, Refusal};
use handel_engine::{Caller, Context, Idempotency};
use http::{HeaderMap, header, request::Parts};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    Problem,
    context::{CART_TOKEN, CHANNEL},
};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Anybody's key must not be guessable, because whoever sends it again gets the answer.
const ANONYMOUS_KEY_MIN: usize = 16;

/// A key is unique within who calls and what is called; the digest tells a repetition from a mistake.
pub(crate) fn idempotency(
    parts: &Parts,
    ctx: &Context,
    bytes: &Bytes,
) -> Result<Option<Idempotency>, Problem> {
    let Some(value) = parts.headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = Idempotency::read_key(value.to_str().unwrap_or_default())?;
    let caller = match &ctx.caller {
        Caller::ApiKey { id, .. } => id.to_string(),
        Caller::Agent { profile } => profile.clone(),
        Caller::Shopper(Some(cart)) => cart.to_string(),
        Caller::Shopper(None) if key.len() < ANONYMOUS_KEY_MIN => {
            if parts.headers.contains_key(CART_TOKEN) {
                // The key would do for the owner of a cart; what is wrong is the token.
                let message =
                    "there is no such cart: the Cart-Token is empty or not one of this shop";
                return Err(Refusal::new(Code::CartUnknown, message).into());
            }
            let message = "the idempotency key of a caller without a cart must be at least 16 characters, such as a UUID";
            return Err(Refusal::new(Code::InputInvalid, message).into());
        }
        Caller::Shopper(None) | Caller::Operator | Caller::System(_) => "anybody".to_owned(),
    };
    Ok(Some(Idempotency {
        scope: format!("{caller} {} {}", parts.method, parts.uri.path()),
        key,
        digest: digest(&parts.headers, bytes),
    }))
}

/// A digest of what a request means: its body as RFC 8785 writes it, where order and white space do not count and
/// null and absent differ; and the headers that decide what it does.
pub fn digest(headers: &HeaderMap, body: &[u8]) -> String {
    let value = serde_json::from_slice::<Value>(body).ok();
    let canonical = value.as_ref().and_then(|value| serde_json_canonicalizer::to_vec(value).ok());
    let mut hash = Sha256::new();
    for name in [header::IF_MATCH.as_str(), CHANNEL] {
        // A value has no line feed, so no two requests have the same text.
        match headers.get(name) {
            Some(value) => hash.update([b"+", value.as_bytes().trim_ascii(), b"\n"].concat()),
            None => hash.update(b"-\n"),
        }
    }
    if let Some(value) = &value {
        add_large_integers(&mut hash, value);
    }
    hash.update(canonical.as_deref().unwrap_or(body));
    URL_SAFE_NO_PAD.encode(hash.finalize())
}

/// The integers that RFC 8785 writes as others that are near to them, because its numbers are floats.
fn add_large_integers(hash: &mut Sha256, value: &Value) {
    const EXACT: u64 = 1 << 53;
    match value {
        Value::Number(number) => {
            let size = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            if size.is_some_and(|size| size > EXACT) {
                hash.update(format!("{number}\n"));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| add_large_integers(hash, item)),
        // In the order of their names.
        Value::Object(fields) => fields.values().for_each(|field| add_large_integers(hash, field)),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
