//! A connection to the shop's database, beside the shop.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use tokio_postgres::SimpleQueryMessage;

use super::Dialect;
use crate::server::{self, Store};

/// Either database. What goes wrong says so itself; the statements are this program's own.
pub enum Database {
    /// The embedded one.
    Sqlite(rusqlite::Connection),
    /// PostgreSQL.
    Postgres(tokio_postgres::Client),
}

impl Database {
    /// Connects to where a shop keeps its rows.
    pub async fn open(store: &Store) -> Result<Self> {
        match store {
            Store::Sqlite(path) => sqlite(path).map(Self::Sqlite),
            Store::Postgres(url) => server::connect(url).await.map(Self::Postgres),
        }
    }

    /// How its statements are written.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// Runs statements that answer nothing.
    pub async fn run(&self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).with_context(|| shown(sql)),
            Self::Postgres(client) => client.batch_execute(sql).await.with_context(|| shown(sql)),
        }
    }

    /// Runs a query and returns its rows as texts; what is null is empty.
    pub async fn texts(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        match self {
            Self::Sqlite(connection) => texts(connection, sql).with_context(|| shown(sql)),
            Self::Postgres(client) => {
                let answer = client.simple_query(sql).await.with_context(|| shown(sql))?;
                let rows = answer.into_iter().filter_map(|message| match message {
                    SimpleQueryMessage::Row(row) => Some(row),
                    _ => None,
                });
                let text = |row: &tokio_postgres::SimpleQueryRow, at| {
                    row.get(at).unwrap_or_default().to_owned()
                };
                Ok(rows.map(|row| (0..row.len()).map(|at| text(&row, at)).collect()).collect())
            }
        }
    }
}

/// Opens an embedded database with the settings of the shop's own, but each commit waits for the disk itself.
fn sqlite(path: &Path) -> Result<rusqlite::Connection> {
    let connection = rusqlite::Connection::open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(512);
    connection.execute_batch(
        "pragma synchronous = full;
         pragma foreign_keys = on;
         pragma temp_store = memory;
         pragma cache_size = -16384;
         pragma wal_autocheckpoint = 4000;",
    )?;
    Ok(connection)
}

fn texts(connection: &rusqlite::Connection, sql: &str) -> rusqlite::Result<Vec<Vec<String>>> {
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let text = |at| {
            Ok(match row.get_ref(at)? {
                rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
                _ => String::new(),
            })
        };
        (0..columns).map(text).collect::<rusqlite::Result<Vec<_>>>()
    })?;
    rows.collect()
}

fn shown(sql: &str) -> String {
    let start: String = sql.trim().chars().take(200).collect();
    format!("the database refused: {start}")
}
