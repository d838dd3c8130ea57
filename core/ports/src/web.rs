//! Requests to addresses that a stranger named, such as the profile of a program or its webhook.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, StatusCode};

/// A document that is read.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Where it is. See [`WebClient::check_url`].
    pub url: String,
    /// Headers of the request, such as `Accept` and `If-None-Match`.
    pub headers: HeaderMap,
    /// Longest body, in bytes. A longer one is [`WebError::TooLarge`].
    pub body_bytes_max: usize,
    /// How long all of it may take, from the look-up of the name to the last byte.
    pub timeout: Duration,
}

/// A message that is sent.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where it goes. See [`WebClient::check_url`].
    pub url: String,
    /// Headers of the request, with its `Content-Type`.
    pub headers: HeaderMap,
    /// The body, which is sent as it is.
    pub body: Bytes,
    /// How much of the answer is read, in bytes. What goes beyond is cut off, because the status is what counts.
    pub answer_bytes_max: usize,
    /// How long all of it may take, from the look-up of the name to the last byte that is read.
    pub timeout: Duration,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct WebAnswer {
    /// The status; never one that sends elsewhere.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as far as it was asked for.
    pub body: Bytes,
}

/// Why there is no answer. The texts name no address, so that they can be shown to whoever gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebError {
    /// The address is malformed or of a kind that is never called, or leads into a private network.
    #[error("the address must not be called")]
    Address,
    /// The answer sends elsewhere. Nobody goes there.
    #[error("the address redirects")]
    Redirect,
    /// It took too long.
    #[error("there was no answer in time")]
    Timeout,
    /// The body is longer than was asked for.
    #[error("the answer is too large")]
    TooLarge,
    /// There is no such host, nobody listens, the connection broke, or the answer is no HTTP.
    #[error("there was no answer")]
    Unreachable,
    /// The host could not prove who it is.
    #[error("no secure connection could be made")]
    Tls,
}

/// The only way to addresses that a stranger named.
///
/// Contract, checked by the tests of the adapter: only `https`, with `http` on loopback for development alone; the
/// address is resolved once for each call, every special-purpose address is refused, and the connection goes to the
/// address that was checked; no redirect, proxy or cookie is followed or used; everything has an end.
#[async_trait]
pub trait WebClient: Send + Sync {
    /// Refuses an address that can never be called, without calling anybody. Answers it in the form in which it is
    /// called, which is the one to store and to sign.
    fn check_url(&self, url: &str) -> Result<String, WebError>;

    /// Reads a document.
    async fn fetch(&self, fetch: Fetch) -> Result<WebAnswer, WebError>;

    /// Sends a message. It may have arrived even where this is an error, unless that is [`WebError::Address`].
    async fn post(&self, post: Post) -> Result<WebAnswer, WebError>;
}
