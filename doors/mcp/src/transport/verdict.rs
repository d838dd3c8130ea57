//! The HTTP status of a call that failed.
//!
//! JSON-RPC has its own errors, and UCP wants them under a status that says the same (UCP overview, "Error
//! handling" over MCP). The library answers every call with 200 before or after the server has decided, so the
//! server leaves its verdict here and the answer is made to agree.

use std::sync::{Arc, OnceLock};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use http::{HeaderValue, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use rmcp::model::Extensions;

/// Where the server of a call says how it failed. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Verdict(Arc<OnceLock<Said>>);

#[derive(Clone, Copy, Debug)]
struct Said {
    status: StatusCode,
    retry_after_s: Option<u64>,
}

impl Verdict {
    /// The verdict on the call that came with these extensions.
    pub fn of(extensions: &Extensions) -> Self {
        let parts = extensions.get::<Parts>();
        parts.and_then(|parts| parts.extensions.get::<Self>()).cloned().unwrap_or_default()
    }

    /// Says with which status the error is answered, and after how many seconds to come back. The first word counts.
    pub fn say(&self, status: StatusCode, retry_after_s: Option<u64>) {
        self.0.get_or_init(|| Said { status, retry_after_s });
    }

    /// Waits until it is clear what an answer begins with. If that is an error with a verdict, it is all of the
    /// answer.
    pub(super) async fn applied(&self, response: Response) -> Response {
        let kind = response.headers().get(header::CONTENT_TYPE);
        if kind.is_none_or(|kind| !kind.as_bytes().starts_with(b"text/event-stream")) {
            return self.enforced(response);
        }
        let (parts, mut body) = response.into_parts();
        let (held, message) = first_message(&mut body).await;
        match (self.0.get(), message) {
            (Some(_), Some(message)) => {
                let json = HeaderValue::from_static("application/json");
                self.enforced(([(header::CONTENT_TYPE, json)], message).into_response())
            }
            _ => {
                let held = stream::iter(held.into_iter().map(Ok::<_, axum::Error>));
                Response::from_parts(parts, Body::from_stream(held.chain(body.into_data_stream())))
            }
        }
    }

    fn enforced(&self, mut response: Response) -> Response {
        if let (Some(said), StatusCode::OK) = (self.0.get(), response.status()) {
            *response.status_mut() = said.status;
            let headers = response.headers_mut();
            if let Some(seconds) = said.retry_after_s {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            if said.status == StatusCode::UNAUTHORIZED {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
        }
        response
    }
}

/// Reads events until one has a message. Returns all that was read, and the message.
async fn first_message(body: &mut Body) -> (Vec<Bytes>, Option<String>) {
    let (mut held, mut text) = (Vec::new(), Vec::new());
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        text.extend_from_slice(&data);
        held.push(data);
        if let Some(message) = message_in(&text) {
            return (held, Some(message));
        }
    }
    (held, None)
}

/// The first whole line of data that is not empty. The library writes a message on one line.
fn message_in(text: &[u8]) -> Option<String> {
    let whole = text.iter().rposition(|byte| *byte == b'\n')?;
    let lines = text[..whole].split(|byte| *byte == b'\n');
    let data = lines.filter_map(|line| line.strip_prefix(b"data:")).map(<[u8]>::trim_ascii);
    let message = { data }.find(|data| !data.is_empty())?;
    String::from_utf8(message.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn events(parts: &'static [&'static str]) -> Response {
        let stream = stream::iter(parts.iter().map(|part| Ok::<_, Infallible>(*part)));
        let kind = (header::CONTENT_TYPE, "text/event-stream");
        ([kind], Body::from_stream(stream)).into_response()
    }

    async fn read(response: Response) -> (StatusCode, String) {
        let status = response.status();
        let bytes = response.into_body().collect().await.expect("a body").to_bytes();
        (status, String::from_utf8(bytes.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn an_error_with_a_verdict_is_the_whole_answer() {
        let verdict = Verdict::default();
        verdict.say(StatusCode::CONFLICT, Some(3));
        verdict.say(StatusCode::OK, None);
        let response =
            events(&["id: 0\nretry: 3000\ndata:\n\n", ": \n\n", "data: {\"er", "ror\":1}\n\n"]);
        let response = verdict.applied(response).await;
        assert_eq!(response.headers()[header::RETRY_AFTER], "3");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        assert_eq!(read(response).await, (StatusCode::CONFLICT, "{\"error\":1}".to_owned()));
    }

    #[tokio::test]
    async fn without_a_verdict_nothing_is_lost() {
        let response = events(&["data:\n\n", "data: 1\n\n", "data: 2\n\n"]);
        let (status, text) = read(Verdict::default().applied(response).await).await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, "data:\n\ndata: 1\n\ndata: 2\n\n"));
    }

    #[tokio::test]
    async fn a_stream_without_a_message_ends_as_it_is() {
        let verdict = Verdict::default();
        verdict.say(StatusCode::CONFLICT, None);
        let (status, text) = read(verdict.applied(events(&["data:\n\n"])).await).await;
        assert_eq!((status, text.as_str()), (StatusCode::OK, "data:\n\n"));
    }
}
