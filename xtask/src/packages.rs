//! Kits from package registries, installed below the target directory and nowhere else.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{process, shop::target_directory};

/// The oldest Node that the kits run on.
const NODE_MIN: u32 = 22;
/// Where an installation says that it is whole, and of what.
const STAMP: &str = "installed.txt";

/// The interpreter of an environment in `directory` that has these packages of PyPI, and nothing else.
pub fn python(directory: &Path, packages: &[&str]) -> Result<PathBuf> {
    let python = directory.join("bin/python");
    once(directory, packages, || {
        process::run(Command::new("python3").args(["-m", "venv"]).arg(directory))
            .context("cannot make an environment; on Debian, the package python3-venv is needed")?;
        let mut pip = Command::new(&python);
        process::run(pip.args(["-m", "pip", "install", "--quiet"]).args(packages))
            .context("pip cannot install it; is PyPI out of reach?")
    })?;
    Ok(python)
}

/// A package of npm, as the directory `node_modules` that it is in.
pub fn node_modules(directory: &Path, package: &str) -> Result<PathBuf> {
    once(directory, &[package], || {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(directory);
        process::run(npm.arg(package))
            .context("npm cannot install it; is the registry out of reach?")
    })?;
    Ok(directory.join("node_modules"))
}

/// A Node that is new enough: that of this machine, or else the one that npm has.
pub fn node() -> Result<PathBuf> {
    let version = process::read(Command::new("node").args(["-p", "process.versions.node"]));
    if version.is_ok_and(|version| is_new_enough(&version)) {
        return Ok("node".into());
    }
    let package = format!("node@{NODE_MIN}");
    Ok(node_modules(&target_directory().join("node"), &package)?.join(".bin/node"))
}

fn is_new_enough(version: &str) -> bool {
    let major = version.split('.').next().and_then(|major| major.trim().parse::<u32>().ok());
    major.is_some_and(|major| major >= NODE_MIN)
}

/// Says that a kit is not there. This is no failure: whoever has no registry can still work.
pub fn skip(kit: &str, why: &anyhow::Error) {
    println!("SKIPPED: {kit}: {why:#}");
}

/// Installs into a fresh directory, unless the same was installed there to its end before.
fn once(directory: &Path, packages: &[&str], install: impl FnOnce() -> Result<()>) -> Result<()> {
    let (stamp, wanted) = (directory.join(STAMP), packages.join("\n"));
    if fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return Ok(());
    }
    if directory.exists() {
        fs::remove_dir_all(directory)?;
    }
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    install()?;
    Ok(fs::write(stamp, wanted)?)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use anyhow::bail;

    use super::*;

    #[test]
    fn what_was_installed_to_its_end_is_not_installed_again() {
        let (at, runs) = (tempfile::tempdir().unwrap(), Cell::new(0));
        let directory = at.path().join("kit");
        let install = |packages: &[&str], works: bool| {
            once(&directory, packages, || {
                runs.set(runs.get() + 1);
                if works { Ok(()) } else { bail!("out of reach") }
            })
        };
        assert!(install(&["kit==1"], false).is_err());
        install(&["kit==1"], true).unwrap();
        install(&["kit==1"], true).unwrap();
        assert_eq!(runs.get(), 2);
        install(&["kit==2"], true).unwrap();
        assert_eq!(runs.get(), 3);
    }

    #[test]
    fn an_old_node_will_not_do() {
        assert!(is_new_enough("22.1.0\n") && is_new_enough("24.0.0"));
        assert!(!is_new_enough("20.20.2") && !is_new_enough(""));
    }
}
