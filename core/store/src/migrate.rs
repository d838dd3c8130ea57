//! Migrations: numbered texts, applied forward only, under a lock.

use std::sync::LazyLock;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{Backend, Database, StoreError, Transaction, statements, values};

/// A change of the schema. The text is the same for both databases; see `for_sqlite` and
/// `for_postgres` for how it is translated.
pub struct Migration {
    /// Counts from 1 without gaps.
    pub version: i64,
    /// What it is for.
    pub name: &'static str,
    sql: &'static str,
}

/// Every migration, oldest first.
pub const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "initial", sql: include_str!("../migrations/0001_initial.sql") },
    Migration {
        version: 2,
        name: "promotions",
        sql: include_str!("../migrations/0002_promotions.sql"),
    },
    Migration { version: 3, name: "agents", sql: include_str!("../migrations/0003_agents.sql") },
    Migration {
        version: 4,
        name: "webhooks",
        sql: include_str!("../migrations/0004_webhooks.sql"),
    },
    Migration {
        version: 5,
        name: "product_search",
        sql: include_str!("../migrations/0005_product_search.sql"),
    },
];

/// What migrating did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationReport {
    /// The version before.
    pub from: i64,
    /// The version now.
    pub to: i64,
}

statements! {
    APPLIED = "select version, checksum from schema_migrations order by version";
    RECORD = "insert into schema_migrations (version, name, checksum, applied_at) values ($1, $2, $3, $4)";
}

/// The same on both databases and before any migration.
const BOOTSTRAP: &str = "create table if not exists schema_migrations (
    version bigint not null primary key, name text not null, checksum text not null, applied_at timestamptz not null);";
/// One number for all programs that migrate this schema.
const POSTGRES_LOCK: &str = "select pg_advisory_xact_lock(4201764000);";

impl Database {
    /// Brings the schema to the newest version. Processes that do it at the same time wait for each other.
    ///
    /// Fails where the schema is newer than this program, or was made by other texts.
    pub async fn migrate(&self, now: Timestamp) -> Result<MigrationReport, StoreError> {
        self.write(async move |tx: &mut Transaction<'_>| {
            if tx.backend() == Backend::Postgres {
                tx.batch(POSTGRES_LOCK).await?;
            }
            tx.batch(&translate(BOOTSTRAP, tx.backend())).await?;
            let from = check_applied(tx).await?;
            for migration in MIGRATIONS.iter().filter(|migration| migration.version > from) {
                tx.batch(&translate(migration.sql, tx.backend())).await?;
                tx.run(RECORD.bind(values![
                    migration.version,
                    migration.name,
                    migration.checksum(),
                    now,
                ]))
                .await?;
            }
            Ok(MigrationReport { from, to: newest() })
        })
        .await
    }

    /// Checks that the schema is exactly what this program needs, and changes nothing.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let found = self
            .write(async |tx: &mut Transaction<'_>| {
                tx.batch(&translate(BOOTSTRAP, tx.backend())).await?;
                check_applied(tx).await
            })
            .await?;
        if found < newest() {
            return Err(StoreError::SchemaTooOld { found, known: newest() });
        }
        Ok(())
    }
}

impl Migration {
    /// A number that differs when the text does, for names of test databases.
    pub fn fingerprint(&self) -> usize {
        usize::from_str_radix(&self.checksum()[..7], 16).unwrap_or_default()
    }

    fn checksum(&self) -> String {
        Sha256::digest(self.sql.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

async fn check_applied(tx: &mut Transaction<'_>) -> Result<i64, StoreError> {
    let mut latest = 0;
    for row in tx.rows(APPLIED.bind(values![])).await? {
        let (version, checksum) = (row.get::<i64>(0)?, row.get::<String>(1)?);
        match MIGRATIONS.iter().find(|migration| migration.version == version) {
            None => return Err(StoreError::SchemaTooNew { found: version, known: newest() }),
            Some(known) if known.checksum() != checksum => {
                return Err(StoreError::MigrationChanged(version));
            }
            Some(_) => latest = version,
        }
    }
    Ok(latest)
}

fn translate(sql: &str, backend: Backend) -> String {
    match backend {
        Backend::Sqlite => for_sqlite(sql),
        Backend::Postgres => for_postgres(sql),
    }
}

/// The types that SQLite knows by other names; strict tables, so that they hold nothing else; and tables without
/// row ids where they are marked as clustered.
fn for_sqlite(sql: &str) -> String {
    static TYPES: LazyLock<[(&str, &str); 5]> = LazyLock::new(|| {
        [
            (" bigint", " integer"),
            (" timestamptz", " text"),
            (" jsonb", " text"),
            (" boolean", " integer"),
            (" bytea", " blob"),
        ]
    });
    let typed = TYPES.iter().fold(sql.to_owned(), |sql, (from, to)| sql.replace(from, to));
    let strict = |statement: &str| {
        let body = statement.trim_start();
        let is_table = body.lines().any(|line| line.starts_with("create table"));
        match body.lines().any(|line| line == "-- clustered") {
            _ if !is_table => format!("{statement};"),
            true => format!("{statement} strict, without rowid;"),
            false => format!("{statement} strict;"),
        }
    };
    typed
        .split_inclusive(';')
        .map(|part| part.strip_suffix(';').map_or_else(|| part.to_owned(), strict))
        .collect()
}

/// Texts compare byte by byte, as they do on SQLite, whatever the database was created with.
fn for_postgres(sql: &str) -> String {
    sql.replace(" text not null", " text collate \"C\" not null")
        .replace(" text,", " text collate \"C\",")
        .replace(" text\n", " text collate \"C\"\n")
}
