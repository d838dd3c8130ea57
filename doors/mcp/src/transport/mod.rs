//! Streamable HTTP: one address for every revision of the protocol.
//!
//! Owns what is true for any server behind it: which hosts and origins may ask, how large a request may be, how
//! many sessions there are and how long they live, and that every error is one of JSON-RPC. Refuses to know what
//! the server offers, so that the fixtures of the conformance kit run on exactly this.
//!
//! Revision 2026-07-28 has no sessions; before it, a client that says `initialize` gets one. A client that only
//! posts calls, as simple ones do, needs none either.

mod probe;
mod refusal;
mod settings;
mod verdict;

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::{Body, Bytes},
    response::Response,
};
use handel_kit::{Client, read_body};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header, request::Parts};
use rmcp::{
    ServerHandler,
    transport::{
        StreamableHttpService,
        streamable_http_server::session::{SessionId, local::LocalSessionManager},
    },
};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

pub(crate) use self::refusal::worded;
use self::{probe::Probe, refusal::Wrong};
pub use self::{settings::TransportSettings, verdict::Verdict};

const SESSION_ID: &str = "mcp-session-id";
/// What a client has to accept, as the library insists on it.
const ACCEPT_BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
/// One client may have this part of all sessions.
const CLIENT_PART: usize = 8;
/// How long a client that finds no room should wait, in seconds.
const RETRY_S: u64 = 5;

/// A message as it was posted, byte by byte, for servers that check what was signed. It lies among the extensions of
/// the request, beside the [`Verdict`].
#[derive(Clone, Debug)]
pub struct Posted {
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// A server of the Model Context Protocol on an HTTP address. Clones share its sessions.
pub struct Transport<H>(Arc<Shared<H>>);

struct Shared<H> {
    with_sessions: StreamableHttpService<H, LocalSessionManager>,
    without_sessions: StreamableHttpService<H, LocalSessionManager>,
    sessions: Arc<LocalSessionManager>,
    sessions_max: usize,
    body_max: usize,
    /// Whose sessions they are, as far as that is known. One session is opened at a time, so that their number is
    /// exact.
    owners: Mutex<HashMap<SessionId, Client>>,
}

impl<H> Clone for Transport<H> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<H: ServerHandler + Clone + Sync> Transport<H> {
    /// Serves `handler` until `stop` is canceled, which also ends sessions and streams.
    pub fn new(settings: &TransportSettings, handler: H, stop: &CancellationToken) -> Self {
        let sessions = Arc::new(settings.session_manager());
        let config = settings.config(stop);
        let plain = config.clone().with_legacy_session_mode(false).with_json_response(true);
        let another = handler.clone();
        Self(Arc::new(Shared {
            with_sessions: StreamableHttpService::new(
                move || Ok(handler.clone()),
                sessions.clone(),
                config,
            ),
            without_sessions: StreamableHttpService::new(
                move || Ok(another.clone()),
                Arc::default(),
                plain,
            ),
            sessions,
            sessions_max: settings.sessions_max,
            body_max: settings.body_max,
            owners: Mutex::default(),
        }))
    }

    /// Answers a request of any method.
    pub async fn serve(&self, request: Request<Body>) -> Response {
        match self.answer(request).await {
            Ok(response) => refusal::shaped(response).await,
            Err(wrong) => wrong.into(),
        }
    }

    async fn answer(&self, request: Request<Body>) -> Result<Response, Wrong> {
        let (mut parts, body) = request.into_parts();
        let verdict = Verdict::default();
        parts.extensions.insert(verdict.clone());
        if parts.method != Method::POST {
            let is_end = parts.method == Method::DELETE;
            let mut response = self.in_session(Request::from_parts(parts, body)).await;
            if is_end && response.status() == StatusCode::ACCEPTED {
                // The session has ended, and clients look for a status that says so.
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            return Ok(response);
        }
        let bytes = self.read(body).await?;
        let probe = Probe::read(&parts.headers, &bytes)?;
        parts.extensions.insert(Posted { headers: parts.headers.clone(), body: bytes.clone() });
        let is_session = parts.headers.contains_key(SESSION_ID);
        let (opens_session, is_message) =
            (probe.is_initialize() && !is_session, probe.is_message());
        let response = if opens_session {
            self.open_session(request_of(parts, bytes)).await?
        } else if is_session {
            self.in_session(request_of(parts, bytes)).await
        } else {
            parts.headers.insert(header::ACCEPT, ACCEPT_BOTH);
            let response = self.0.without_sessions.handle(request_of(parts, bytes)).await;
            response.map(Body::new)
        };
        if is_message && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            // Its type is right; the library means what is in it.
            return Err(Wrong::new(StatusCode::BAD_REQUEST, "the message cannot be understood"));
        }
        Ok(verdict.applied(response).await)
    }

    async fn read(&self, body: Body) -> Result<Bytes, Wrong> {
        let read = read_body(body, self.0.body_max).await;
        read.map_err(|problem| Wrong::new(problem.status(), &*problem.refusal.message))
    }

    async fn in_session(&self, request: Request<Body>) -> Response {
        self.0.with_sessions.handle(request).await.map(Body::new)
    }

    /// A session lives in memory until its client ends it or has been silent for too long.
    async fn open_session(&self, request: Request<Body>) -> Result<Response, Wrong> {
        let mut owners = self.0.owners.lock().await;
        let client = Client::of(request.extensions()).copied();
        let (all, own) = {
            let open = self.0.sessions.sessions.read().await;
            owners.retain(|id, _| open.contains_key(id));
            let own = owners.values().filter(|owner| Some(**owner) == client).count();
            (open.len(), own)
        };
        if all >= self.0.sessions_max || own >= self.0.sessions_max.div_ceil(CLIENT_PART) {
            let wrong = Wrong::new(StatusCode::SERVICE_UNAVAILABLE, "there are too many sessions");
            return Err(wrong.retry_after(RETRY_S));
        }
        let response = self.in_session(request).await;
        let id = response.headers().get(SESSION_ID).and_then(|id| id.to_str().ok());
        if let (Some(id), Some(client)) = (id, client) {
            owners.insert(id.into(), client);
        }
        Ok(response)
    }
}

fn request_of(parts: Parts, bytes: Bytes) -> Request<Body> {
    Request::from_parts(parts, Body::from(bytes))
}
