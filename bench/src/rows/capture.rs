//! Watches which rows a shop writes, by triggers that note every change.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::time;

use super::{Change, Database, Row};

/// Tables that say something of processes and not of the shop, and one whose secrets no trigger can copy.
const UNWATCHED: [&str; 6] =
    ["leases", "heartbeats", "signing_keys", "api_keys", "schema_migrations", LOG];
const LOG: &str = "bench_changes";
/// A shop that wrote nothing for so long has done what follows from the last request. Events are looked for
/// twice a second at the latest.
const QUIET: Duration = Duration::from_millis(600);
const POLL: Duration = Duration::from_millis(50);

/// A database that is being watched.
pub struct Watch<'a> {
    database: &'a Database,
    /// The primary key of each table.
    keys: HashMap<String, Vec<String>>,
}

impl<'a> Watch<'a> {
    /// Begins to watch.
    pub async fn begin(database: &'a Database) -> Result<Self> {
        let mut keys: HashMap<String, Vec<String>> = HashMap::new();
        let mut columns: HashMap<String, Vec<String>> = HashMap::new();
        for row in database.texts(schema(database)).await? {
            let [table, column, place] = &*row else { continue };
            if UNWATCHED.contains(&&**table) {
                continue;
            }
            columns.entry(table.clone()).or_default().push(column.clone());
            if !place.is_empty() && place != "0" {
                keys.entry(table.clone()).or_default().push(column.clone());
            }
        }
        ensure!(!keys.is_empty(), "the shop has no tables");
        database.run(&log(database)).await?;
        for (table, columns) in &columns {
            database.run(&triggers(database, table, columns)).await?;
        }
        Ok(Self { database, keys })
    }

    /// Waits until the shop rests, and returns what changed since the last time, in its order.
    pub async fn changes(&self) -> Result<Vec<Change>> {
        self.quiet().await?;
        let query = format!("select name, old_row, new_row from {LOG} order by seq");
        let rows = self.database.texts(&query).await?;
        self.database.run(&format!("delete from {LOG}")).await?;
        rows.iter().map(|row| self.change(row)).collect()
    }

    /// Ends it and leaves no trace.
    pub async fn end(self) -> Result<()> {
        let mut sql = String::new();
        for table in self.keys.keys() {
            match self.database {
                Database::Sqlite(_) => {
                    for event in EVENTS {
                        sql += &format!("drop trigger if exists bench_{event}_{table};\n");
                    }
                }
                Database::Postgres(_) => {
                    sql += &format!("drop trigger if exists bench_change on {table};\n");
                }
            }
        }
        if matches!(self.database, Database::Postgres(_)) {
            sql += "drop function bench_change();\n";
        }
        self.database.run(&format!("{sql} drop table {LOG};")).await
    }

    fn change(&self, row: &[String]) -> Result<Change> {
        let [table, before, after] = row else { anyhow::bail!("a change has three columns") };
        let read = |text: &str| -> Result<Option<Row>> {
            let is_absent = text.is_empty() || text == "null";
            if is_absent { Ok(None) } else { Ok(Some(serde_json::from_str(text)?)) }
        };
        let key = self.keys.get(table).cloned();
        let key = key.with_context(|| format!("the table {table} has no primary key"))?;
        Ok(Change { table: table.clone(), key, before: read(before)?, after: read(after)? })
    }

    async fn quiet(&self) -> Result<()> {
        let query = format!("select count(*) from {LOG}");
        let (mut last, mut quiet) = (self.database.texts(&query).await?, Duration::ZERO);
        while quiet < QUIET {
            time::sleep(POLL).await;
            let now = self.database.texts(&query).await?;
            quiet = if now == last { quiet + POLL } else { Duration::ZERO };
            last = now;
        }
        Ok(())
    }
}

const EVENTS: [&str; 3] = ["insert", "update", "delete"];

/// Every column of every table, with its place in the primary key.
fn schema(database: &Database) -> &'static str {
    match database {
        Database::Sqlite(_) => {
            "select t.name, c.name, c.pk from sqlite_schema t, pragma_table_info(t.name) c
              where t.type = 'table' and t.name not like 'sqlite%' order by t.name, c.cid"
        }
        Database::Postgres(_) => {
            "select c.relname, a.attname, array_position(k.conkey, a.attnum)
               from pg_class c
               join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               left join pg_constraint k on k.conrelid = c.oid and k.contype = 'p'
              where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
              order by c.relname, a.attnum"
        }
    }
}

fn log(database: &Database) -> String {
    match database {
        Database::Sqlite(_) => format!(
            "create table {LOG} (seq integer primary key, name text, old_row text, new_row text);"
        ),
        Database::Postgres(_) => format!(
            "create table {LOG} (seq bigint generated always as identity primary key, name text,
                                 old_row jsonb, new_row jsonb);
             create function bench_change() returns trigger language plpgsql as $$ begin
                 insert into {LOG} (name, old_row, new_row)
                 values (tg_table_name, to_jsonb(old), to_jsonb(new));
                 return null;
             end $$;"
        ),
    }
}

fn triggers(database: &Database, table: &str, columns: &[String]) -> String {
    if matches!(database, Database::Postgres(_)) {
        return format!(
            "create trigger bench_change after insert or update or delete on {table}
                 for each row execute function bench_change();"
        );
    }
    let object = |row: &str| {
        let pairs: Vec<_> =
            columns.iter().map(|column| format!("'{column}', {row}.{column}")).collect();
        format!("json_object({})", pairs.join(", "))
    };
    let trigger = |event: &str| {
        let (old, new) = match event {
            "insert" => ("null".to_owned(), object("new")),
            "delete" => (object("old"), "null".to_owned()),
            _ => (object("old"), object("new")),
        };
        format!(
            "create trigger bench_{event}_{table} after {event} on {table} begin
                 insert into {LOG} (name, old_row, new_row) values ('{table}', {old}, {new});
             end;\n"
        )
    };
    EVENTS.into_iter().map(trigger).collect()
}
