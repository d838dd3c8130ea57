//! Who asks, carried from the HTTP request to the tool.

use axum::{body::Body, extract::FromRequestParts};
use handel_domain::order::Source;
use handel_engine::{Caller, Context, Error};
use handel_kit::{Client, Door, Problem, status_of};
use http::{Request, StatusCode, header, request::Parts};
use rmcp::{
    ErrorData, RoleServer,
    model::{ErrorCode, Extensions},
    service::RequestContext,
};
use serde_json::json;

use crate::transport::{Posted, Verdict};

/// JSON-RPC leaves this to servers; UCP uses it for who may ask how often, and for keys that were used before.
pub(crate) const REFUSED: ErrorCode = ErrorCode(-32000);

/// A request of the protocol, with who sent it.
pub(crate) struct Asked<'a> {
    pub(crate) ctx: &'a Context,
    parts: &'a Parts,
    verdict: Verdict,
}

/// Puts the context of a request beside it. Cookies do not count here: a page of another site could have made a
/// browser send them.
pub(crate) async fn identified(
    door: &Door,
    request: Request<Body>,
) -> Result<Request<Body>, Problem> {
    let (mut parts, body) = request.into_parts();
    let headers = parts.headers.clone();
    parts.headers.remove(header::COOKIE);
    let handel_kit::Request { ctx, .. } =
        handel_kit::Request::from_request_parts(&mut parts, door).await?;
    // What was signed must stay as it was sent.
    parts.headers = headers;
    let caller = match ctx.caller {
        key @ Caller::ApiKey { .. } => key,
        _ => Caller::Shopper(None),
    };
    parts.extensions.insert(Context { caller, source: Source::Mcp, ..ctx });
    Ok(Request::from_parts(parts, body))
}

impl<'a> Asked<'a> {
    /// Fails only where somebody put the server behind another transport.
    pub(crate) fn of(context: &'a RequestContext<RoleServer>) -> Result<Self, ErrorData> {
        let extensions: &Extensions = &context.extensions;
        let parts = extensions.get::<Parts>();
        let found = parts.and_then(|parts| Some((parts, parts.extensions.get::<Context>()?)));
        let (parts, ctx) = found.ok_or_else(|| ErrorData::internal_error("nobody asked", None))?;
        Ok(Self { ctx, parts, verdict: Verdict::of(extensions) })
    }

    /// The request as it was sent, for its signature.
    pub(crate) fn sent(&self) -> handel_ucp::Request<'_> {
        let posted = self.parts.extensions.get::<Posted>();
        handel_ucp::Request {
            method: &self.parts.method,
            uri: &self.parts.uri,
            headers: posted.map_or(&self.parts.headers, |posted| &posted.headers),
            body: posted.map_or(&[], |posted| &posted.body),
        }
    }

    /// The client that sent it, if it is known.
    pub(crate) fn client(&self) -> Option<&Client> {
        Client::of(&self.parts.extensions)
    }

    /// An error that is answered under an HTTP status of its own.
    pub(crate) fn failed(
        &self,
        status: StatusCode,
        error: ErrorData,
        retry_after_ms: Option<u64>,
    ) -> ErrorData {
        let seconds = retry_after_ms.map(|ms| ms.div_ceil(1_000).max(1));
        self.verdict.say(status, seconds);
        error
    }

    /// What the engine refused, as an error of JSON-RPC. What went wrong inside goes to the log.
    pub(crate) fn refused(&self, error: &Error) -> ErrorData {
        if let Some(source) = &error.source {
            let request = self.ctx.request_id;
            tracing::error!(%request, code = %error.code(), %source, "a tool failed");
        }
        let refusal = &error.refusal;
        let (status, retry) = (status_of(refusal.code), refusal.details.retry_after_ms);
        let code = match status {
            StatusCode::INTERNAL_SERVER_ERROR => ErrorCode::INTERNAL_ERROR,
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => ErrorCode::INVALID_PARAMS,
            _ => REFUSED,
        };
        let data = json!({ "code": refusal.code.to_string() });
        self.failed(status, ErrorData::new(code, refusal.message.clone(), Some(data)), retry)
    }
}
