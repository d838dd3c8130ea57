//! A server on a port of its own, and clients that speak to it byte by byte.

use std::{net::SocketAddr, time::Duration};

use handel_kit::{Server, ServerSettings};
use handel_testkit::meanwhile;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
};

use super::{Front, Shop};

/// A server that is running.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
}

/// A client.
pub(crate) struct Client(TcpStream);

impl Running {
    pub(crate) async fn start(shop: &Shop, front: &Front, settings: ServerSettings) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = Server::bind(any, settings, shop.system.clone()).await.expect("a free port");
        let address = server.address().expect("it is bound");
        let (stop, stopped) = watch::channel(false);
        let served = meanwhile(server.run(front.0.clone(), stopped));
        Self { address, stop, served }
    }

    pub(crate) async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.expect("the server listens"))
    }

    /// Whether somebody listens.
    pub(crate) async fn is_open(&self) -> bool {
        TcpStream::connect(self.address).await.is_ok()
    }

    pub(crate) fn signal_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the server has ended.
    pub(crate) async fn ended(self) {
        in_time(self.served).await.expect("the server does not panic");
    }

    pub(crate) async fn stop(self) {
        self.signal_stop();
        self.ended().await;
    }
}

impl Client {
    pub(crate) async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.expect("the server takes it");
    }

    /// Sends what the server may not want to hear to its end.
    pub(crate) async fn try_send(&mut self, text: &str) -> std::io::Result<()> {
        self.0.write_all(text.as_bytes()).await
    }

    /// Reads one whole answer with its body.
    pub(crate) async fn answer(&mut self) -> String {
        let mut text = Vec::new();
        while !is_whole(&text) {
            let byte = in_time(self.0.read_u8()).await;
            text.push(byte.unwrap_or_else(|error| {
                panic!("{error} after {:?}", String::from_utf8_lossy(&text))
            }));
        }
        String::from_utf8(text).expect("text")
    }

    /// Waits until the server has closed the connection; returns what it said before.
    pub(crate) async fn closed(&mut self) -> String {
        let mut text = Vec::new();
        // A connection that is reset is closed too.
        let _reset = in_time(self.0.read_to_end(&mut text)).await;
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Whether an answer begins with this byte, and the connection was not closed instead.
    pub(crate) async fn said_first(&mut self, byte: u8) -> bool {
        in_time(self.0.read_u8()).await.is_ok_and(|first| first == byte)
    }

    /// Reads until these bytes came.
    pub(crate) async fn read_until(&mut self, end: &[u8]) {
        let mut said = Vec::new();
        while !said.ends_with(end) {
            said.push(in_time(self.0.read_u8()).await.expect("it comes"));
        }
    }

    /// Whether nothing came and nothing was closed so far.
    pub(crate) fn is_waiting(&self) -> bool {
        let nothing = self.0.try_read(&mut [0]);
        nothing.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    pub(crate) async fn get(&mut self, path: &str) -> String {
        self.send(&get(path)).await;
        self.answer().await
    }
}

/// A whole request.
pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: shop.example\r\n\r\n")
}

fn is_whole(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.is_none_or(|length| body.len() >= length.parse().expect("a number"))
}

/// Ends a test that would hang.
#[expect(clippy::disallowed_methods, reason = "a test that hangs must end in real time")]
pub(crate) async fn in_time<T>(waiting: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it never came")
}
