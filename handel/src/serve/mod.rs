//! A shop that is open: it listens, works on its own, and closes in order.

mod announce;
pub mod ucp_compat;
mod webhooks;

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result};
use axum::Router;
use handel_kit::{Door, DoorSettings, Server, ServerSettings, compressed, layered, ops_router};
use handel_mcp::TransportSettings;
use handel_ports::System;
use handel_ucp::{Ucp, UcpSettings};
use jiff::SignedDuration;
use tokio::sync::{oneshot, watch};

use crate::{
    config::{self, Config},
    console, signals,
    wiring::Shop,
};

/// How often a closing shop looks whether payments are still under way.
const LOOK: Duration = Duration::from_millis(10);

/// Runs the shop until the process is told to stop, and a sandbox beside it if there is to be one.
pub async fn run(config: &Config, sandbox: &ucp_compat::Options) -> Result<()> {
    let mut config = config.clone();
    let sandbox = sandbox.prepare(&mut config).await?;
    let config = &config;
    let bound = Bound::new(config).await?;
    let shop = Shop::open(config, &bound.public_url).await?;
    let mut open = Open::start(config, bound, shop)?;
    if let Some(sandbox) = sandbox {
        sandbox.open(&open, config)?;
    }
    open.announce(config)?;
    open.told_to_stop().await;
    open.close().await
}

/// An address that is taken, so that a port in use is known before anything else happens.
pub struct Bound {
    server: Server,
    address: SocketAddr,
    /// Where buyers reach the shop.
    pub public_url: String,
    stop: watch::Receiver<bool>,
}

impl Bound {
    /// Takes the configured address, and listens to signals.
    pub async fn new(config: &Config) -> Result<Self> {
        let system = System::real();
        let stop = signals::listen(&system)?;
        let listen = config.server.listen;
        let server = Server::bind(listen, server_settings(&config.server), system).await;
        let server = server.with_context(|| format!("cannot listen on {listen}"))?;
        let address = server.address().context("the address of the server is unknown")?;
        let own = || format!("http://{}", reachable(address));
        let public_url = config.server.public_url.as_deref();
        let public_url = public_url.map_or_else(own, |url| url.trim_end_matches('/').to_owned());
        Ok(Self { server, address, public_url, stop })
    }
}

/// A shop that takes requests.
pub struct Open {
    pub shop: Shop,
    /// Where this process can reach it.
    pub local_url: String,
    pub public_url: String,
    told: watch::Receiver<bool>,
    stop_serving: watch::Sender<bool>,
    stop_upkeep: watch::Sender<bool>,
    served: oneshot::Receiver<()>,
    grace: Duration,
}

impl Open {
    /// Opens the doors.
    pub fn start(config: &Config, bound: Bound, shop: Shop) -> Result<Self> {
        let Bound { server, address, public_url, stop } = bound;
        let local_url = format!("http://{}", reachable(address));
        let (stop_serving, serving) = watch::channel(false);
        let (stop_upkeep, upkeep) = watch::channel(false);
        let settings = door_settings(&config.server, &public_url);
        let door =
            Door::new(shop.engine.clone(), shop.system.clone(), shop.metrics.clone(), settings);
        let ucp = Ucp::new(door.clone(), shop.web.clone(), ucp_settings(config));
        let mut routes = handel_rest::router(&door, shop.blobs.clone())
            .merge(ucp.router())
            .merge(handel_pages::router(&door))
            .merge(ops_router(door.clone()));
        if config.mcp.enabled {
            let settings = mcp_settings(config, &public_url);
            routes = routes.merge(handel_mcp::router(&door, &ucp, &settings, serving.clone()));
        }
        if let Some(payments) = &shop.payments {
            routes = routes.merge(payments.pages());
            webhooks::start(payments, &local_url, &shop.system, upkeep.clone())?;
        }
        let routes = handel_mcp::dressed(ucp.dressed(layered(&door, routes)));
        let routes = compressed(handel_pages::dressed(&door, routes));
        let (ended, served) = oneshot::channel();
        shop.system.spawn(async move {
            server.run(routes, serving).await;
            // Whoever waited may have gone.
            let _gone = ended.send(());
        });
        shop.engine.start_upkeep(upkeep);
        let grace = Duration::from_millis(config.server.shutdown_grace_ms);
        Ok(Self {
            shop,
            local_url,
            public_url,
            told: stop,
            stop_serving,
            stop_upkeep,
            served,
            grace,
        })
    }

