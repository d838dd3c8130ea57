//! The programs of PostgreSQL: where they are, and how they get there.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use super::account;
use crate::process;

/// A directory that has all the programs that a server needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    directory: PathBuf,
}

const PROGRAMS: [&str; 4] = ["initdb", "pg_ctl", "pg_isready", "postgres"];

/// Where packages put each major version in a directory of its own.
const VERSIONED: [&str; 3] = ["/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt"];

const ADVICE: &str = "PostgreSQL 14 or newer is not on this machine; install it (Debian and Ubuntu: \
    `sudo apt-get install postgresql`, Fedora: `sudo dnf install postgresql-server`, macOS: `brew install \
    postgresql@17`), or set TEST_POSTGRES_URL to a server that you have";

impl Binaries {
    pub fn find() -> Result<Self> {
        search().context(ADVICE)
    }

    /// Finds the programs, or installs them where that is ours to do: as root on Debian.
    pub fn find_or_install() -> Result<Self> {
        if let Some(found) = search() {
            return Ok(found);
        }
        if account::our_uid()? != 0 || !Path::new("/etc/debian_version").exists() {
            bail!(ADVICE);
        }
        println!("PostgreSQL is not on this machine; installing it");
        apt_get(&["update"])?;
        apt_get(&["install", "--yes", "--no-install-recommends", "postgresql"])?;
        search().context("apt-get installed PostgreSQL, but its programs are nowhere to be found")
    }

    pub fn path(&self, program: &str) -> PathBuf {
        self.directory.join(program)
    }
}

fn apt_get(args: &[&str]) -> Result<()> {
    process::run(Command::new("apt-get").args(args).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn search() -> Option<Binaries> {
    let path = env::var_os("PATH").unwrap_or_default();
    let versioned = VERSIONED.iter().flat_map(|parent| newest_first(Path::new(parent)));
    env::split_paths(&path)
        .chain(versioned)
        .chain([PathBuf::from("/usr/local/bin"), PathBuf::from("/usr/local/pgsql/bin")])
        .find(|directory| PROGRAMS.iter().all(|program| directory.join(program).is_file()))
        .map(|directory| Binaries { directory })
}

/// The `bin` directories of the versions in `parent`, the highest version first.
fn newest_first(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<_> = entries
        .filter_map(|entry| Some((version(entry.file_name().to_str()?)?, entry.path())))
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, path)| path.join("bin")).collect()
}

/// The major version in names such as `15` and `postgresql@15`.
fn version(name: &str) -> Option<u32> {
    name.strip_prefix("postgresql@").unwrap_or(name).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_comes_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["9", "14", "postgresql@16", "openssl@3", "common"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let expected =
            ["postgresql@16", "14", "9"].map(|name| parent.path().join(name).join("bin"));
        assert_eq!(newest_first(parent.path()), expected);
        assert_eq!(newest_first(Path::new("/nowhere")), [] as [&Path; 0]);
    }
}
