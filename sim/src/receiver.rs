//! The Web as programs made it: their profiles, and who is told of their orders. It is slow, dead or forgetful at
//! times, and notices what is missing, out of order, or not the same when it comes again.

mod message;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use bytes::Bytes;
use handel_ports::{Fetch, Post, System, WebAnswer, WebClient, WebError};
use handel_ucp::Version;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::{dice::Dice, trace::Trace};
use message::Message;

/// Where programs want to be told.
pub const URL: &str = "https://agent.example/news";

/// The profile of a program, by its number.
pub fn profile_url(number: u64) -> String {
    format!("https://agent{number}.example/profile.json")
}

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
    /// How far the last news of each order were.
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

    /// Whether a message was heard.
    pub fn has_heard(&self, id: &str) -> bool {
        self.state().seen.contains_key(id)
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
        let is_late =
            message.progress < *last || (message.is_numbered && message.progress == *last);
        let before = std::mem::replace(last, message.progress.max(*last));
        drop(state);
        self.trace.count("news");
        if is_late {
            let Message { order, progress, .. } = message;
            self.trace.violation(format!("news {progress} of {order} came after news {before}"));
        }
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
        let is_known = url == URL || url.ends_with(".example/profile.json");
        if is_known { Ok(url.to_owned()) } else { Err(WebError::Address) }
    }

    async fn fetch(&self, _fetch: Fetch) -> Result<WebAnswer, WebError> {
        if self.chance(20) {
            // Longer than the shop waits, now and then.
            self.system.sleep(self.dice.millis(1, 12_000)).await;
        }
        if self.state().is_down || self.chance(5) {
            self.trace.count("profiles not read");
            return Err(WebError::Unreachable);
        }
        if self.chance(5) {
            self.trace.count("profiles not read");
            let (headers, body) = (HeaderMap::new(), Bytes::new());
            return Ok(WebAnswer { status: StatusCode::SERVICE_UNAVAILABLE, headers, body });
        }
        self.trace.count("profiles read");
        let status = StatusCode::OK;
        Ok(WebAnswer { status, headers: HeaderMap::new(), body: profile().to_string().into() })
    }

    async fn post(&self, post: Post) -> Result<WebAnswer, WebError> {
        let Some(message) = Message::read(&post) else {
            self.trace.violation("a message cannot be read");
            return Err(WebError::Unreachable);
        };
        let _under_way = UnderWay::enter(self, &message.order);
        if self.chance(10) {
            // Longer than the shop waits, now and then.
            let thinking = self.system.sleep(self.dice.millis(1, 20_000));
            if self.system.within(post.timeout, thinking).await.is_none() {
                return Err(WebError::Timeout);
            }
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

/// What every program says of itself: it can do everything, and wants to be told of its orders.
fn profile() -> serde_json::Value {
    let version = Version::ROOT.name();
    let declared = |name: &str| {
        let mut declaration = json!({ "version": version });
        if name == "order" {
            declaration["config"] = json!({ "webhook_url": URL });
        }
        (format!("dev.ucp.shopping.{name}"), json!([declaration]))
    };
    let names =
        ["checkout", "catalog.search", "catalog.lookup", "order", "discount", "fulfillment"];
    let capabilities: serde_json::Map<_, _> = names.into_iter().map(declared).collect();
    json!({ "ucp": {
        "version": version, "services": {}, "payment_handlers": {}, "capabilities": capabilities,
    } })
}
