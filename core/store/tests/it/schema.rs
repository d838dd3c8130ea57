//! Both databases have the same schema.

use std::collections::BTreeSet;

use handel_store::{Database, StoreError, Transaction, statements, values};
use handel_testkit::{TestDatabase, both_databases};
use jiff::Timestamp;

use crate::Counters;

statements! {
    COLUMNS = postgres "
        select table_name || '.' || column_name || ' ' || case data_type
                   when 'bigint' then 'integer' when 'boolean' then 'integer' when 'bytea' then 'blob' else 'text' end
               || ' ' || case is_nullable when 'NO' then 'not null' else 'null' end
          from information_schema.columns where table_schema = 'public'", sqlite "
        select t.name || '.' || c.name || ' ' || lower(c.type) || ' '
               || case when c.\"notnull\" = 1 then 'not null' else 'null' end
          from sqlite_schema t join pragma_table_info(t.name) c
         where t.type = 'table' and t.name not like 'sqlite_%'";
    INDEXES = postgres "
        select tablename || ' ' || indexname from pg_indexes
         where schemaname = 'public' and indexname not like '%_pkey'", sqlite "
        select tbl_name || ' ' || name from sqlite_schema where type = 'index' and name not like 'sqlite_%'";
    LOOSE_TABLES = postgres "select tablename from pg_tables where false", sqlite "
        select name from pragma_table_list where schema = 'main' and type = 'table' and strict = 0
           and name not like 'sqlite_%'";
    FORGET = "delete from schema_migrations";
    FUTURE = "update schema_migrations set version = version + 998";
    CHANGED = "update schema_migrations set checksum = 'other'";
}

async fn texts(
    database: &Database,
    statement: &'static handel_store::Statement,
) -> BTreeSet<String> {
    database
        .read(async move |tx: &mut Transaction<'_>| {
            tx.rows(statement.bind(values![]))
                .await?
                .iter()
                .map(|row| row.get::<String>(0))
                .collect()
        })
        .await
        .unwrap_or_else(|error: StoreError| panic!("{}: {error}", statement.name()))
}

#[tokio::test(flavor = "multi_thread")]
async fn both_databases_have_the_same_tables_columns_and_indexes() {
    let sqlite = TestDatabase::sqlite().await;
    let Some(postgres) = TestDatabase::postgres().await else { return };
    for statement in [&COLUMNS, &INDEXES] {
        let (left, right) = (
            texts(sqlite.database(), statement).await,
            texts(postgres.database(), statement).await,
        );
        assert_eq!(left.symmetric_difference(&right).collect::<Vec<_>>(), Vec::<&String>::new());
        assert!(left.len() > 20);
    }
    assert_eq!(
        texts(sqlite.database(), &LOOSE_TABLES).await,
        BTreeSet::new(),
        "every table is strict"
    );
}

both_databases! {
    /// Goal: migrating again, or by several at once, does nothing.
    async fn migrating_twice_changes_nothing(store: Counters) {
        let database = store.database();
        let reports = futures_util::future::join_all((0..4).map(|_| database.migrate(Timestamp::UNIX_EPOCH))).await;
        for report in reports {
            let report = report.expect("it migrates");
            assert_eq!(report.from, report.to);
        }
        database.check_schema().await.expect("the schema is the one that the program needs");
    }

    /// Goal: a program never works on a schema that it does not know.
    async fn a_newer_or_other_schema_is_refused(store: Counters) {
        let database = store.database();
        let change = async |statement: &'static handel_store::Statement| {
            database.write(async move |tx: &mut Transaction<'_>| tx.run(statement.bind(values![])).await).await.expect("changed");
        };
        change(&CHANGED).await;
        assert!(matches!(database.migrate(Timestamp::UNIX_EPOCH).await, Err(StoreError::MigrationChanged(1))));
        change(&FUTURE).await;
        assert!(matches!(database.migrate(Timestamp::UNIX_EPOCH).await, Err(StoreError::SchemaTooNew { found: 999, .. })));
        assert!(matches!(database.check_schema().await, Err(StoreError::SchemaTooNew { .. })));
        change(&FORGET).await;
        assert!(matches!(database.check_schema().await, Err(StoreError::SchemaTooOld { found: 0, .. })));
    }
}
