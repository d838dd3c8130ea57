//! The threads that hold a connection.

use crossbeam_channel::{Receiver, select};
use rusqlite::Connection;

use super::{
    durable::{Durability, Task},
    group::{self, GROUP_MAX},
    job::Queued,
};

/// Writes. The disk is waited for by another thread; meanwhile the next group runs. It is committed when the
/// wait is over, or when it is full.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) queue: Queue,
    pub(super) durability: Durability,
}

/// What brings work to the writer.
pub(super) struct Queue {
    pub(super) jobs: Receiver<Queued>,
    pub(super) stopped: Receiver<()>,
    /// Tells of each commit that the disk has.
    pub(super) synced: Receiver<()>,
    /// Whether the disk is being waited for.
    pub(super) is_syncing: bool,
}

impl Writer {
    pub(super) fn run(mut self) {
        while let Some(first) = next(&self.queue.jobs, &self.queue.stopped) {
            let mut group = Vec::with_capacity(GROUP_MAX);
            group.push(first);
            let committed = self.durability.check().and_then(|()| {
                // Whoever reads from the commit on may see it, so it is counted before.
                let end = |connection: &Connection| {
                    self.durability.count_commit();
                    group::commit(connection)
                };
                let mut another = || self.queue.another();
                group::run_group(&mut self.connection, &mut group, &mut another, &end)
            });
            self.queue.wait_until_synced();
            self.queue.is_syncing = true;
            let commit = self.durability.last_commit();
            self.durability.hand_over(Task::Answer { group, commit, committed });
        }
        // What is in the write-ahead log moves to the database, so that the next start is fast. No statistics are
        // gathered: plans that were made for a shop of five products read whole tables once it has many.
        let _busy = self.connection.execute_batch("pragma wal_checkpoint(truncate)");
    }
}

impl Queue {
    /// Another unit for the group: one that waits, or that comes while the disk is waited for.
    fn another(&mut self) -> Option<Queued> {
        let waiting = self.jobs.try_recv().ok();
        if waiting.is_some() || !self.is_syncing {
            return waiting;
        }
        select! {
            recv(self.jobs) -> job => job.ok(),
            recv(self.synced) -> _ => {
                self.is_syncing = false;
                None
            }
        }
    }

    fn wait_until_synced(&mut self) {
        if std::mem::take(&mut self.is_syncing) {
            // A thread that is gone has told nobody that anything is durable.
            let _gone = self.synced.recv();
        }
    }
}

/// Reads. What a reader saw is told only when the disk has it: nobody hears of an order that a power cut could
/// still undo.
pub(super) struct Reader {
    pub(super) connection: Connection,
    pub(super) jobs: Receiver<Queued>,
    pub(super) stopped: Receiver<()>,
    pub(super) durability: Durability,
}

impl Reader {
    pub(super) fn run(mut self) {
        while let Some(mut job) = next(&self.jobs, &self.stopped) {
            job.run(&mut self.connection);
            match self.durability.unsynced() {
                None => job.answer(Ok(())),
                Some(commit) => self.durability.hand_over(Task::AnswerAfter { commit, job }),
            }
        }
    }
}

/// The next job; none once the database is closed and no job waits.
fn next(jobs: &Receiver<Queued>, stopped: &Receiver<()>) -> Option<Queued> {
    select! {
        recv(jobs) -> job => job.ok(),
        recv(stopped) -> _ => jobs.try_recv().ok(),
    }
}
