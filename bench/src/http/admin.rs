//! The interface for staff, by which a shop is stocked before a run and examined after it.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use handel_domain::id::RequestId;
use http::{HeaderValue, Uri, header};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time;

use super::{Answer, Connection, IDEMPOTENCY_KEY, Request, get, post};

/// How often a server that is busy is asked again.
const TRIES_MAX: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

/// What the shop says to a change.
#[derive(Debug)]
pub enum Reply<T> {
    /// It was made.
    Done(T),
    /// It was refused with this code.
    Refused(String),
}

/// One connection with a key.
#[derive(Debug)]
pub struct Admin {
    connection: Connection,
    authorization: HeaderValue,
}

impl Admin {
    /// A connection for staff. `authorization` is the whole header.
    pub fn new(address: SocketAddr, authorization: HeaderValue) -> Self {
        Self { connection: Connection::new(address), authorization }
    }

    /// Reads something below `/api/v1`.
    pub async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T> {
        match self.reply(path, None, None).await? {
            Reply::Done(found) => Ok(found),
            Reply::Refused(code) => bail!("GET {path} was refused: {code}"),
        }
    }

    /// Changes something below `/api/v1`, once, however often it must be sent.
    pub async fn post<T: DeserializeOwned>(
        &mut self,
        path: &str,
        body: &Value,
    ) -> Result<Reply<T>> {
        // A key that a later run made again would bring the answer of this one.
        let key = format!("once_{}", RequestId::from_u128(rand::random()).body());
        self.reply(path, Some(&key), Some(body)).await
    }

    async fn reply<T: DeserializeOwned>(
        &mut self,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Reply<T>> {
        let answer = self.send(path, key, body).await.with_context(|| format!("at {path}"))?;
        if answer.status.is_success() {
            return answer.read().map(Reply::Done).with_context(|| format!("at {path}"));
        }
        match answer.code() {
            code if code.is_empty() => bail!("{path} was refused with {}", answer.status),
            code => Ok(Reply::Refused(code.into_owned())),
        }
    }

    /// Everything that staff do here may be sent twice, so what is lost or comes too early is sent again.
    async fn send(
        &mut self,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer> {
        let uri: Uri = format!("/api/v1{path}").parse().context("cannot make an address of it")?;
        let body = body.map(serde_json::to_vec).transpose()?.map(Bytes::from);
        let mut last = anyhow!("it was never sent");
        for _ in 0..TRIES_MAX {
            let mut request = match &body {
                Some(body) => post(uri.clone(), body.clone()),
                None => get(uri.clone()),
            };
            self.sign(&mut request, key)?;
            match self.connection.send(request).await {
                Ok(answer) if answer.status.as_u16() == 503 => {
                    last = anyhow!("the server stays busy: {}", answer.code());
                    time::sleep(answer.retry_after().unwrap_or(PAUSE)).await;
                }
                Ok(answer) if is_write_conflict(&answer) => time::sleep(PAUSE).await,
                Ok(answer) => return Ok(answer),
                Err(lost) => {
                    last = anyhow!("{}", lost.0);
                    time::sleep(PAUSE).await;
                }
            }
        }
        Err(last)
    }

    fn sign(&self, request: &mut Request, key: Option<&str>) -> Result<()> {
        let headers = request.headers_mut();
        headers.insert(header::AUTHORIZATION, self.authorization.clone());
        if let Some(key) = key {
            headers.insert(IDEMPOTENCY_KEY, HeaderValue::try_from(key)?);
        }
        Ok(())
    }
}

fn is_write_conflict(answer: &Answer) -> bool {
    answer.status.as_u16() == 409 && answer.code() == "write.conflict"
}
