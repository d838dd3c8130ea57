//! What the threads do.

use std::{
    ops::AsyncFn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
};

use crossbeam_channel::{Receiver, select};
use rusqlite::Connection;

use super::SqliteTransaction;
use crate::{count::Counter, database::Transaction, error::StoreError};

/// Work for a thread. It returns the reply, which is given only when the group has been committed.
pub(super) type Job = Box<dyn FnOnce(&mut Connection, Place) -> Reply + Send>;
pub(super) type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Where in its group a unit runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is the first: nothing else would be lost if the whole transaction were rolled back.
    First,
    /// Others ran before it, so it needs a savepoint of its own.
    Later,
}

/// Most units of one commit. More would make the first wait longer than an fsync is worth.
const GROUP_MAX: usize = 64;

/// Group commit: the units that wait run one after another in one outer transaction, each in a savepoint
/// of its own; one commit, and so one fsync, serves them all.
pub(super) fn write_loop(mut connection: Connection, jobs: &Receiver<Job>, stopped: &Receiver<()>) {
    while let Some(first) = next(jobs, stopped) {
        let mut replies = Vec::with_capacity(GROUP_MAX);
        let outcome = run_group(&mut connection, first, jobs, &mut replies);
        if outcome.is_err() && !connection.is_autocommit() {
            // A failed rollback leaves nothing to roll back: the transaction is already gone.
            let _gone = connection.execute_batch("rollback");
        }
        for reply in replies {
            reply(outcome.clone());
        }
    }
    // What is in the write-ahead log moves to the database, so that the next start is fast.
    let _busy = connection.execute_batch("pragma wal_checkpoint(truncate); pragma optimize");
}

fn run_group(
    connection: &mut Connection,
    first: Job,
    jobs: &Receiver<Job>,
    replies: &mut Vec<Reply>,
) -> Result<(), StoreError> {
    if let Err(error) = run(connection, BEGIN) {
        // The unit finds no transaction and is told why.
        replies.push(first(connection, Place::First));
        return Err(error);
    }
    let (mut job, mut place) = (Some(first), Place::First);
    while let Some(current) = job {
        replies.push(current(connection, place));
        if connection.is_autocommit() {
            // Some errors (a full disk, for one) end the whole transaction, not only the statement.
            let reason = "the transaction was rolled back by the database";
            return Err(StoreError::NotWritable(reason.to_owned()));
        }
        place = Place::Later;
        job = if replies.len() < GROUP_MAX { jobs.try_recv().ok() } else { None };
    }
    run(connection, "commit")
}

const BEGIN: &str = "begin immediate";

/// Runs a statement that stays prepared.
fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

pub(super) fn read_loop(mut connection: Connection, jobs: &Receiver<Job>, stopped: &Receiver<()>) {
    while let Some(job) = next(jobs, stopped) {
        job(&mut connection, Place::First)(Ok(()));
    }
}

/// The next job; none once the database is closed and no job waits.
fn next(jobs: &Receiver<Job>, stopped: &Receiver<()>) -> Option<Job> {
    select! {
        recv(jobs) -> job => job.ok(),
        recv(stopped) -> _ => jobs.try_recv().ok(),
    }
}

/// Runs a unit in its group: it rolls back alone if it fails or panics.
pub(super) fn in_group<T, E, F>(
    connection: &mut Connection,
    place: Place,
    unit: &F,
    counter: &Counter,
) -> Result<T, E>
where
    F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>) -> Result<T, E>,
    E: From<StoreError>,
{
    if connection.is_autocommit() {
        return Err(StoreError::NotWritable("no transaction could be begun".to_owned()).into());
    }
    let is_first = place == Place::First;
    if !is_first {
        run(connection, "savepoint unit")?;
    }
    let outcome = poll_once(connection, unit, counter);
    if connection.is_autocommit() {
        let lost = StoreError::NotWritable("the transaction was lost".to_owned());
        return outcome.and_then(|_| Err(lost.into()));
    }
    match (is_first, outcome.is_ok()) {
        (true, true) => {}
        (true, false) => {
            run(connection, "rollback")?;
            run(connection, BEGIN)?;
        }
        (false, true) => run(connection, "release unit")?,
        (false, false) => {
            run(connection, "rollback to unit")?;
            run(connection, "release unit")?;
        }
    }
    outcome
}

/// Polls a unit once. Its statements run inline, so it is done after one poll; a unit that waits for
/// anything else is a mistake in the program, because everybody would wait with it.
pub(super) fn poll_once<T, E, F>(
    connection: &mut Connection,
    unit: &F,
    counter: &Counter,
) -> Result<T, E>
where
    F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>) -> Result<T, E>,
    E: From<StoreError>,
{
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let mut transaction =
            Transaction::sqlite(SqliteTransaction::new(connection), counter.clone());
        let polled = pin!(unit(&mut transaction)).poll(&mut Context::from_waker(Waker::noop()));
        (polled, transaction.into_sqlite().and_then(SqliteTransaction::failed))
    }));
    match polled {
        Ok((Poll::Ready(Ok(_)), Some(failed))) => Err(failed.into()),
        Ok((Poll::Ready(outcome), _)) => outcome,
        Ok((Poll::Pending, _)) => {
            let mistake = "it waited for something other than its own statements";
            tracing::error!("a unit of work is wrong: {mistake}");
            Err(StoreError::Unit(mistake.to_owned()).into())
        }
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(StoreError::Unit(text.unwrap_or_else(|| "it panicked".to_owned())).into())
        }
    }
}
