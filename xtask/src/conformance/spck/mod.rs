//! spck-conformance, an unofficial kit for three versions of UCP, against a shop with the goods of the demo.
//!
//! The Python files beside this one start the kit as it is on PyPI; this one judges what it reports.

mod deviations;

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;

use crate::{
    packages, process,
    shop::{Shop, target_directory},
};

const PACKAGE: &str = "spck-conformance==0.4.0";
const VERSIONS: [&str; 3] = ["2026-08-25", "2026-04-08", "2026-01-23"];

#[derive(Debug, Args)]
pub struct Options {
    /// Only this version of the protocol.
    #[arg(long)]
    version: Option<String>,
}

pub fn run(options: &Options) -> Result<()> {
    let directory = target_directory().join("conformance/spck");
    let python = match packages::python(&directory.join("venv"), &[PACKAGE]) {
        Ok(python) => python,
        Err(why) => {
            packages::skip(PACKAGE, &why);
            return Ok(());
        }
    };
    process::run(&mut process::cargo(["build", "--package", "handel"]))?;
    let wanted = |version: &&str| options.version.as_deref().is_none_or(|only| only == *version);
    let versions: Vec<_> = VERSIONS.into_iter().filter(wanted).collect();
    ensure!(!versions.is_empty(), "the kit is for {}", VERSIONS.join(", "));
    let mut surprises = Vec::new();
    for version in versions {
        let report = ask(&python, &directory.join(version), version)?;
        surprises.extend(report.judge(version));
    }
    ensure!(surprises.is_empty(), "{}", surprises.join("; "));
    Ok(())
}

/// Opens a shop, and returns what the kit has to say of it.
fn ask(python: &Path, directory: &Path, version: &str) -> Result<Report> {
    let shop = Shop::open_demo(directory)?;
    let launcher = process::repository_root().join("xtask/src/conformance/spck/launch.py");
    let mut command = Command::new(python);
    command.arg(launcher).env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["--shop", &shop.server.url, "--key", &shop.key, "--version", version]);
    let said = process::read(&mut command)?;
    std::fs::write(directory.join("report.json"), &said)?;
    serde_json::from_str(&said).context("the kit did not print a report")
}

/// What the kit prints, as far as it counts here.
#[derive(Deserialize)]
struct Report {
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Check {
    id: String,
    status: String,
    observed: Option<serde_json::Value>,
}

impl Report {
    /// Prints the verdicts and the counts. Returns what is not as it is explained.
    fn judge(&self, version: &str) -> Vec<String> {
        let mut counts = BTreeMap::<_, usize>::new();
        let mut surprises = Vec::new();
        let explained = deviations::of(version);
        for check in &self.checks {
            let verdict = Verdict::of(&check.status);
            *counts.entry(verdict).or_default() += 1;
            let explained = explained.iter().find(|(id, _)| *id == check.id);
            match (verdict, explained) {
                (Verdict::Deviates, Some((id, why))) => println!("EXPLAINED {version} {id}: {why}"),
                (Verdict::Deviates, None) => {
                    let observed = check.observed.clone().unwrap_or_default();
                    println!("FAIL {version} {}: {} {observed}", check.id, check.status);
                    surprises.push(format!("{version} {} deviates", check.id));
                }
                (_, Some((id, _))) => {
                    surprises.push(format!("{version} {id} is explained, but {}", check.status));
                }
                _ => {}
            }
        }
        for (id, _) in explained {
            if !self.checks.iter().any(|check| check.id == id) {
                surprises.push(format!("{version} {id} is explained, but no check"));
            }
        }
        let count = |verdict| counts.get(&verdict).copied().unwrap_or_default();
        println!(
            "{version}: {} passed, {} deviate, {} need what this shop or this machine does not have, {} are not for it",
            count(Verdict::Passes),
            count(Verdict::Deviates),
            count(Verdict::NotTested),
            count(Verdict::NotApplicable),
        );
        surprises
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Passes,
    Deviates,
    NotTested,
    NotApplicable,
}

impl Verdict {
    /// A check that broke is as bad as one that failed.
    fn of(status: &str) -> Self {
        match status {
            "clean-pass" => Self::Passes,
            status if status.starts_with("not-tested") => Self::NotTested,
            status if status.starts_with("not-applicable") => Self::NotApplicable,
            _ => Self::Deviates,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(checks: &[(&str, &str)]) -> Report {
        let check = |(id, status): &(&str, &str)| Check {
            id: (*id).to_owned(),
            status: (*status).to_owned(),
            observed: None,
        };
        Report { checks: checks.iter().map(check).collect() }
    }

    #[test]
    fn what_deviates_must_be_explained_and_what_is_explained_must_deviate() {
        let version = "2026-08-25";
        let mut checks: Vec<_> =
            deviations::of(version).into_iter().map(|(id, _)| (id, "deviation")).collect();
        assert_eq!(report(&checks).judge(version), [""; 0]);
        checks.push(("catalog.broken", "error:HTTP Error 500"));
        assert_eq!(report(&checks).judge(version), ["2026-08-25 catalog.broken deviates"]);
        checks.pop();
        checks[0].1 = "clean-pass";
        assert_eq!(report(&checks).judge(version).len(), 1);
        checks.remove(0);
        assert_eq!(report(&checks).judge(version).len(), 1);
    }
}
