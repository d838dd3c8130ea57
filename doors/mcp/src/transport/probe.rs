//! A first look at a message, before the library reads it: whether it is one at all, and which method it asks for.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use super::refusal::{INVALID_REQUEST, PARSE_ERROR, Wrong};

const INITIALIZE: &str = "initialize";

/// What is looked at.
#[derive(Deserialize)]
pub(super) struct Probe<'a> {
    #[serde(borrow, default)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
}

impl<'a> Probe<'a> {
    /// Refuses what is not one JSON-RPC message (JSON-RPC 2.0 §5.1). A body of another type is left to the
    /// library, which says so.
    pub(super) fn read(headers: &HeaderMap, bytes: &'a Bytes) -> Result<Self, Wrong> {
        let bad = |code, text: &str| Wrong::new(StatusCode::BAD_REQUEST, text).code(code);
        match serde_json::from_slice::<Self>(bytes) {
            _ if !is_json(headers) => Ok(Self { jsonrpc: None, method: None }),
            Ok(probe) if probe.jsonrpc.as_deref() == Some("2.0") => Ok(probe),
            Err(error) if !error.is_data() => {
                Err(bad(PARSE_ERROR, "the request is not valid JSON"))
            }
            _ if bytes.trim_ascii_start().starts_with(b"[") => {
                Err(bad(INVALID_REQUEST, "send one message at a time, not a list of them"))
            }
            _ => Err(bad(INVALID_REQUEST, "the request is not a JSON-RPC 2.0 message")),
        }
    }

    /// Whether it is JSON-RPC, and not a body of another type.
    pub(super) fn is_message(&self) -> bool {
        self.jsonrpc.is_some()
    }

    pub(super) fn is_initialize(&self) -> bool {
        self.method.as_deref() == Some(INITIALIZE)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(text: &str) -> Result<bool, i32> {
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, json)]);
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let probe = Probe::read(&headers, &bytes).map_err(|wrong| wrong.json_rpc_code())?;
        Ok(probe.is_initialize())
    }

    #[test]
    fn only_one_json_rpc_message_gets_through() {
        assert_eq!(read(r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#), Ok(true));
        assert_eq!(read(r#"{"jsonrpc":"2.0","id":1,"method":"tools\/list"}"#), Ok(false));
        assert_eq!(read(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), Ok(false));
        assert_eq!(read(r#"{"jsonrpc":"2.0","#), Err(PARSE_ERROR));
        assert_eq!(read(""), Err(PARSE_ERROR));
        for text in
            [r#"[{"jsonrpc":"2.0"}]"#, "{}", "1", r#"{"jsonrpc":"1.0"}"#, r#"{"jsonrpc":2}"#]
        {
            assert_eq!(read(text), Err(INVALID_REQUEST), "{text}");
        }
    }

    #[test]
    fn what_claims_to_be_no_json_is_left_to_the_library() {
        assert!(Probe::read(&HeaderMap::new(), &Bytes::from_static(b"a=1")).is_ok());
    }
}
