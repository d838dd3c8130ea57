//! What the threads do.

use std::{
    ops::AsyncFn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
};

use crossbeam_channel::{Receiver, select};
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::SqliteTransaction;
use crate::{database::Transaction, error::StoreError};

/// Work for a thread, whatever it returns.
pub(super) trait Job: Send {
    /// Does the work and keeps the outcome. It may be done again, and then the last outcome counts.
    fn run(&mut self, connection: &mut Connection) -> Ran;

    /// Gives the caller the outcome, or the reason why it could not be committed.
    fn answer(self: Box<Self>, commit: Result<(), StoreError>);
}

/// A job in a queue.
pub(super) type Queued = Box<dyn Job>;

/// How a job went.
pub(super) struct Ran {
    pub(super) is_ok: bool,
    /// Whether it may have changed something.
    pub(super) changed: bool,
}

/// A job that somebody waits for.
pub(super) struct Awaited<W, T, E> {
    pub(super) work: W,
    pub(super) outcome: Option<Result<T, E>>,
    pub(super) answer: oneshot::Sender<Result<T, E>>,
}

impl<W, T, E> Job for Awaited<W, T, E>
where
    W: Fn(&mut Connection) -> (Result<T, E>, bool) + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run(&mut self, connection: &mut Connection) -> Ran {
        let (outcome, changed) = (self.work)(connection);
        let is_ok = outcome.is_ok();
        self.outcome = Some(outcome);
        Ran { is_ok, changed }
    }

    fn answer(self: Box<Self>, commit: Result<(), StoreError>) {
        let outcome = match (self.outcome, commit) {
            (Some(outcome), Ok(())) => outcome,
            (Some(Err(error)), Err(_)) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (None, Ok(())) => Err(StoreError::Unit("it was not run".to_owned()).into()),
        };
        // A caller that went away does not undo what was committed.
        let _gone = self.answer.send(outcome);
    }
}

/// Most units of one commit. More would make the first wait longer than an fsync is worth.
const GROUP_MAX: usize = 64;

/// Group commit: the units that wait run one after another in one transaction; one commit, and so one fsync,
/// serves them all.
pub(super) fn write_loop(
    mut connection: Connection,
    jobs: &Receiver<Queued>,
    stopped: &Receiver<()>,
) {
    while let Some(first) = next(jobs, stopped) {
        let mut group = Vec::with_capacity(GROUP_MAX);
        group.push(first);
        let committed = commit_group(&mut connection, &mut group, jobs);
        if committed.is_err() && !connection.is_autocommit() {
            // A failed rollback leaves nothing to roll back: the transaction is already gone.
            let _gone = connection.execute_batch("rollback");
        }
        for job in group {
            job.answer(committed.clone());
        }
    }
    // What is in the write-ahead log moves to the database, so that the next start is fast.
    let _busy = connection.execute_batch("pragma wal_checkpoint(truncate); pragma optimize");
}

/// Runs and commits a group, which takes in whoever waits.
///
/// A savepoint for each unit would copy every page that it changes, to undo what hardly ever has to be undone.
/// So there is none, until a unit fails after it changed something: then all that was done is rolled back, and
/// the whole group runs again, now with savepoints. Units may run again; see [`Database::write`].
///
/// [`Database::write`]: crate::Database::write
fn commit_group(
    connection: &mut Connection,
    group: &mut Vec<Queued>,
    jobs: &Receiver<Queued>,
) -> Result<(), StoreError> {
    run(connection, "begin immediate")?;
    let mut at = 0;
    while at < group.len() {
        let ran = group[at].run(connection);
        check_open(connection)?;
        if !ran.is_ok && ran.changed {
            run(connection, "rollback")?;
            return commit_one_by_one(connection, group);
        }
        at += 1;
        if at == group.len() && group.len() < GROUP_MAX {
            group.extend(jobs.try_recv());
        }
    }
    run(connection, "commit")
}

/// Runs a group in which units fail: each rolls back alone.
fn commit_one_by_one(connection: &mut Connection, group: &mut [Queued]) -> Result<(), StoreError> {
    run(connection, "begin immediate")?;
    for job in group {
        run(connection, "savepoint unit")?;
        let ran = job.run(connection);
        check_open(connection)?;
        if !ran.is_ok {
            run(connection, "rollback to unit")?;
        }
        run(connection, "release unit")?;
    }
    run(connection, "commit")
}

/// Some errors (a full disk, for one) end the whole transaction, not only the statement.
fn check_open(connection: &Connection) -> Result<(), StoreError> {
    if connection.is_autocommit() {
        let reason = "the transaction was rolled back by the database";
        return Err(StoreError::NotWritable(reason.to_owned()));
    }
    Ok(())
}

/// Runs a statement that stays prepared.
fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

pub(super) fn read_loop(
    mut connection: Connection,
    jobs: &Receiver<Queued>,
    stopped: &Receiver<()>,
) {
    while let Some(mut job) = next(jobs, stopped) {
        job.run(&mut connection);
        job.answer(Ok(()));
    }
}

/// The next job; none once the database is closed and no job waits.
fn next(jobs: &Receiver<Queued>, stopped: &Receiver<()>) -> Option<Queued> {
    select! {
        recv(jobs) -> job => job.ok(),
        recv(stopped) -> _ => jobs.try_recv().ok(),
    }
}

/// Polls a unit once, and says whether it may have changed something. Its statements run inline, so it is done
/// after one poll; a unit that waits for anything else is a mistake in the program, because everybody would
/// wait with it.
pub(super) fn poll_once<T, E, F>(connection: &mut Connection, unit: &F) -> (Result<T, E>, bool)
where
    F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>) -> Result<T, E>,
    E: From<StoreError>,
{
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let mut transaction = Transaction::sqlite(SqliteTransaction::new(connection));
        let polled = pin!(unit(&mut transaction)).poll(&mut Context::from_waker(Waker::noop()));
        (polled, transaction.into_sqlite().expect("made for SQLite above").end())
    }));
    match polled {
        Ok((Poll::Ready(Ok(_)), (Some(failed), changed))) => (Err(failed.into()), changed),
        Ok((Poll::Ready(outcome), (_, changed))) => (outcome, changed),
        Ok((Poll::Pending, _)) => {
            let mistake = "it waited for something other than its own statements";
            tracing::error!("a unit of work is wrong: {mistake}");
            (Err(StoreError::Unit(mistake.to_owned()).into()), true)
        }
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            let text = text.unwrap_or_else(|| "it panicked".to_owned());
            (Err(StoreError::Unit(text).into()), true)
        }
    }
}
