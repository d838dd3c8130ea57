//! What holds for every server behind the transport, seen with a small one.

use std::time::Duration;

use axum::body::Body;
use handel_mcp::transport::{Transport, TransportSettings, Verdict};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorCode,
        ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const SESSION: &str = "mcp-session-id";
/// Longest request, in bytes.
const BODY_MAX: usize = 2_000;

/// A server with one tool that works and one that fails.
#[derive(Clone)]
struct Small;

impl ServerHandler for Small {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::default())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.name == "works" {
            return Ok(CallToolResult::success(vec![ContentBlock::text("it works")]).into());
        }
        Verdict::of(&context.extensions).say(StatusCode::TOO_MANY_REQUESTS, Some(7));
        Err(ErrorData::new(ErrorCode(-32000), "not so fast", None))
    }
}

struct Server(Transport<Small>);

#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Server {
    fn new() -> Self {
        let settings = TransportSettings {
            public_url: "https://shop.example".to_owned(),
            body_max: BODY_MAX,
            sessions_max: 2,
            session_idle: Duration::from_secs(60),
            ..TransportSettings::default()
        };
        Self(Transport::new(&settings, Small, &CancellationToken::new()))
    }

    async fn send(&self, method: Method, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method).uri("/mcp");
        let usual = [
            ("host", "shop.example"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
        ];
        for (name, value) in usual.iter().chain(headers) {
            let headers = request.headers_mut().expect("a request");
            let name = http::HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.insert(name, value.parse().expect("a value"));
        }
        let request = request.body(body.into()).expect("a request");
        let (parts, body) = self.0.serve(request).await.into_parts();
        let bytes = body.collect().await.expect("the whole answer").to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Reply { status: parts.status, headers: parts.headers, text }
    }

    async fn post(&self, headers: &[(&str, &str)], body: &Value) -> Reply {
        self.send(Method::POST, headers, body.to_string()).await
    }

    /// Opens a session and says that it is open.
    async fn session(&self) -> String {
        let reply = self.post(&[], &initialize()).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let id = reply.headers[SESSION].to_str().expect("a text").to_owned();
        let ready = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let told = self.post(&[(SESSION, &id)], &ready).await;
        assert_eq!(told.status, StatusCode::ACCEPTED, "{told:?}");
        id
    }
}

impl Reply {
    /// The one message of the answer, alone or in a stream.
    #[track_caller]
    fn message(&self) -> Value {
        let mut events = self.text.lines().filter_map(|line| line.strip_prefix("data: "));
        let text = events.find(|data| !data.is_empty()).unwrap_or(&self.text);
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Insists on an error of JSON-RPC under a status.
    #[track_caller]
    fn error(&self, status: u16, code: i64) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json", "{self:?}");
        let message = self.message();
        assert_eq!(message["jsonrpc"], "2.0");
        assert_eq!(message["error"]["code"], code, "{self:?}");
        assert!(message["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
    }
}

fn initialize() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "test", "version": "1" },
    } })
}

fn call(tool: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": { "name": tool, "arguments": {} } })
}

/// A call of revision 2026-07-28.
fn new_call(tool: &str) -> Value {
    let mut call = call(tool);
    call["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    call
}

fn new_headers(tool: &str) -> [(&str, &str); 3] {
    [("mcp-protocol-version", "2026-07-28"), ("mcp-method", "tools/call"), ("mcp-name", tool)]
}

#[tokio::test]
async fn a_session_lives_until_it_is_ended() {
    let server = Server::new();
    let id = server.session().await;
    let worked = server.post(&[(SESSION, &id)], &call("works")).await;
    assert_eq!(worked.message()["result"]["content"][0]["text"], "it works");
    let ended = server.send(Method::DELETE, &[(SESSION, &id)], Body::empty()).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "{ended:?}");
    server.post(&[(SESSION, &id)], &call("works")).await.error(404, -32000);
    server.post(&[(SESSION, "never-heard-of")], &call("works")).await.error(404, -32000);
}

#[tokio::test]
async fn there_are_only_so_many_sessions() {
    let server = Server::new();
    let (first, _second) = (server.session().await, server.session().await);
    let third = server.post(&[], &initialize()).await;
    third.error(503, -32000);
    assert_eq!(third.headers["retry-after"], "5");
    // Those who need no session are served all the same.
    let plain = server.post(&[], &call("works")).await;
    assert_eq!(plain.message()["result"]["content"][0]["text"], "it works");
    server.send(Method::DELETE, &[(SESSION, &first)], Body::empty()).await;
    server.session().await;
}