    /// Says what the shop is made of and where it is. The last line has the address.
    pub fn announce(&self, config: &Config) -> Result<()> {
        console::print(&announce::text(config, &self.local_url, &self.public_url))
    }

    /// Serves more routes at an address of their own, until the shop closes.
    pub fn serve_beside(&self, server: Server, routes: Router) {
        let stop = self.stop_serving.subscribe();
        self.shop.system.spawn(server.run(routes, stop));
    }

    /// Ends when the process is told to stop.
    pub async fn told_to_stop(&mut self) {
        // The sender is kept by a task that never ends.
        let _told = self.told.wait_for(|told| *told).await;
    }

    /// Closes in order: no new requests, those under way end, then payments, then the shop's own work, then
    /// the database.
    pub async fn close(self) -> Result<()> {
        let Self { shop, stop_serving, stop_upkeep, served, grace, .. } = self;
        let Shop { engine, system, .. } = shop;
        let begun = system.now();
        stop_serving.send_replace(true);
        // An error means that the server is gone, which is as good.
        let _ended = served.await;
        let spent = Duration::try_from(system.now().duration_since(begun)).unwrap_or_default();
        let idle = async {
            while engine.in_flight() > 0 {
                system.sleep(LOOK).await;
            }
        };
        if system.within(grace.saturating_sub(spent), idle).await.is_none() {
            let under_way = engine.in_flight();
            tracing::warn!(
                under_way,
                "payments are still under way; the next start asks about them"
            );
        }
        stop_upkeep.send_replace(true);
        if let Err(error) = engine.resign().await {
            tracing::warn!(error = ?error.source, "another process has to wait before it leads");
        }
        engine.close().await;
        let took: SignedDuration = system.now().duration_since(begun);
        tracing::info!(took_ms = took.as_millis(), "closed");
        Ok(())
    }
}

fn server_settings(server: &config::Server) -> ServerSettings {
    ServerSettings {
        connections_max: server.connections_max,
        trusted_proxies: server.proxies(),
        header_timeout: Duration::from_millis(server.header_timeout_ms),
        shutdown_grace: Duration::from_millis(server.shutdown_grace_ms),
    }
}

fn door_settings(server: &config::Server, public_url: &str) -> DoorSettings {
    DoorSettings {
        public_url: public_url.to_owned(),
        shop_name: server.shop_name.clone(),
        body_max: server.body_max_bytes,
        agent_body_max: server.agent_body_max_bytes,
        agent_paths: vec![handel_ucp::PATH, handel_mcp::PATH],
        body_timeout: Duration::from_millis(server.body_timeout_ms),
        bodies_bytes_max: server.bodies_max_bytes,
        writes_per_minute: server.writes_per_minute,
        trusted_proxies: server.proxies(),
        request_timeout: Duration::from_millis(server.request_timeout_ms),
        requests_max: server.requests_max,
        queue_max: server.queue_max,
    }
}

fn ucp_settings(config: &Config) -> UcpSettings {
    let ucp = &config.ucp;
    UcpSettings {
        // It was checked with all other settings.
        channel: ucp.channel.as_deref().and_then(|code| code.parse().ok()),
        require_signatures: ucp.require_signatures,
        bindings: if config.mcp.enabled { handel_mcp::bindings() } else { Vec::new() },
    }
}

fn mcp_settings(config: &Config, public_url: &str) -> TransportSettings {
    let config::Mcp { hosts, origins, sessions_max, session_idle_ms, .. } = &config.mcp;
    TransportSettings {
        public_url: public_url.to_owned(),
        hosts: hosts.clone(),
        origins: origins.clone(),
        body_max: config.server.agent_body_max_bytes,
        sessions_max: *sessions_max,
        session_idle: Duration::from_millis(*session_idle_ms),
        // Often enough that the server does not take a stream for dead.
        keep_alive: Duration::from_millis(config.server.header_timeout_ms) / 3,
    }
}

/// An address that this machine can connect to: "all addresses" is none.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let loopback = match address {
        SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    let ip = if address.ip().is_unspecified() { loopback } else { address.ip() };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_can_be_reached_from_here() {
        for (address, expected) in [
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("192.0.2.7:1", "192.0.2.7:1"),
        ] {
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(reachable(address).to_string(), expected);
        }
    }
}
