//! Files that a command is asked to write.

use std::{
    ffi::OsString,
    fs::{self, File, Permissions},
    io::ErrorKind,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use crate::{config::Config, private};

/// A file that is written beside its place and gets its name when it is whole.
pub struct Output {
    target: PathBuf,
    unfinished: PathBuf,
    /// Open for writing.
    pub file: File,
}

impl Output {
    /// Begins a file that may replace a regular file of that name, and nothing else: no directory, no device, and
    /// no file of the shop itself. It gets the permissions of the one that it replaces, else `mode`.
    pub fn begin(config: &Config, path: &Path, mode: u32) -> Result<Self> {
        let (target, mode) = match fs::metadata(path) {
            Ok(there) if !there.is_file() => {
                bail!(
                    "it is there and is not a regular file; use - to write to the standard output"
                )
            }
            Ok(there) => (fs::canonicalize(path)?, there.permissions().mode() & 0o777),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if fs::symlink_metadata(path).is_ok() {
                    bail!("it is a link that leads nowhere");
                }
                (path.to_owned(), mode)
            }
            Err(error) => return Err(error.into()),
        };
        check_foreign(config, &target)?;
        let mut unfinished = OsString::from(&target);
        unfinished.push(format!(".{}.part", std::process::id()));
        let unfinished = PathBuf::from(unfinished);
        let file = File::create_new(&unfinished)?;
        let output = Self { target, unfinished, file };
        output.file.set_permissions(Permissions::from_mode(mode))?;
        Ok(output)
    }

    /// Gives the file its name.
    pub fn finish(self) -> Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.unfinished, &self.target)?;
        Ok(())
    }
}

impl Drop for Output {
    /// After a success it is gone already; after a failure, that is what must be told.
    fn drop(&mut self) {
        let _gone = fs::remove_file(&self.unfinished);
    }
}

/// Refuses what the shop itself keeps: its files by whatever name, and names in its directories that it uses.
pub fn check_foreign(config: &Config, path: &Path) -> Result<()> {
    let identity = |path: &Path| fs::metadata(path).map(|there| (there.dev(), there.ino())).ok();
    let parent = |path: &Path| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        identity(parent.unwrap_or(Path::new(".")))
    };
    let is_same = |own: &PathBuf| {
        (identity(own).is_some() && identity(own) == identity(path))
            || (own.file_name() == path.file_name() && parent(own) == parent(path))
    };
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let directory = fs::canonicalize(directory.unwrap_or(Path::new("."))).unwrap_or_default();
    let blobs = identity(&config.blobs_dir());
    let is_picture = blobs.is_some() && directory.ancestors().any(|above| identity(above) == blobs);
    if is_picture || private::files(config).iter().any(is_same) {
        bail!("the shop itself keeps its data there");
    }
    Ok(())
}
