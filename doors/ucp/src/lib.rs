//! The Universal Commerce Protocol: programs find the shop, search it, fill carts, check out, pay, and follow
//! their orders.
//!
//! Owns discovery, negotiation, the mapping between the engine and the words of the protocol, a codec for each
//! version, the REST binding, and the form of news about orders. Refuses to own any rule of commerce. Other
//! bindings use [`Ucp`]: they meet who asks, check the signature, and have the [`Call`] answered.

#![warn(missing_docs)]

mod call;
mod codec;
mod discovery;
mod handlers;
mod negotiate;
mod neutral;
mod operation;
mod ops;
mod rest;
mod signing;
mod v2026_01_23;
mod v2026_04_08;
mod v2026_08_25;
mod version;
mod webhook;
mod wire;

use std::sync::Arc;

use axum::Router;
use handel_domain::{id::CartId, text::Slug};
use handel_engine::Engine;
use handel_kit::{Client, Door};
use handel_ports::{System, WebClient};
use handel_signatures::SigningKey;
use jiff::Timestamp;

pub use call::{Answer, Call, TransportError};
pub use negotiate::{Agreement, profile_of};
pub use operation::Operation;
pub use signing::Request;
pub use version::Version;
pub use webhook::OrderNewsFormat;

use crate::{
    codec::Facts,
    handlers::Handler,
    negotiate::Negotiator,
    neutral::{Message, message::Severity},
    ops::Work,
};

/// Below this address, each version has its endpoint.
pub const PATH: &str = "/ucp";
/// Where the profile of the shop is.
pub const WELL_KNOWN: &str = "/.well-known/ucp";

/// What an installation may set.
#[derive(Clone, Debug, Default)]
pub struct UcpSettings {
    /// The channel that programs buy in; the one that fits the buyer best if none is named.
    pub channel: Option<Slug>,
    /// Whether every request must be signed with a key of the program's profile.
    pub require_signatures: bool,
    /// Endpoints of further bindings, which the profile names: version, transport, and address below that of the
    /// shop.
    pub bindings: Vec<(Version, &'static str, String)>,
}

/// The protocol, whatever the binding. Clones share it.
#[derive(Clone)]
pub struct Ucp(Arc<Shared>);

struct Shared {
    door: Door,
    web: Arc<dyn WebClient>,
    settings: UcpSettings,
    negotiator: Negotiator,
    handlers: Vec<Handler>,
    key: SigningKey,
}

impl Ucp {
    /// The protocol of a shop. `web` is how profiles of programs are read.
    pub fn new(door: Door, web: Arc<dyn WebClient>, settings: UcpSettings) -> Self {
        let negotiator = Negotiator::new(web.clone(), door.system().clone());
        let handlers = handlers::of(door.engine());
        let key = SigningKey::es256(door.engine().signature_seed().expose());
        Self(Arc::new(Shared { door, web, settings, negotiator, handlers, key }))
    }

    /// The profiles and the REST binding of every version.
    pub fn router(&self) -> Router {
        discovery::router(self).merge(rest::router(self))
    }

    /// Puts what turned a request away before it got to a route, such as too many at once, into the form of the
    /// protocol. Goes around [`handel_kit::layered`].
    pub fn dressed(&self, router: Router) -> Router {
        rest::dressed(self, router)
    }

    /// Finds out who asks, and what both can do. It is the first of three steps; the others are
    /// [`Ucp::check_signature`] and [`Ucp::answer_agreed`].
    pub async fn meet(
        &self,
        version: Version,
        agent: Option<&str>,
    ) -> Result<Agreement, TransportError> {
        self.0.negotiator.meet(version, agent).await
    }

    /// Counts an operation that changes something, and refuses it if its client made too many. `bytes` is the size of
    /// the request.
    pub fn charge(
        &self,
        operation: Operation,
        client: Option<&Client>,
        bytes: usize,
    ) -> Result<(), TransportError> {
        if !operation.writes() {
            return Ok(());
        }
        self.0.door.charge_write(client, bytes).map_err(|refusal| {
            let error = TransportError::new(429, "rate_limited", refusal.message);
            TransportError { retry_after_ms: refusal.details.retry_after_ms, ..error }
        })
    }

    /// Answers a call of a program that was met, and whose signature was checked.
    pub async fn answer_agreed(&self, call: &Call, agreement: &Agreement) -> Answer {
        if !agreement.has(call.operation.capability()) {
            let text = format!(
                "your profile does not have {} in version {}",
                call.operation.capability(),
                agreement.version().name()
            );
            let message =
                Message::error("capabilities_incompatible", Severity::Unrecoverable, text);
            let home = format!("{}/", self.public_url());
            return agreement.version().codec().outcome(&[message], Some(&home));
        }
        Work::new(self, call, agreement).run().await
    }

    /// The profile of the shop, which names those in other versions.
    pub fn profile(&self) -> serde_json::Value {
        let others = Version::ALL.into_iter().filter(|other| *other != Version::ROOT);
        let url = |other: Version| format!("{}{WELL_KNOWN}/{}", self.public_url(), other.name());
        self.profile_in(Version::ROOT, others.map(|other| (other, url(other))).collect())
    }

    /// The profile of the shop in a version, which names no other.
    pub fn leaf_profile(&self, version: Version) -> serde_json::Value {
        self.profile_in(version, Vec::new())
    }

    fn profile_in(&self, version: Version, others: Vec<(Version, String)>) -> serde_json::Value {
        let bindings = self.settings().bindings.iter().filter(|(own, ..)| *own == version);
        let bindings: Vec<_> =
            bindings.map(|(_, transport, endpoint)| (*transport, endpoint.clone())).collect();
        version.codec().profile(&Facts {
            public_url: self.public_url(),
            handlers: self.handlers(),
            keys: signing::published(&self.0.key),
            bindings: &bindings,
            others,
        })
    }

    pub(crate) fn door(&self) -> &Door {
        &self.0.door
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.0.door.engine()
    }

    pub(crate) fn system(&self) -> &System {
        self.0.door.system()
    }

    pub(crate) fn settings(&self) -> &UcpSettings {
        &self.0.settings
    }

    pub(crate) fn handlers(&self) -> &[Handler] {
        &self.0.handlers
    }

    pub(crate) fn key(&self) -> &SigningKey {
        &self.0.key
    }

    pub(crate) fn negotiator(&self) -> &Negotiator {
        &self.0.negotiator
    }

    pub(crate) fn public_url(&self) -> &str {
        &self.0.door.settings().public_url
    }

    /// Where a buyer goes on with a cart in a browser.
    pub(crate) fn continue_url(&self, cart_id: CartId, expires_at: Timestamp) -> String {
        let token = self.engine().handoff_token(cart_id, expires_at);
        format!("{}/continue/{token}", self.public_url())
    }

    /// Where the program wants to hear of its orders, if that may ever be called.
    pub(crate) fn webhook_url(&self, agreement: &Agreement) -> Option<String> {
        self.0.web.check_url(agreement.webhook_url()?).ok()
    }
}
