//! What settings may be.

use handel_domain::text::Slug;
use handel_kit::Network;
use handel_local::TestPayments;
use tracing_subscriber::EnvFilter;

use super::{Config, SQLITE};

/// A setting that cannot be as it is.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) key: &'static str,
    /// What it must be.
    pub(super) reason: String,
}

const MINUTES_10_MS: u64 = 600_000;

/// Everything that is wrong.
pub(super) fn problems(config: &Config) -> Vec<Problem> {
    let mut problems = ranges(config);
    let mut check = |is_right: bool, key: &'static str, reason: &str| {
        if !is_right {
            problems.push(Problem { key, reason: reason.to_owned() });
        }
    };
    let is_database = |url: &str| {
        let directory = url.strip_prefix(SQLITE);
        directory.is_some_and(|directory| !directory.is_empty())
            || url.starts_with("postgres://")
            || url.starts_with("postgresql://")
    };
    let url = config.database.url.as_ref();
    check(
        url.is_none_or(|url| is_database(url.expose())),
        "database.url",
        "must be postgres://user:password@host/database or sqlite:DIRECTORY",
    );
    check(!config.data_dir.as_os_str().is_empty(), "data_dir", "must name a directory");
    check(
        config.server.public_url.as_deref().is_none_or(is_web_address),
        "server.public_url",
        "must be an http:// or https:// address without query, such as https://shop.example",
    );
    let is_name = |name: &str| name.chars().count() <= 100 && !name.chars().any(char::is_control);
    check(
        config.server.shop_name.as_deref().is_none_or(is_name),
        "server.shop_name",
        "must be one line of at most 100 characters",
    );
    let proxies = &config.server.trusted_proxies;
    check(
        proxies.iter().all(|network| network.parse::<Network>().is_ok()),
        "server.trusted_proxies",
        "must be addresses such as 10.0.0.7, or ranges such as 10.0.0.0/8",
    );
    let providers = &config.payments.providers;
    let is_known = |name: &String| name == TestPayments::NAME;
    check(
        providers.iter().all(is_known),
        "payments.providers",
        "names a payment provider that does not exist; known is test",
    );
    let is_repeated = |(at, name)| providers[..at].contains(name);
    check(
        !providers.iter().enumerate().any(is_repeated),
        "payments.providers",
        "names a payment provider twice",
    );
    let secret = config.payments.test.webhook_secret.as_ref();
    check(
        secret.is_none_or(|secret| secret.expose().len() >= TestPayments::SECRET_LEN_MIN),
        "payments.test.webhook_secret",
        "must be 16 bytes or longer",
    );
    check(
        config.ucp.channel.as_deref().is_none_or(|code| code.parse::<Slug>().is_ok()),
        "ucp.channel",
        "must be the code of a channel: lowercase letters, digits and single hyphens",
    );
    check(
        EnvFilter::builder().parse(&config.log.filter).is_ok(),
        "log.filter",
        "must be a level such as info, or levels for parts such as info,handel_engine=debug",
    );
    problems
}

fn ranges(config: &Config) -> Vec<Problem> {
    let (server, database, test) = (&config.server, &config.database, &config.payments.test);
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let limits = &config.limits;
    let ranges = [
        ("server.connections_max", count(server.connections_max), 1, 1_000_000),
        ("server.header_timeout_ms", server.header_timeout_ms, 100, MINUTES_10_MS),
        ("server.request_timeout_ms", server.request_timeout_ms, 100, MINUTES_10_MS),
        ("server.body_timeout_ms", server.body_timeout_ms, 100, MINUTES_10_MS),
        ("server.body_max_bytes", count(server.body_max_bytes), 1_024, 100 << 20),
        ("server.agent_body_max_bytes", count(server.agent_body_max_bytes), 1_024, 100 << 20),
        ("server.bodies_max_bytes", count(server.bodies_max_bytes), 1 << 20, 64 << 30),
        ("server.writes_per_minute", server.writes_per_minute.into(), 0, 1_000_000),
        ("server.requests_max", count(server.requests_max), 1, 1_000_000),
        ("server.queue_max", count(server.queue_max), 1, 1_000_000),
        ("server.shutdown_grace_ms", server.shutdown_grace_ms, 0, MINUTES_10_MS),
        ("database.connections", count(database.connections), 2, 1_000),
        ("database.readers", count(database.readers), 1, 256),
        ("database.statement_timeout_ms", database.statement_timeout_ms, 100, MINUTES_10_MS),
        ("payments.test.hang_ms", test.hang_ms, 0, MINUTES_10_MS),
        ("payments.test.webhook_delay_ms", test.webhook_delay_ms, 0, MINUTES_10_MS),
        ("limits.provider_timeout_ms", limits.provider_timeout_ms, 100, MINUTES_10_MS),
        ("limits.placement_batch", count(limits.placement_batch), 1, 1_000),
        ("limits.placement_wait_ms", limits.placement_wait_ms, 10, 60_000),
        ("limits.job_attempts", limits.job_attempts.into(), 1, 1_000),
        ("mcp.sessions_max", count(config.mcp.sessions_max), 1, 1_000_000),
        ("mcp.session_idle_ms", config.mcp.session_idle_ms, 1_000, 86_400_000),
        ("cache.bytes", config.cache.bytes, 0, 64 << 30),
        ("cache.ttl_ms", config.cache.ttl_ms, 0, 3_600_000),
    ];
    ranges
        .into_iter()
        .filter(|(_, value, min, max)| !(min..=max).contains(&value))
        .map(|(key, value, min, max)| Problem {
            key,
            reason: format!("is {value} and must be {min} to {max}"),
        })
        .collect()
}

fn is_web_address(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}