#[tokio::test]
async fn one_client_gets_an_eighth_of_all_sessions() {
    let settings = TransportSettings {
        public_url: "https://shop.example".to_owned(),
        sessions_max: 16,
        ..TransportSettings::default()
    };
    let server = Transport::new(&settings, Small, &CancellationToken::new());
    let open = async |last: u8| {
        let request = Request::post("/mcp")
            .extension(handel_kit::Client::new([192, 0, 2, last].into()))
            .header("host", "shop.example")
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(Body::from(initialize().to_string()));
        server.serve(request.expect("a request")).await
    };
    let first = open(1).await;
    let statuses =
        [first.status(), open(1).await.status(), open(1).await.status(), open(2).await.status()];
    assert_eq!(statuses.map(|status| status.as_u16()), [200, 200, 503, 200]);
    let end = Request::delete("/mcp")
        .header("host", "shop.example")
        .header(SESSION, &first.headers()[SESSION])
        .body(Body::empty());
    server.serve(end.expect("a request")).await;
    assert_eq!(open(1).await.status(), StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn silent_sessions_make_room() {
    let server = Server::new();
    let (silent, busy) = (server.session().await, server.session().await);
    tokio::time::advance(Duration::from_secs(59)).await;
    let worked = server.post(&[(SESSION, &busy)], &call("works")).await;
    assert_eq!(worked.status, StatusCode::OK, "{worked:?}");
    server.post(&[], &initialize()).await.error(503, -32000);
    tokio::time::advance(Duration::from_secs(2)).await;
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
        if server.post(&[], &initialize()).await.status == StatusCode::OK {
            server.post(&[(SESSION, &silent)], &call("works")).await.error(404, -32000);
            let worked = server.post(&[(SESSION, &busy)], &call("works")).await;
            assert_eq!(worked.status, StatusCode::OK, "{worked:?}");
            return;
        }
    }
    panic!("the silent session is still there");
}

#[tokio::test]
async fn failed_calls_have_the_status_of_their_failure_in_every_revision() {
    let server = Server::new();
    let id = server.session().await;
    let fails = new_headers("fails");
    for reply in [
        server.post(&[], &call("fails")).await,
        server.post(&[(SESSION, &id)], &call("fails")).await,
        server.post(&fails, &new_call("fails")).await,
    ] {
        reply.error(429, -32000);
        assert_eq!(reply.headers["retry-after"], "7");
        assert_eq!(reply.message()["id"], 2);
    }
}

#[tokio::test]
async fn the_newest_revision_needs_no_session_and_checks_its_headers() {
    let server = Server::new();
    let works = new_headers("works");
    let worked = server.post(&works, &new_call("works")).await;
    assert_eq!(worked.message()["result"]["content"][0]["text"], "it works");
    assert!(!worked.headers.contains_key(SESSION));
    server.post(&new_headers("fails"), &new_call("works")).await.error(400, -32020);
    server.post(&works[..1], &new_call("works")).await.error(400, -32020);
    let old = [("mcp-protocol-version", "2025-11-25"), works[1], works[2]];
    server.post(&old, &new_call("works")).await.error(400, -32020);
}

#[tokio::test]
async fn other_hosts_and_other_sites_are_refused() {
    let server = Server::new();
    for header in [
        ("host", "evil.example"),
        ("host", "shop.example.evil.example"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "https://shop.example:444"),
        ("origin", "http://shop.example"),
    ] {
        for body in [call("works"), initialize()] {
            server.post(&[header], &body).await.error(403, -32000);
        }
        let stream = server.send(Method::GET, &[header, (SESSION, "x")], Body::empty()).await;
        assert_eq!(stream.status, StatusCode::FORBIDDEN, "{header:?}");
    }
    for header in [
        ("host", "localhost:8080"),
        ("host", "127.0.0.1"),
        ("host", "[::1]:1"),
        ("origin", "https://shop.example"),
        ("origin", "http://localhost:6274"),
    ] {
        let reply = server.post(&[header], &call("works")).await;
        assert_eq!(reply.status, StatusCode::OK, "{header:?}: {reply:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_or_no_message_gets_an_error_of_the_protocol() {
    let server = Server::new();
    let large = " ".repeat(BODY_MAX + 1);
    server.send(Method::POST, &[], large).await.error(413, -32600);
    server.send(Method::POST, &[], "{\"jsonrpc\":").await.error(400, -32700);
    server.send(Method::POST, &[], vec![0xff, 0xfe]).await.error(400, -32700);
    server.send(Method::POST, &[], Body::empty()).await.error(400, -32700);
    server.send(Method::POST, &[], json!([call("works")]).to_string()).await.error(400, -32600);
    server.send(Method::POST, &[], "{}").await.error(400, -32600);
    server.send(Method::POST, &[("content-type", "text/plain")], "a=1").await.error(415, -32000);
    server.send(Method::PUT, &[], "{}").await.error(405, -32000);
    let deep = format!(r#"{{"jsonrpc":"2.0","params":{}{}}}"#, "[".repeat(900), "]".repeat(900));
    server.send(Method::POST, &[], deep).await.error(400, -32600);
    let unknown = json!({ "jsonrpc": "2.0", "id": 1, "method": "no/such", "params": {} });
    assert_eq!(server.post(&[], &unknown).await.message()["error"]["code"], -32601);
}

#[tokio::test]
async fn simple_clients_need_no_handshake_and_accept_what_they_like() {
    let server = Server::new();
    for accept in ["*/*", "application/json", "text/html"] {
        let reply = server.post(&[("accept", accept)], &call("works")).await;
        assert_eq!(reply.headers["content-type"], "application/json");
        assert_eq!(reply.message()["result"]["content"][0]["text"], "it works", "{accept}");
    }
}

#[tokio::test]
async fn stopping_ends_what_is_open() {
    let stop = CancellationToken::new();
    let transport = Transport::new(&TransportSettings::default(), Small, &stop);
    let server = Server(transport);
    let reply = server.post(&[("host", "localhost")], &initialize()).await;
    let id = reply.headers[SESSION].to_str().expect("a text").to_owned();
    let request = Request::get("/mcp")
        .header("host", "localhost")
        .header("accept", "text/event-stream")
        .header(SESSION, id)
        .body(Body::empty());
    let stream = server.0.serve(request.expect("a request")).await;
    assert_eq!(stream.status(), StatusCode::OK);
    stop.cancel();
    // Without the stop, this stream would never end.
    stream.into_body().collect().await.expect("an end");
}
