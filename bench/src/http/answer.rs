//! Answers: what a client must know of them.

use std::{borrow::Cow, time::Duration};

use anyhow::{Context, Result};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// How it went.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

#[derive(Deserialize)]
struct Problem<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    retry_after_ms: Option<u64>,
}

impl Answer {
    /// What the body says, as far as `T` asks for it.
    pub fn read<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        serde_json::from_slice(&self.body).with_context(|| {
            let start: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
            format!("the answer with status {} is not understood: {start}", self.status)
        })
    }

    /// The stable reason of a refusal; empty where the answer has none.
    pub fn code(&self) -> Cow<'_, str> {
        self.problem().map(|problem| problem.code).unwrap_or_default()
    }

    /// When to ask again, if the server said so: to the millisecond in the body, else by the header.
    pub fn retry_after(&self) -> Option<Duration> {
        let exact = self.problem().and_then(|problem| problem.retry_after_ms);
        let seconds = || {
            let value = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
            value.parse().ok().map(Duration::from_secs)
        };
        exact.map(Duration::from_millis).or_else(seconds)
    }

    fn problem(&self) -> Option<Problem<'_>> {
        serde_json::from_slice(&self.body).ok()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn answer(body: &'static str) -> Answer {
        Answer {
            status: StatusCode::CONFLICT,
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn a_refusal_says_why_and_when_to_ask_again() {
        let answer = answer(
            r#"{"type":"about:blank","title":"In flight","status":409,"code":"idempotency.in_flight","retry_after_ms":250}"#,
        );
        assert_eq!(answer.code(), "idempotency.in_flight");
        assert_eq!(answer.retry_after(), Some(Duration::from_millis(250)));
    }

    #[test]
    fn the_header_counts_where_the_body_is_silent() {
        let mut answer = answer("busy");
        assert_eq!((answer.code(), answer.retry_after()), ("".into(), None));
        answer.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        assert_eq!(answer.retry_after(), Some(Duration::from_secs(2)));
    }

    #[test]
    fn what_cannot_be_read_is_shown() {
        let error = answer("<html>").read::<Vec<u8>>().unwrap_err();
        assert!(error.to_string().contains("<html>"), "{error}");
    }
}
