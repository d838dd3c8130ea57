//! The sandbox of UCP 2026-01-11 on a whole shop.

mod discovery;
mod orders;
mod sessions;
mod support;
