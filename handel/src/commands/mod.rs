//! What an operator does besides running the shop.

pub mod backup;
mod categories;
pub mod export;
pub mod import;
pub mod key;
pub mod mcp;
pub mod migrate;
mod progress;

use handel_engine::{Context, Engine};

/// Who is named in the audit log for what the command line does.
pub fn operator(engine: &Engine) -> Context {
    Context::operator(engine.request_id())
}
