//! Who is told of orders by their programs' webhooks: slow, dead or forgetful at times, and notices what is missing,
//! out of order, or not the same when it comes again.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use handel_ports::{Fetch, Post, System, WebAnswer, WebClient, WebError};
use http::{HeaderMap, StatusCode};

use crate::{dice::Dice, trace::Trace};

/// Where programs want to be told.
pub const URL: &str = "https://agent.example/news";

/// The only place in the simulated Web.
pub struct Receiver {
    system: System,
    dice: Dice,
    trace: Arc<Trace>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Every message by its id.
    seen: BTreeMap<String, (HeaderMap, Bytes)>,
    /// The last event of each order.
    orders: BTreeMap<String, i64>,
    /// Messages that are being taken in, by order.
    under_way: BTreeMap<String, usize>,
    is_down: bool,
    is_perfect: bool,
}

impl Receiver {
    /// One that has heard nothing yet.
    pub fn new(system: System, dice: Dice, trace: Arc<Trace>) -> Self {
        Self { system, dice, trace, state: Mutex::default() }
    }

    /// Answers nothing, or most of it again.
    pub fn set_down(&self, is_down: bool) {
        self.state().is_down = is_down;
    }

    /// Takes everything from now on.
    pub fn heal(&self) {
        let mut state = self.state();
        (state.is_down, state.is_perfect) = (false, true);
    }

    /// The last event of an order that was heard of.
    pub fn last_of(&self, order: &str) -> i64 {
        self.state().orders.get(order).copied().unwrap_or(0)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chance(&self, percent: u64) -> bool {
        !self.state().is_perfect && self.dice.percent(percent)
    }

    fn take_in(&self, message: &Message, post: &Post) {
        let mut state = self.state();
        let content = (post.headers.clone(), post.body.clone());
        if let Some(before) = state.seen.insert(message.id.clone(), content.clone()) {
            drop(state);
            self.trace.count("news again");
            if before != content {
                self.trace.violation(format!("message {} was not the same again", message.id));
            }
            return;
        }
        let last = state.orders.entry(message.order.clone()).or_default();
        let is_late = message.sequence <= *last;
        let before = std::mem::replace(last, message.sequence.max(*last));
        drop(state);
        self.trace.count("news");
        if is_late {
            let Message { order, sequence, .. } = message;
            self.trace.violation(format!("news {sequence} of {order} came after news {before}"));
        }
    }
}

struct Message {
    id: String,
    order: String,
    sequence: i64,
}

impl Message {
    fn read(body: &Bytes) -> Option<Self> {
        let body: serde_json::Value = serde_json::from_slice(body).ok()?;
        Some(Self {
            id: body["id"].as_str()?.to_owned(),
            order: body["order"]["id"].as_str()?.to_owned(),
            sequence: body["sequence"].as_i64()?,
        })
    }
}

/// Counts what is under way until it is answered, or its sender has given up or died.
struct UnderWay<'r>(&'r Receiver, String);

impl<'r> UnderWay<'r> {
    fn enter(receiver: &'r Receiver, order: &str) -> Self {
        let mut state = receiver.state();
        let count = state.under_way.entry(order.to_owned()).or_default();
        *count += 1;
        let count = *count;
        drop(state);
        if count > 1 {
            receiver.trace.violation(format!("{count} messages about {order} were sent at once"));
        }
        Self(receiver, order.to_owned())
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(count) = self.0.state().under_way.get_mut(&self.1) {
            *count -= 1;
        }
    }
}

#[async_trait]
impl WebClient for Receiver {
    fn check_url(&self, url: &str) -> Result<String, WebError> {
        if url == URL { Ok(url.to_owned()) } else { Err(WebError::Address) }
    }

    async fn fetch(&self, _fetch: Fetch) -> Result<WebAnswer, WebError> {
        Err(WebError::Unreachable)
    }

    async fn post(&self, post: Post) -> Result<WebAnswer, WebError> {
        let Some(message) = Message::read(&post.body) else {
            self.trace.violation("a message cannot be read");
            return Err(WebError::Unreachable);
        };
        let _under_way = UnderWay::enter(self, &message.order);
        if self.chance(10) {
            // Longer than the shop waits, now and then.
            self.system.sleep(self.dice.millis(1, 20_000)).await;
        }
        if self.state().is_down || self.chance(3) {
            self.trace.count("news lost");
            return Err(WebError::Unreachable);
        }
        let status =
            if self.chance(3) { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
        if status.is_success() {
            self.take_in(&message, &post);
        }
        // It may have taken the message in, and the answer gets lost.
        if self.chance(2) {
            self.trace.count("news lost");
            return Err(WebError::Timeout);
        }
        Ok(WebAnswer { status, headers: HeaderMap::new(), body: Bytes::new() })
    }
}
