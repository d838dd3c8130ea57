//! Waits for the disk, and answers those who wait for it.
//!
//! SQLite is told not to wait when it commits (`synchronous = normal`): it writes its log and goes on. This thread
//! then waits until the log is on the disk, and only after that do the callers get their replies. The writer
//! meanwhile runs the next group. The order of the log is the order of the commits, so a commit whose wait is over
//! has everything before it on the disk as well.

use std::{
    fs::File,
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::{checkpoint::Bell, job::Queued};
use crate::error::StoreError;

/// What the thread is told.
pub(super) enum Task {
    /// A group was committed, or not. It is answered when the disk has it.
    Answer { group: Vec<Queued>, commit: u64, committed: Result<(), StoreError> },
    /// A reader may have seen a commit. It is answered when the disk has that one.
    AnswerAfter { commit: u64, job: Queued },
}

/// How far commits have come on their way to the disk. Clones share it.
#[derive(Clone)]
pub(super) struct Durability {
    tasks: Sender<Task>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    /// Commits that were made or are being made.
    committed: AtomicU64,
    /// Those of them that need not be waited for any more.
    synced: AtomicU64,
    /// Why the disk did not take a commit. What it did with it, nobody can tell, so nothing is written any more.
    broken: OnceLock<StoreError>,
}

impl Durability {
    /// A queue for a thread that is yet to be started, and where it tells of every commit.
    pub(super) fn new(log: PathBuf, bell: Bell) -> (Self, Syncer, Receiver<()>) {
        let (tasks, queue) = unbounded();
        let (told, synced) = bounded(1);
        let durability = Self { tasks, counts: Arc::default() };
        let counts = durability.counts.clone();
        let syncer = Syncer { log, file: None, queue, told, counts, readers: Vec::new(), bell };
        (durability, syncer, synced)
    }

    /// Fails once the disk has refused a commit.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        self.counts.broken.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Counts a commit that is about to be made.
    pub(super) fn count_commit(&self) {
        self.counts.committed.fetch_add(1, Ordering::SeqCst);
    }

    /// The last commit that was made.
    pub(super) fn last_commit(&self) -> u64 {
        self.counts.committed.load(Ordering::SeqCst)
    }

    /// The last commit, if the disk does not have it yet.
    pub(super) fn unsynced(&self) -> Option<u64> {
        let committed = self.last_commit();
        (self.counts.synced.load(Ordering::SeqCst) < committed).then_some(committed)
    }

    pub(super) fn hand_over(&self, task: Task) {
        // The thread outlives those who hand over.
        let _never = self.tasks.send(task);
    }
}

/// The thread.
pub(super) struct Syncer {
    log: PathBuf,
    file: Option<File>,
    queue: Receiver<Task>,
    told: Sender<()>,
    counts: Arc<Counts>,
    readers: Vec<(u64, Queued)>,
    bell: Bell,
}

impl Syncer {
    /// Works until nobody can hand over anything any more.
    pub(super) fn run(mut self) {
        while let Ok(task) = self.queue.recv() {
            self.take(task);
        }
    }

    fn take(&mut self, task: Task) {
        match task {
            Task::Answer { group, commit, committed } => {
                let durable = committed.and_then(|()| self.sync());
                self.counts.synced.fetch_max(commit, Ordering::SeqCst);
                // The writer may have ended.
                let _gone = self.told.send(());
                answer(group, &durable);
                self.bell.ring();
            }
            Task::AnswerAfter { commit, job } => self.readers.push((commit, job)),
        }
        self.answer_readers();
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        let synced = match self.file.take().map_or_else(|| File::open(&self.log), Ok) {
            Ok(file) => file.sync_data().map(|()| self.file = Some(file)),
            Err(error) => Err(error),
        };
        synced.map_err(|error| {
            let reason = format!("the log could not be written to the disk: {error}");
            tracing::error!("{reason}; nothing is written any more until the shop starts again");
            self.counts.broken.get_or_init(|| StoreError::NotWritable(reason)).clone()
        })
    }

    fn answer_readers(&mut self) {
        let synced = self.counts.synced.load(Ordering::SeqCst);
        let durable = self.counts.broken.get().map_or(Ok(()), |error| Err(error.clone()));
        let ready = self.readers.extract_if(.., |(commit, _)| *commit <= synced);
        answer(ready.map(|(_, job)| job), &durable);
    }
}

fn answer(jobs: impl IntoIterator<Item = Queued>, durable: &Result<(), StoreError>) {
    for job in jobs {
        job.answer(durable.clone());
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use tokio::sync::oneshot::{self, error::TryRecvError};

    use super::{super::job::Awaited, *};

    type Told = oneshot::Receiver<Result<(), StoreError>>;

    /// A job that went well and waits for its answer.
    fn job() -> (Queued, Told) {
        let (answer, told) = oneshot::channel();
        let work = |_: &mut Connection| (Ok::<(), StoreError>(()), true);
        let mut job: Queued = Box::new(Awaited { work, outcome: None, answer });
        job.run(&mut Connection::open_in_memory().expect("memory"));
        (job, told)
    }

    fn start(log: PathBuf) -> (Durability, Syncer, Receiver<()>) {
        Durability::new(log, Bell::new().0)
    }

    #[test]
    fn who_may_have_seen_a_commit_is_answered_when_the_disk_has_it() {
        let log = tempfile::NamedTempFile::new().expect("a file");
        let (durability, mut syncer, _synced) = start(log.path().to_owned());
        assert_eq!(durability.unsynced(), None, "nothing was committed");
        durability.count_commit();
        assert_eq!(durability.unsynced(), Some(1));
        let ((reader, mut heard), (writer, mut told)) = (job(), job());
        syncer.take(Task::AnswerAfter { commit: 1, job: reader });
        assert_eq!(heard.try_recv().err(), Some(TryRecvError::Empty));
        syncer.take(Task::Answer { group: vec![writer], commit: 1, committed: Ok(()) });
        assert!(matches!((heard.try_recv(), told.try_recv()), (Ok(Ok(())), Ok(Ok(())))));
        assert_eq!(durability.unsynced(), None);
    }

    #[test]
    fn a_commit_that_failed_keeps_no_reader_waiting() {
        let log = tempfile::NamedTempFile::new().expect("a file");
        let (durability, mut syncer, _synced) = start(log.path().to_owned());
        durability.count_commit();
        let ((reader, mut heard), (writer, mut told)) = (job(), job());
        syncer.take(Task::AnswerAfter { commit: 1, job: reader });
        let committed = Err(StoreError::NotWritable("it is full".to_owned()));
        syncer.take(Task::Answer { group: vec![writer], commit: 1, committed });
        assert!(matches!((heard.try_recv(), told.try_recv()), (Ok(Ok(())), Ok(Err(_)))));
        assert!(durability.check().is_ok(), "the disk refused nothing");
    }

    #[test]
    fn a_disk_that_refuses_fails_everybody_who_waits() {
        let (durability, mut syncer, _synced) = start(PathBuf::from("/there/is/no/such/log"));
        durability.count_commit();
        let ((reader, mut heard), (writer, mut told)) = (job(), job());
        syncer.take(Task::AnswerAfter { commit: 1, job: reader });
        syncer.take(Task::Answer { group: vec![writer], commit: 1, committed: Ok(()) });
        for answer in [heard.try_recv(), told.try_recv()] {
            assert!(matches!(answer, Ok(Err(StoreError::NotWritable(_)))));
        }
        assert!(matches!(durability.check(), Err(StoreError::NotWritable(_))));
    }
}
