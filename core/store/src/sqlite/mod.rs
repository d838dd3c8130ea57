//! SQLite: one writer thread that commits in groups, one that waits for the disk, and several reader threads.

mod by_hand;
mod checkpoint;
mod copy;
mod durable;
mod group;
mod job;
mod reserve;
mod transaction;
mod worker;

use std::{
    fs::{self, File, TryLockError},
    ops::AsyncFn,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use tokio::sync::oneshot;

pub use by_hand::Hand;
use checkpoint::{Bell, LOG_PAGES_MAX};
pub(crate) use copy::backup_directory;
use durable::Durability;
use job::{Awaited, Queued};
pub(crate) use transaction::SqliteTransaction;
use worker::{Queue, Reader, Writer};

use crate::{
    count::Counter,
    database::{PoolStatus, Transaction},
    error::StoreError,
    statement::Statement,
};

const FILE: &str = "handel.db";
/// The write-ahead log, which SQLite names after the database.
const LOG: &str = "handel.db-wal";
/// Less room than this on the disk is none: the write-ahead log alone may grow to it before it is moved to the
/// database, and a small write that still fits says nothing of the next one.
const ROOM_MIN: u64 = 16 << 20;
/// Statements of one connection that stay prepared.
const STATEMENT_CACHE: usize = 512;

/// An embedded database. Clones share it.
#[derive(Clone)]
pub(crate) struct Sqlite {
    path: PathBuf,
    writes: Sender<Queued>,
    reads: Sender<Queued>,
    readers: usize,
    pub(crate) counter: Counter,
    life: Arc<Mutex<Option<Life>>>,
}

/// What ends when the database is closed.
struct Life {
    stop: Vec<Sender<()>>,
    threads: Vec<std::thread::JoinHandle<()>>,
    /// Held as long as the process uses the directory.
    _claim: Claim,
}

impl Sqlite {
    pub(crate) fn open(directory: &Path, readers: usize) -> Result<Self, StoreError> {
        fs::create_dir_all(directory).map_err(|error| {
            StoreError::NotWritable(format!(
                "the data directory {} cannot be made: {error}",
                directory.display()
            ))
        })?;
        reserve::prepare(directory);
        let (writer, claim) = claim(directory)?;
        let path = directory.join(FILE);
        let (bell, rung) = Bell::new();
        let (durability, syncer, synced) = Durability::new(directory.join(LOG), bell);
        let (writes, jobs) = unbounded();
        let (reads, read_jobs) = unbounded();
        let mut life = Life { stop: Vec::new(), threads: Vec::new(), _claim: claim };
        let stopped = life.stopped();
        let own = durability.clone();
        let queue = Queue { jobs, stopped, synced, is_syncing: false };
        let writer = Writer { connection: writer, queue, durability: own };
        life.start("handel-writer", move || writer.run())?;
        for number in 0..readers.max(1) {
            let reader = Reader {
                connection: connect(&path, true)?,
                jobs: read_jobs.clone(),
                stopped: life.stopped(),
                durability: durability.clone(),
            };
            life.start(&format!("handel-reader-{number}"), move || reader.run())?;
        }
        life.start("handel-sync", move || syncer.run())?;
        let checkpointer = connect(&path, false)?;
        life.start("handel-checkpoint", move || checkpoint::run(&checkpointer, &rung))?;
        Ok(Self {
            path,
            writes,
            reads,
            readers: readers.max(1),
            counter: Counter::default(),
            life: Arc::new(Mutex::new(Some(life))),
        })
    }

    pub(crate) async fn write<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let counter = self.counter.clone();
        submit(&self.writes, move |connection| job::poll_once(connection, &unit, &counter)).await
    }

    pub(crate) async fn read<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let counter = self.counter.clone();
        submit(&self.reads, move |connection| job::poll_once(connection, &unit, &counter)).await
    }

    pub(crate) async fn prepare(&self, statement: &'static Statement) -> Result<(), StoreError> {
        submit(&self.reads, move |connection| {
            let prepared = connection.prepare(statement.for_sqlite());
            (prepared.map(drop).map_err(StoreError::from), false)
        })
        .await
    }

    pub(crate) async fn plan(
        &self,
        statement: &'static Statement,
    ) -> Result<Vec<String>, StoreError> {
        submit(&self.reads, move |connection| {
            let text = format!("explain query plan {}", statement.for_sqlite());
            let steps = connection.prepare(&text).and_then(|mut prepared| {
                prepared.raw_query().mapped(|row| row.get("detail")).collect()
            });
            (steps.map_err(StoreError::from), false)
        })
        .await
    }

    pub(crate) async fn backup(&self, to: PathBuf) -> Result<(), StoreError> {
        copy::backup(self.path.clone(), to).await
    }

    /// Whether the disk has room for what a shop writes.
    pub(crate) fn check_room(&self) -> Result<(), StoreError> {
        let directory = self.path.parent().unwrap_or(Path::new("."));
        let free = reserve::room(directory)
            .map_err(|error| StoreError::NotWritable(format!("its room is unknown: {error}")))?;
        if free < ROOM_MIN {
            let message = format!("only {} KiB are free on its disk", free >> 10);
            return Err(StoreError::NotWritable(message));
        }
        Ok(())
    }

    /// Looks at every page of the file, and compares every index with its table.
    pub(crate) async fn check_integrity(&self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let work = move || verdict(&connect(&path, true)?, "pragma integrity_check(1)");
        tokio::task::spawn_blocking(work).await.map_err(StoreError::unavailable)?
    }

    pub(crate) fn status(&self) -> PoolStatus {
        PoolStatus { waiting: self.writes.len() + self.reads.len(), size: self.readers + 1 }
    }

    pub(crate) async fn close(&self) {
        let life = self.life.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some(life) = life {
            let ended = tokio::task::spawn_blocking(move || life.end()).await;
            if ended.is_err() {
                tracing::error!("a database thread panicked while the database was closed");
            }
        }
    }
}

