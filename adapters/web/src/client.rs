//! One request and its answer, with an end to everything.

use std::{io, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use handel_ports::{BoxFuture, Fetch, Post, System, WebAnswer, WebClient, WebError};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, client::conn::http1};
use rustls::RootCertStore;
use url::Url;

use crate::{
    address::Rules,
    connect::{Connector, tls},
};

/// Most bytes of the head of an answer.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// Finds the addresses of a name.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// What an installation may set.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether this machine itself may be called, also without TLS. For development.
    pub allow_loopback: bool,
    /// How the shop calls itself.
    pub user_agent: HeaderValue,
}

/// The client. See the contract of [`WebClient`].
pub struct SafeWeb {
    connector: Connector,
    system: System,
    user_agent: HeaderValue,
}

impl SafeWeb {
    /// A client that resolves names as this machine does and believes the authorities that it believes.
    pub fn new(settings: Settings, system: System) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::with(settings, system, Arc::new(|name| Box::pin(resolve(name))), roots)
    }

    /// A client with a resolver and authorities of its own.
    pub fn with(settings: Settings, system: System, lookup: Lookup, roots: RootCertStore) -> Self {
        let rules = Rules { allow_loopback: settings.allow_loopback };
        let connector = Connector { rules, lookup, system: system.clone(), tls: tls(roots) };
        Self { connector, system, user_agent: settings.user_agent }
    }

    async fn call(&self, call: Call) -> Result<WebAnswer, WebError> {
        let url = self.connector.rules.read(&call.url)?;
        let answered = self.system.within(call.timeout, self.exchange(&url, call)).await;
        answered.unwrap_or(Err(WebError::Timeout))
    }

    async fn exchange(&self, url: &Url, call: Call) -> Result<WebAnswer, WebError> {
        let stream = self.connector.connect(url).await?;
        let handshake = http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).handshake(stream).await;
        let (mut sender, connection) = handshake.map_err(|error| unreachable(url, &error))?;
        let (body_max, on_excess) = (call.body_bytes_max, call.on_excess);
        let request = self.request(url, call)?;
        let answering = async {
            let answer = sender.send_request(request).await;
            let (head, body) = answer.map_err(|error| unreachable(url, &error))?.into_parts();
            if head.status.is_redirection() && head.status != StatusCode::NOT_MODIFIED {
                return Err(WebError::Redirect);
            }
            let body = read(url, body, body_max, on_excess).await?;
            Ok(WebAnswer { status: head.status, headers: head.headers, body })
        };
        let (mut answering, connection) = (pin!(answering), pin!(connection));
        tokio::select! {
            biased;
            answer = &mut answering => answer,
            // What had arrived before the connection ended can still be read.
            _ended = connection => answering.await,
        }
    }

    fn request(&self, url: &Url, call: Call) -> Result<Request<Full<Bytes>>, WebError> {
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let host = HeaderValue::try_from(&url[url::Position::BeforeHost..url::Position::AfterPort]);
        let request = Request::builder().method(call.method).uri(target);
        let mut request = request.body(Full::new(call.body)).map_err(|_| WebError::Address)?;
        let headers = request.headers_mut();
        *headers = call.headers;
        headers.insert(header::HOST, host.map_err(|_| WebError::Address)?);
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        Ok(request)
    }
}

#[async_trait]
impl WebClient for SafeWeb {
    fn check_url(&self, url: &str) -> Result<String, WebError> {
        self.connector.rules.read(url).map(String::from)
    }

    async fn fetch(&self, fetch: Fetch) -> Result<WebAnswer, WebError> {
        self.call(Call {
            method: Method::GET,
            url: fetch.url,
            headers: fetch.headers,
            body: Bytes::new(),
            body_bytes_max: fetch.body_bytes_max,
            on_excess: Excess::Refuse,
            timeout: fetch.timeout,
        })
        .await
    }

    async fn post(&self, post: Post) -> Result<WebAnswer, WebError> {
        self.call(Call {
            method: Method::POST,
            url: post.url,
            headers: post.headers,
            body: post.body,
            body_bytes_max: post.answer_bytes_max,
            on_excess: Excess::CutOff,
            timeout: post.timeout,
        })
        .await
    }
}

struct Call {
    method: Method,
    url: String,
    headers: HeaderMap,
    body: Bytes,
    body_bytes_max: usize,
    on_excess: Excess,
    timeout: Duration,
}

/// What becomes of an answer that is longer than was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Excess {
    Refuse,
    CutOff,
}

/// Reads a body as far as it is wanted, and never more.
async fn read(
    url: &Url,
    mut body: Incoming,
    max: usize,
    on_excess: Excess,
) -> Result<Bytes, WebError> {
    let mut read = BytesMut::new();
    loop {
        if on_excess == Excess::CutOff && read.len() >= max {
            break;
        }
        let Some(frame) = body.frame().await else { break };
        let frame = frame.map_err(|error| unreachable(url, &error))?;
        let Ok(data) = frame.into_data() else { continue };
        if on_excess == Excess::Refuse && read.len() + data.len() > max {
            return Err(WebError::TooLarge);
        }
        let wanted = data.len().min(max - read.len());
        read.extend_from_slice(&data[..wanted]);
    }
    Ok(read.freeze())
}

fn unreachable(url: &Url, error: &hyper::Error) -> WebError {
    tracing::debug!(host = url.host_str(), %error, "no answer");
    WebError::Unreachable
}

/// The addresses of a name, as this machine sees them.
async fn resolve(name: String) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host((name, 0)).await?;
    Ok(found.map(|address| address.ip()).collect())
}
