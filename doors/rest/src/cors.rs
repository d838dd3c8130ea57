//! Which web pages may call the storefront interface from a browser (Fetch standard, section 3.3): those whose origin the
//! channel names.
//!
//! Answers never allow credentials: a page of another site owns a cart by its token, not by a cookie. The routes of staff
//! are for servers and allow no origin.

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use handel_domain::channel::Settings;
use handel_kit::{Door, Problem, Request as Asked};
use http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};

/// What a page may send.
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Accept-Language, Cart-Token, Content-Type, Handel-Channel, Idempotency-Key, If-Match, If-None-Match, Order-Token",
);
const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
/// What a page may read besides the body.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "Cart-Token, ETag, Idempotent-Replayed, Location, Retry-After, X-Request-Id",
);
/// How long a browser may remember what was allowed, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// Answers what a browser asks before it calls, and names the origin in the answers to calls.
pub(crate) async fn allow_origins(
    State(door): State<Door>,
    request: Request,
    next: Next,
) -> Response {
    let Some(origin) = request.headers().get(header::ORIGIN).cloned() else {
        return with_vary(next.run(request).await);
    };
    let (mut parts, body) = request.into_parts();
    let is_preflight = parts.method == Method::OPTIONS
        && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if is_preflight {
        return match is_allowed_anywhere(&door, &mut parts, &origin).await {
            Ok(true) => preflight(&origin),
            Ok(false) => with_vary(StatusCode::NO_CONTENT.into_response()),
            Err(problem) => problem.into_response(),
        };
    }
    let allowed = is_allowed(&door, &mut parts, &origin).await.unwrap_or(false);
    let mut response = with_vary(next.run(Request::from_parts(parts, body)).await);
    if allowed {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    }
    response
}

/// Whether the channel that is called names the origin.
async fn is_allowed(door: &Door, parts: &mut Parts, origin: &HeaderValue) -> Result<bool, Problem> {
    let asked = Asked::from_request_parts(parts, door).await?;
    let channel = door.engine().get_channel(&asked.ctx).await?;
    Ok(covers(&channel.settings, origin))
}

/// Whether any channel names the origin: a browser asks before it says which one it will call.
async fn is_allowed_anywhere(
    door: &Door,
    parts: &mut Parts,
    origin: &HeaderValue,
) -> Result<bool, Problem> {
    let asked = Asked::from_request_parts(parts, door).await?;
    let channels = door.engine().list_channels(&asked.ctx).await?;
    Ok(channels.iter().any(|channel| covers(&channel.settings, origin)))
}

fn covers(settings: &Settings, origin: &HeaderValue) -> bool {
    origin.to_str().is_ok_and(|origin| settings.allows_origin(origin))
}

fn preflight(origin: &HeaderValue) -> Response {
    let mut response = with_vary(StatusCode::NO_CONTENT.into_response());
    let allowed: [(HeaderName, HeaderValue); 4] = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone()),
        (header::ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
        (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
    ];
    response.headers_mut().extend(allowed);
    response
}

/// Says to caches that the answer depends on the origin, also where none was sent.
fn with_vary(mut response: Response) -> Response {
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Origin"));
    response
}
