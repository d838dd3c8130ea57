//! UCP 2026-01-11 as its official conformance suite wants it, for a sandbox.
//!
//! Owns everything that the suite demands beyond the protocol and beyond good sense: addresses for whoever
//! types an e-mail address, orders that a platform may write to, parcels that a secret header sends off, errors
//! as 4xx with a `detail`, documents of its own, cards in the clear. It refuses to own any rule of the shop:
//! prices, stock, promotions, payments and idempotency are the engine's, as for every door.
//!
//! Nothing else in the workspace knows this crate but the program, which serves it on a port of its own when it
//! is told to. It goes away in one commit when the suite has moved on.

#![warn(missing_docs)]

mod address;
mod buyer;
mod call;
mod customers;
mod documents;
mod money;
mod notes;
mod orders;
mod payment;
mod platform;
mod profile;
mod refuse;
mod session;
mod view;
mod webhook;
mod wire;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};
use handel_kit::Door;
use handel_ports::{Secret, WebClient};

pub use customers::{BadData, Customers};
pub use webhook::CompatWebhooks;

/// The version of the protocol that this crate speaks.
pub const VERSION: &str = "2026-01-11";

/// What the sandbox is made of.
pub struct CompatSettings {
    /// Where it is reached, without a slash at the end, such as `http://127.0.0.1:8183`.
    pub base_url: String,
    /// Customers whose addresses are handed out.
    pub customers: Customers,
    /// What must stand in `Simulation-Secret` to send parcels off; nobody can if there is none.
    pub simulation_secret: Option<Secret<String>>,
    /// How profiles of platforms are fetched.
    pub web: Arc<dyn WebClient>,
}

/// What a handler has at hand. Clones share it.
#[derive(Clone)]
pub(crate) struct Compat(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) door: Door,
    pub(crate) settings: CompatSettings,
    pub(crate) notes: notes::Notes,
}

impl std::ops::Deref for Compat {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// All routes of the sandbox.
pub fn router(door: &Door, settings: CompatSettings) -> Router {
    let shared = Shared { door: door.clone(), settings, notes: notes::Notes::default() };
    Router::new()
        .route("/.well-known/ucp", get(profile::show))
        .route("/specs/{name}", get(documents::spec))
        .route("/schemas/{name}", get(documents::schema))
        .route("/checkout-sessions", post(session::create))
        .route("/checkout-sessions/{id}", get(session::show).put(session::update))
        .route("/checkout-sessions/{id}/complete", post(session::complete))
        .route("/checkout-sessions/{id}/cancel", post(session::cancel))
        .route("/orders/{id}", get(orders::show).put(orders::note))
        .route("/testing/simulate-shipping/{id}", post(orders::simulate_shipping))
        .with_state(Compat(Arc::new(shared)))
}
