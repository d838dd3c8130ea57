//! A buyer: one connection, a choice of goods, and a record of what was bought.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use handel_domain::id::{CheckoutId, OrderId, RequestId};
use http::{HeaderValue, StatusCode, header};
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};

use crate::{
    http::{Answer, Connection, Lost, Request},
    series::Window,
    stats::{Stats, Step},
    world::World,
};

/// What is counted beside a 503 that does not say when to come back.
pub const NO_RETRY_AFTER: &str = "no Retry-After";

/// An order that the shop told its buyer of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// The order.
    pub order_id: OrderId,
    /// The checkout that it was made from.
    pub checkout_id: CheckoutId,
    /// What the buyer was told to pay, in minor units.
    pub total_minor: i64,
    /// Whether the buyer was told that it is paid.
    pub is_paid: bool,
}

/// A completion that can be sent again as it was.
#[derive(Clone, Debug)]
pub struct Completion {
    /// Whose cart.
    pub cart: HeaderValue,
    /// The checkout.
    pub checkout_id: CheckoutId,
    /// The key.
    pub key: HeaderValue,
}

/// What a client leaves behind for the checks.
#[derive(Debug, Default)]
pub struct Log {
    /// Orders that the shop told of.
    pub purchases: Vec<Purchase>,
    /// Completions that nobody answered.
    pub unanswered: Vec<Completion>,
    /// Answers that contradict each other.
    pub contradictions: Vec<String>,
}

impl Log {
    /// Adds what another client leaves.
    pub fn append(&mut self, mut other: Self) {
        self.purchases.append(&mut other.purchases);
        self.unanswered.append(&mut other.unanswered);
        self.contradictions.append(&mut other.contradictions);
    }
}

/// An iteration ended early. What went wrong was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// No answer came.
    Lost,
    /// The answer was a refusal, or made no sense.
    Refused,
}

/// A buyer.
#[derive(Debug)]
pub struct Client {
    /// What all clients share.
    pub world: Arc<World>,
    /// What this one counts.
    pub stats: Stats,
    /// What this one leaves behind.
    pub log: Log,
    /// What it says of itself at every checkout.
    pub buyer: Bytes,
    /// For requests at the same time; one is enough for most scenarios.
    pub connections: Vec<Connection>,
    /// Where each second is written down.
    pub window: Option<Arc<Window>>,
    id: usize,
    keys: u128,
    rng: SmallRng,
}

impl Client {
    /// A client with so many connections, spread over the processes of the shop.
    pub fn new(world: Arc<World>, id: usize, connections: usize) -> Self {
        let address = |at: usize| world.addresses[(id + at) % world.addresses.len()];
        let connections = (0..connections).map(|at| Connection::new(address(at))).collect();
        let seed = world.seed.wrapping_mul(1_000_003).wrapping_add(id as u64);
        Self {
            buyer: world.buyer(id),
            stats: Stats::default(),
            log: Log::default(),
            rng: SmallRng::seed_from_u64(seed),
            window: None,
            keys: 0,
            connections,
            id,
            world,
        }
    }

    /// A number below `end`.
    pub fn pick(&mut self, end: usize) -> usize {
        self.rng.random_range(0..end)
    }

    /// A key that was never used. It looks like an id, so that rows that hold one are known to belong to it.
    pub fn key(&mut self) -> HeaderValue {
        self.keys += 1;
        let bits = u128::from(self.world.nonce) << 64 | (self.id as u128) << 40 | self.keys;
        let key = format!("once_{}", RequestId::from_u128(bits).body());
        HeaderValue::try_from(key).expect("letters and digits are fit for a header")
    }

    /// Sends a request and counts it. Any answer will do.
    pub async fn exchange(&mut self, step: Step, request: Request) -> Result<Answer, Lost> {
        let sent = Instant::now();
        let outcome = self.connections[0].send(request).await;
        self.count(step, sent, &outcome);
        outcome
    }

    /// Sends a request that must be answered with a success.
    pub async fn must(&mut self, step: Step, request: Request) -> Result<Answer, Failed> {
        match self.exchange(step, request).await {
            Ok(answer) if answer.status.is_success() => Ok(answer),
            Ok(_) => Err(Failed::Refused),
            Err(_) => Err(Failed::Lost),
        }
    }

    /// Counts an iteration with its outcome.
    pub fn iterated(&mut self, outcome: Result<(), Failed>, elapsed: Duration) {
        match outcome {
            Ok(()) => self.stats.iteration(elapsed),
            Err(Failed::Lost | Failed::Refused) => self.stats.failure(),
        }
        if let Some(window) = &self.window {
            window.iteration(outcome.is_ok().then_some(elapsed));
        }
    }

    /// Counts a request with its outcome.
    pub fn count(&mut self, step: Step, sent: Instant, outcome: &Result<Answer, Lost>) {
        if let Some(window) = &self.window {
            window.request(outcome.as_ref().is_ok_and(|answer| answer.status.is_success()));
        }
        match outcome {
            Ok(answer) => {
                let (status, elapsed) = (answer.status.as_u16(), sent.elapsed());
                self.stats.step(step, elapsed);
                self.stats.fate(status, elapsed);
                if !answer.status.is_success() {
                    self.stats.error(step, status, &answer.code());
                }
                if status == 503 && !answer.headers.contains_key(header::RETRY_AFTER) {
                    self.stats.error(step, status, NO_RETRY_AFTER);
                }
            }
            Err(lost) => self.stats.error(step, 0, lost.0),
        }
    }

    /// Counts an answer that is no success, or makes no sense.
    pub fn nonsense(&mut self, step: Step, status: StatusCode, what: &str) -> Failed {
        self.stats.error(step, status.as_u16(), what);
        Failed::Refused
    }
}
