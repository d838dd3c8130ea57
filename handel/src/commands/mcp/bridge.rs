//! The way of a message to the shop and back.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use handel_ports::Secret;
use reqwest::{
    Client, RequestBuilder, Response,
    header::{ACCEPT, CONTENT_TYPE},
    redirect,
};
use serde_json::Value;

use super::message::{Message, SERVER_ERROR, error, messages};
use crate::{config::Config, serve::reachable};

const SESSION: &str = "mcp-session-id";
const BOTH: &str = "application/json, text/event-stream";
/// The first revision that repeats in headers what is asked.
const WITH_HEADERS: &str = "2026-07-28";
/// How much longer than the shop a request may take.
const MARGIN: Duration = Duration::from_secs(5);

/// The shop as it is reached from here.
pub(super) struct Bridge {
    client: Client,
    base: String,
    key: Option<Secret<String>>,
    profile: String,
    /// The revision that both sides agreed on, before 2026-07-28.
    version: Option<String>,
}

impl Bridge {
    /// The shop at `url`, else the one that is configured here.
    pub(super) fn new(config: &Config, url: Option<&str>) -> Result<Self> {
        let listen = config.server.listen;
        let base = match url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None if listen.port() == 0 => bail!("the shop takes a free port; name it with --url"),
            None => format!("http://{}", reachable(listen)),
        };
        // The shop itself fetches the profile, so it is named as the shop knows itself.
        let public = config.server.public_url.as_deref().filter(|_| url.is_none());
        let public = public.map_or(base.as_str(), |url| url.trim_end_matches('/'));
        let own = || format!("{public}{}", handel_mcp::ASSISTANT);
        let profile = config.mcp.profile.clone().unwrap_or_else(own);
        let timeout = Duration::from_millis(config.server.request_timeout_ms) + MARGIN;
        let client = Client::builder().redirect(redirect::Policy::none()).timeout(timeout);
        let client = client.no_proxy().build().context("the client cannot be made")?;
        Ok(Self { client, base, key: config.mcp.key.clone(), profile, version: None })
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Carries a line to the shop. Returns what the assistant has to be told.
    pub(super) async fn carry(&mut self, line: &[u8]) -> Vec<Value> {
        let mut message = match Message::read(line) {
            Ok(message) => message,
            Err(error) => return vec![error],
        };
        message.introduce(&self.profile);
        let id = message.id().cloned();
        let answers = match self.ask(&message, id.as_ref()).await {
            Ok(answers) => answers,
            Err(reason) => {
                tracing::warn!(%reason, "the shop did not answer");
                let text = format!("the shop at {} does not answer; is it running?", self.base);
                vec![error(id.as_ref().unwrap_or(&Value::Null), SERVER_ERROR, &text)]
            }
        };
        // Nobody waits for the answer to a notification.
        if id.is_some() { answers } else { Vec::new() }
    }

    async fn ask(&mut self, message: &Message, id: Option<&Value>) -> reqwest::Result<Vec<Value>> {
        let answer = self.request(message).send().await?;
        let session = answer.headers().get(SESSION).cloned();
        let (status, is_stream) = (answer.status(), is_stream(&answer));
        let body = answer.text().await?;
        if let Some(session) = session {
            // Each request stands alone here, so that no session can run out behind the assistant's back.
            let ended = self.client.delete(self.address()).header(SESSION, session).send().await;
            if let Err(reason) = ended {
                tracing::debug!(%reason, "a session is left to run out");
            }
        }
        let nobody = Value::Null;
        let mut answers = messages(&body, is_stream, id.unwrap_or(&nobody));
        if message.method() == Some("initialize") {
            let version =
                answers.iter().find_map(|answer| answer.pointer("/result/protocolVersion"));
            self.version = version.and_then(Value::as_str).map(str::to_owned);
        }
        if let (true, Some(id)) = (answers.is_empty(), id) {
            let text = format!("the shop answered with status {status} and nothing else");
            answers.push(error(id, SERVER_ERROR, &text));
        }
        Ok(answers)
    }

    fn request(&self, message: &Message) -> RequestBuilder {
        let mut request = self.client.post(self.address()).header(ACCEPT, BOTH);
        request = request.header(CONTENT_TYPE, "application/json").body(message.0.to_string());
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose());
        }
        let version = message.version().or(self.version.as_deref());
        // The handshake agrees on a version; it does not follow one yet.
        if let Some(version) = version.filter(|_| message.method() != Some("initialize")) {
            request = request.header("mcp-protocol-version", version);
        }
        if message.version().is_some_and(|version| version >= WITH_HEADERS) {
            let pairs = [("mcp-method", message.method()), ("mcp-name", message.name())];
            for (name, value) in pairs {
                if let Some(value) = value.filter(|value| value.is_ascii()) {
                    request = request.header(name, value);
                }
            }
        }
        request
    }

    fn address(&self) -> String {
        format!("{}{}", self.base, handel_mcp::PATH)
    }
}

fn is_stream(answer: &Response) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("text/event-stream"))
}
