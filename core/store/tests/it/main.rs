//! The store on real databases.

#![expect(clippy::disallowed_methods, reason = "tests start tasks of their own")]

mod by_hand;
mod group_commit;
mod schema;
mod units;

use handel_store::{Bound, Database, FromColumn, StoreError, Transaction, statements, values};
use handel_testkit::TestDatabase;

/// A database with a table of counters, as each test gets it.
pub struct Counters {
    pub test: TestDatabase,
}

statements! {
    ADD = "update leases set owner = cast(cast(owner as bigint) + $2 as text) where name = $1";
    PUT = "insert into leases (name, owner, expires_at) values ($1, $2, $3)";
    GET = "select cast(owner as bigint) from leases where name = $1";
    GET_FOR_UPDATE for update = "select cast(owner as bigint) from leases where name = $1";
    SET = "update leases set owner = $2 where name = $1";
    COUNT = "select count(*) from leases";
}

impl Counters {
    pub async fn start(test: TestDatabase) -> Self {
        Self { test }
    }

    /// Counters may be left as they are.
    pub async fn finish(&mut self) {}

    pub fn database(&self) -> Database {
        self.test.database().clone()
    }

    pub async fn put(&self, name: &'static str, count: i64) -> Result<(), StoreError> {
        put(&self.database(), name, count).await
    }

    pub async fn get(&self, name: &'static str) -> i64 {
        one(&self.database(), move || GET.bind(values![name])).await
    }

    pub async fn count(&self) -> i64 {
        one(&self.database(), || COUNT.bind(values![])).await
    }
}

pub fn put_bound(name: &str, count: i64) -> Bound {
    PUT.bind(values![name, count.to_string(), jiff::Timestamp::UNIX_EPOCH])
}

pub async fn put(database: &Database, name: &'static str, count: i64) -> Result<(), StoreError> {
    database
        .write(async move |tx: &mut Transaction<'_>| tx.run(put_bound(name, count)).await.map(drop))
        .await
}

/// Reads the only column of the only row.
pub async fn one<T: FromColumn + Send + 'static>(
    database: &Database,
    bound: impl Fn() -> Bound + Send + Sync + 'static,
) -> T {
    database
        .read(async move |tx: &mut Transaction<'_>| {
            tx.row(bound()).await?.expect("there is a row").get(0)
        })
        .await
        .expect("it can be read")
}
