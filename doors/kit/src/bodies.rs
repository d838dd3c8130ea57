//! Bodies on their way: a request is worked on when all of it is there.
//!
//! Owns how long a body may take, how many of them may be on their way, how large each may be, and how much memory
//! all of them and what they become may take. Handlers find the body whole. One that is too large is refused when it
//! is read, so that a handler can refuse the request for a better reason before.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, extract::Request};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use handel_domain::{Code, Refusal};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use hyper::body::Body as _;

use crate::{
    Client, Door, Problem,
    client::Peer,
    json_shape,
    limits::overloaded,
    shares::{Shares, share_of},
};

/// Maximum number of bodies that are on their way on one connection.
const PER_CONNECTION: usize = 32;
/// For each request that may be worked on, so many bodies may be on their way.
const PER_REQUEST: usize = 4;
/// How long a body may take at any rate.
const GRACE: Duration = Duration::from_secs(5);
/// After that it must have come at this rate, in bytes per second.
const RATE_MIN: usize = 8 * 1_024;

/// What bodies of all requests take at the moment.
#[derive(Default)]
pub(crate) struct Bodies {
    coming: AtomicUsize,
    bytes: AtomicUsize,
    coming_by_client: Shares,
    bytes_by_client: Shares,
}

/// What the body of one request takes, until this is dropped.
pub(crate) struct Held {
    bodies: Arc<Bodies>,
    client: Option<Client>,
    bytes: usize,
}

/// A body that is on its way, until this is dropped.
struct Coming {
    bodies: Arc<Bodies>,
    client: Option<Client>,
    connection: Option<Arc<AtomicUsize>>,
}

impl Bodies {
    /// Reads the body of a request, which gets it back whole.
    pub(crate) async fn receive(
        self: &Arc<Self>,
        door: &Door,
        request: Request,
    ) -> Result<(Request, Option<Held>), Problem> {
        if request.body().is_end_stream() {
            return Ok((request, None));
        }
        let (parts, body) = request.into_parts();
        let limit = Limit::of(door, parts.uri.path());
        let least = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if least > limit.bytes {
            return Ok((Request::from_parts(parts, refused(limit.exceeded())), None));
        }
        let client = Client::of(&parts.extensions).copied();
        let connection = parts.extensions.get::<Peer>().map(|peer| peer.bodies.clone());
        let mut held = Held { bodies: self.clone(), client, bytes: 0 };
        let coming = self.begin(door, client, connection)?;
        let read = read(door, body, limit, &mut held).await?;
        drop(coming);
        let checked = read.and_then(|bytes| match may_be_json(&parts.headers) {
            true => limit.check_values(&bytes).map(|values| (bytes, values)),
            false => Ok((bytes, 0)),
        });
        match checked {
            Ok((bytes, values)) => {
                held.grow(door, values * limit.value_weight)?;
                Ok((Request::from_parts(parts, Body::from(bytes)), Some(held)))
            }
            Err(refusal) => Ok((Request::from_parts(parts, refused(refusal)), None)),
        }
    }

