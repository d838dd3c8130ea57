//! Signatures over HTTP messages: RFC 9421 with Content-Digest (RFC 9530) and JSON Web Keys (RFC 7517).
//!
//! Pure functions of headers, bodies and keys: no clock, no network, no randomness. Owns how a message is signed
//! and checked, and what a signature must cover so that nothing of the message can be exchanged. Refuses to know
//! where keys are published and what a caller may do.

#![warn(missing_docs)]

mod base;
mod coverage;
mod digest;
mod jwk;
mod key;
mod message;
mod seal;
#[cfg(test)]
mod vectors;
mod verify;

pub use base::{Component, Params, Unsignable};
pub use coverage::AGENT_HEADERS;
pub use digest::{content_digest, holds_digest};
pub use jwk::{Jwk, KeySet};
pub use key::SigningKey;
pub use message::{Message, Target};
pub use seal::{Seal, seal_request, seal_response};
pub use verify::{NotVerified, Reason, Rules, Verified, verify};