impl Life {
    /// Tells a thread when to end.
    fn stopped(&mut self) -> Receiver<()> {
        let (stop, stopped) = unbounded();
        self.stop.push(stop);
        stopped
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "SQLite blocks, so its connections live on threads of their own"
    )]
    fn start(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), StoreError> {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(run)
            .map_err(StoreError::unavailable)?;
        self.threads.push(thread);
        Ok(())
    }

    /// Ends the threads after the jobs that wait, the writer first, so that no read sees less than what
    /// was acknowledged, and last the one that answers them.
    fn end(self) {
        drop(self.stop);
        for thread in self.threads {
            if thread.join().is_err() {
                tracing::error!("a database thread ended in a panic");
            }
        }
    }
}

/// Hands a job to a thread and waits for its reply.
async fn submit<T, E, W>(jobs: &Sender<Queued>, work: W) -> Result<T, E>
where
    W: Fn(&mut Connection) -> (Result<T, E>, bool) + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    let closed = || E::from(StoreError::Unavailable("the database is closed".to_owned()));
    let job = Awaited { work, outcome: None, answer };
    jobs.send(Box::new(job)).map_err(|_| closed())?;
    answered.await.map_err(|_| closed())?
}

/// The right to use a directory. The operating system lets go of it when the process dies.
struct Claim {
    _lock: File,
    /// The log is there as long as the database is open, and SQLite itself does not lock it. So a process that
    /// finds no lock file, because it was deleted, still finds that another one is at work.
    _log: File,
}

/// Takes a directory for this process, and opens its database for writing.
fn claim(directory: &Path) -> Result<(Connection, Claim), StoreError> {
    let lock = lock_file(directory, "lock")?;
    let writer = connect(&directory.join(FILE), false)?;
    // Reading is what makes the log.
    check_readable(&writer)?;
    let log = lock_file(directory, LOG)?;
    Ok((writer, Claim { _lock: lock, _log: log }))
}

fn lock_file(directory: &Path, name: &str) -> Result<File, StoreError> {
    let path = directory.join(name);
    let not_writable =
        |error| StoreError::NotWritable(format!("{} cannot be written: {error}", path.display()));
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked(directory.display().to_string())),
        Err(TryLockError::Error(error)) => Err(not_writable(error)),
    }
}

fn connect(path: &Path, read_only: bool) -> Result<Connection, StoreError> {
    let flags = if read_only {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    } else {
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
    };
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    // Plans that depend on bound values would be made anew for almost every execution.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    if !read_only {
        let mode: String =
            connection.query_row("pragma journal_mode = wal", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(StoreError::NotWritable(format!(
                "the journal is in mode {mode} where it must be in wal"
            )));
        }
    }
    // `normal` waits for the disk at checkpoints only. After a commit, `durable` waits.
    connection.execute_batch(&format!(
        "pragma synchronous = normal;
         pragma foreign_keys = on;
         pragma temp_store = memory;
         pragma cache_size = -16384;
         pragma wal_autocheckpoint = {LOG_PAGES_MAX};
         pragma busy_timeout = 5000;
         pragma trusted_schema = off;"
    ))?;
    Ok(connection)
}

/// Reads the schema, which a file that is no database, or a torn one, does not survive. Looking at every
/// page would take longer the larger the shop is; `handel doctor` does that.
fn check_readable(connection: &Connection) -> Result<(), StoreError> {
    connection.query_row("select count(*) from sqlite_schema", [], |row| row.get::<_, i64>(0))?;
    Ok(())
}

/// Looks at every page, as fast as that can be done.
fn check_integrity(connection: &Connection) -> Result<(), StoreError> {
    verdict(connection, "pragma quick_check(1)")
}

fn verdict(connection: &Connection, question: &str) -> Result<(), StoreError> {
    let verdict: String = connection.query_row(question, [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(StoreError::Corrupt(verdict)) }
}
