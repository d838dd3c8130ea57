//! What the threads are given to do.

use std::{
    ops::AsyncFn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::{Context, Poll, Waker},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::SqliteTransaction;
use crate::{count::Counter, database::Transaction, error::StoreError};

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

/// Polls a unit once, and says whether it may have changed something. Its statements run inline, so it is done
/// after one poll; a unit that waits for anything else is a mistake in the program, because everybody would
/// wait with it.
pub(super) fn poll_once<T, E, F>(
    connection: &mut Connection,
    unit: &F,
    counter: &Counter,
) -> (Result<T, E>, bool)
where
    F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>) -> Result<T, E>,
    E: From<StoreError>,
{
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let mut transaction =
            Transaction::sqlite(SqliteTransaction::new(connection), counter.clone());
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
