//! Reads beside the writer: what they see is always committed.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::task;

use super::{LedgerError, file};

/// A connection that cannot write. Reads run one after another on Tokio's blocking pool.
#[derive(Clone)]
pub(super) struct Reader {
    connection: Arc<Mutex<Connection>>,
}

impl Reader {
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { connection: Arc::new(Mutex::new(file::open_for_reading(path)?)) })
    }

    pub(super) async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let connection = Arc::clone(&self.connection);
        let outcome = task::spawn_blocking(move || {
            // A query that panicked has changed nothing.
            query(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(outcome.await.map_err(|_| LedgerError::Unconfirmed)??)
    }
}
