//! The two databases behind one type.

use std::{
    fmt,
    ops::AsyncFn,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    count::{Counter, StatementCount},
    error::StoreError,
    postgres::{Postgres, PostgresTransaction},
    row::Row,
    sqlite::{self, Hand, Sqlite, SqliteTransaction},
    statement::Bound,
    value::Value,
};

/// Which database, and how it is reached.
#[derive(Clone)]
pub enum DatabaseConfig {
    /// SQLite in a directory of its own, which one process may use at a time.
    Sqlite {
        /// The directory. It is made if it does not exist.
        directory: PathBuf,
        /// How many threads read.
        readers: usize,
    },
    /// PostgreSQL, which many processes may share.
    Postgres {
        /// `postgres://user:password@host/database`.
        url: String,
        /// Most connections of this process.
        connections: usize,
        /// How long a statement may take.
        statement_timeout: Duration,
    },
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { directory, .. } => write!(f, "sqlite in {}", directory.display()),
            // The address holds a password.
            Self::Postgres { .. } => f.write_str("postgres"),
        }
    }
}

/// Which of the two databases it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A database. Clones share it.
#[derive(Clone)]
pub struct Database(Inner);

#[derive(Clone)]
enum Inner {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// How busy the database's connections are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// Units that wait for their turn.
    pub waiting: usize,
    /// Most units that run at once.
    pub size: usize,
}

/// A unit of work under way. Statements that are run together go in one round trip.
///
/// A unit in which a statement failed never commits, even if it returns `Ok`: PostgreSQL cannot go on
/// after a failure, so nobody may rely on it elsewhere.
pub struct Transaction<'b> {
    inner: TransactionInner<'b>,
    counter: Counter,
}

enum TransactionInner<'b> {
    Sqlite(SqliteTransaction<'b>),
    Postgres(PostgresTransaction<'b>),
}

impl Database {
    /// Opens a database without touching its schema.
    pub async fn open(config: &DatabaseConfig) -> Result<Self, StoreError> {
        Ok(Self(match config {
            DatabaseConfig::Sqlite { directory, readers } => {
                Inner::Sqlite(Sqlite::open(directory, *readers)?)
            }
            DatabaseConfig::Postgres { url, connections, statement_timeout } => {
                Inner::Postgres(Postgres::connect(url, *connections, *statement_timeout).await?)
            }
        }))
    }

    /// Opens the embedded database of a directory for a simulation: it does nothing but what the hand is told
    /// to do, on the caller's thread.
    pub fn open_by_hand(directory: &Path) -> Result<(Self, Hand), StoreError> {
        let (sqlite, hand) = Sqlite::open_by_hand(directory)?;
        Ok((Self(Inner::Sqlite(sqlite)), hand))
    }

    /// Which of the two it is.
    pub fn backend(&self) -> Backend {
        match &self.0 {
            Inner::Sqlite(_) => Backend::Sqlite,
            Inner::Postgres(_) => Backend::Postgres,
        }
    }

    /// Runs a unit of work that writes. It commits if `unit` returns `Ok`, and the reply comes only after
    /// the commit is durable; it leaves no trace otherwise.
    ///
    /// The unit may run again: on PostgreSQL after a serialization failure, on SQLite after another unit of its
    /// commit failed. So it owns what it captures and has no effect outside the transaction.
    pub async fn write<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &self.0 {
            Inner::Sqlite(sqlite) => sqlite.write(unit).await,
            Inner::Postgres(postgres) => postgres.write(unit).await,
        }
    }

    /// Runs a unit that only reads. Each statement sees everything that was committed before it began.
    pub async fn read<T, E, F>(&self, unit: F) -> Result<T, E>
    where
        F: for<'a, 'b> AsyncFn(&'a mut Transaction<'b>) -> Result<T, E> + Send + Sync + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match &self.0 {
            Inner::Sqlite(sqlite) => sqlite.read(unit).await,
            Inner::Postgres(postgres) => postgres.read(unit).await,
        }
    }

    /// Writes a consistent copy of the embedded database to a new file while it goes on working.
    pub async fn backup(&self, to: PathBuf) -> Result<(), StoreError> {
        match &self.0 {
            Inner::Sqlite(sqlite) => sqlite.backup(to).await,
            Inner::Postgres(_) => Err(StoreError::Unavailable(
                "PostgreSQL is backed up with its own tools, such as pg_dump".into(),
            )),
        }
    }

    /// Does the same for the database in a directory, without opening it for writing: another process may be
    /// using it, as a server does.
    pub async fn backup_directory(directory: PathBuf, to: PathBuf) -> Result<(), StoreError> {
        sqlite::backup_directory(directory, to).await
    }

    /// Whether the embedded database has room to grow. PostgreSQL's disk is its own.
    pub fn check_room(&self) -> Result<(), StoreError> {
        match &self.0 {
            Inner::Sqlite(sqlite) => sqlite.check_room(),
            Inner::Postgres(_) => Ok(()),
        }
    }

    /// Looks for damage in the whole embedded database. PostgreSQL looks after itself.
    pub async fn check_integrity(&self) -> Result<(), StoreError> {
        match &self.0 {
            Inner::Sqlite(sqlite) => sqlite.check_integrity().await,
            Inner::Postgres(_) => Ok(()),
        }
    }

    /// How busy the connections are.
    pub fn pool_status(&self) -> PoolStatus {
        match &self.0 {
            Inner::Sqlite(sqlite) => sqlite.status(),
            Inner::Postgres(postgres) => postgres.status(),
        }
    }

    /// How many statements were run since the database was opened.
    pub fn statement_count(&self) -> StatementCount {
        match &self.0 {
            Inner::Sqlite(sqlite) => sqlite.counter.read(),
            Inner::Postgres(postgres) => postgres.counter.read(),
        }
    }

    /// Prepares the text of a statement without running it, to see whether the database understands it.
    pub async fn prepare(&self, statement: &'static crate::Statement) -> Result<(), StoreError> {
        match &self.0 {
            Inner::Sqlite(sqlite) => sqlite.prepare(statement).await,
            Inner::Postgres(postgres) => postgres.prepare(statement).await,
        }
    }

    /// The steps by which the embedded database would run a statement, for a test that none of them reads a
    /// whole table. PostgreSQL decides anew by the data that it has, so it says nothing.
    pub async fn plan(
        &self,
        statement: &'static crate::Statement,
    ) -> Result<Vec<String>, StoreError> {
        match &self.0 {
            Inner::Sqlite(sqlite) => sqlite.plan(statement).await,
            Inner::Postgres(_) => Ok(Vec::new()),
        }
    }

    /// Ends what is under way and closes the database. Later units fail.
    pub async fn close(&self) {
        match &self.0 {
            Inner::Sqlite(sqlite) => sqlite.close().await,
            Inner::Postgres(postgres) => postgres.close(),
        }
    }
}

