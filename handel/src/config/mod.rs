//! What can be set, and where each setting comes from.
//!
//! Owns the tree of settings, their layers and their limits; the defaults and their documentation are in
//! `handel.default.toml`. This is the only place that reads the environment.

mod layer;
mod read;
mod show;
mod validate;

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use handel_kit::Network;
use handel_ports::Secret;
use handel_store::DatabaseConfig;
use serde::{Deserialize, Serialize};

pub use layer::Overrides;
pub use read::Loaded;
use read::{optional_path, optional_secret, optional_text};

/// Every setting with its default, which is also their documentation.
pub const DEFAULTS: &str = include_str!("../../handel.default.toml");

/// Everything that can be set.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub data_dir: PathBuf,
    pub server: Server,
    pub database: Database,
    pub payments: Payments,
    pub log: Log,
    pub limits: Limits,
    pub cache: Cache,
    pub mcp: Mcp,
    pub outbound: Outbound,
    pub ucp: Ucp,
}

/// How the shop is reached, and how much it takes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    #[serde(deserialize_with = "optional_text")]
    pub public_url: Option<String>,
    #[serde(deserialize_with = "optional_text")]
    pub shop_name: Option<String>,
    pub connections_max: usize,
    pub header_timeout_ms: u64,
    pub request_timeout_ms: u64,
    pub body_timeout_ms: u64,
    pub body_max_bytes: usize,
    pub agent_body_max_bytes: usize,
    pub bodies_max_bytes: usize,
    pub writes_per_minute: u32,
    pub trusted_proxies: Vec<String>,
    pub requests_max: usize,
    pub queue_max: usize,
    pub shutdown_grace_ms: u64,
}

/// Which database, and how it is used.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    #[serde(deserialize_with = "optional_secret")]
    pub url: Option<Secret<String>>,
    pub connections: usize,
    pub readers: usize,
    pub statement_timeout_ms: u64,
    pub migrate: bool,
}

/// Who takes the money.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payments {
    pub providers: Vec<String>,
    pub test: TestPayments,
}

/// The provider that moves no money.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestPayments {
    pub enabled: bool,
    #[serde(deserialize_with = "optional_path")]
    pub ledger: Option<PathBuf>,
    #[serde(deserialize_with = "optional_secret")]
    pub webhook_secret: Option<Secret<String>>,
    pub hang_ms: u64,
    pub webhook_delay_ms: u64,
}

/// What is logged, and how it looks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub format: LogFormat,
    pub filter: String,
}

/// How logs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Text,
    Json,
}

/// Times and sizes of the engine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub provider_timeout_ms: u64,
    pub placement_batch: usize,
    /// How long orders may wait for their transaction, in milliseconds.
    pub placement_wait_ms: u64,
    pub job_attempts: u32,
}

/// The cache of product lists.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cache {
    pub bytes: u64,
    pub ttl_ms: u64,
}

/// The shop as tools for assistants.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mcp {
    pub enabled: bool,
    pub hosts: Vec<String>,
    pub origins: Vec<String>,
    pub sessions_max: usize,
    pub session_idle_ms: u64,
    /// What `handel mcp` shows the shop.
    #[serde(deserialize_with = "optional_secret")]
    pub key: Option<Secret<String>>,
    /// How `handel mcp` introduces assistants that have no profile of their own.
    #[serde(deserialize_with = "optional_text")]
    pub profile: Option<String>,
}

/// Calls to addresses that programs name: their profiles and webhooks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    pub allow_loopback: bool,
}

/// How programs buy over the Universal Commerce Protocol.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ucp {
    #[serde(deserialize_with = "optional_text")]
    pub channel: Option<String>,
    pub require_signatures: bool,
}

/// How addresses of the embedded database begin.
const SQLITE: &str = "sqlite:";

impl Server {
    /// The proxies that are believed when they say for whom they ask. They were checked with all other settings.
    pub fn proxies(&self) -> Vec<Network> {
        self.trusted_proxies.iter().filter_map(|network| network.parse().ok()).collect()
    }
}

impl Config {
    /// The directory of the embedded database; none if the shop is in PostgreSQL.
    pub fn sqlite_directory(&self) -> Option<PathBuf> {
        match &self.database.url {
            None => Some(self.data_dir.clone()),
            Some(url) => url.expose().strip_prefix(SQLITE).map(PathBuf::from),
        }
    }

    /// How the database is reached.
    pub fn database(&self) -> DatabaseConfig {
        let Database { url, connections, readers, statement_timeout_ms, .. } = &self.database;
        match (self.sqlite_directory(), url) {
            (None, Some(url)) => DatabaseConfig::Postgres {
                url: url.expose().clone(),
                connections: *connections,
                statement_timeout: Duration::from_millis(*statement_timeout_ms),
            },
            (directory, _) => DatabaseConfig::Sqlite {
                directory: directory.unwrap_or_else(|| self.data_dir.clone()),
                readers: *readers,
            },
        }
    }

    /// Whether the test provider takes part.
    pub fn has_test_payments(&self) -> bool {
        let is_listed =
            self.payments.providers.iter().any(|name| name == handel_local::TestPayments::NAME);
        is_listed && self.payments.test.enabled
    }

    /// The file of the test provider's books.
    pub fn test_ledger(&self) -> PathBuf {
        let own = || self.data_dir.join("test-payments.db");
        self.payments.test.ledger.clone().unwrap_or_else(own)
    }

    /// Where pictures are kept.
    pub fn blobs_dir(&self) -> PathBuf {
        self.data_dir.join("blobs")
    }
}
