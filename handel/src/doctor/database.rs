//! Whether the database is there, whole and of the right version.

use handel_store::{Database, StoreError};

use super::{Finding, State};
use crate::{config::Config, failure};

const WHAT: &str = "database";

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    if let Some(directory) = config.sqlite_directory()
        && !directory.join("handel.db").exists()
    {
        let detail = format!("none yet in {}; the first start makes it", directory.display());
        return vec![Finding::new(WHAT, State::Note, detail)];
    }
    match Database::open(&config.database()).await {
        Ok(database) => {
            let findings =
                vec![schema(config, &database).await, integrity(config, &database).await];
            database.close().await;
            findings
        }
        Err(StoreError::Locked(_)) => {
            let detail =
                "in use by a running server; `handel backup` copies and checks it meanwhile";
            vec![Finding::new(WHAT, State::Good, detail)]
        }
        Err(error) => vec![wrong(WHAT, error)],
    }
}

async fn schema(config: &Config, database: &Database) -> Finding {
    let what = "schema";
    match database.check_schema().await {
        Ok(()) => Finding::new(what, State::Good, "the newest version"),
        Err(StoreError::SchemaTooOld { found, known }) if config.database.migrate => {
            let detail = format!("at version {found} of {known}; the next start migrates it");
            Finding::new(what, State::Note, detail)
        }
        Err(error) => wrong(what, error),
    }
}

async fn integrity(config: &Config, database: &Database) -> Finding {
    let detail = match config.sqlite_directory() {
        Some(directory) => format!("SQLite in {}, every page is whole", directory.display()),
        None => "PostgreSQL answers".to_owned(),
    };
    match database.check_integrity().await {
        Ok(()) => Finding::new(WHAT, State::Good, detail),
        Err(error) => wrong(WHAT, error),
    }
}

fn wrong(what: &'static str, error: StoreError) -> Finding {
    Finding::new(what, State::Wrong, failure::sentence(&failure::of_store(error)))
}
