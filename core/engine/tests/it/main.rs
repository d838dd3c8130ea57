//! The use cases on real databases.

mod agent_cart;
mod agent_checkout;
mod agent_codes;
mod agent_race;
mod api_key;
mod cart;
mod category;
mod change_after_decline;
mod channel;
mod checkout;
mod clock;
mod crash;
mod idempotency;
mod listing;
mod lookup;
mod order;
mod outbox;
mod overload;
mod oversell;
mod payment;
mod price;
mod product;
mod promotion;
mod promotion_uses;
mod refund;
mod shown_total;
mod statements;
mod stock;
mod story;
mod supply;
mod tenant;
mod unknown;
mod upkeep;
mod webhook;
mod with_payment;

use handel_domain::{Code, Refusal};
use handel_engine::Error;

/// The code that a use case was refused with.
fn code<T>(outcome: Result<T, Error>) -> Option<Code> {
    outcome.err().map(|error| error.code())
}

/// The whole refusal.
fn refusal<T>(outcome: Result<T, Error>) -> Refusal {
    outcome.err().expect("it is refused").refusal
}
