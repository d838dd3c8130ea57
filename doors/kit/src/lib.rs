//! What all doors share: who is asking, limits, problem documents, metrics, and the server itself.
//!
//! Owns everything about HTTP that is the same for every protocol. Refuses to own any route of a protocol and
//! any rule of the shop.

#![warn(missing_docs)]

mod bodies;
mod client;
mod compress;
mod context;
mod extract;
mod idempotency;
mod json_shape;
mod limits;
mod metrics;
mod ops;
mod problem;
mod server;
mod shares;
mod staff;

use std::{sync::Arc, time::Duration};

use handel_domain::{Code, Refusal};
use handel_engine::Engine;
use handel_ports::System;

pub use client::{Client, Network, NotANetwork};
pub use compress::compressed;
pub use context::{CART_COOKIE, CART_TOKEN, Request, Write, cart_cookie, is_foreign, request_id};
pub use extract::{
    AgentBody, JsonBody, MERGE_PATCH, PathParams, QueryParams, RawBody, expected_version,
    from_value, read_body, read_json,
};
pub use idempotency::digest;
pub use limits::layered;
pub use metrics::Metrics;
pub use ops::ops_router;
pub use problem::{EXPLAINED_AT, Problem, ProblemBody, refusal_of, reworded, status_of};
pub use server::{Server, ServerSettings};
pub use staff::{Needed, Staff, needs};

/// What a handler has at hand. Clones share it.
#[derive(Clone)]
pub struct Door(Arc<Shared>);

struct Shared {
    engine: Engine,
    system: System,
    metrics: Arc<Metrics>,
    settings: DoorSettings,
    writes: shares::Buckets,
}

/// How requests are limited, and how the shop is reached.
#[derive(Clone, Debug)]
pub struct DoorSettings {
    /// Where the shop is on the web, without a slash at the end, such as `https://shop.example`.
    pub public_url: String,
    /// What the shop is called on its pages; none if they show the name of the channel.
    pub shop_name: Option<String>,
    /// Maximum size of a request body, in bytes.
    pub body_max: usize,
    /// Maximum size of a request body of an agent, in bytes.
    pub agent_body_max: usize,
    /// Where agents ask: these paths and what is below them.
    pub agent_paths: Vec<&'static str>,
    /// How long a request body may take to arrive. A slow one is cut off sooner.
    pub body_timeout: Duration,
    /// Maximum memory of the bodies of all requests under way and of what is made of them, in bytes. One client gets
    /// at most an eighth of it.
    pub bodies_bytes_max: usize,
    /// Maximum number of writes of one client without an API key in a minute; a large body counts for several. 0 is
    /// no limit.
    pub writes_per_minute: u32,
    /// Proxies that are believed when they say for whom they ask.
    pub trusted_proxies: Vec<Network>,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// Most requests that are worked on at once; more are told to come back.
    pub requests_max: usize,
    /// Most units of work that may wait for the database; while there are more, requests are told to come
    /// back.
    pub queue_max: usize,
}

impl Default for DoorSettings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            shop_name: None,
            body_max: 1024 * 1024,
            agent_body_max: 128 * 1024,
            agent_paths: Vec::new(),
            body_timeout: Duration::from_secs(20),
            bodies_bytes_max: 256 << 20,
            writes_per_minute: 1_200,
            trusted_proxies: Network::loopback(),
            request_timeout: Duration::from_secs(30),
            requests_max: 1_024,
            queue_max: 256,
        }
    }
}

impl Door {
    /// A door to a shop.
    pub fn new(
        engine: Engine,
        system: System,
        metrics: Arc<Metrics>,
        settings: DoorSettings,
    ) -> Self {
        let writes = shares::Buckets::default();
        Self(Arc::new(Shared { engine, system, metrics, settings, writes }))
    }

    /// The shop.
    pub fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// Clock, randomness and tasks.
    pub fn system(&self) -> &System {
        &self.0.system
    }

    /// The counters.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.0.metrics
    }

    /// Counts a write that needs no API key, and refuses it if its client made too many in the last minute. `bytes` is the size of its body. A request whose client is not known is not limited.
    pub fn charge_write(&self, client: Option<&Client>, bytes: usize) -> Result<(), Refusal> {
        const BYTES_PER_UNIT: usize = 4_096;
        let per_minute = self.settings().writes_per_minute;
        let Some(client) = client.filter(|_| per_minute > 0) else { return Ok(()) };
        let amount = u32::try_from(1 + bytes / BYTES_PER_UNIT).unwrap_or(u32::MAX);
        let taken = self.0.writes.take(client, amount, per_minute, self.system().now());
        taken.map_err(|wait_ms| {
            let message = "this client changes too much at once; come back shortly";
            Refusal::new(Code::RateLimited, message).retry_after_ms(wait_ms.max(1))
        })
    }

    /// The limits.
    pub fn settings(&self) -> &DoorSettings {
        &self.0.settings
    }
}
