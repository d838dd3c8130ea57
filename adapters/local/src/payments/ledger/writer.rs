//! The one thread of this process that writes to the ledger.
//!
//! Owns group commit: whatever has queued while the last transaction was being made durable becomes the
//! next one, so that one `fsync` serves many callers and nobody waits for a timer. An answer leaves only
//! after the commit.

use std::thread;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::{LedgerError, file::Turn};
use crate::payments::log;

/// Most changes in one transaction.
const BATCH_MAX: usize = 256;
/// Most changes that wait; further callers wait for a place, so that memory stays bounded.
const QUEUE_MAX: usize = 4 * BATCH_MAX;

/// Makes a change in the transaction of its batch, and returns what tells its caller afterwards.
type Change = Box<dyn FnOnce(&Connection) -> rusqlite::Result<Answer> + Send>;
type Answer = Box<dyn FnOnce() + Send>;

/// The way to the thread. It ends when this is dropped, after it has done what was queued.
pub(super) struct Writer {
    /// None only while this is being dropped.
    queue: Option<mpsc::Sender<Change>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    #[expect(
        clippy::disallowed_methods,
        reason = "SQLite blocks, and its only writer runs as long as the ledger; `drop` waits for it"
    )]
    pub(super) fn start(connection: Connection, turn: Turn) -> Result<Self, LedgerError> {
        let (queue, changes) = mpsc::channel(QUEUE_MAX);
        let thread = thread::Builder::new()
            .name("test-ledger".to_owned())
            .spawn(move || write_all(connection, &turn, changes))
            .map_err(LedgerError::Writer)?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Makes a change and returns when it is durable. It is made even if the caller goes away.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (sender, receiver) = oneshot::channel();
        let change: Change = Box::new(move |connection| {
            let outcome = change(connection)?;
            Ok(Box::new(move || {
                // A caller that went away asks again, or somebody else does.
                let _ = sender.send(outcome);
            }))
        });
        let queue = self.queue.as_ref().expect("the queue is open until the drop");
        queue.send(change).await.map_err(|_| LedgerError::Unconfirmed)?;
        receiver.await.map_err(|_| LedgerError::Unconfirmed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the test ledger panicked");
        }
    }
}

fn write_all(mut connection: Connection, turn: &Turn, mut queue: mpsc::Receiver<Change>) {
    let mut batch = Vec::with_capacity(BATCH_MAX);
    while queue.blocking_recv_many(&mut batch, BATCH_MAX) > 0 {
        match write(&mut connection, turn, batch.drain(..)) {
            Ok(answers) => answers.into_iter().for_each(|answer| answer()),
            // The callers hear that nothing was confirmed, because their answers are gone.
            Err(error) => log(&error),
        }
    }
}

fn write(
    connection: &mut Connection,
    turn: &Turn,
    changes: impl Iterator<Item = Change>,
) -> Result<Vec<Answer>, LedgerError> {
    let taken = turn.take()?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    drop(taken);
    let answers = changes.map(|change| change(&transaction)).collect::<rusqlite::Result<_>>()?;
    transaction.commit()?;
    Ok(answers)
}