impl<'b> Transaction<'b> {
    pub(crate) fn sqlite(inner: SqliteTransaction<'b>, counter: Counter) -> Self {
        Self { inner: TransactionInner::Sqlite(inner), counter }
    }

    pub(crate) fn postgres(inner: PostgresTransaction<'b>, counter: Counter) -> Self {
        Self { inner: TransactionInner::Postgres(inner), counter }
    }

    pub(crate) fn into_sqlite(self) -> Option<SqliteTransaction<'b>> {
        match self.inner {
            TransactionInner::Sqlite(inner) => Some(inner),
            TransactionInner::Postgres(_) => None,
        }
    }

    pub(crate) fn into_postgres(self) -> Option<PostgresTransaction<'b>> {
        match self.inner {
            TransactionInner::Postgres(inner) => Some(inner),
            TransactionInner::Sqlite(_) => None,
        }
    }

    /// Which database runs it, for the few places where they truly differ.
    pub fn backend(&self) -> Backend {
        match &self.inner {
            TransactionInner::Sqlite(_) => Backend::Sqlite,
            TransactionInner::Postgres(_) => Backend::Postgres,
        }
    }

    /// Runs a select and returns its rows.
    pub async fn rows(&mut self, bound: Bound) -> Result<Vec<Row>, StoreError> {
        let mut results = self.rows_all(vec![bound]).await?;
        Ok(results.pop().unwrap_or_default())
    }

    /// Runs a select that finds at most one row.
    pub async fn row(&mut self, bound: Bound) -> Result<Option<Row>, StoreError> {
        let name = bound.statement.name();
        let mut rows = self.rows(bound).await?;
        assert!(rows.len() <= 1, "{name} found several rows where at most one was expected");
        Ok(rows.pop())
    }

    /// Runs several selects in one round trip and returns the rows of each.
    pub async fn rows_all(&mut self, bounds: Vec<Bound>) -> Result<Vec<Vec<Row>>, StoreError> {
        self.check_storable(&bounds)?;
        self.counter.add(bounds.len());
        match &mut self.inner {
            TransactionInner::Sqlite(inner) => inner.rows_all(&bounds),
            TransactionInner::Postgres(inner) => inner.rows_all(&bounds).await,
        }
    }

    /// Runs a statement that writes and returns how many rows it changed.
    pub async fn run(&mut self, bound: Bound) -> Result<u64, StoreError> {
        let counts = self.run_all(vec![bound]).await?;
        Ok(counts.into_iter().sum())
    }

    /// Runs several statements that write in one round trip, in their order, and returns how many rows
    /// each changed.
    pub async fn run_all(&mut self, bounds: Vec<Bound>) -> Result<Vec<u64>, StoreError> {
        self.check_storable(&bounds)?;
        self.counter.add(bounds.len());
        match &mut self.inner {
            TransactionInner::Sqlite(inner) => inner.run_all(&bounds),
            TransactionInner::Postgres(inner) => inner.run_all(&bounds).await,
        }
    }

    /// Gives the unit up because another transaction was faster. Return the error: on PostgreSQL the unit is
    /// run again and sees what the other one did. On SQLite nobody can be faster, and the error stands.
    pub fn restart(&mut self) -> StoreError {
        self.fail(StoreError::Contention)
    }

    /// Both databases answer alike to what only one of them could store.
    fn check_storable(&mut self, bounds: &[Bound]) -> Result<(), StoreError> {
        let is_wrong = |bound: &&Bound| !bound.values.iter().all(Value::is_storable);
        match bounds.iter().find(is_wrong) {
            Some(bound) => Err(self.fail(StoreError::Unstorable(bound.statement.name()))),
            None => Ok(()),
        }
    }

    /// From here on the unit cannot commit.
    fn fail(&mut self, error: StoreError) -> StoreError {
        match &mut self.inner {
            TransactionInner::Sqlite(inner) => inner.fail(error),
            TransactionInner::Postgres(inner) => inner.fail(error),
        }
    }

    /// Runs texts that are not statements of the program: migrations, and what tests look at.
    pub async fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        match &mut self.inner {
            TransactionInner::Sqlite(inner) => inner.batch(sql),
            TransactionInner::Postgres(inner) => inner.batch(sql).await,
        }
    }
}
