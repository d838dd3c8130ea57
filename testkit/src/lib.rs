//! A whole shop in one process, for tests.
//!
//! Owns fresh databases of both kinds, a simulated clock and seeded randomness, a payment provider that
//! can be told to fail, fixtures, and the check that all books agree. Nothing of it is in the product.

mod books;
mod clock;
mod database;
mod events;
mod payments;
mod random;
mod shop;
mod tasks;
mod web;

pub use books::{Moment, Moved, ProviderBooks, audit_books};
pub use clock::{START, SimulatedClock};
pub use database::TestDatabase;
pub use events::Recorder;
pub use payments::{Calls, Fault, FaultyPayments, Gate};
pub use random::SeededRandom;
pub use shop::{TestShop, agents, fixtures};
pub use tasks::{Tasks, meanwhile, together, until};
pub use web::{FakeWeb, PlainNews, Reaction, Sent};

/// Declares tests that run on both databases: `name::sqlite` and `name::postgres`.
///
/// The argument is made by the `start` function of its type, which gets a [`TestDatabase`], and is borrowed
/// by the test; at the end its `finish` function checks what it left behind. Where no PostgreSQL is given in
/// `TEST_POSTGRES_URL`, that half says so and passes, unless `HANDEL_REQUIRE_SERVICES` forbids it.
#[macro_export]
macro_rules! both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($shop:ident: $kind:ty) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "a test may need nothing of its module")]
            use super::*;

            async fn run($shop: &mut $kind) $body

            async fn on(database: $crate::TestDatabase) {
                let mut subject = <$kind>::start(database).await;
                run(&mut subject).await;
                <$kind>::finish(&mut subject).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                on($crate::TestDatabase::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(database) = $crate::TestDatabase::postgres().await {
                    on(database).await;
                }
            }
        }
    )*};
}
