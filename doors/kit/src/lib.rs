//! What all doors share: who is asking, limits, problem documents, metrics, and the server itself.
//!
//! Owns everything about HTTP that is the same for every protocol. Refuses to own any route of a protocol and
//! any rule of the shop.

#![warn(missing_docs)]

mod compress;
mod context;
mod extract;
mod idempotency;
mod limits;
mod metrics;
mod ops;
mod problem;
mod server;
mod staff;

use std::{sync::Arc, time::Duration};

use handel_engine::Engine;
use handel_ports::System;

pub use compress::compressed;
pub use context::{CART_COOKIE, CART_TOKEN, Request, Write, cart_cookie, is_foreign, request_id};
pub use extract::{
    JsonBody, MERGE_PATCH, PathParams, QueryParams, RawBody, expected_version, from_value,
    read_json,
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
}

/// How requests are limited, and how the shop is reached.
#[derive(Clone, Debug)]
pub struct DoorSettings {
    /// Where the shop is on the web, without a slash at the end, such as `https://shop.example`.
    pub public_url: String,
    /// What the shop is called on its pages; none if they show the name of the channel.
    pub shop_name: Option<String>,
    /// Largest body of a request, in bytes.
    pub body_max: usize,
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
        Self(Arc::new(Shared { engine, system, metrics, settings }))
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

    /// The limits.
    pub fn settings(&self) -> &DoorSettings {
        &self.0.settings
    }
}
