//! Requests to a shop on this machine, without a library: one connection each, plain HTTP/1.1, JSON both ways.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// How long a shop may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A shop with the key of its staff.
pub struct Staff<'a> {
    /// Address of the server, such as `http://127.0.0.1:8080`.
    pub url: &'a str,
    /// An API key.
    pub key: &'a str,
}

impl Staff<'_> {
    /// Sends JSON below `/api/v1/admin`, and returns the answer. Fails if the shop refuses.
    pub fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let host = self.url.trim_end_matches('/').strip_prefix("http://");
        let host = host.with_context(|| format!("{} does not begin with http://", self.url))?;
        let body = body.to_string();
        let request = format!(
            "{method} /api/v1/admin{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n\
             If-Match: *\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.key,
            body.len(),
        );
        let answer = exchange(host, &request).with_context(|| format!("{method} {path}"))?;
        let (status, body) = understand(&answer)?;
        ensure!((200..300).contains(&status), "{method} {path}: {status} {body}");
        serde_json::from_str(body).with_context(|| format!("{method} {path}: {body}"))
    }
}

fn exchange(host: &str, request: &str) -> Result<String> {
    let mut stream = TcpStream::connect(host).with_context(|| format!("no server at {host}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// Status and body of an answer. The shop says how long its bodies are, so there are no chunks.
fn understand(answer: &str) -> Result<(u16, &str)> {
    let (head, body) =
        answer.split_once("\r\n\r\n").context("the answer has no end of its head")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding");
    ensure!(!is_chunked, "the answer comes in chunks");
    Ok((status.context("the answer has no status")?, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(understand(answer).unwrap(), (201, "{}"));
        assert!(understand("HTTP/1.1 200 OK\r\n").is_err());
        assert!(understand("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0").is_err());
    }
}
