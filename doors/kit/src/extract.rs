//! Reads paths, queries and bodies, and says exactly what is wrong with them.

use std::fmt::Display;

use axum::{
    body::Body,
    extract::{FromRequest, FromRequestParts, Path, Request},
};
use bytes::Bytes;
use handel_domain::{Code, Refusal};
use http::{HeaderMap, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Collected, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::{Door, Problem, bodies::refusal_in};

/// The parts of a path.
pub struct PathParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // A path that cannot be understood names nothing that exists.
        let path = Path::<T>::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value)).map_err(|_| {
            Refusal::new(
                Code::NotFound,
                "there is nothing at this address; one of its ids is malformed",
            )
            .into()
        })
    }
}

/// The parameters of a query.
pub struct QueryParams<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let pairs = form_pairs(parts.uri.query().unwrap_or_default());
        let deserializer = serde_urlencoded::Deserializer::new(pairs);
        serde_path_to_error::deserialize(deserializer).map(Self).map_err(|error| {
            let pointer = pointer(error.path());
            Refusal::field(pointer, plain(error.inner())).into()
        })
    }
}

fn form_pairs(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

/// A JSON body.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Door> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = read_body(body, door.settings().body_max).await?;
        read_json(&parts.headers, &bytes).map(Self)
    }
}

/// A body as it was sent, such as one that was signed.
pub struct RawBody(pub Bytes);

impl FromRequest<Door> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Problem> {
        read_body(request.into_body(), door.settings().body_max).await.map(Self)
    }
}

/// A body as an agent sent it, which is smaller than others may be.
pub struct AgentBody(pub Bytes);

impl FromRequest<Door> for AgentBody {
    type Rejection = Problem;

    async fn from_request(request: Request, door: &Door) -> Result<Self, Problem> {
        let settings = door.settings();
        let max = settings.agent_body_max.min(settings.body_max);
        read_body(request.into_body(), max).await.map(Self)
    }
}

/// Reads a whole body, up to a limit in bytes.
pub async fn read_body(body: Body, max: usize) -> Result<Bytes, Problem> {
    let collected = Limited::new(body, max).collect().await;
    collected.map(Collected::to_bytes).map_err(|error| {
        if let Some(refusal) = refusal_in(&*error) {
            return refusal.clone().into();
        }
        match error.downcast_ref::<LengthLimitError>() {
            Some(_) => {
                Refusal::new(Code::TooLarge, format!("the body is larger than {max} bytes")).into()
            }
            None => Problem::with_status(
                StatusCode::BAD_REQUEST,
                Refusal::new(Code::InputInvalid, "the body ended before it was complete"),
            ),
        }
    })
}

/// Understands a JSON body; wrong fields are named by their JSON pointer.
pub fn read_json<T: DeserializeOwned>(headers: &HeaderMap, bytes: &Bytes) -> Result<T, Problem> {
    if !is_json(headers) {
        let message = "the body must be JSON, sent with Content-Type: application/json";
        return Err(Problem::with_status(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::new(Code::InputInvalid, message),
        ));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let inner = error.inner();
        if inner.is_data() {
            return Problem::from(Refusal::field(pointer(error.path()), plain(inner)));
        }
        malformed(inner)
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// Understands JSON that was parsed before; wrong fields are named by their JSON pointer.
pub fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Refusal> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| Refusal::field(pointer(error.path()), plain(error.inner())))
}

fn malformed(error: &serde_json::Error) -> Problem {
    let place =
        format!("the body is not valid JSON at line {}, column {}", error.line(), error.column());
    Problem::with_status(StatusCode::BAD_REQUEST, Refusal::new(Code::InputInvalid, place))
}

/// The type of a change in the form of RFC 7396.
pub const MERGE_PATCH: &str = "application/merge-patch+json";

fn is_json(headers: &HeaderMap) -> bool {
    let kind =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    ["application/json", MERGE_PATCH].iter().any(|known| essence.eq_ignore_ascii_case(known))
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// What a parser says, without where in the text it says it.
fn plain(error: &impl Display) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(message, _)| message.to_owned())
}

/// The version in `If-Match`; none where the header is absent or `*`.
pub fn expected_version(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(None);
    }
    let version = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|text| text.parse().ok());
    match version {
        Some(version) => Ok(Some(version)),
        None => {
            Err(Refusal::new(Code::InputInvalid, "If-Match must be the ETag of an earlier answer")
                .into())
        }
    }
}
