//! A shop behind its door for assistants, on a port of its own, and clients that speak to it.

use std::{net::SocketAddr, ops::Deref, sync::Arc};

use handel_engine::Scope;
use handel_kit::{Door, DoorSettings, Metrics, Server, ServerSettings, layered};
use handel_mcp::TransportSettings;
use handel_ports::System;
use handel_testkit::{SeededRandom, Tasks, TestDatabase, TestShop, fixtures::slug, meanwhile};
use handel_ucp::{Ucp, UcpSettings};
use http::HeaderMap;
use reqwest::{Client, Response, StatusCode};
use rmcp::{
    ClientLifecycleMode, ClientServiceExt, RoleClient, ServiceError,
    model::{CallToolRequestParams, CallToolResult, ErrorData, ProtocolVersion, Tool},
    service::RunningService,
    transport::{
        StreamableHttpClientTransport, streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::{Value, json};
use tokio::sync::watch;

/// The program that tests buy through.
pub(crate) const AGENT: &str = "https://agent.example/profile.json";
/// Another one.
pub(crate) const STRANGER: &str = "https://stranger.example/profile.json";

/// A shop and its address.
pub(crate) struct Shop {
    shop: TestShop,
    system: System,
    /// Where the shop listens.
    pub(crate) url: String,
    stops: Vec<watch::Sender<bool>>,
}

impl Shop {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let shop = Box::pin(TestShop::start(database)).await;
        let random = Arc::new(SeededRandom::fresh());
        let system = System::new(shop.clock.clone(), random, Arc::new(Tasks::default()));
        let mut shop = Self { shop, system, url: String::new(), stops: Vec::new() };
        shop.url = shop.open(UcpSettings::default()).await;
        let profile = shop.get("/mcp/assistant.json").await;
        for url in [AGENT, STRANGER] {
            shop.shop.web.publish(url, HeaderMap::new(), profile.to_string());
        }
        shop
    }

    /// Opens the door once more, with other settings.
    pub(crate) async fn open(&mut self, settings: UcpSettings) -> String {
        self.open_with(settings, DoorSettings::default()).await
    }

    /// The same, with other limits.
    pub(crate) async fn open_with(
        &mut self,
        settings: UcpSettings,
        limits: DoorSettings,
    ) -> String {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(any, ServerSettings::default(), self.system.clone()).await;
        let server = server.expect("a free port");
        let url = format!("http://{}", server.address().expect("it is bound"));
        let door = DoorSettings { public_url: url.clone(), ..limits };
        let metrics = Arc::new(Metrics::default());
        let door = Door::new(self.shop.engine.clone(), self.system.clone(), metrics, door);
        let settings = UcpSettings {
            channel: Some(slug("eur")),
            bindings: handel_mcp::bindings(),
            ..settings
        };
        let ucp = Ucp::new(door.clone(), self.shop.web.clone(), settings);
        let (stop, stopped) = watch::channel(false);
        let transport =
            TransportSettings { public_url: url.clone(), ..TransportSettings::default() };
        let routes = handel_mcp::router(&door, &ucp, &transport, stopped.clone());
        let routes = handel_mcp::dressed(layered(&door, routes.merge(ucp.router())));
        // It ends with the test.
        let _served = meanwhile(server.run(routes, stopped));
        self.stops.push(stop);
        url
    }

    pub(crate) async fn finish(&mut self) {
        for stop in &self.stops {
            stop.send_replace(true);
        }
        Box::pin(self.shop.settle()).await;
        self.shop.finish().await;
    }

    /// A new API key.
    pub(crate) async fn key(&self, scopes: &[Scope]) -> String {
        let made = self.engine.create_api_key(&self.staff(), "a test", scopes.to_vec(), None).await;
        made.expect("a key can be made").secret.expose().clone()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer =
            Client::new().get(format!("{}{path}", self.url)).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.json().await.expect("JSON")
    }

    /// Posts a message as it is.
    pub(crate) async fn post(&self, headers: &[(&str, &str)], message: &Value) -> Reply {
        post(&self.url, headers, message).await
    }

    /// Calls a tool without any handshake.
    pub(crate) async fn plain(&self, tool: &str, arguments: Value) -> Reply {
        self.post(&[], &call(tool, &arguments)).await
    }

    /// An assistant of a revision.
    pub(crate) async fn assistant(&self, revision: &str) -> Assistant {
        self.assistant_with(revision, None).await
    }

    /// An assistant that shows an API key.
    pub(crate) async fn assistant_with(&self, revision: &str, key: Option<&str>) -> Assistant {
        let uri = format!("{}{}", self.url, handel_mcp::PATH);
        let mut config = StreamableHttpClientTransportConfig::with_uri(uri);
        if let Some(key) = key {
            config = config.auth_header(key);
        }
        let transport = StreamableHttpClientTransport::from_config(config);
        let lifecycle = match revision {
            NEW => ClientLifecycleMode::Discover {
                preferred_versions: vec![ProtocolVersion::V_2026_07_28],
            },
            _ => ClientLifecycleMode::Initialize,
        };
        let client = ().serve_with_lifecycle(transport, lifecycle).await.expect("a handshake");
        let tools = client.list_all_tools().await.expect("tools");
        Assistant { client, tools }
    }
}

/// The revision with sessions.
pub(crate) const OLD: &str = "2025-11-25";
/// The one without.
pub(crate) const NEW: &str = "2026-07-28";

impl Deref for Shop {
    type Target = TestShop;

    fn deref(&self) -> &TestShop {
        &self.shop
    }
}

/// A client of the library.
pub(crate) struct Assistant {
    pub(crate) client: RunningService<RoleClient, ()>,
    pub(crate) tools: Vec<Tool>,
}

impl Assistant {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.tools.iter().map(|tool| tool.name.as_ref()).collect()
    }

    /// Calls a tool as its schema wants it, and checks the answer against its schema.
    #[track_caller]
    pub(crate) fn call(&self, name: &str, arguments: Value) -> impl Future<Output = Value> {
        let tool = self.tools.iter().find(|tool| tool.name == name);
        let tool = tool.unwrap_or_else(|| panic!("{name} is not listed")).clone();
        let schema = Value::Object((*tool.input_schema).clone());
        assert_valid(&schema, &arguments);
        async move {
            let result = self.try_call(name, arguments).await;
            let result = result.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert_ne!(result.is_error, Some(true), "{result:?}");
            let body = result.structured_content.expect("a structured result");
            let text = result.content[0].as_text().expect("a text").text.clone();
            assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), body);
            let schema = tool.output_schema.as_ref().expect("a schema of the answer");
            assert_valid(&Value::Object((**schema).clone()), &body);
            body
        }
    }

    pub(crate) async fn try_call(
        &self,
        name: &str,
        arguments: Value,
    ) -> Result<CallToolResult, ErrorData> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let params = CallToolRequestParams::new(name.to_owned()).with_arguments(arguments);
        match self.client.call_tool(params).await {
            Ok(result) => Ok(result),
            Err(ServiceError::McpError(error)) => Err(error),
            Err(error) => panic!("{name}: {error}"),
        }
    }

    /// A whole purchase, from a word to an order.
    pub(crate) async fn buy(&self, query: &str, quantity: i64, key: &str) -> Value {
        let found =
            self.call("search_catalog", with_meta(json!({ "catalog": { "query": query } }))).await;
        let item = &found["products"][0]["variants"][0]["id"];
        let bare = json!({ "checkout": { "line_items": [{ "item": { "id": item }, "quantity": quantity }] } });
        let checkout = self.call("create_checkout", with_meta(bare)).await;
        assert_eq!(checkout["status"], "incomplete", "{checkout}");
        let said = basket(&checkout["line_items"][0]["id"], item, quantity);
        let update = with_meta(json!({ "id": checkout["id"], "checkout": said }));
        let ready = self.call("update_checkout", update).await;
        assert_eq!(ready["status"], "ready_for_complete", "{ready}");
        let bought = self.call("complete_checkout", paying(&ready, "tok_ok", key)).await;
        assert_eq!(bought["status"], "completed", "{bought}");
        bought
    }
}

