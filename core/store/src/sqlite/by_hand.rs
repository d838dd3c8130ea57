//! The embedded database without its threads, for simulations: its work is done on the thread of the
//! caller and only when it is told to, so that a run can be repeated exactly.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use crossbeam_channel::{Receiver, unbounded};
use rusqlite::Connection;

use super::{
    Claim, FILE, Sqlite, claim, connect,
    group::{self, End},
    job::Queued,
};
use crate::{count::Counter, error::StoreError};

/// Does the work of a database that was opened with [`crate::Database::open_by_hand`]. Dropping it is the
/// end of the process: what waits is lost, what was committed is there.
pub struct Hand {
    writer: Connection,
    reader: Connection,
    writes: Receiver<Queued>,
    reads: Receiver<Queued>,
    _claim: Claim,
}

impl Hand {
    /// Whether units wait that write.
    pub fn has_writes(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Whether units wait that read.
    pub fn has_reads(&self) -> bool {
        !self.reads.is_empty()
    }

    /// Runs the units that write as one group, and commits it.
    pub fn write(&mut self) {
        self.write_and(&group::commit);
    }

    /// Runs the units that write as one group, whose commit fails.
    pub fn write_in_vain(&mut self) {
        self.write_and(&|_| Err(StoreError::NotWritable("the disk does not answer".to_owned())));
    }

    fn write_and(&mut self, end: End<'_>) {
        let Ok(first) = self.writes.try_recv() else { return };
        let mut group = vec![first];
        let mut another = || self.writes.try_recv().ok();
        let committed = group::run_group(&mut self.writer, &mut group, &mut another, end);
        for job in group {
            job.answer(committed.clone());
        }
    }

    /// Runs one unit that reads.
    pub fn read(&mut self) {
        if let Ok(mut job) = self.reads.try_recv() {
            job.run(&mut self.reader);
            job.answer(Ok(()));
        }
    }

    /// Lets the database grow no more, as a full disk does, or grow again.
    pub fn set_full(&self, is_full: bool) -> Result<(), StoreError> {
        // A limit below the current size is that size.
        let pages: u32 = if is_full { 1 } else { u32::MAX - 1 };
        self.writer.query_row(&format!("pragma max_page_count = {pages}"), [], |_| Ok(()))?;
        Ok(())
    }
}

impl Sqlite {
    pub(crate) fn open_by_hand(directory: &Path) -> Result<(Self, Hand), StoreError> {
        fs::create_dir_all(directory).map_err(StoreError::unavailable)?;
        let (writer, _claim) = claim(directory)?;
        let path = directory.join(FILE);
        let reader = connect(&path, true)?;
        let (write_jobs, writes) = unbounded();
        let (read_jobs, reads) = unbounded();
        let life = Arc::new(Mutex::new(None));
        let database = Self {
            path,
            writes: write_jobs,
            reads: read_jobs,
            readers: 1,
            counter: Counter::default(),
            life,
        };
        Ok((database, Hand { writer, reader, writes, reads, _claim }))
    }
}
