//! What went wrong, as a page: for browsers, wherever no program is meant to look.

use askama::Template;
use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
};
use handel_domain::{id::TenantId, order::Source};
use handel_engine::{Caller, Context};
use handel_kit::Door;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::{
    catalog,
    page::{Frame, Link, Privacy, show},
    words::{ENGLISH, Words},
};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    w: &'static Words,
    frame: Frame,
    heading: &'static str,
    text: &'static str,
    /// The request, for the merchant's log; empty where it is of no use.
    reference: String,
    /// Whether the same form can be sent again.
    may_repeat: bool,
    /// Where to go on, on a page that does not exist.
    categories: Vec<Link>,
}

/// What is made for programs: at these addresses and below them, errors stay what they are.
const PROGRAMS: [&str; 9] = [
    "/.well-known",
    "/api",
    "/docs",
    "/health",
    "/mcp",
    "/media",
    "/metrics",
    "/openapi.json",
    "/ucp",
];

/// Puts the pages for errors around all routes, also around the limits that every request passes.
pub fn dressed(door: &Door, router: Router) -> Router {
    router.layer(from_fn_with_state(door.clone(), dress))
}

async fn dress(State(door): State<Door>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_page = wants_html(request.headers()) && !is_for_programs(path);
    let (method, is_checkout) = (request.method().clone(), path.starts_with("/checkout"));
    let response = next.run(request).await;
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/problem+json");
    if !(is_page && is_problem) {
        return response;
    }
    as_page(&door, response, &method, is_checkout).await
}

fn is_for_programs(path: &str) -> bool {
    let below = |program: &&str| path.strip_prefix(*program);
    PROGRAMS.iter().filter_map(below).any(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    { accepted }.any(|accept| accept.contains("text/html"))
}

/// The same answer with another body: status, request id and the time to wait stay.
async fn as_page(door: &Door, response: Response, method: &Method, is_checkout: bool) -> Response {
    let status = response.status();
    let reference = match status.is_server_error() {
        true => response.headers().get("x-request-id").and_then(|id| id.to_str().ok()),
        false => None,
    };
    let (heading, text) = what_happened(status, is_checkout);
    let is_lost = status == StatusCode::NOT_FOUND && !is_checkout;
    let page = ErrorPage {
        w: &ENGLISH,
        frame: frame(door, heading, status).await.private(),
        categories: if is_lost { categories(door).await } else { Vec::new() },
        heading,
        text,
        reference: reference.unwrap_or_default().to_owned(),
        may_repeat: *method == Method::POST && status == StatusCode::SERVICE_UNAVAILABLE,
    };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_TYPE);
    parts.headers.remove(header::CONTENT_LENGTH);
    let (made, body) = show(door, status, Privacy::Personal, &page).into_parts();
    for (name, value) in &made.headers {
        parts.headers.insert(name, value.clone());
    }
    parts.headers.insert(header::VARY, HeaderValue::from_static("accept, cookie, handel-channel"));
    Response::from_parts(parts, body)
}

/// With what the channel says, where asking for it makes nothing worse.
async fn frame(door: &Door, heading: &str, status: StatusCode) -> Frame {
    let unasked = || Frame {
        shop: door.settings().shop_name.clone().unwrap_or_default(),
        ..Frame::new(heading)
    };
    if status.is_server_error() {
        return unasked();
    }
    match door.engine().get_channel(&context(door)).await {
        Ok(channel) => Frame::of(door, heading, &channel),
        Err(_) => unasked(),
    }
}

async fn categories(door: &Door) -> Vec<Link> {
    let tree = door.engine().list_categories(&context(door)).await;
    catalog::links(&tree.unwrap_or_default())
}

fn context(door: &Door) -> Context {
    Context {
        tenant_id: TenantId::DEFAULT,
        channel: None,
        caller: Caller::Shopper(None),
        request_id: door.engine().request_id(),
        idempotency: None,
        source: Source::Page,
    }
}

fn what_happened(status: StatusCode, is_checkout: bool) -> (&'static str, &'static str) {
    let w = &ENGLISH;
    match status {
        StatusCode::NOT_FOUND if is_checkout => (w.no_checkout, w.no_checkout_text),
        StatusCode::NOT_FOUND => (w.not_found, w.not_found_text),
        StatusCode::GONE => (w.link_expired, w.link_expired_text),
        StatusCode::FORBIDDEN => (w.foreign, w.foreign_text),
        StatusCode::METHOD_NOT_ALLOWED => (w.wrong_method, w.wrong_method_text),
        StatusCode::SERVICE_UNAVAILABLE => (w.busy, w.busy_text),
        status if status.is_server_error() => (w.broken, w.broken_text),
        _ => (w.refused, w.refused_text),
    }
}
