//! Fresh databases, one for each test.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use handel_store::{Database, DatabaseConfig, MIGRATIONS};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio_postgres::NoTls;

/// A migrated database that nobody else uses. It disappears when it is dropped.
pub struct TestDatabase {
    config: DatabaseConfig,
    database: Database,
    directory: TempDir,
    _postgres: Option<Dropper>,
}

/// Names PostgreSQL's template of the current schema; a test's database is a copy of it.
const TEMPLATE_LOCK: i64 = 4_201_764_001;

impl TestDatabase {
    /// A SQLite database in a directory of its own.
    pub async fn sqlite() -> Self {
        let directory = directory();
        let config =
            DatabaseConfig::Sqlite { directory: directory.path().join("data"), readers: 2 };
        let database = Database::open(&config).await.expect("a fresh database opens");
        database.migrate(Timestamp::UNIX_EPOCH).await.expect("a fresh database migrates");
        Self { config, database, directory, _postgres: None }
    }

    /// A PostgreSQL database on the server named by `TEST_POSTGRES_URL`; none where no server is given.
    ///
    /// # Panics
    /// Where no server is given and `HANDEL_REQUIRE_SERVICES` is set.
    pub async fn postgres() -> Option<Self> {
        let Some(server) = server() else {
            assert!(
                !services_required(),
                "TEST_POSTGRES_URL is not set; run the tests with `cargo xtask test`"
            );
            eprintln!("skipped: TEST_POSTGRES_URL is not set");
            return None;
        };
        let directory = directory();
        let name = format!("handel_test_{}", unique(directory.path()));
        let template = ensure_template(&server).await;
        admin(&server, &format!("create database {name} template {template}")).await;
        let config = config(&with_database(&server, &name));
        let database = Database::open(&config).await.expect("the copy opens");
        let dropper = Dropper { server, name };
        Some(Self { config, database, directory, _postgres: Some(dropper) })
    }

    /// The open database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// How to open it once more, as another process would.
    pub fn config(&self) -> &DatabaseConfig {
        &self.config
    }

    /// A directory for other files of the test.
    pub fn directory(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// Closes the database and opens it again, as a restart does.
    pub async fn reopen(&mut self) {
        self.database.close().await;
        self.database = Database::open(&self.config).await.expect("a closed database opens again");
    }
}

/// A directory in memory where the machine has one: tests end no process by the power switch, and
/// thousands of commits to a busy disk are what they would spend their time with.
fn directory() -> TempDir {
    let in_memory = TempDir::with_prefix_in("handel-test-", "/dev/shm");
    let directory = in_memory.or_else(|_| TempDir::with_prefix("handel-test-"));
    directory.expect("a temporary directory can be made")
}

/// Deletes a database on the server when the test ends, however it ends.
struct Dropper {
    server: String,
    name: String,
}

impl Drop for Dropper {
    #[expect(
        clippy::disallowed_methods,
        reason = "a destructor cannot wait in the runtime that is ending"
    )]
    fn drop(&mut self) {
        let sql = format!("drop database if exists {} with (force)", self.name);
        let server = self.server.clone();
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| runtime.block_on(admin(&server, &sql)))
        });
        if dropped.join().is_err() {
            eprintln!("the test database {} could not be dropped", self.name);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment where the services are"
)]
fn server() -> Option<String> {
    std::env::var("TEST_POSTGRES_URL").ok().filter(|url| !url.is_empty())
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment whether they may skip"
)]
fn services_required() -> bool {
    std::env::var("HANDEL_REQUIRE_SERVICES").is_ok_and(|value| value == "1")
}

fn config(url: &str) -> DatabaseConfig {
    DatabaseConfig::Postgres {
        url: url.to_owned(),
        connections: 8,
        statement_timeout: Duration::from_secs(30),
    }
}

/// The random end of the temporary directory's name, which no other test has.
fn unique(directory: &Path) -> String {
    let name = directory.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let random: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{}_{}", std::process::id(), random.to_lowercase())
}

/// Makes the template once for each state of the migrations; whoever comes second finds it made.
async fn ensure_template(server: &str) -> String {
    let length: usize = MIGRATIONS.iter().map(handel_store::Migration::fingerprint).sum();
    let template = format!("handel_template_{}_{length}", MIGRATIONS.len());
    let (client, connection) =
        tokio_postgres::connect(server, NoTls).await.expect("the test server answers");
    let connection = Aborting(spawn(async move {
        if let Err(error) = connection.await {
            eprintln!("the connection to the test server broke: {error}");
        }
    }));
    client.execute("select pg_advisory_lock($1)", &[&TEMPLATE_LOCK]).await.expect("a lock");
    let exists = client
        .query_opt("select 1 from pg_database where datname = $1 and datistemplate", &[&template])
        .await;
    if exists.expect("a look at the catalog").is_none() {
        client
            .batch_execute(&format!("drop database if exists {template}"))
            .await
            .expect("no half template");
        client.batch_execute(&format!("create database {template}")).await.expect("a new database");
        let database =
            Database::open(&config(&with_database(server, &template))).await.expect("it opens");
        database.migrate(Timestamp::UNIX_EPOCH).await.expect("it migrates");
        database.close().await;
        let mark =
            format!("alter database {template} with is_template true allow_connections false");
        client.batch_execute(&mark).await.expect("it becomes a template");
    }
    client
        .execute("select pg_advisory_unlock($1)", &[&TEMPLATE_LOCK])
        .await
        .expect("the lock is let go");
    drop(connection);
    template
}

/// Runs one statement on the server.
async fn admin(server: &str, sql: &str) {
    let (client, connection) =
        tokio_postgres::connect(server, NoTls).await.expect("the test server answers");
    let connection = Aborting(spawn(async move {
        // The end of the connection is the end of this task.
        let _ended = connection.await;
    }));
    client.batch_execute(sql).await.expect("the test server does as told");
    drop(connection);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the driver of a test's own connection needs no simulation"
)]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> tokio::task::JoinHandle<()> {
    tokio::spawn(task)
}

struct Aborting(tokio::task::JoinHandle<()>);

impl Drop for Aborting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The same server with another database.
fn with_database(server: &str, name: &str) -> String {
    let (address, query) =
        server.split_once('?').map_or((server, ""), |(address, query)| (address, query));
    let after_scheme = address.find("://").map_or(0, |at| at + 3);
    let base = match address[after_scheme..].rfind('/') {
        Some(at) => &address[..after_scheme + at],
        None => address,
    };
    if query.is_empty() { format!("{base}/{name}") } else { format!("{base}/{name}?{query}") }
}
