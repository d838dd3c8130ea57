//! The Model Context Protocol: the shop as tools, resources and prompts for assistants.
//!
//! Buying goes through the tools of the Universal Commerce Protocol (UCP, `services/shopping/mcp.openrpc.json`),
//! and these through the same service as its REST binding. What the merchant may look at and do is listed only
//! for callers with an API key of the right scope. Owns the transport, the schemas of tools, and how answers and
//! errors look over JSON-RPC. Refuses to own any rule of the shop or of UCP.

#![warn(missing_docs)]

mod asked;
mod assistant;
mod merchant;
mod operations;
mod prompts;
mod resources;
mod server;
mod tools;
pub mod transport;

use axum::{
    Router,
    body::Body,
    extract::State,
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::any,
};
use handel_kit::{Door, refusal_of};
use handel_ucp::{Ucp, Version};
use http::Request;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::{assistant::ASSISTANT, transport::TransportSettings};
use self::{server::ShopServer, transport::Transport};

/// Where the newest version of UCP is spoken.
pub const PATH: &str = "/mcp";

/// The routes: [`PATH`] for the newest version of UCP, and for each version the address that its profile names.
/// Sessions and streams end when `stop` turns true.
pub fn router(
    door: &Door,
    ucp: &Ucp,
    settings: &TransportSettings,
    mut stop: watch::Receiver<bool>,
) -> Router {
    let stopped = CancellationToken::new();
    let mut router = assistant::router();
    for version in Version::ALL {
        let server = ShopServer::new(door.clone(), ucp.clone(), version);
        let transport = Transport::new(settings, server, &stopped);
        let route = any(serve).with_state(Endpoint { door: door.clone(), transport });
        router = router.route(&path(version), route.clone());
        if version == Version::ROOT {
            router = router.route(PATH, route);
        }
    }
    door.system().spawn(async move {
        // An error means that nobody can say stop any more.
        let _told = stop.wait_for(|stop| *stop).await;
        stopped.cancel();
    });
    router
}

/// Puts what turned a request away before it got to a tool, such as too many at once, into the form of JSON-RPC. Goes
/// around [`handel_kit::layered`].
pub fn dressed(router: Router) -> Router {
    router.layer(from_fn(dress))
}

async fn dress(request: Request<Body>, next: Next) -> Response {
    let at = request.uri().path();
    let is_own = at == PATH || Version::ALL.into_iter().any(|version| at == path(version));
    let response = next.run(request).await;
    match refusal_of(&response).filter(|_| is_own).cloned() {
        Some(refusal) => transport::worded(response, &refusal),
        None => response,
    }
}

/// Where a version of UCP is spoken, below the address of the shop.
pub fn path(version: Version) -> String {
    format!("{}/mcp", version.endpoint())
}

/// What profiles say of this binding, for the settings of UCP.
pub fn bindings() -> Vec<(Version, &'static str, String)> {
    Version::ALL.into_iter().map(|version| (version, "mcp", path(version))).collect()
}

#[derive(Clone)]
struct Endpoint {
    door: Door,
    transport: Transport<ShopServer>,
}

/// Finds out who asks before anything is read: a wrong key is refused, whatever it was sent for.
async fn serve(State(endpoint): State<Endpoint>, request: Request<Body>) -> Response {
    match asked::identified(&endpoint.door, request).await {
        Ok(request) => endpoint.transport.serve(request).await,
        Err(problem) => problem.into_response(),
    }
}
