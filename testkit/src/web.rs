//! The Web as a shop of a test meets it: documents that are there, and receivers that do what they are told.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use handel_engine::{Delivery, OrderNews, WebhookFormat};
use handel_ports::{Clock as _, Fetch, Post, WebAnswer, WebClient, WebError};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::{Gate, SimulatedClock};

/// What a receiver does with a message.
#[derive(Clone)]
pub enum Reaction {
    /// It answers with this status. The usual one is 200.
    Answers(u16),
    /// The message does not get through, or the answer does not.
    Fails(WebError),
    /// It takes the message and never answers.
    Hangs,
    /// It takes the message, and answers 200 when the gate is opened.
    Holds(Gate),
}

impl Reaction {
    async fn follow(self) -> Result<WebAnswer, WebError> {
        match self {
            Self::Answers(status) if (300..400).contains(&status) => Err(WebError::Redirect),
            Self::Answers(status) => Ok(answer(status)),
            Self::Fails(error) => Err(error),
            Self::Hangs => std::future::pending().await,
            Self::Holds(gate) => {
                gate.pass().await;
                Ok(answer(200))
            }
        }
    }
}

/// A message that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Where to.
    pub url: String,
    /// With which headers.
    pub headers: HeaderMap,
    /// What it said.
    pub body: Bytes,
}

impl Sent {
    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a message is JSON")
    }
}

/// The Web. Receivers take everything unless they are told otherwise.
pub struct FakeWeb {
    state: Mutex<State>,
    clock: Arc<SimulatedClock>,
}

#[derive(Default)]
struct State {
    sent: Vec<Sent>,
    documents: HashMap<String, WebAnswer>,
    fetches: usize,
    /// What the next messages to a host meet, and what those after them do.
    planned: HashMap<String, VecDeque<Reaction>>,
    always: HashMap<String, Reaction>,
    under_way: HashMap<String, usize>,
    most_at_once: usize,
}

impl FakeWeb {
    /// An empty one.
    pub fn new(clock: Arc<SimulatedClock>) -> Self {
        Self { state: Mutex::default(), clock }
    }

    /// Every message so far, repetitions included, in the order in which they were sent.
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// The most messages that were under way to one address at the same time.
    pub fn most_at_once(&self) -> usize {
        self.state().most_at_once
    }

    /// Plans what the next message to a host meets, after those that were planned before.
    pub fn plan(&self, host: &str, reaction: Reaction) {
        self.state().planned.entry(host.to_owned()).or_default().push_back(reaction);
    }

    /// Says what every message to a host meets for which nothing else is planned.
    pub fn set(&self, host: &str, reaction: Reaction) {
        self.state().always.insert(host.to_owned(), reaction);
    }

    /// Stops the next message to a host after it was taken.
    pub fn hold(&self, host: &str) -> Gate {
        let gate = Gate::default();
        self.plan(host, Reaction::Holds(gate.clone()));
        gate
    }

    /// Puts a document at an address, with its media type and entity tag.
    pub fn publish(&self, url: &str, headers: HeaderMap, body: impl Into<Bytes>) {
        let document = WebAnswer { status: StatusCode::OK, headers, body: body.into() };
        self.state().documents.insert(url.to_owned(), document);
    }

    /// How often a document was asked for.
    pub fn fetches(&self) -> usize {
        self.state().fetches
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_in(&self, post: &Post) -> Reaction {
        let mut state = self.state();
        let Post { url, headers, body, .. } = post.clone();
        state.sent.push(Sent { url: url.clone(), headers, body });
        let under_way = state.under_way.entry(url).or_default();
        *under_way += 1;
        let under_way = *under_way;
        state.most_at_once = state.most_at_once.max(under_way);
        let host = host_of(&post.url).unwrap_or_default();
        let planned = state.planned.get_mut(&host).and_then(VecDeque::pop_front);
        planned.or_else(|| state.always.get(&host).cloned()).unwrap_or(Reaction::Answers(200))
    }
}

/// Counts a message until it is answered, or its sender has given up or died.
struct UnderWay<'w>(&'w FakeWeb, String);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        *self.0.state().under_way.entry(self.1.clone()).or_insert(1) -= 1;
    }
}

fn host_of(url: &str) -> Option<String> {
    Some(url.parse::<http::Uri>().ok()?.host()?.to_owned())
}

fn answer(status: u16) -> WebAnswer {
    let status = StatusCode::from_u16(status).expect("a test plans a status");
    WebAnswer { status, headers: HeaderMap::new(), body: Bytes::new() }
}

#[async_trait]
impl WebClient for FakeWeb {
    fn check_url(&self, url: &str) -> Result<String, WebError> {
        let is_public = |host: &String| host.ends_with(".example");
        let checked = url.starts_with("https://").then(|| host_of(url)).flatten();
        // No user and no fragment, as with the real one.
        let checked = checked.filter(|_| !url.contains(['@', '#']));
        checked.filter(is_public).map(|_| url.to_owned()).ok_or(WebError::Address)
    }

    async fn fetch(&self, fetch: Fetch) -> Result<WebAnswer, WebError> {
        let mut state = self.state();
        state.fetches += 1;
        let document = state.documents.get(&fetch.url).cloned();
        let document = document.unwrap_or_else(|| answer(404));
        if document.body.len() > fetch.body_bytes_max {
            return Err(WebError::TooLarge);
        }
        let known = fetch.headers.get(header::IF_NONE_MATCH);
        let is_known = known.is_some() && known == document.headers.get(header::ETAG);
        Ok(if is_known { answer(304) } else { document })
    }

    async fn post(&self, post: Post) -> Result<WebAnswer, WebError> {
        self.check_url(&post.url)?;
        let reaction = self.take_in(&post);
        let _under_way = UnderWay(self, post.url);
        tokio::select! {
            biased;
            answer = reaction.follow() => answer,
            () = self.clock.sleep(post.timeout) => Err(WebError::Timeout),
        }
    }
}

/// A protocol for tests, which says little and signs nothing.
pub struct PlainNews;

impl PlainNews {
    /// The name that an origin gives as its protocol.
    pub const NAME: &'static str = "plain/1";
}

impl WebhookFormat for PlainNews {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn write(&self, news: &OrderNews) -> Result<Bytes, String> {
        let order = &news.story.details.order;
        let body = json!({
            "id": news.delivery_id,
            "event": news.event,
            "sequence": news.sequence,
            "occurred_at": news.occurred_at,
            "order": { "id": order.id, "status": order.status, "total_minor": order.total_minor },
            "events": news.story.events.iter().map(|event| event.change.name()).collect::<Vec<_>>(),
        });
        Ok(body.to_string().into())
    }

    fn headers(&self, delivery: &Delivery, _body: &Bytes) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let id =
            HeaderValue::try_from(delivery.id.to_string()).map_err(|error| error.to_string())?;
        headers.insert("webhook-id", id);
        headers.insert("webhook-timestamp", HeaderValue::from(delivery.written_at.as_second()));
        Ok(headers)
    }
}
