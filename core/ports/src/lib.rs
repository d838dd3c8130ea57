//! The traits through which the engine reaches the world, and their plain types.
//!
//! Owns no behavior but the real clock, randomness and task spawner, which stand here so that
//! nothing else may use the originals: a whole shop then runs on a simulated clock from one seed.
//! Adapters implement these traits and see nothing else of Handel.

#![warn(missing_docs)]

mod blobs;
mod cache;
mod events;
mod payments;
mod secret;
mod system;
mod web;

pub use blobs::{Blob, BlobError, BlobStore};
pub use cache::{Cache, CacheKey};
pub use events::{EventSubscriber, PublishedEvent};
pub use payments::{
    Charge, PaymentProvider, ProviderReport, Refund, RefundOutcome, WebhookEvent, WebhookRejected,
};
pub use secret::Secret;
pub use system::{BoxFuture, Clock, CrashPoint, Fate, Random, Spawner, System};
pub use web::{Fetch, Post, WebAnswer, WebClient, WebError};