/// What a buyer in Germany says.
fn basket(line: &Value, item: &Value, quantity: i64) -> Value {
    json!({
        "line_items": [{ "id": line, "item": { "id": item }, "quantity": quantity }],
        "buyer": { "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace" },
        "fulfillment": { "methods": [{
            "type": "shipping",
            "destinations": [{
                "id": "home", "street_address": "1 Main Street", "address_locality": "Berlin",
                "postal_code": "10115", "address_country": "DE", "first_name": "Ada", "last_name": "Lovelace",
            }],
            "selected_destination_id": "home",
            "groups": [{ "selected_option_id": "standard" }],
        }] },
    })
}

/// A checkout that lacks nothing, made without an assistant.
pub(crate) async fn ready(shop: &Shop, sku: &str) -> Value {
    let mut said = basket(&Value::Null, &json!(sku), 1);
    said["line_items"][0].as_object_mut().expect("a line").remove("id");
    let reply = shop.plain("create_checkout", with_meta(json!({ "checkout": said }))).await;
    let checkout = reply.content();
    assert_eq!(checkout["status"], "ready_for_complete", "{checkout}");
    checkout
}

/// The arguments that complete a checkout with a token of its first payment handler.
pub(crate) fn paying(checkout: &Value, token: &str, key: &str) -> Value {
    let handlers = checkout["ucp"]["payment_handlers"].as_object().expect("payment handlers");
    let handler = &handlers.values().next().expect("a payment handler")[0];
    let kind = &handler["available_instruments"][0]["type"];
    let mut arguments =
        with_meta(json!({ "id": checkout["id"], "checkout": { "payment": { "instruments": [{
        "id": "one", "handler_id": handler["id"], "type": kind, "selected": true,
        "credential": { "type": "token", "token": token },
    }] } } }));
    arguments["meta"]["idempotency-key"] = json!(key);
    arguments
}

/// Arguments of the program that tests buy through.
pub(crate) fn with_meta(arguments: Value) -> Value {
    as_agent(AGENT, arguments)
}

pub(crate) fn as_agent(profile: &str, mut arguments: Value) -> Value {
    arguments["meta"] = json!({ "ucp-agent": { "profile": profile } });
    arguments
}

/// A call of a tool, as simple clients send it.
pub(crate) fn call(tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// A message as it was answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

pub(crate) async fn post(url: &str, headers: &[(&str, &str)], message: &Value) -> Reply {
    let mut request = Client::new().post(format!("{url}{}", handel_mcp::PATH)).json(message);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Reply::of(request.send().await.expect("an answer")).await
}

impl Reply {
    async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        Self { status, body: response.json().await.expect("JSON") }
    }

    /// The structured content of a result.
    #[track_caller]
    pub(crate) fn content(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.body["result"]["structuredContent"].clone()
    }

    /// Insists on an error of JSON-RPC under a status, with a code of UCP.
    #[track_caller]
    pub(crate) fn error(&self, status: u16, code: i64, reason: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["error"]["code"], code, "{self:?}");
        assert_eq!(self.body["error"]["data"]["code"], reason, "{self:?}");
    }
}

#[track_caller]
fn assert_valid(schema: &Value, value: &Value) {
    let validator = jsonschema::validator_for(schema).expect("a schema");
    let errors: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {value}");
}
