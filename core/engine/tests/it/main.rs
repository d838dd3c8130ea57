//! The use cases on real databases.

mod cart;
mod checkout;
mod idempotency;
mod order;
mod oversell;
mod payment;
mod refund;
mod statements;
mod stock;
mod unknown;

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
