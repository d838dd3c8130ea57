//! A message between an assistant and a shop: what has to be known of it to carry it over HTTP.

use serde_json::{Map, Value, json};

/// JSON-RPC 2.0 §5.1: this is not JSON.
pub(super) const PARSE_ERROR: i32 = -32700;
/// JSON-RPC leaves this to servers.
pub(super) const SERVER_ERROR: i32 = -32000;
/// Where requests say which revision they follow, since 2026-07-28.
const VERSION: &str = "/params/_meta/io.modelcontextprotocol~1protocolVersion";

/// A message of the assistant.
pub(super) struct Message(pub(super) Value);

impl Message {
    /// Reads a line.
    pub(super) fn read(line: &[u8]) -> Result<Self, Value> {
        serde_json::from_slice(line)
            .map(Self)
            .map_err(|_| error(&Value::Null, PARSE_ERROR, "the line is not valid JSON"))
    }

    /// Whether somebody waits for an answer.
    pub(super) fn id(&self) -> Option<&Value> {
        self.0.get("id").filter(|_| self.method().is_some())
    }

    pub(super) fn method(&self) -> Option<&str> {
        self.0.get("method").and_then(Value::as_str)
    }

    /// The revision that the message says it follows.
    pub(super) fn version(&self) -> Option<&str> {
        self.0.pointer(VERSION).and_then(Value::as_str)
    }

    /// What the method is about, as newer revisions repeat it in a header.
    pub(super) fn name(&self) -> Option<&str> {
        let name = match self.method()? {
            "tools/call" | "prompts/get" => "/params/name",
            "resources/read" => "/params/uri",
            _ => return None,
        };
        self.0.pointer(name).and_then(Value::as_str)
    }

    /// Introduces an assistant that has no profile of its own to the tools and resources that ask for one.
    pub(super) fn introduce(&mut self, profile: &str) {
        let is_for_staff = self.name().is_some_and(|name| name.starts_with("merchant_"));
        let place: &[&str] = match self.method() {
            Some("tools/call") if !is_for_staff => &["arguments", "meta"],
            Some("resources/read") => &["_meta"],
            _ => return,
        };
        let params = self.0.get_mut("params").and_then(Value::as_object_mut);
        let meta =
            params.and_then(|params| place.iter().try_fold(params, |at, name| object(at, name)));
        if let Some(meta) = meta {
            meta.entry("ucp-agent").or_insert_with(|| json!({ "profile": profile }));
        }
    }
}

/// A member that is an object, made if it is missing. What is there and is no object is wrong, and the shop says so.
fn object<'v>(
    within: &'v mut Map<String, Value>,
    name: &str,
) -> Option<&'v mut Map<String, Value>> {
    within.entry(name).or_insert_with(|| json!({})).as_object_mut()
}

/// An error of JSON-RPC.
pub(super) fn error(id: &Value, code: i32, text: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": text } })
}

/// The messages in a body: one, or one for each event of a stream. An error that belongs to no request belongs to
/// the one that was sent.
pub(super) fn messages(body: &str, is_stream: bool, id: &Value) -> Vec<Value> {
    let lines = body.lines().filter_map(|line| line.strip_prefix("data:"));
    let texts: Vec<&str> = if is_stream { lines.collect() } else { vec![body] };
    let messages = texts.into_iter().filter_map(|text| serde_json::from_str::<Value>(text).ok());
    messages
        .filter(Value::is_object)
        .map(|mut message| {
            if message.get("error").is_some() && message.get("id").is_none_or(Value::is_null) {
                message["id"] = id.clone();
            }
            message
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "http://127.0.0.1:8080/mcp/assistant.json";

    fn introduced(text: &str) -> Value {
        let mut message = Message::read(text.as_bytes()).ok().unwrap();
        message.introduce(PROFILE);
        message.0
    }

    #[test]
    fn an_assistant_without_a_profile_is_introduced() {
        let call = |arguments: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"get_cart"{arguments}}}}}"#
            )
        };
        for arguments in ["", r#","arguments":{}"#, r#","arguments":{"meta":{}}"#] {
            let message = introduced(&call(arguments));
            assert_eq!(message["params"]["arguments"]["meta"]["ucp-agent"]["profile"], PROFILE);
        }
        let own = r#","arguments":{"id":"c","meta":{"ucp-agent":{"profile":"https://a.example"}}}"#;
        let message = introduced(&call(own));
        assert_eq!(
            message["params"]["arguments"]["meta"]["ucp-agent"]["profile"],
            "https://a.example"
        );
        assert_eq!(message["params"]["arguments"]["id"], "c");
        let read = r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"shop://orders/x","_meta":{"y":1}}}"#;
        let meta = &introduced(read)["params"]["_meta"];
        assert_eq!(meta, &json!({ "y": 1, "ucp-agent": { "profile": PROFILE } }));
    }

    #[test]
    fn nothing_else_is_changed() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"merchant_get_stock","arguments":{}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_cart","arguments":[1]}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_cart","arguments":{"meta":7}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#,
        ] {
            let before: Value = serde_json::from_str(text).unwrap();
            assert_eq!(introduced(text), before, "{text}");
        }
    }

    #[test]
    fn answers_come_alone_or_as_events() {
        let stream = "id: 0\nretry: 3000\ndata:\n\ndata: {\"id\":7}\n\n: \n\ndata: {\"id\":8}\n\n";
        assert_eq!(messages(stream, true, &json!(7)), [json!({ "id": 7 }), json!({ "id": 8 })]);
        let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32600}}"#;
        assert_eq!(messages(error, false, &json!("a"))[0]["id"], "a");
        assert!(messages("Forbidden", false, &json!(1)).is_empty());
    }
}
