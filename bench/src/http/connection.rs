//! One connection of one client: HTTP/1.1, kept open, one request at a time.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time};

use super::{Answer, Request};

/// A server that says nothing for so long is counted as one that never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// The request was or was not sent, and no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost(pub &'static str);

/// A connection that opens itself when it is needed.
#[derive(Debug)]
pub struct Connection {
    address: SocketAddr,
    host: HeaderValue,
    sender: Option<SendRequest<Full<Bytes>>>,
}

impl Connection {
    /// A connection to this address. Nothing is opened yet.
    pub fn new(address: SocketAddr) -> Self {
        let host = HeaderValue::try_from(address.to_string()).expect("an address is ASCII");
        Self { address, host, sender: None }
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&mut self, mut request: Request) -> Result<Answer, Lost> {
        request.headers_mut().insert(header::HOST, self.host.clone());
        let outcome = match time::timeout(PATIENCE, self.exchange(request)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Lost("no answer in time")),
        };
        if outcome.is_err() {
            self.sender = None;
        }
        outcome
    }

    /// A server may close a connection that was idle. A request that surely did not leave is sent again over
    /// a new one; any other is lost.
    async fn exchange(&mut self, request: Request) -> Result<Answer, Lost> {
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => connect(self.address).await?,
        };
        let response = match sender.try_send_request(request).await {
            Ok(response) => response,
            Err(mut error) => {
                let unsent = error.take_message().ok_or(Lost("the connection broke"))?;
                sender = connect(self.address).await?;
                sender.send_request(unsent).await.map_err(|_| Lost("the connection broke"))?
            }
        };
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| Lost("the answer broke off"))?.to_bytes();
        self.sender = Some(sender);
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>, Lost> {
    let stream = TcpStream::connect(address).await.map_err(|_| Lost("no connection"))?;
    stream.set_nodelay(true).map_err(|_| Lost("no connection"))?;
    let handshake = http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|_| Lost("no connection"))?;
    // It ends with the sender. What breaks it is told to whoever waits for an answer.
    tokio::spawn(async move { drop(connection.await) });
    sender.ready().await.map_err(|_| Lost("no connection"))?;
    Ok(sender)
}
