//! `handel backup`: a copy of the embedded database, also while a server runs.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use handel_store::Database;

use crate::{config::Config, console, failure, output};

/// Copies the database to a new file and checks the copy.
pub async fn run(config: &Config, file: &Path) -> Result<()> {
    let Some(directory) = config.sqlite_directory() else {
        bail!("PostgreSQL is backed up with its own tools, such as pg_dump");
    };
    output::check_foreign(config, file)
        .with_context(|| format!("cannot write {}", file.display()))?;
    let copied = Database::backup_directory(directory, file.to_owned()).await;
    copied.map_err(failure::of_store).context("the database cannot be backed up")?;
    console::note(&format!(
        "The database is copied to {} and the copy is whole. To restore it, put it into an empty data \
         directory as handel.db. Pictures are not in it; they are files in {}.",
        file.display(),
        config.blobs_dir().display()
    ));
    Ok(())
}
