//! `handel migrate`: the schema, without starting a shop.

use anyhow::{Context as _, Result, ensure};
use handel_ports::System;

use crate::{config::Config, console, failure, wiring};

/// Brings the schema to the newest version.
pub async fn run(config: &Config) -> Result<()> {
    let database = wiring::connect(config).await?;
    let migrated = database.migrate(System::real().now()).await;
    database.close().await;
    let report = migrated.map_err(failure::of_store).context("the schema cannot be migrated")?;
    if report.from == report.to {
        console::line(&format!("the schema is at version {}, the newest", report.to))
    } else {
        console::line(&format!("the schema went from version {} to {}", report.from, report.to))
    }
}

/// Fails if the schema is not the newest. It makes no database where there is none.
pub async fn check(config: &Config) -> Result<()> {
    if let Some(directory) = config.sqlite_directory() {
        let there = directory.join("handel.db").is_file();
        ensure!(there, "there is no database in {} yet", directory.display());
    }
    let database = wiring::connect(config).await?;
    let checked = database.check_schema().await;
    database.close().await;
    checked.map_err(failure::of_store).context("the schema is not what this program needs")?;
    console::line("the schema is the newest")
}
