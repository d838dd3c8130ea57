//! What the REST door promises to those who call it, met through the whole router, and over real sockets
//! where the server itself has a part in it.

mod addresses;
mod agents;
mod bodies;
mod catalog;
mod cors;
mod editing;
mod errors;
mod idempotency;
mod limits;
mod matrix;
mod metrics;
mod openapi;
mod promotions;
mod purchase;
mod security;
mod server;
mod support;
mod webhooks;
