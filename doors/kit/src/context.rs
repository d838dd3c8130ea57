//! Who is asking: an API key, a shopper with a cart token, or anybody.

use axum::extract::{FromRequest, FromRequestParts};
use handel_domain::{
    Code, Refusal,
    id::{RequestId, TenantId},
    order::Source,
    text::Slug,
};
use handel_engine::{Caller, CartRef, Context};
use http::{HeaderMap, HeaderValue, Method, header, request::Parts, uri::Authority};
use serde::de::DeserializeOwned;

use crate::{
    Client, Door, Problem,
    extract::{read_body, read_json},
    idempotency::idempotency,
    problem::CURRENT,
};

/// The header by which programs own a cart.
pub const CART_TOKEN: &str = "cart-token";
/// The cookie by which browsers own a cart.
pub const CART_COOKIE: &str = "handel_cart";
pub(crate) const CHANNEL: &str = "handel-channel";

/// A request that only reads.
pub struct Request {
    /// Who asks, for which shop.
    pub ctx: Context,
    /// The cart that the request comes with.
    pub cart: Option<CartRef>,
    /// The headers.
    pub headers: HeaderMap,
}

/// A request that changes something, with its JSON body. A body that is not needed may be absent.
pub struct Write<T> {
    /// Who asks, for which shop, with the idempotency key if one was sent.
    pub ctx: Context,
    /// The cart that the request comes with.
    pub cart: Option<CartRef>,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: T,
}

impl FromRequestParts<Door> for Request {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, door: &Door) -> Result<Self, Problem> {
        let Identity(ctx, cart) = identify(parts, door).await?;
        Ok(Self { ctx, cart, headers: parts.headers.clone() })
    }
}

impl<T: DeserializeOwned> FromRequest<Door> for Write<T> {
    type Rejection = Problem;

    async fn from_request(request: axum::extract::Request, door: &Door) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Identity(mut ctx, cart) = identify(&mut parts, door).await?;
        let bytes = read_body(body, door.settings().body_max).await?;
        if !matches!(ctx.caller, Caller::ApiKey { .. }) {
            door.charge_write(Client::of(&parts.extensions), bytes.len())?;
        }
        if bytes.trim_ascii_start().starts_with(b"[") {
            // A list would be read as the fields in the order of their declaration, which is nobody's to know.
            return Err(Refusal::field("", "must be an object").into());
        }
        let value = match bytes.is_empty() {
            // A request without a body has the body `null` where that is enough, else `{}`, also where a client
            // names a content type all the same.
            true => serde_json::from_str("null")
                .or_else(|_| serde_json::from_str("{}"))
                .or_else(|_| read_json(&parts.headers, &bytes))?,
            false => read_json(&parts.headers, &bytes)?,
        };
        ctx.idempotency = idempotency(&parts, &ctx, &bytes)?;
        Ok(Self { ctx, cart, headers: parts.headers, body: value })
    }
}

/// Who asks, for which shop, and with which cart. Found out once for each request.
#[derive(Clone)]
pub(crate) struct Identity(pub(crate) Context, Option<CartRef>);

pub(crate) async fn identify(parts: &mut Parts, door: &Door) -> Result<Identity, Problem> {
    if let Some(known) = parts.extensions.get::<Identity>() {
        return Ok(known.clone());
    }
    let identity = find_out(parts, door).await?;
    parts.extensions.insert(identity.clone());
    Ok(identity)
}

async fn find_out(parts: &Parts, door: &Door) -> Result<Identity, Problem> {
    let request_id = request_id(door);
    let (tenant_id, key) = match bearer(&parts.headers)? {
        Some(key) => {
            let (tenant_id, caller) = door.engine().authenticate(key).await?;
            (tenant_id, Some(caller))
        }
        None => (TenantId::DEFAULT, None),
    };
    let cart = cart(parts)?;
    let cart_id = cart.as_ref().and_then(|cart| door.engine().read_cart_token(&cart.token));
    let channel = match parts.headers.get(CHANNEL) {
        Some(value) => {
            let code = value.to_str().ok().and_then(|text| text.parse::<Slug>().ok());
            Some(
                code.ok_or_else(|| Refusal::new(Code::ChannelUnknown, "there is no such channel"))?,
            )
        }
        None => None,
    };
    let ctx = Context {
        tenant_id,
        channel,
        caller: key.unwrap_or(Caller::Shopper(cart_id)),
        request_id,
        idempotency: None,
        source: Source::Rest,
    };
    Ok(Identity(ctx, cart))
}

/// The id of the request that this task works on, which its answer and the log have too.
pub fn request_id(door: &Door) -> RequestId {
    CURRENT.try_with(|id| *id).unwrap_or_else(|_| door.engine().request_id())
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    match text.split_once(' ') {
        // The scheme is case-insensitive (RFC 9110 §11.1).
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(key.trim())),
        _ => Err(Refusal::new(
            Code::CredentialInvalid,
            "the Authorization header must be `Bearer` and a key",
        )
        .into()),
    }
}

/// The cart by header, else by cookie. A cookie is sent by the browser whoever made the request, so it
/// changes nothing for requests that another site made.
fn cart(parts: &Parts) -> Result<Option<CartRef>, Problem> {
    let headers = &parts.headers;
    if let Some(value) = headers.get(CART_TOKEN) {
        let token = value.to_str().unwrap_or_default().to_owned();
        return Ok(Some(CartRef { token }));
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let Some((_, token)) = { pairs }.find(|(name, _)| *name == CART_COOKIE) else {
        return Ok(None);
    };
    if !is_safe(&parts.method) && is_foreign(parts) {
        return Err(
            Refusal::new(Code::OriginRefused, "this request was made by another site").into()
        );
    }
    Ok(Some(CartRef { token: token.to_owned() }))
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether the browser says that another site made this request. Whoever is no browser says nothing.
pub fn is_foreign(parts: &Parts) -> bool {
    let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    // HTTP/2 says in the address what HTTP/1 says in the header.
    let authority = parts.uri.authority().map(Authority::as_str);
    let host = text("host").or(authority).unwrap_or_default();
    let origin =
        text("origin").map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
    origin.is_some_and(|origin| origin != host)
}

/// The cookie that lets a browser come back to its cart.
pub fn cart_cookie(token: &str, max_age_ms: i64, is_secure: bool) -> Option<HeaderValue> {
    let secure = if is_secure { "; Secure" } else { "" };
    let seconds = max_age_ms / 1_000;
    format!("{CART_COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
        .parse()
        .ok()
}
