//! How the agent's calls travel: as REST requests, or as calls of MCP tools. The calls are the same.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use handel_ucp::Operation;
use reqwest::{Client, Method, Response, header};
use serde_json::{Value, json};

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(30);
/// The revision of MCP that the agent speaks.
const MCP_REVISION: &str = "2025-11-25";

/// One of the two ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    Rest,
    Mcp,
}

impl Binding {
    /// What a shop's profile calls it.
    pub fn transport(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Mcp => "mcp",
        }
    }
}

/// A call.
#[derive(Clone, Debug, Default)]
pub struct Ask<'a> {
    /// The operation by its name as a tool.
    pub tool: &'static str,
    /// What it is about.
    pub id: Option<&'a str>,
    /// What it says, with the name of the argument that carries it.
    pub payload: Option<(&'static str, Value)>,
    /// What makes a repetition harmless.
    pub key: Option<&'a str>,
}

/// A connection to a shop that was found by its address.
pub struct Line {
    client: Client,
    binding: Binding,
    endpoint: String,
    profile_url: String,
    session: Option<String>,
}

impl Line {
    /// Connects. MCP begins with a greeting.
    pub async fn open(binding: Binding, endpoint: String, profile_url: String) -> Result<Self> {
        let client = client()?;
        let mut line = Self { client, binding, endpoint, profile_url, session: None };
        if binding == Binding::Mcp {
            line.greet().await?;
        }
        Ok(line)
    }

    /// Calls, and returns what the shop has to say.
    pub async fn call(&self, ask: &Ask<'_>) -> Result<Value> {
        let answer = match self.binding {
            Binding::Rest => self.request(ask).await,
            Binding::Mcp => self.tool(ask).await,
        };
        let answer = answer.with_context(|| format!("{} over {:?}", ask.tool, self.binding))?;
        let failed = answer.pointer("/ucp/status") == Some(&json!("error"));
        ensure!(!failed, "{} was refused: {}", ask.tool, answer["messages"]);
        Ok(answer)
    }

    async fn request(&self, ask: &Ask<'_>) -> Result<Value> {
        let (method, path) = route(ask)?;
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.endpoint))
            .header("ucp-agent", format!("profile=\"{}\"", self.profile_url));
        if let Some(key) = ask.key {
            request = request.header("idempotency-key", key);
        }
        if let Some((_, payload)) = &ask.payload {
            request = request.json(payload);
        }
        let response = request.send().await?;
        let (status, body) = (response.status(), response.json::<Value>().await?);
        ensure!(status.is_success(), "{status}: {body}");
        Ok(body)
    }

    async fn tool(&self, ask: &Ask<'_>) -> Result<Value> {
        let mut arguments = json!({ "meta": { "ucp-agent": { "profile": self.profile_url } } });
        if let Some(key) = ask.key {
            arguments["meta"]["idempotency-key"] = json!(key);
        }
        if let Some(id) = ask.id {
            arguments["id"] = json!(id);
        }
        if let Some((name, payload)) = &ask.payload {
            arguments[*name] = payload.clone();
        }
        let params = json!({ "name": ask.tool, "arguments": arguments });
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
        let answer = read_rpc(self.rpc(&call).await?).await?;
        ensure!(answer.get("error").is_none(), "{}", answer["error"]);
        Ok(answer["result"]["structuredContent"].clone())
    }

    async fn greet(&mut self) -> Result<()> {
        let params = json!({
            "protocolVersion": MCP_REVISION,
            "capabilities": {},
            "clientInfo": { "name": "handel-demo", "version": env!("CARGO_PKG_VERSION") },
        });
        let greeting =
            json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params });
        let response = self.rpc(&greeting).await?;
        let session = response.headers().get("mcp-session-id");
        self.session = session.and_then(|id| id.to_str().ok()).map(str::to_owned);
        let answer = read_rpc(response).await?;
        ensure!(answer.get("error").is_none(), "the shop does not greet back: {}", answer["error"]);
        self.rpc(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        Ok(())
    }

    async fn rpc(&self, message: &Value) -> Result<Response> {
        let mut request = self
            .client
            .post(&self.endpoint)
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header("mcp-protocol-version", MCP_REVISION)
            .json(message);
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        let response = request.send().await?;
        let status = response.status();
        ensure!(status.is_success(), "{status}: {}", response.text().await.unwrap_or_default());
        Ok(response)
    }
}

/// A client that talks to this machine only.
pub fn client() -> Result<Client> {
    let client = Client::builder().no_proxy().timeout(LIMIT).build();
    client.context("the agent's client cannot be made")
}

/// Where UCP's REST binding has an operation.
fn route(ask: &Ask<'_>) -> Result<(Method, String)> {
    let operation = Operation::ALL.into_iter().find(|operation| operation.name() == ask.tool);
    let operation = operation.with_context(|| format!("UCP does not know {}", ask.tool))?;
    Ok((operation.method(), operation.path().replace("{id}", ask.id.unwrap_or_default())))
}

/// The answer to a call: plain JSON, or the first message of a stream.
async fn read_rpc(response: Response) -> Result<Value> {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_stream = kind
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/event-stream"));
    let text = response.text().await?;
    if !is_stream {
        return Ok(serde_json::from_str(&text)?);
    }
    let messages = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let answer = messages
        .filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok())
        .find(|message| message.get("result").is_some() || message.get("error").is_some());
    answer.context("the stream has no answer")
}
