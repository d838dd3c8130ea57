//! The file: how it is opened and what its tables are.

use std::{fs::File, io, path::Path, time::Duration};

use rusqlite::{Connection, TransactionBehavior};

use super::LedgerError;

/// How long a process waits for another one to end its transaction.
const BUSY_LIMIT: Duration = Duration::from_secs(10);
/// More statements than there are, so that each is prepared once.
const STATEMENTS_MAX: usize = 64;
/// The layout of the tables. Another one gets another number.
const LAYOUT: i64 = 1;

const TABLES: &str = "
    create table if not exists charges (
        key             text    not null primary key,
        order_id        text    not null,
        token           text    not null,
        status          text    not null
            check (status in ('captured', 'declined', 'action_required', 'processing')),
        amount_minor    integer not null,
        captured_minor  integer not null,
        refunded_minor  integer not null default 0,
        currency        text    not null,
        return_url      text,
        settles_at_us   integer,
        created_at_us   integer not null,
        check ((status = 'captured') = (captured_minor > 0)),
        check (refunded_minor between 0 and captured_minor)
    ) strict, without rowid;

    create index if not exists charges_of_order on charges (order_id);

    create table if not exists refunds (
        key             text    not null primary key,
        reference       text    not null,
        amount_minor    integer not null,
        currency        text    not null,
        is_done         integer not null check (is_done in (0, 1)),
        created_at_us   integer not null
    ) strict, without rowid;

    create table if not exists webhooks (
        event_id        text    not null primary key,
        key             text    not null references charges (key),
        status          text    not null check (status in ('due', 'delivered', 'given_up')),
        attempts        integer not null default 0,
        due_at_us       integer not null,
        delivered_at_us integer,
        check ((status = 'delivered') = (delivered_at_us is not null))
    ) strict, without rowid;

    create index if not exists webhooks_due on webhooks (due_at_us) where status = 'due';";

/// Who may begin the next transaction, among the processes that share the file.
///
/// SQLite has no queue: a process that writes all the time takes its lock again before one that waits has
/// looked. Who waits for SQLite holds the turn meanwhile, so the next transaction belongs to them.
pub(super) struct Turn(File);

/// The turn, until this is dropped.
pub(super) struct Taken<'a>(&'a File);

impl Turn {
    fn open(path: &Path) -> io::Result<Self> {
        File::create(path.with_added_extension("lock")).map(Self)
    }

    /// Waits for the turn. A process that dies gives it back.
    pub(super) fn take(&self) -> Result<Taken<'_>, LedgerError> {
        self.0.lock().map_err(LedgerError::Lock)?;
        Ok(Taken(&self.0))
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::error!(%error, "the lock of the test ledger cannot be given back");
        }
    }
}

/// Opens the file for writing and makes its tables if they are missing.
pub(super) fn open(path: &Path) -> Result<(Connection, Turn), LedgerError> {
    let turn = Turn::open(path).map_err(LedgerError::Lock)?;
    // SQLite refuses, rather than waits, when two processes turn a new file to write-ahead logging.
    let taken = turn.take()?;
    let mut connection = connect(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    match transaction.pragma_query_value(None, "user_version", |row| row.get(0))? {
        0 => {
            transaction.execute_batch(TABLES)?;
            transaction.pragma_update(None, "user_version", LAYOUT)?;
        }
        LAYOUT => {}
        found => return Err(LedgerError::Layout { found, known: LAYOUT }),
    }
    transaction.commit()?;
    drop(taken);
    Ok((connection, turn))
}

/// Opens another connection to a file that [`open`] has prepared. It cannot write.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, LedgerError> {
    let connection = connect(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn connect(path: &Path) -> Result<Connection, LedgerError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_LIMIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_on_the_disk() {
        let directory = tempfile::tempdir().unwrap();
        let (connection, _) = open(&directory.path().join("ledger.sqlite")).unwrap();
        let mode: String =
            connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        let synchronous: i64 =
            connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        assert_eq!((mode.as_str(), synchronous), ("wal", 2), "every commit is synced");
    }

    #[test]
    fn a_reader_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ledger.sqlite");
        open(&path).unwrap();
        open_for_reading(&path).unwrap().execute("delete from charges", []).unwrap_err();
    }
}
