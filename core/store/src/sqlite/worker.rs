//! The threads that hold a connection.

use crossbeam_channel::{Receiver, select};
use rusqlite::Connection;

use super::{
    durable::{Durability, Task},
    job::Queued,
};
use crate::error::StoreError;

/// Most units of one commit. More would make the first wait longer than a wait for the disk is worth.
const GROUP_MAX: usize = 64;

/// Group commit: the units that wait run one after another in one transaction, and one wait for the disk serves
/// them all.
///
/// The wait is done by another thread. While it lasts, the next group runs; it is committed when the wait is
/// over, or when it is full.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) jobs: Receiver<Queued>,
    pub(super) stopped: Receiver<()>,
    pub(super) durability: Durability,
    /// Tells of each commit that the disk has.
    pub(super) synced: Receiver<()>,
    /// Whether the disk is being waited for.
    pub(super) is_syncing: bool,
}

impl Writer {
    pub(super) fn run(mut self) {
        while let Some(first) = next(&self.jobs, &self.stopped) {
            let mut group = Vec::with_capacity(GROUP_MAX);
            group.push(first);
            let committed = self.durability.check().and_then(|()| self.commit(&mut group));
            if committed.is_err() && !self.connection.is_autocommit() {
                // A failed rollback leaves nothing to roll back: the transaction is already gone.
                let _gone = self.connection.execute_batch("rollback");
            }
            if self.is_syncing {
                // A thread that is gone has told nobody that anything is durable.
                let _gone = self.synced.recv();
            }
            self.is_syncing = true;
            let commit = self.durability.last_commit();
            self.durability.hand_over(Task::Answer { group, commit, committed });
        }
        // What is in the write-ahead log moves to the database, so that the next start is fast.
        let tidy = "pragma wal_checkpoint(truncate); pragma optimize";
        let _busy = self.connection.execute_batch(tidy);
    }

    /// Runs and commits a group, which takes in whoever comes while the disk is waited for.
    ///
    /// A savepoint for each unit would copy every page that it changes, to undo what hardly ever has to be
    /// undone. So there is none, until a unit fails after it changed something: then all that was done is rolled
    /// back, and the whole group runs again, now with savepoints. Units may run again; see [`Database::write`].
    ///
    /// [`Database::write`]: crate::Database::write
    fn commit(&mut self, group: &mut Vec<Queued>) -> Result<(), StoreError> {
        run(&self.connection, "begin immediate")?;
        let mut at = 0;
        while at < group.len() {
            let ran = group[at].run(&mut self.connection);
            check_open(&self.connection)?;
            if !ran.is_ok && ran.changed {
                run(&self.connection, "rollback")?;
                return self.commit_one_by_one(group);
            }
            at += 1;
            if at == group.len() && group.len() < GROUP_MAX {
                group.extend(self.another());
            }
        }
        self.end()
    }

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

    /// Runs a group in which units fail: each rolls back alone.
    fn commit_one_by_one(&mut self, group: &mut [Queued]) -> Result<(), StoreError> {
        run(&self.connection, "begin immediate")?;
        for job in group {
            run(&self.connection, "savepoint unit")?;
            let ran = job.run(&mut self.connection);
            check_open(&self.connection)?;
            if !ran.is_ok {
                run(&self.connection, "rollback to unit")?;
            }
            run(&self.connection, "release unit")?;
        }
        self.end()
    }

    fn end(&self) -> Result<(), StoreError> {
        // Whoever reads from here on may see the commit, so it is counted before.
        self.durability.count_commit();
        run(&self.connection, "commit")
    }
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
