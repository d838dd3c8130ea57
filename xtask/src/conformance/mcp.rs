//! The official kit of the Model Context Protocol: on the fixtures that it asks for, and on the shop itself.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::{
    packages, process,
    shop::{Server, Shop, target_directory},
};

const PACKAGE: &str = "@modelcontextprotocol/conformance";
const VERSION: &str = "0.2.0-alpha.12";
const STATEFUL: &str = "2025-11-25";
const STATELESS: &str = "2026-07-28";

/// What a shop is asked for. The other scenarios call tools, prompts and resources that no shop has.
const OF_A_SHOP: [(&str, &str); 13] = [
    ("server-initialize", STATEFUL),
    ("ping", STATEFUL),
    ("tools-list", STATEFUL),
    ("tools-list", STATELESS),
    ("prompts-list", STATELESS),
    ("resources-list", STATELESS),
    ("sep-2164-resource-not-found", STATELESS),
    ("caching", STATELESS),
    ("server-session-lifecycle", STATEFUL),
    ("server-sse-multiple-streams", STATELESS),
    ("dns-rebinding-protection", STATEFUL),
    ("dns-rebinding-protection", STATELESS),
    ("http-header-validation", STATELESS),
];

/// The one check that a shop does not pass: the kit calls the first tool without arguments and wants a success, but here
/// every tool has arguments that it needs.
const DEVIATIONS: [(&str, &str); 1] =
    [("http-header-validation", "ServerAcceptsWhitespaceHeaderValue")];

pub fn run() -> Result<()> {
    let directory = target_directory().join("conformance/mcp");
    let kit = match Kit::install(&directory) {
        Ok(kit) => kit,
        Err(why) => {
            packages::skip("the kit of the Model Context Protocol", &why);
            return Ok(());
        }
    };
    let example = ["build", "--package", "handel-mcp", "--example", "conformance"];
    process::run(&mut process::cargo(example))?;
    process::run(&mut process::cargo(["build", "--package", "handel"]))?;
    let fixtures = kit.fixtures()?;
    let shop = kit.shop()?;
    println!("{shop} scenarios pass on the shop, with {} explained deviation", DEVIATIONS.len());
    ensure!(fixtures.is_empty(), "the fixtures do not pass {}", fixtures.join(", "));
    Ok(())
}

struct Kit {
    directory: PathBuf,
    node: PathBuf,
    script: PathBuf,
}

impl Kit {
    fn install(directory: &Path) -> Result<Self> {
        let node = packages::node()?;
        let package = format!("{PACKAGE}@{VERSION}");
        let modules = packages::node_modules(&directory.join("kit"), &package)?;
        let script = modules.join(PACKAGE).join("dist/index.js");
        Ok(Self { directory: directory.to_owned(), node, script })
    }

    /// Everything that each revision requires. Returns the revisions that the fixtures do not pass.
    fn fixtures(&self) -> Result<Vec<&'static str>> {
        let mut command = Command::new(target_directory().join("debug/examples/conformance"));
        command.args(["--listen", "127.0.0.1:0"]);
        let server = Server::start(&mut command, &self.directory.join("fixtures.log"))?;
        let mut failed = Vec::new();
        for revision in [STATEFUL, STATELESS] {
            let (passes, said) =
                self.ask(&server.url, &["--requirements", revision], &self.log(revision))?;
            let counts = Counts::read(&said);
            ensure!(counts.passed > 0, "the kit ran nothing: {said}");
            println!(
                "{revision}: {} scenarios passed, {} failed; not scored: {}",
                counts.passed,
                counts.failed.len() - counts.unscored.len(),
                if counts.unscored.is_empty() { "-".into() } else { counts.unscored.join(", ") },
            );
            if !passes {
                failed.push(revision);
            }
        }
        Ok(failed)
    }

    /// What a shop can be asked for. Returns how many scenarios there are; fails on what is not explained.
    fn shop(&self) -> Result<usize> {
        let shop = Shop::open_demo(&self.directory.join("shop"))?;
        for (scenario, revision) in OF_A_SHOP {
            let arguments = ["--scenario", scenario, "--spec-version", revision];
            let log = self.log(&format!("{scenario}-{revision}"));
            let (passes, said) = self.ask(&shop.server.url, &arguments, &log)?;
            let failed = failed_checks(&said);
            let expected: BTreeSet<_> = DEVIATIONS
                .iter()
                .filter_map(|(of, check)| (*of == scenario).then_some(*check))
                .collect();
            let counts = said.lines().find_map(|line| line.strip_prefix("Passed: "));
            println!("{revision} {scenario}: {}", counts.unwrap_or("no verdict"));
            ensure!(
                failed == expected && (passes || !failed.is_empty()) && counts.is_some(),
                "{scenario} in {revision} fails in {failed:?}, and {expected:?} is expected; see {}",
                log.display()
            );
        }
        Ok(OF_A_SHOP.len())
    }

    /// Runs the kit, and returns whether it was content and what it said.
    fn ask(&self, url: &str, arguments: &[&str], log: &Path) -> Result<(bool, String)> {
        let mut command = Command::new(&self.node);
        command.arg(&self.script).args(["server", "--url", &format!("{url}/mcp")]).args(arguments);
        command.arg("--output-dir").arg(self.directory.join("results"));
        let output = command.output().context("cannot run the kit")?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        fs::write(log, &said)?;
        Ok((output.status.success(), said))
    }

    fn log(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.log"))
    }
}

/// What a run of all scenarios of a revision came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts<'a> {
    passed: usize,
    failed: Vec<&'a str>,
    /// Those of the failed ones that the revision does not require.
    unscored: Vec<&'a str>,
}

impl<'a> Counts<'a> {
    fn read(said: &'a str) -> Self {
        let mut counts = Self::default();
        for line in said.lines() {
            if line.starts_with("✓ ") {
                counts.passed += 1;
            } else if let Some((name, _)) =
                line.strip_prefix("✗ ").and_then(|rest| rest.split_once(':'))
            {
                counts.failed.push(name);
            } else if let Some((name, _)) =
                line.strip_prefix("  ✗ ").and_then(|rest| rest.split_once(" ("))
            {
                counts.unscored.push(name);
            }
        }
        counts
    }
}

/// The checks that a run of one scenario names as failed.
fn failed_checks(said: &str) -> BTreeSet<&str> {
    let Some((_, failed)) = said.split_once("=== Failed Checks ===") else {
        return BTreeSet::new();
    };
    let checks = failed.lines().filter_map(|line| line.strip_prefix("  - "));
    checks.filter_map(|line| Some(line.split_once(':')?.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_scored_is_told_from_what_failed() {
        let said = "✓ ping: 1 passed, 0 failed\n✗ tools-list: 1 passed, 1 failed\n\
            ✗ tasks-lifecycle: 1 passed, 8 failed\n\nTotal: 3 passed, 9 failed\n\n\
            Not scored for 2026-07-28: 2 scenario(s) run, 1 failing.\n  ✗ tasks-lifecycle (extension)\n  \
            ✓ caching (pending)\n";
        let expected = Counts {
            passed: 1,
            failed: vec!["tools-list", "tasks-lifecycle"],
            unscored: vec!["tasks-lifecycle"],
        };
        assert_eq!(Counts::read(said), expected);
    }

    #[test]
    fn failed_checks_are_known_by_their_names() {
        let said = "Passed: 1/2\n  - Not: one\n=== Failed Checks ===\n\n  - Whitespace: Server MUST\n    Error: x\n";
        assert_eq!(failed_checks(said), BTreeSet::from(["Whitespace"]));
        assert!(failed_checks("Passed: 2/2").is_empty());
    }
}
