//! Signs whole messages: digest, components, signature and headers in one step.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::{
    base::{Component, Input, Params, Unsignable},
    content_digest, coverage, digest,
    key::SigningKey,
    message::{Message, Target},
};

/// How a message is signed.
#[derive(Clone, Copy, Debug)]
pub struct Seal<'a> {
    /// The key.
    pub key: &'a SigningKey,
    /// The label of the signature, such as `sig1`.
    pub label: &'a str,
    /// When it is signed, in seconds since 1970; left out if `None`.
    pub created_s: Option<i64>,
    /// Headers that are signed where the message has them, beside what is always signed.
    pub headers: &'a [&'a str],
}

/// Signs a request: its method, authority, path and query, its body by digest and media type, and the headers of the
/// seal. Sets `Content-Digest`, `Signature-Input` and `Signature`.
///
/// A request with a body needs its `Content-Type` before.
pub fn seal_request(
    seal: &Seal<'_>,
    target: Target<'_>,
    headers: &mut HeaderMap,
    body: &[u8],
) -> Result<(), Unsignable> {
    set_digest(headers, body);
    let signed = seal.sign(&Message::request(target, headers, body))?;
    headers.extend(signed);
    Ok(())
}

/// Signs a response: its status, its body by digest and media type, and the headers of the seal. Sets
/// `Content-Digest`, `Signature-Input` and `Signature`.
pub fn seal_response(
    seal: &Seal<'_>,
    status: StatusCode,
    headers: &mut HeaderMap,
    body: &[u8],
) -> Result<(), Unsignable> {
    set_digest(headers, body);
    let signed = seal.sign(&Message::response(status, headers, body))?;
    headers.extend(signed);
    Ok(())
}

fn set_digest(headers: &mut HeaderMap, body: &[u8]) {
    if !body.is_empty() {
        headers.insert(digest::NAME, content_digest(body));
    }
}

impl Seal<'_> {
    fn sign(&self, message: &Message<'_>) -> Result<HeaderMap, Unsignable> {
        let params = Params {
            created: self.created_s,
            keyid: Some(self.key.kid().to_owned()),
            ..Params::default()
        };
        self.key.sign(message, coverage::demanded(message, self.headers), params, self.label)
    }
}

impl SigningKey {
    /// Signs components of a message. Answers the headers `Signature-Input` and `Signature`, and nothing is added to
    /// what is asked for: use [`seal_request`] for what others must believe.
    pub fn sign(
        &self,
        message: &Message<'_>,
        components: Vec<Component>,
        params: Params,
        label: &str,
    ) -> Result<HeaderMap, Unsignable> {
        let input = Input::new(components, params)?;
        let signature = self.sign_bytes(input.base(message)?.as_bytes());
        let value = |text: String| HeaderValue::try_from(text).map_err(|_| Unsignable::Word);
        let mut headers = HeaderMap::new();
        headers.insert("signature-input", value(input.header(label)?)?);
        headers.insert("signature", value(format!("{label}=:{}:", STANDARD.encode(signature)))?);
        Ok(headers)
    }
}
