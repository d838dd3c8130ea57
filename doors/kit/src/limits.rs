//! What every request passes through: an id, a body that is there, a time limit, limits of requests at once, a net
//! for panics, counters, and one form for errors that no handler made.

use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use handel_domain::{Code, Refusal};
use http::{HeaderName, HeaderValue, StatusCode, Version, header};

use crate::{
    Client, Door, Problem,
    bodies::Bodies,
    client::Peer,
    problem::{CURRENT, refusal_of},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// When a caller that was turned away should come back, in milliseconds.
const RETRY_MS: u64 = 1_000;

#[derive(Clone)]
struct Gate {
    door: Door,
    bodies: Arc<Bodies>,
    under_way: Arc<AtomicUsize>,
}

/// Puts the limits around all routes of all doors.
pub fn layered(door: &Door, router: Router) -> Router {
    let gate = Gate { door: door.clone(), bodies: Arc::default(), under_way: Arc::default() };
    router.fallback(async || nothing_here()).layer(from_fn_with_state(gate, pass))
}

async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let door = &gate.door;
    let id = door.engine().request_id();
    let begun = door.system().now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let is_ops =
        route.as_deref().is_some_and(|route| route.starts_with("/health") || route == "/metrics");
    let run = run(&gate, is_ops, request, next);
    let mut response = CURRENT.scope(id, run).await;
    finish(&mut response, &id.to_string());
    let refused = refusal_of(&response).map(|refusal| refusal.code);
    let took = door.system().now().duration_since(begun);
    door.metrics().request(
        &method,
        route.as_deref().unwrap_or("unmatched"),
        response.status(),
        took,
        refused,
    );
    if response.status().is_server_error() {
        tracing::warn!(request = %id, %method, route, status = response.status().as_u16(), "a request failed");
    } else {
        tracing::debug!(request = %id, %method, route, status = response.status().as_u16(), "a request");
    }
    response
}

/// Lets a request in once all of it is there and if there is room, and ends it when its time is over or it panics.
async fn run(gate: &Gate, is_ops: bool, mut request: Request, next: Next) -> Response {
    let settings = gate.door.settings();
    if let Err(problem) = check_head(&request) {
        return closing(request.version(), problem);
    }
    let peer = request.extensions().get::<Peer>();
    if let Some(client) = Client::find(peer, request.headers(), &settings.trusted_proxies) {
        request.extensions_mut().insert(client);
    }
    let version = request.version();
    let (request, _held) = match gate.bodies.receive(&gate.door, request).await {
        Ok(received) => received,
        Err(problem) => return closing(version, problem),
    };
    let Some(_place) = Place::take(gate, is_ops) else {
        return Problem::from(overloaded("too many requests at once")).into_response();
    };
    let caught = AssertUnwindSafe(next.run(request)).catch_unwind();
    match gate.door.system().within(settings.request_timeout, caught).await {
        Some(Ok(response)) => as_problem(response),
        Some(Err(_)) => {
            tracing::error!("a handler panicked");
            Problem::from(Refusal::new(Code::Internal, "something went wrong; it was logged"))
                .into_response()
        }
        None => {
            let refusal = Refusal::new(
                Code::DeadlineExceeded,
                "the request took too long; repeat it with the same key",
            );
            Problem::from(refusal.retry_after_ms(RETRY_MS)).into_response()
        }
    }
}

/// There is no room at the moment.
pub(crate) fn overloaded(why: &str) -> Refusal {
    Refusal::new(Code::Overloaded, format!("{why}; come back shortly")).retry_after_ms(RETRY_MS)
}

/// An answer to a request whose body was not read to its end: on HTTP/1 nothing can follow it.
fn closing(version: Version, problem: Problem) -> Response {
    let mut response = problem.into_response();
    if version < Version::HTTP_2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Refuses what two servers in a row could read as different requests (RFC 9112 §3.2, §6.1). Only what came over a
/// connection is looked at.
fn check_head(request: &Request) -> Result<(), Problem> {
    if request.extensions().get::<Peer>().is_none() {
        return Ok(());
    }
    let (headers, version) = (request.headers(), request.version());
    let hosts = headers.get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && version == Version::HTTP_11) {
        let refusal = Refusal::new(Code::InputInvalid, "the request must have one Host header");
        return Err(Problem::with_status(StatusCode::BAD_REQUEST, refusal));
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    if codings.next().is_some_and(|first| !is_chunked(first)) || codings.next().is_some() {
        let refusal = Refusal::new(
            Code::InputInvalid,
            "the only transfer coding that is understood is chunked",
        );
        return Err(Problem::with_status(StatusCode::NOT_IMPLEMENTED, refusal));
    }
    Ok(())
}

/// Errors of the router itself get the form that all errors have.
fn as_problem(response: Response) -> Response {
    let is_bare = !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED if is_bare => {
            let allow = response.headers().get(header::ALLOW).cloned();
            let refusal =
                Refusal::new(Code::MethodNotAllowed, "this address does not take this method");
            Problem::from(refusal).allow(allow).into_response()
        }
        // A part of a door that brings its own router, such as the page of the documentation.
        StatusCode::NOT_FOUND if is_bare => nothing_here().into_response(),
        _ => response,
    }
}

fn nothing_here() -> Problem {
    Refusal::new(Code::NotFound, "there is nothing at this address").into()
}

fn finish(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    let kind = headers.get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        // A page that has no policy of its own may do nothing, and none may be shown inside of another.
        headers
            .entry(header::CONTENT_SECURITY_POLICY)
            .or_insert(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
        headers.entry(header::X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("DENY"));
    }
}

/// A request's place among those that are worked on at once. Health and metrics need none.
struct Place(Option<Arc<AtomicUsize>>);

impl Place {
    fn take(gate: &Gate, is_ops: bool) -> Option<Self> {
        if is_ops {
            return Some(Self(None));
        }
        let settings = gate.door.settings();
        let before = gate.under_way.fetch_add(1, Ordering::AcqRel);
        let place = Self(Some(gate.under_way.clone()));
        // Many requests may wait for a slow provider, but few for the database: what stands before it delays
        // everybody, also those who are about to pay.
        let has_room =
            before < settings.requests_max && gate.door.engine().waiting() <= settings.queue_max;
        has_room.then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(under_way) = &self.0 {
            under_way.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
