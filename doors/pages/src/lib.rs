//! The pages of a shop: catalog, cart, hosted checkout and orders, for everybody with a browser.
//!
//! Everything works without scripts: pages are read with GET, changed with forms, and every form is answered with
//! the address of the next page. Owns the words, the templates and the look; every rule and every amount is the
//! engine's.

#![warn(missing_docs)]

mod assets;
mod basket;
mod cart;
mod catalog;
mod checkout;
mod codes;
mod errors;
mod field;
mod format;
mod handoff;
mod markup;
mod order;
mod page;
mod policy;
mod reload;
mod visit;
mod words;

use axum::Router;
use handel_kit::Door;

pub use errors::dressed;

/// The routes of all pages.
pub fn router(door: &Door) -> Router {
    Router::new()
        .merge(catalog::router())
        .merge(cart::router())
        .merge(codes::router())
        .merge(checkout::router())
        .merge(order::router())
        .merge(policy::router())
        .merge(handoff::router())
        .with_state(door.clone())
        .merge(assets::router())
}
