//! What the UCP door promises to programs, met through the whole router. Every answer is checked against the
//! protocol's own schemas where they are at hand.

mod buying;
mod carts;
mod catalog;
mod changes;
mod delivery;
mod discounts;
mod discovery;
mod errors;
mod negotiation;
mod news;
mod orders;
mod races;
mod shown_total;
mod signatures;
mod support;
mod versions;
