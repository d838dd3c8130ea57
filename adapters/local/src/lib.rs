//! Adapters that need nothing but this machine: the parts of a shop that runs as one program.
//!
//! Owns the test payment provider with its ledger, files in a directory, and a cache in memory. Each
//! implements a trait of `handel-ports` and knows nothing of the engine or its database; in
//! particular, what the test provider has charged is in a file of its own, so that it can testify
//! against the shop.

#![warn(missing_docs)]

mod blobs;
mod cache;
pub mod payments;

pub use blobs::FileBlobs;
pub use cache::MemoryCache;
pub use payments::{Ledger, TestPayments, TestPaymentsConfig, WebhookSender};
