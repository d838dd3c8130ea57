//! Everything that reads what strangers send, as functions of bytes.
//!
//! Owns the targets: what is fed, and what must hold for every input. The fuzzer calls them from `fuzz/runner`, and
//! `tests/smoke.rs` calls them with the seeds in `fuzz/corpus` and with some thousand inputs made from these.
//! A target panics if something is wrong, and only then.

mod agents;
mod bodies;
mod csv_file;
mod digests;
mod front;
mod headers;
mod outbound;
mod people;
mod queries;
mod texts;
mod totals;
mod webhooks;

/// The reader of product files belongs to the program, which no crate depends on; so its source is used here.
#[path = "../../handel/src/catalog_csv/mod.rs"]
pub mod catalog_csv;

/// A target: its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target. Each has a program in `fuzz/runner/targets` and seeds in `fuzz/corpus`.
pub const TARGETS: [Target; 21] = [
    ("api_key", headers::api_key),
    ("cart_body", bodies::cart),
    ("channel_body", bodies::channel),
    ("checkout_body", bodies::checkout),
    ("csv", csv_file::read),
    ("cursor", headers::cursor),
    ("digest", digests::digest),
    ("idempotency_key", headers::idempotency_key),
    ("mcp_message", agents::mcp_message),
    ("outbound_url", outbound::url),
    ("page_form", people::page_form),
    ("product_body", bodies::product),
    ("promotion_body", bodies::promotion),
    ("query", queries::query),
    ("signature", outbound::signature),
    ("text", texts::text),
    ("token", headers::token),
    ("totals", totals::totals),
    ("ucp_body", agents::ucp_body),
    ("ucp_profile", agents::ucp_profile),
    ("webhook", webhooks::webhook),
];

/// Runs a target by its name.
///
/// # Panics
/// If there is no such target, or if what it found is wrong.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = target.unwrap_or_else(|| panic!("there is no target {name}"));
    target(data);
}
