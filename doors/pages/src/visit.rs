//! Who asks for a page, and what they sent with a form.

use axum::extract::{FromRequest, FromRequestParts};
use bytes::Bytes;
use handel_domain::{Code, Refusal, id::CartId, order::Source};
use handel_engine::{CartRef, Context, Idempotency, OwnedCart};
use handel_kit::{Client, Door, Problem, RawBody, Request, cart_cookie, digest, is_foreign};
use http::{HeaderValue, StatusCode, Uri, header, request::Parts};

/// Somebody who asks for a page.
pub(crate) struct Visit {
    /// Who asks, for which shop.
    pub(crate) ctx: Context,
    /// The cart that the browser remembers.
    pub(crate) cart: Option<CartRef>,
}

/// A form that was sent.
pub(crate) struct Form {
    /// Who sent it.
    pub(crate) visit: Visit,
    /// What it says.
    pub(crate) fields: Fields,
    path: String,
    digest: String,
}

/// What was typed, in the order of the form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

/// Largest form, in bytes.
const FORM_MAX: usize = 64 * 1024;
/// Most fields of a form or a query.
const FIELDS_MAX: usize = 200;

impl FromRequestParts<Door> for Visit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let Request { ctx, cart, .. } = Request::from_request_parts(parts, door).await?;
        Ok(Self { ctx: Context { source: Source::Page, ..ctx }, cart })
    }
}

impl FromRequest<Door> for Form {
    type Rejection = Problem;

    /// Forms of other sites are refused, also without a cookie: they must not fill a stranger's cart either.
    async fn from_request(request: axum::extract::Request, door: &Door) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, door).await?;
        if is_foreign(&parts) {
            let message = "this form was sent by another site";
            return Err(Refusal::new(Code::OriginRefused, message).into());
        }
        let path = parts.uri.path().to_owned();
        let headers = parts.headers.clone();
        let client = Client::of(&parts.extensions).copied();
        let whole = axum::extract::Request::from_parts(parts, body);
        let RawBody(bytes) = RawBody::from_request(whole, door).await?;
        door.charge_write(client.as_ref(), bytes.len())?;
        let fields = Fields::read(headers.get(header::CONTENT_TYPE), &bytes)?;
        Ok(Self { visit, fields, path, digest: digest(&headers, &bytes) })
    }
}

impl Form {
    /// The request with the key that the page had in its form, so that two clicks are one.
    pub(crate) fn once(&self, cart_id: CartId, key: &str) -> Result<Context, Problem> {
        let key = Idempotency::read_key(key)
            .map_err(|_| Refusal::field("/key", "must be the one of the form"))?;
        let scope = format!("{cart_id} POST {}", self.path);
        let idempotency = Idempotency { scope, key, digest: self.digest.clone() };
        Ok(Context { idempotency: Some(idempotency), ..self.visit.ctx.clone() })
    }
}

impl Fields {
    fn read(kind: Option<&HeaderValue>, bytes: &Bytes) -> Result<Self, Problem> {
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") && !bytes.is_empty() {
            let refusal = Refusal::new(Code::InputInvalid, "this address takes a form");
            return Err(Problem::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, refusal));
        }
        let pairs: Vec<_> =
            form_urlencoded::parse(bytes).into_owned().take(FIELDS_MAX + 1).collect();
        if bytes.len() > FORM_MAX || pairs.len() > FIELDS_MAX {
            return Err(Refusal::new(Code::TooLarge, "the form is too large").into());
        }
        Ok(Self(pairs))
    }

    /// What the query of an address says; fields beyond the limit are passed over.
    pub(crate) fn of_query(uri: &Uri) -> Self {
        let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        Self(pairs.into_owned().take(FIELDS_MAX).collect())
    }

    /// Fields from elsewhere, such as what is known already.
    pub(crate) fn from_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// What a field says; empty if it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Whether there is a field of this name, whatever it says.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// All fields with what they say.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What a field says, if it says anything.
    pub(crate) fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name).trim()).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// Whether none of these fields says anything.
    pub(crate) fn are_empty(&self, names: &[&str]) -> bool {
        names.iter().all(|name| self.some(name).is_none())
    }
}

/// The cookie by which the browser comes back to a cart.
pub(crate) fn remember(door: &Door, cart: &OwnedCart) -> Option<HeaderValue> {
    let is_secure = door.settings().public_url.starts_with("https://");
    let lives = cart.view.cart.expires_at.duration_since(door.system().now()).as_millis();
    cart_cookie(&cart.token, i64::try_from(lives).unwrap_or(i64::MAX).max(0), is_secure)
}
