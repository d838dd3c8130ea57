//! How the transport is set up.

use std::time::Duration;

use http::Uri;
use rmcp::transport::{
    StreamableHttpServerConfig,
    streamable_http_server::session::local::{LocalSessionManager, SessionConfig},
};
use tokio_util::sync::CancellationToken;

/// Names of this machine, by which its own programs may always ask.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];
/// After what time a client whose stream broke off should come back.
const RETRY: Duration = Duration::from_secs(3);

/// Limits of a [`Transport`](super::Transport), and who may ask.
#[derive(Clone, Debug)]
pub struct TransportSettings {
    /// Where the shop is on the web. Requests must name its host, or this machine: a page of somebody else that
    /// makes its own name point here is refused.
    pub public_url: String,
    /// More hosts that requests may name, such as `shop.internal` or `shop.internal:8080`.
    pub hosts: Vec<String>,
    /// More origins whose pages may ask, such as `https://assistant.example:443`.
    pub origins: Vec<String>,
    /// Largest request, in bytes.
    pub body_max: usize,
    /// Maximum number of sessions. One client gets at most an eighth of them.
    pub sessions_max: usize,
    /// How long a session may be silent.
    pub session_idle: Duration,
    /// How often a stream on which nothing happens shows that it is alive.
    pub keep_alive: Duration,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".to_owned(),
            hosts: Vec::new(),
            origins: Vec::new(),
            body_max: 128 * 1024,
            sessions_max: 1_000,
            session_idle: Duration::from_secs(300),
            keep_alive: Duration::from_secs(5),
        }
    }
}

impl TransportSettings {
    pub(super) fn config(&self, stop: &CancellationToken) -> StreamableHttpServerConfig {
        StreamableHttpServerConfig::default()
            .with_allowed_hosts(self.allowed_hosts())
            .with_allowed_origins(self.allowed_origins())
            .enforce_origin_validation()
            .with_max_request_body_bytes(self.body_max)
            .with_sse_keep_alive(Some(self.keep_alive))
            .with_sse_retry(Some(RETRY))
            .with_cancellation_token(stop.clone())
    }

    pub(super) fn session_manager(&self) -> LocalSessionManager {
        let mut config = SessionConfig::default();
        config.keep_alive = Some(self.session_idle);
        config.init_timeout = Some(self.session_idle);
        config.sse_retry = Some(RETRY);
        let mut manager = LocalSessionManager::default();
        manager.session_config = config;
        manager
    }

    fn allowed_hosts(&self) -> Vec<String> {
        let public = self.public().and_then(|url| url.host().map(str::to_owned));
        let loopback = LOOPBACK.map(str::to_owned);
        loopback.into_iter().chain(public).chain(self.hosts.iter().cloned()).collect()
    }

    fn allowed_origins(&self) -> Vec<String> {
        let loopback = LOOPBACK
            .iter()
            .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}:*")));
        loopback.chain(self.public_origin()).chain(self.origins.iter().cloned()).collect()
    }

    fn public(&self) -> Option<Uri> {
        self.public_url.parse().ok()
    }

    /// With its port, because an origin without one would stand for all of them.
    fn public_origin(&self) -> Option<String> {
        let url = self.public()?;
        let scheme = url.scheme_str()?;
        let port = url.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        Some(format!("{scheme}://{}:{port}", url.host()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_and_this_machine_may_ask_and_nobody_else() {
        let settings = TransportSettings {
            public_url: "https://shop.example".to_owned(),
            hosts: vec!["shop.internal:8080".to_owned()],
            ..TransportSettings::default()
        };
        let hosts = settings.allowed_hosts();
        assert_eq!(
            hosts,
            ["localhost", "127.0.0.1", "[::1]", "shop.example", "shop.internal:8080"]
        );
        let origins = settings.allowed_origins();
        assert!(origins.contains(&"https://shop.example:443".to_owned()), "{origins:?}");
        assert!(origins.contains(&"http://localhost:*".to_owned()), "{origins:?}");
        assert_eq!(origins.len(), 7);
    }
}
