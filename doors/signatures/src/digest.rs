//! Content-Digest (RFC 9530) over the bytes of a body as they were sent.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue};
use sfv::{BareItem, Dictionary, ListEntry};
use sha2::{Digest as _, Sha256};

use crate::message::field;

/// The name of the header.
pub(crate) const NAME: &str = "content-digest";

/// The header `Content-Digest` of a body: its SHA-256.
pub fn content_digest(body: &[u8]) -> HeaderValue {
    let text = format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)));
    HeaderValue::try_from(text).expect("base64 is a header value")
}

/// Whether the header `Content-Digest` is there and its SHA-256 is that of the body. Other digests do not count.
pub fn holds_digest(headers: &HeaderMap, body: &[u8]) -> bool {
    let Some(text) = field(headers, NAME) else { return false };
    let Ok(digests) = sfv::Parser::new(&text).parse::<Dictionary>() else { return false };
    let Some(ListEntry::Item(item)) = digests.get("sha-256") else { return false };
    matches!(&item.bare_item, BareItem::ByteSequence(bytes) if bytes[..] == Sha256::digest(body)[..])
}
