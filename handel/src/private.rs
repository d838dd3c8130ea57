//! Permissions of the files of a shop: only the user that the process runs as may read them.
//!
//! Owns the list of files and directories that Handel makes in its directories. Names and addresses, signing keys and
//! secrets lie in them.

use std::{
    ffi::OsString,
    fs::{self, Metadata, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use rustix::fs::Mode;

use crate::{config::Config, test_secret};

/// What others may do with what this program makes: nothing.
const OTHERS: u32 = 0o077;

/// Makes every file and directory that this process creates from here on private to its user, those of libraries
/// too. Returns the permissions that the user takes away from files that are made for others to read.
pub fn begin() -> u32 {
    rustix::process::umask(Mode::from_raw_mode(OTHERS)).as_raw_mode()
}

/// Every file and directory that Handel makes in its directories, whether it is there or not.
pub fn files(config: &Config) -> Vec<PathBuf> {
    let mut files = vec![test_secret::path(config), config.blobs_dir()];
    if let Some(directory) = config.sqlite_directory() {
        files.extend(["lock", "reserve"].map(|name| directory.join(name)));
        files.extend(database(&directory.join("handel.db")));
    }
    let ledger = config.test_ledger();
    files.push(ledger.with_added_extension("lock"));
    files.extend(database(&ledger));
    files
}

/// An SQLite database and what SQLite keeps beside it.
fn database(file: &Path) -> Vec<PathBuf> {
    let beside = |suffix: &str| {
        let mut name = OsString::from(file);
        name.push(suffix);
        name.into()
    };
    ["", "-wal", "-shm", "-journal"].map(beside).into()
}

/// The mode of a file that others can read, write or enter; none if it is private or not there.
pub fn exposed(path: &Path) -> Option<u32> {
    let mode = mode(&fs::symlink_metadata(path).ok()?);
    (mode & OTHERS != 0).then_some(mode)
}

/// Closes what an earlier version, or a copy, left open to others. What belongs to another user stays as it is;
/// `handel doctor` says so.
pub fn close(config: &Config) -> Result<()> {
    let own = rustix::process::geteuid().as_raw();
    for path in files(config) {
        let Ok(there) = fs::symlink_metadata(&path) else { continue };
        if there.is_symlink() || there.uid() != own || exposed(&path).is_none() {
            continue;
        }
        let closed = Permissions::from_mode(mode(&there) & !OTHERS);
        fs::set_permissions(&path, closed)
            .with_context(|| format!("{} cannot be made private", path.display()))?;
        tracing::warn!(path = %path.display(), "others could read this; now only this user can");
    }
    Ok(())
}

fn mode(there: &Metadata) -> u32 {
    // A link is no more open than what it leads to.
    if there.is_symlink() { 0 } else { there.permissions().mode() & 0o777 }
}
