//! PostgreSQL: a pool of connections, prepared statements, pipelining.

mod transaction;
mod value;

use std::{ops::AsyncFn, sync::Arc, time::Duration};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio_postgres_rustls::MakeRustlsConnect;

pub(crate) use transaction::PostgresTransaction;
pub(crate) use value::{PostgresJson, PostgresTime};

use crate::{
    count::Counter,
    database::{PoolStatus, Transaction},
    error::StoreError,
    statement::Statement,
};

/// How often a unit runs again after it lost against others.
const ATTEMPTS_MAX: usize = 20;
/// How long a unit waits for a row that another has locked, in milliseconds.
const LOCK_TIMEOUT_MS: u32 = 5_000;
/// How long a connection may be waited for.
const WAIT: Duration = Duration::from_secs(5);
/// How much longer than the server may work an answer is waited for: on its way, or in a long queue of statements.
const SLACK: Duration = Duration::from_secs(5);
/// How long a connection may be silent before it is asked whether it lives.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A pool of connections to PostgreSQL. Clones share it.
#[derive(Clone)]
pub(crate) struct Postgres {
    pool: Pool,
    /// How long an answer is waited for.
    patience: Duration,
    pub(crate) counter: Counter,
}

impl Postgres {
    pub(crate) async fn connect(
        url: &str,
        connections: usize,
        statement_timeout: Duration,
    ) -> Result<Self, StoreError> {
        let mut config: tokio_postgres::Config = url.parse().map_err(|_| {
            // The parser's own text may repeat the password.
            StoreError::Unavailable("the address of the database is malformed".to_owned())
        })?;
        let options = format!(
            "-c statement_timeout={} -c lock_timeout={LOCK_TIMEOUT_MS} -c idle_in_transaction_session_timeout=60000",
            statement_timeout.as_millis(),
        );
        config.options(options).application_name("handel").connect_timeout(WAIT);
        config.keepalives_idle(KEEPALIVE).tcp_user_timeout(KEEPALIVE);
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config, tls()?, manager);
        let pool = Pool::builder(manager)
            .max_size(connections.max(2))
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(WAIT))
            .runtime(deadpool_postgres::Runtime::Tokio1)
            .build()
            .map_err(StoreError::unavailable)?;
        let patience = statement_timeout.saturating_add(SLACK);
        let postgres = Self { pool, patience, counter: Counter::default() };
        let client = postgres.client().await?;
        let version: String = client.query_one("show server_version_num", &[]).await?.get(0);
        if version.parse::<u32>().is_ok_and(|version| version < 140_000) {
            return Err(StoreError::Unavailable("PostgreSQL 14 or newer is needed".to_owned()));
        }
        Ok(postgres)
    }

    async fn client(&self) -> Result<Object, StoreError> {
        self.pool.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            other => StoreError::unavailable(other),
        })
    }

    pub(crate) async fn write<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>) -> Result<T, E> + Send + Sync + 'static,
        E: From<StoreError>,
    {
        let mut attempt = 1;
        loop {
            let client = self.client().await?;
            let mut guard = Guard { client: Some(client) };
            let open = guard.client.as_ref().expect("taken only when dropped");
            let inner = PostgresTransaction::new(open, true, self.patience);
            let mut transaction = Transaction::postgres(inner, self.counter.clone());
            let outcome = unit(&mut transaction).await;
            let inner = transaction.into_postgres().expect("made for PostgreSQL above");
            let failed = inner.failed();
            let ended = if outcome.is_ok() && failed.is_none() {
                inner.commit().await
            } else {
                inner.rollback().await
            };
            if ended.is_ok() {
                guard.release();
            }
            // A unit may have turned a failure into an error of its own, so the transaction is asked.
            let failed = failed.or(ended.err());
            if failed.as_ref().is_some_and(StoreError::is_contention) && attempt < ATTEMPTS_MAX {
                attempt += 1;
                tokio::task::yield_now().await;
                continue;
            }
            return match (outcome, failed) {
                (Ok(_), Some(failed)) => Err(failed.into()),
                (_, Some(StoreError::Contention)) => Err(StoreError::Contention.into()),
                (outcome, _) => outcome,
            };
        }
    }

    pub(crate) async fn read<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>) -> Result<T, E> + Send + Sync + 'static,
        E: From<StoreError>,
    {
        let client = self.client().await?;
        let inner = PostgresTransaction::new(&client, false, self.patience);
        let mut transaction = Transaction::postgres(inner, self.counter.clone());
        let outcome = unit(&mut transaction).await;
        if transaction.into_postgres().is_some_and(|inner| inner.is_lost()) {
            // Whoever got this connection next would wait as long for nothing.
            drop(Object::take(client));
        }
        outcome
    }

    pub(crate) async fn prepare(&self, statement: &'static Statement) -> Result<(), StoreError> {
        self.client().await?.prepare_cached(statement.for_postgres()).await?;
        Ok(())
    }

    pub(crate) fn status(&self) -> PoolStatus {
        let status = self.pool.status();
        PoolStatus { waiting: status.waiting, size: status.max_size }
    }

    pub(crate) fn close(&self) {
        self.pool.close();
    }
}

/// Keeps a connection whose transaction was not ended out of the pool: it is closed instead, and the
/// server rolls back.
struct Guard {
    client: Option<Object>,
}

impl Guard {
    fn release(&mut self) {
        drop(self.client.take());
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}

fn tls() -> Result<MakeRustlsConnect, StoreError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(StoreError::unavailable)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}
