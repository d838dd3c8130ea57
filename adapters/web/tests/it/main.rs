//! Goal: whatever address a stranger names, nothing inside is reached, and no answer holds us up.

mod answers;
mod names;
mod tls;

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use handel_ports::{Fetch, Post, System};
use handel_web::{Lookup, SafeWeb, Settings};
use http::HeaderMap;
use rustls::RootCertStore;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Long enough that only what hangs takes longer.
const LONG: Duration = Duration::from_secs(20);
/// Short, for peers that never come to an end.
const SHORT: Duration = Duration::from_millis(200);

fn settings(allow_loopback: bool) -> Settings {
    Settings { allow_loopback, user_agent: "Handel-test".parse().expect("a header") }
}

/// A client that may call this machine, by addresses alone.
fn local() -> SafeWeb {
    SafeWeb::with(settings(true), System::real(), names(vec![]).0, RootCertStore::empty())
}

/// A resolver that gives one answer after the other, the last one again and again, and counts.
fn names(answers: Vec<Vec<IpAddr>>) -> (Lookup, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        let at = count.fetch_add(1, Ordering::SeqCst);
        let answer = answers.get(at).or(answers.last()).cloned().unwrap_or_default();
        Box::pin(async move { Ok(answer) })
    });
    (lookup, asked)
}

/// A server that answers each connection with the same bytes, and then holds it open or closes it.
struct Server {
    port: u16,
    /// What the connections sent, up to the end of the head.
    heads: Arc<std::sync::Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn answering(bytes: impl Into<Vec<u8>>, holds: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heads = Arc::new(std::sync::Mutex::default());
        let (bytes, seen) = (bytes.into(), Arc::clone(&heads));
        let task = spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                spawn(answer(stream, bytes.clone(), holds, Arc::clone(&seen)));
            }
        });
        Self { port, heads, task }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/profile?a=1", self.port)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody panics").clone()
    }
}

async fn answer(
    mut stream: TcpStream,
    bytes: Vec<u8>,
    holds: bool,
    seen: Arc<std::sync::Mutex<Vec<String>>>,
) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).await.is_ok() {
        head.extend(byte);
    }
    seen.lock().expect("nobody panics").push(String::from_utf8_lossy(&head).into_owned());
    // The client may have gone.
    let _gone = stream.write_all(&bytes).await;
    if holds {
        std::future::pending::<()>().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "the peers of a test are no part of a shop")]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}

fn fetch(url: impl Into<String>, body_bytes_max: usize, timeout: Duration) -> Fetch {
    Fetch { url: url.into(), headers: HeaderMap::new(), body_bytes_max, timeout }
}

fn post(url: impl Into<String>, timeout: Duration) -> Post {
    let (headers, body) = (HeaderMap::new(), "{}".into());
    Post { url: url.into(), headers, body, answer_bytes_max: 16, timeout }
}
