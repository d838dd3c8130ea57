//! What an operator reads when the shop opens.

use std::fmt::Write as _;

use crate::config::Config;

/// The parts in use, and as the last line the address.
pub(super) fn text(config: &Config, local_url: &str, public_url: &str) -> String {
    let mut text = format!("Handel {}\n", env!("CARGO_PKG_VERSION"));
    for (part, backend) in parts(config) {
        // Writing to a string does not fail.
        let _infallible = writeln!(text, "  {part:<10}{backend}");
    }
    if public_url != local_url {
        let _infallible = writeln!(text, "  {:<10}{public_url}", "public");
    }
    let _infallible = writeln!(text, "  {:<10}{public_url}{}", "agents", handel_ucp::WELL_KNOWN);
    let _infallible =
        writeln!(text, "Listening on {local_url} (the shop; documentation at {local_url}/docs)");
    text
}

/// Each part with what stands behind it.
pub fn parts(config: &Config) -> Vec<(&'static str, String)> {
    let data = match config.sqlite_directory() {
        Some(directory) => format!("SQLite in {}, durable", directory.display()),
        None => format!("{}, durable, shared by all its processes", postgres(config)),
    };
    let mut parts =
        vec![("data", data), ("pictures", format!("files in {}", config.blobs_dir().display()))];
    if config.has_test_payments() {
        let ledger = config.test_ledger();
        parts.push((
            "payments",
            format!("test provider (no real money), books in {}", ledger.display()),
        ));
        if config.sqlite_directory().is_none() && config.payments.test.ledger.is_none() {
            let hint = "processes that share the database must also share payments.test.ledger";
            parts.push(("", hint.to_owned()));
        }
    } else {
        parts.push(("payments", "none: nothing can be bought".to_owned()));
    }
    parts
}

/// The database without the name and password of its user.
fn postgres(config: &Config) -> String {
    let url = config.database.url.as_ref().and_then(|url| reqwest::Url::parse(url.expose()).ok());
    match url.as_ref().map(|url| (url.host_str().filter(|host| !host.is_empty()), url.path())) {
        Some((Some(host), path)) => format!("PostgreSQL at {host}{path}"),
        _ => "PostgreSQL".to_owned(),
    }
}
