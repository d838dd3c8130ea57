//! Copies of the database, made while it is being used.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use super::{FILE, check_integrity, connect};
use crate::error::StoreError;

/// Copies the database of a directory without taking its lock.
pub(crate) async fn backup_directory(directory: PathBuf, to: PathBuf) -> Result<(), StoreError> {
    let from = directory.join(FILE);
    if !from.is_file() {
        let shown = directory.display();
        return Err(StoreError::Unavailable(format!("there is no database in {shown}")));
    }
    backup(from, to).await
}

/// Copies a database to a file that must not exist. The copy is looked at before it gets its name, so a file
/// of that name is whole.
pub(super) async fn backup(from: PathBuf, to: PathBuf) -> Result<(), StoreError> {
    let work = move || {
        if to.exists() {
            return Err(StoreError::NotWritable(format!("{} exists already", to.display())));
        }
        let mut unfinished = to.clone().into_os_string();
        unfinished.push(format!(".{}.part", std::process::id()));
        let unfinished = PathBuf::from(unfinished);
        let copied = copy(&from, &unfinished).and_then(|()| give_name(&unfinished, &to));
        // It is gone after a success; after a failure, that is what the caller must hear of.
        let _ = fs::remove_file(&unfinished);
        copied
    };
    tokio::task::spawn_blocking(work).await.map_err(StoreError::unavailable)?
}

/// `vacuum into` reads one snapshot and writes a compact copy.
fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let name = to.to_str().ok_or_else(|| {
        StoreError::NotWritable(format!("{} is not a text in UTF-8", to.display()))
    })?;
    connect(from, true)?.execute("vacuum into ?1", [name])?;
    check_integrity(&connect(to, true)?)
}

fn give_name(unfinished: &Path, to: &Path) -> Result<(), StoreError> {
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let named = File::open(unfinished)
        .and_then(|file| file.sync_all())
        .and_then(|()| fs::rename(unfinished, to))
        .and_then(|()| File::open(directory)?.sync_all());
    named.map_err(|error| StoreError::NotWritable(format!("{}: {error}", to.display())))
}
