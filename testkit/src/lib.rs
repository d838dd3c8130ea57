//! A whole shop in one process, for tests.
//!
//! Owns fresh databases of both kinds, a simulated clock and seeded randomness, a payment provider that
//! can be told to fail, and fixtures. Nothing of it is in the product.

mod database;

pub use database::TestDatabase;

/// Declares tests that run on both databases: `name::sqlite` and `name::postgres`.
///
/// The argument is made by the `start` function of its type, which gets a [`TestDatabase`]. Where no
/// PostgreSQL is given in `TEST_POSTGRES_URL`, that half says so and passes, unless
/// `HANDEL_REQUIRE_SERVICES` forbids it.
#[macro_export]
macro_rules! both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($shop:ident: $kind:ty) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, clippy::allow_attributes, reason = "a test may need nothing of its module")]
            use super::*;

            async fn run($shop: $kind) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let database = $crate::TestDatabase::sqlite().await;
                run(<$kind>::start(database).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                if let Some(database) = $crate::TestDatabase::postgres().await {
                    run(<$kind>::start(database).await).await;
                }
            }
        }
    )*};
}
