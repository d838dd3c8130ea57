//! Moves what is in the log to the database, beside the writer and not in its way.
//!
//! The log starts anew only when all of it was moved and nobody reads from it, so under steady load it goes on
//! growing. When it has grown to `LOG_PAGES_MAX`, the writer moves the rest itself, which by then is little.

use crossbeam_channel::{Receiver, Sender, bounded};
use rusqlite::Connection;

use crate::error::StoreError;

/// How many pages of the log are worth moving.
const PAGES_MIN: i64 = 2_000;
/// How long the log gets before the writer moves what is left.
pub(super) const LOG_PAGES_MAX: i64 = 4_000;

/// Tells the thread that there may be something to move.
pub(super) struct Bell(Sender<()>);

impl Bell {
    pub(super) fn new() -> (Self, Receiver<()>) {
        let (ring, rung) = bounded(1);
        (Self(ring), rung)
    }

    pub(super) fn ring(&self) {
        // It has rung already, and nobody has come yet.
        let _full = self.0.try_send(());
    }
}

/// The thread. It ends when nobody can ring any more.
pub(super) fn run(connection: &Connection, rung: &Receiver<()>) {
    while rung.recv().is_ok() {
        if let Err(error) = look(connection) {
            // The writer tries it too, and tells those who wait if it cannot.
            tracing::warn!("the log could not be moved to the database: {error}");
        }
    }
}

fn look(connection: &Connection) -> Result<(), StoreError> {
    let (log, moved) = connection
        .prepare_cached("pragma wal_checkpoint(noop)")?
        .query_row([], |row| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))?;
    if log - moved >= PAGES_MIN {
        connection.prepare_cached("pragma wal_checkpoint(passive)")?.query_row([], |_| Ok(()))?;
    }
    Ok(())
}
