//! A whole shop with its workers on a simulated clock, from one seed.
//!
//! Shoppers, agents, staff, a payment provider, a subscriber and the weather meet the real engine on a real
//! SQLite database. Every step is chosen by the seed, so a run can be repeated exactly. Afterwards all books
//! must agree.

mod actors;
mod dice;
mod door;
mod executor;
mod fleet;
mod leftovers;
mod listener;
mod provider;
mod receiver;
mod report;
mod run;
mod site;
mod trace;
mod wall;
mod weather;
mod world;

pub use actors::Cast;
pub use door::Doors;
pub use fleet::{Fleet, run as run_fleet};
pub use report::Outcome;
pub use run::{Plan, run};
