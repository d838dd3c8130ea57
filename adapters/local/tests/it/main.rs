//! The local adapters on real files, one binary for all.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod blobs;
mod cache;
mod ledger;
mod pages;
mod payments;
mod processes;
mod refunds;
mod sender;
mod webhooks;
mod world;