    fn begin(
        self: &Arc<Self>,
        door: &Door,
        client: Option<Client>,
        connection: Option<Arc<AtomicUsize>>,
    ) -> Result<Coming, Problem> {
        let max = door.settings().requests_max.saturating_mul(PER_REQUEST);
        let on_connection =
            connection.as_ref().map_or(0, |bodies| bodies.fetch_add(1, Ordering::AcqRel));
        let before = self.coming.fetch_add(1, Ordering::AcqRel);
        let is_within =
            client.is_none_or(|client| self.coming_by_client.take(&client, 1, share_of(max)));
        // What was taken is given back by whichever way this ends.
        let client = client.filter(|_| is_within);
        let coming = Coming { bodies: self.clone(), client, connection };
        if !is_within || before >= max || on_connection >= PER_CONNECTION {
            return Err(overloaded("too many requests are on their way").into());
        }
        Ok(coming)
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.bodies.coming.fetch_sub(1, Ordering::AcqRel);
        if let Some(client) = &self.client {
            self.bodies.coming_by_client.give_back(client, 1);
        }
        if let Some(connection) = &self.connection {
            connection.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Held {
    /// Takes so much more memory, if there is any.
    fn grow(&mut self, door: &Door, bytes: usize) -> Result<(), Problem> {
        let max = door.settings().bodies_bytes_max;
        let is_within = self
            .client
            .is_none_or(|client| self.bodies.bytes_by_client.take(&client, bytes, share_of(max)));
        if !is_within {
            return Err(overloaded("the requests under way are too large").into());
        }
        self.bytes += bytes;
        let before = self.bodies.bytes.fetch_add(bytes, Ordering::AcqRel);
        match before.saturating_add(bytes) <= max {
            true => Ok(()),
            false => Err(overloaded("the requests under way are too large").into()),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.bodies.bytes.fetch_sub(self.bytes, Ordering::AcqRel);
        if let Some(client) = &self.client {
            self.bodies.bytes_by_client.give_back(client, self.bytes);
        }
    }
}

/// How large a body may be, and what becomes of it.
#[derive(Clone, Copy)]
struct Limit {
    bytes: usize,
    /// Any body may have so many JSON values.
    values_min: usize,
    /// Beyond that, there is one value for so many bytes at most.
    bytes_per_value: usize,
    /// What a value takes in memory while the request is worked on, in bytes.
    value_weight: usize,
}

impl Limit {
    fn of(door: &Door, path: &str) -> Self {
        let settings = door.settings();
        let is_below = |prefix: &&str| {
            let rest = path.strip_prefix(*prefix);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match settings.agent_paths.iter().any(is_below) {
            // These doors keep the values of a body, as maps of their own, until the request is done.
            true => Self {
                bytes: settings.agent_body_max.min(settings.body_max),
                values_min: 4_096,
                bytes_per_value: 32,
                value_weight: 350,
            },
            // The others keep what they know of, as fields.
            false => Self {
                bytes: settings.body_max,
                values_min: 8_192,
                bytes_per_value: 8,
                value_weight: 32,
            },
        }
    }

    /// Counts the JSON values of a body, if it does not have too many.
    fn check_values(self, bytes: &[u8]) -> Result<usize, Refusal> {
        let values = json_shape::count_values(bytes);
        let max = self.values_min + bytes.len() / self.bytes_per_value;
        if values > max {
            let message = format!("the body has more than {max} JSON values");
            return Err(Refusal::new(Code::TooLarge, message));
        }
        Ok(values)
    }

    fn exceeded(self) -> Refusal {
        let max = self.bytes;
        Refusal::new(Code::TooLarge, format!("the body is larger than {max} bytes"))
    }
}

/// Whether a door may read the body as JSON, also in a form such as a merge patch.
fn may_be_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().contains("json"))
}

/// Why a body is not there; the error of reading it.
#[derive(Debug)]
struct Unread(Refusal);

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Unread {}

/// In the place of a body that is too large.
fn refused(refusal: Refusal) -> Body {
    Body::from_stream(stream::iter([Err::<Bytes, _>(Unread(refusal))]))
}

/// Why a body could not be read, if it was refused here.
pub(crate) fn refusal_in<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Refusal> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.filter_map(|cause| cause.downcast_ref()).map(|Unread(refusal)| refusal).next()
}

/// Reads a body to its end, as long as it comes fast enough.
async fn read(
    door: &Door,
    mut body: Body,
    limit: Limit,
    held: &mut Held,
) -> Result<Result<Bytes, Refusal>, Problem> {
    let (system, begun) = (door.system(), door.system().now());
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let received = first.len() + rest.len();
        let took = system.now().duration_since(begun);
        let took = Duration::try_from(took).unwrap_or_default();
        let left = allowed(received).min(door.settings().body_timeout).saturating_sub(took);
        let Some(frame) = system.within(left, body.frame()).await else { return Err(too_slow()) };
        let Some(frame) = frame else { break };
        let Ok(data) = frame.map_err(|_| cut_off())?.into_data() else { continue };
        if received + data.len() > limit.bytes {
            return Ok(Err(limit.exceeded()));
        }
        held.grow(door, data.len())?;
        if received == 0 {
            // Most bodies come in one piece.
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(Ok(first));
    }
    Ok(Ok([first, rest.freeze()].concat().into()))
}

/// How long the bytes that came so far may have taken.
fn allowed(received: usize) -> Duration {
    let seconds = u32::try_from(received / RATE_MIN).unwrap_or(u32::MAX);
    GRACE + Duration::from_secs(seconds.into())
}

fn too_slow() -> Problem {
    let refusal = Refusal::new(Code::DeadlineExceeded, "the body did not come fast enough");
    Problem::with_status(StatusCode::REQUEST_TIMEOUT, refusal)
}

fn cut_off() -> Problem {
    let refusal = Refusal::new(Code::InputInvalid, "the body ended before it was complete");
    Problem::with_status(StatusCode::BAD_REQUEST, refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_may_take_as_long_as_its_size_needs() {
        assert_eq!(allowed(0), GRACE);
        assert_eq!(allowed(RATE_MIN), GRACE + Duration::from_secs(1));
        assert_eq!(allowed(1 << 20), GRACE + Duration::from_secs(128));
    }
}
