//! The only way out to addresses that a stranger named: profiles of programs, and their webhooks.
//!
//! Such an address may be meant to reach what only the server itself can reach (server-side request forgery). So a
//! name is resolved once for each call, each address that it has is checked, and the connection goes to what was
//! checked: nothing can be exchanged in between. Owns the rules for addresses, and ends to everything a peer may drag
//! out. Has no redirects, no proxies, no cookies, no cache, and no connection that is used twice.

#![warn(missing_docs)]

mod address;
mod client;
mod connect;

pub use client::{Lookup, SafeWeb, Settings};
