//! The servers under test: started in a fresh directory, stopped politely or killed, and started again.

mod database;
mod process;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use database::FreshDatabase;
pub use database::connect;
use process::Process;
pub use process::memory_of;

/// What is asked of the key that the bench works with.
const SCOPES: &str = "catalog:read,catalog:write,stock:read,stock:write,orders:read";

/// Which servers to start.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The binary.
    pub program: PathBuf,
    /// Where the fresh directory is made; the system's place for temporary files if none is given.
    pub parent: Option<PathBuf>,
    /// Where the test provider keeps its books; in the same directory if none is given.
    pub ledger_parent: Option<PathBuf>,
    /// Whether the directory stays.
    pub keep: bool,
    /// A PostgreSQL server to make a fresh database in; SQLite if none is given.
    pub postgres: Option<String>,
    /// How many processes share the database.
    pub processes: usize,
}

/// Where a shop keeps its rows.
#[derive(Clone, Debug)]
pub enum Store {
    /// In this file.
    Sqlite(PathBuf),
    /// In this database.
    Postgres(String),
}

/// Servers that belong to this run.
#[derive(Debug)]
pub struct Fleet {
    processes: Vec<Process>,
    directory: TempDir,
    /// Where the provider keeps its books, if that is elsewhere.
    books: Option<TempDir>,
    database: Option<FreshDatabase>,
    launch: process::Launch,
    keep: bool,
}

impl Fleet {
    /// Makes a fresh shop and starts its servers. Returns them with an API key.
    pub async fn start(spec: &Spec) -> Result<(Self, String)> {
        if spec.processes > 1 && spec.postgres.is_none() {
            bail!("several processes need --postgres; an embedded database has one process");
        }
        if !spec.program.is_file() {
            let program = spec.program.display();
            bail!("{program} is no program; build the server or name it with --server");
        }
        let directory = fresh_directory(&spec.parent.clone().unwrap_or_else(std::env::temp_dir))?;
        let books = spec.ledger_parent.as_deref().map(fresh_directory).transpose()?;
        let database = match &spec.postgres {
            Some(url) => Some(FreshDatabase::create(url).await?),
            None => None,
        };
        let launch = process::Launch {
            program: spec.program.clone(),
            directory: directory.path().to_owned(),
            books: books.as_ref().unwrap_or(&directory).path().to_owned(),
            database_url: database.as_ref().map(FreshDatabase::url),
        };
        let mut fleet =
            Self { processes: Vec::new(), directory, books, database, launch, keep: spec.keep };
        match fleet.start_all(spec.processes).await {
            Ok(key) => Ok((fleet, key)),
            Err(error) => {
                fleet.abandon().await;
                Err(error)
            }
        }
    }

    async fn start_all(&mut self, processes: usize) -> Result<String> {
        let key = self.launch.create_key(SCOPES).await?;
        // One after another: the first one makes the tables.
        for at in 0..processes {
            self.processes.push(Process::start(&self.launch, at).await?);
        }
        Ok(key)
    }

    /// Where the servers listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.processes.iter().map(Process::address).collect()
    }

    /// How many servers there are.
    pub fn len(&self) -> usize {
        self.processes.len()
    }

    /// How long the server took from its start until it could do business.
    pub fn ready_after(&self, at: usize) -> Duration {
        self.processes[at].ready_after()
    }

    /// The file in which the test provider keeps its books.
    pub fn ledger(&self) -> PathBuf {
        self.launch.ledger()
    }

    /// Where the shop keeps its rows.
    pub fn store(&self) -> Store {
        match &self.database {
            Some(database) => Store::Postgres(database.url()),
            None => Store::Sqlite(self.launch.database_file()),
        }
    }

    /// The ids of the processes.
    pub fn process_ids(&self) -> Vec<u32> {
        self.processes.iter().filter_map(Process::id).collect()
    }

    /// What all servers together keep in memory, in megabytes, where the system tells.
    pub fn memory_mb(&self) -> Option<u64> {
        self.processes.iter().map(Process::memory_mb).sum()
    }

    /// Ends a server as a power cut does.
    pub async fn kill(&mut self, at: usize) -> Result<()> {
        self.processes[at].kill().await
    }

    /// Starts a server again where it was.
    pub async fn restart(&mut self, at: usize) -> Result<()> {
        self.processes[at] = Process::start(&self.launch, at).await?;
        Ok(())
    }

    /// Stops all servers as an operator does; they can be started again. Fails if one did not end well.
    pub async fn pause(&mut self) -> Result<()> {
        for process in &mut self.processes {
            process.stop().await?;
        }
        Ok(())
    }

    /// Starts all servers again, one after another.
    pub async fn resume(&mut self) -> Result<()> {
        for at in 0..self.len() {
            self.restart(at).await?;
        }
        Ok(())
    }

    /// Stops all servers as an operator does and takes everything away. Fails if one did not end well.
    pub async fn stop(mut self) -> Result<()> {
        let mut outcome = Ok(());
        for process in &mut self.processes {
            let stopped = process.stop().await;
            outcome = outcome.and(stopped);
        }
        self.abandon().await;
        outcome
    }

    /// Takes everything away, whatever state it is in.
    async fn abandon(mut self) {
        for process in &mut self.processes {
            drop(process.kill().await);
        }
        if self.keep {
            eprintln!("kept {}", self.directory.path().display());
            self.directory.disable_cleanup(true);
            if let Some(books) = &mut self.books {
                eprintln!("kept {}", books.path().display());
                books.disable_cleanup(true);
            }
            if let Some(database) = &self.database {
                eprintln!("kept database {}", database.name());
            }
        } else if let Some(database) = self.database
            && let Err(error) = database.drop().await
        {
            eprintln!("the database of the bench is still there: {error:#}");
        }
    }
}

fn fresh_directory(parent: &Path) -> Result<TempDir> {
    let made = tempfile::Builder::new().prefix("handel-bench-").tempdir_in(parent);
    made.with_context(|| format!("cannot make a directory in {}", parent.display()))
}
