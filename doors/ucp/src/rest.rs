//! The REST binding: one route for each operation, headers in and out, and the errors of the transport.

use axum::{
    Router,
    extract::{FromRequest as _, RawPathParams, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{MethodFilter, any, on},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use handel_domain::{Code, Refusal, order::Source};
use handel_engine::Idempotency;
use handel_kit::{AgentBody, Client, refusal_of, reworded};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    Answer, Call, Operation, Request, TransportError, Ucp, Version,
    neutral::refusal::{Told, tell},
    profile_of,
};

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The routes of every version.
pub(crate) fn router(ucp: &Ucp) -> Router {
    let routes = |version: Version| of_version(ucp, version);
    Version::ALL.into_iter().map(routes).fold(Router::new(), Router::merge)
}

/// The operations of the capabilities that a version has, and nothing else.
fn of_version(ucp: &Ucp, version: Version) -> Router {
    let (endpoint, capabilities) = (version.endpoint(), version.codec().capabilities());
    let has = |operation: &Operation| {
        capabilities.iter().any(|capability| capability.name == operation.capability())
    };
    let router = Router::new()
        .route(&endpoint, any(async || nothing_here()))
        .route(&format!("{endpoint}/{{*rest}}"), any(async || nothing_here()));
    let route = |router: Router<Ucp>, operation: Operation| {
        let route = Route { version, operation };
        let handle = move |state, params, request| handle(state, route, params, request);
        let method =
            MethodFilter::try_from(operation.method()).expect("a method that can be routed");
        router.route(&format!("{endpoint}{}", operation.path()), on(method, handle))
    };
    let routes = Operation::ALL.into_iter().filter(has).fold(router, route);
    routes.method_not_allowed_fallback(async || wrong_method()).with_state(ucp.clone())
}

/// What a route is for.
#[derive(Clone, Copy)]
struct Route {
    version: Version,
    operation: Operation,
}

async fn handle(
    State(ucp): State<Ucp>,
    route: Route,
    params: RawPathParams,
    request: axum::extract::Request,
) -> Response {
    let id = params.iter().find(|(name, _)| *name == "id").map(|(_, id)| id.to_owned());
    let answer = answer(&ucp, route, id, request).await;
    respond(&ucp, route, answer.unwrap_or_else(Answer::from))
}

async fn answer(
    ucp: &Ucp,
    Route { version, operation }: Route,
    id: Option<String>,
    request: axum::extract::Request,
) -> Result<Answer, TransportError> {
    let (method, uri, headers) =
        (request.method().clone(), request.uri().clone(), request.headers().clone());
    // Who does not say who they are is turned away before anything is read for them.
    let agent = profile_of(&headers);
    let agreement = ucp.meet(version, agent.as_deref()).await?;
    let client = Client::of(request.extensions()).copied();
    let body = AgentBody::from_request(request, ucp.door()).await;
    let AgentBody(body) = body.map_err(|problem| unread(&problem.refusal))?;
    let signed = Request { method: &method, uri: &uri, headers: &headers, body: &body };
    ucp.check_signature(signed, operation, &agreement).await?;
    ucp.charge(operation, client.as_ref(), body.len())?;
    let payload = match operation.takes_body() {
        true => read_json(&headers, &body)?,
        false => Value::Null,
    };
    let call = Call {
        operation,
        version,
        agent,
        id,
        payload,
        idempotency: idempotency(&headers, &body)?,
        source: Source::Ucp,
        request_id: handel_kit::request_id(ucp.door()),
    };
    Ok(ucp.answer_agreed(&call, &agreement).await)
}

/// The key of a request, and the digest of its body as it was sent (UCP, "Replay Protection").
fn idempotency(
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Option<(String, String)>, TransportError> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = Idempotency::read_key(value.to_str().unwrap_or_default());
    let key = key.map_err(|refusal| TransportError::malformed(refusal.message))?;
    Ok(Some((key, URL_SAFE_NO_PAD.encode(Sha256::digest(body)))))
}

/// Why a body could not be read.
fn unread(refusal: &Refusal) -> TransportError {
    match refusal.code {
        Code::TooLarge => TransportError::new(413, "request_too_large", &*refusal.message),
        _ => TransportError::malformed(&*refusal.message),
    }
}

fn read_json(headers: &HeaderMap, body: &[u8]) -> Result<Value, TransportError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let content = "the body must be sent with Content-Type: application/json";
        return Err(TransportError::new(415, "unsupported_media_type", content));
    }
    serde_json::from_slice(body).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        TransportError::malformed(format!("the body is not valid JSON at {place}"))
    })
}

fn respond(ucp: &Ucp, Route { version, operation }: Route, answer: Answer) -> Response {
    let (status, body, retry_after_ms) = match answer {
        Answer::Resource { created, body } => {
            (if created { StatusCode::CREATED } else { StatusCode::OK }, body, None)
        }
        Answer::Transport(error) => {
            let status = StatusCode::from_u16(error.status);
            (
                status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                version.codec().error(&error),
                error.retry_after_ms,
            )
        }
    };
    let body = body.to_string();
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(ms) = retry_after_ms {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000).max(1)));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Signature"));
    }
    if operation.is_signed() && status.is_success() {
        ucp.sign(status, &mut headers, body.as_bytes());
    }
    (status, headers, body).into_response()
}

/// The answer of an address that no operation has.
pub(crate) fn nothing_here() -> Response {
    bare(&TransportError::new(404, "not_found", "there is no such operation"))
}

fn wrong_method() -> Response {
    bare(&TransportError::new(405, "method_not_allowed", "this address does not take this method"))
}

fn bare(error: &TransportError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CONTENT_TYPE, "application/json")], error.body().to_string()).into_response()
}

/// See [`Ucp::dressed`].
pub(crate) fn dressed(ucp: &Ucp, router: Router) -> Router {
    router.layer(from_fn_with_state(ucp.clone(), dress))
}

async fn dress(State(ucp): State<Ucp>, request: axum::extract::Request, next: Next) -> Response {
    let path = request.uri().path();
    let is_below = |version: Version| {
        let rest = path.strip_prefix(&version.endpoint());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // Other bindings have another form.
    let is_other = ucp.settings().bindings.iter().any(|(.., endpoint)| endpoint == path);
    let is_own = !is_other && Version::ALL.into_iter().any(is_below);
    let response = next.run(request).await;
    let told = refusal_of(&response).filter(|_| is_own).map(|refusal| tell(refusal.clone().into()));
    match told {
        Some(Told::Transport(error)) => reworded(response, &error.body()),
        _ => response,
    }
}
