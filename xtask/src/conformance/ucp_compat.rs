//! The official UCP suite for 2026-01-11: 59 tests in 13 files, each of which starts a receiver of webhooks and a
//! server of profiles of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::{
    flower_shop, packages, process,
    shop::{Shop, target_directory},
};

/// What the suite was written with. Later releases of its SDK renamed what it imports.
const PACKAGES: [&str; 6] = [
    "ucp-sdk==0.1.0",
    "absl-py>=1",
    "httpx>=0.26",
    "pydantic>=2.12",
    "fastapi>=0.109",
    "uvicorn>=0.38",
];
/// How many tests the suite has.
const TESTS: usize = 59;
/// Opens the door through which parcels are sent off. It guards nothing outside of this run.
const SECRET: &str = "super-secret-sim-key";

#[derive(Debug, Args)]
pub struct Options {
    /// The checkout of the suite.
    #[arg(long, env = "UCP_SUITE")]
    suite: Option<PathBuf>,
    /// Only test files with this in their name.
    #[arg(long)]
    only: Option<String>,
    /// Port of the suite's receiver of webhooks.
    #[arg(long, default_value_t = 8284)]
    webhook_port: u16,
    /// Port of the suite's server of profiles.
    #[arg(long, default_value_t = 8285)]
    agent_port: u16,
}

pub fn run(options: &Options) -> Result<()> {
    let there = |suite: &&PathBuf| suite.join("integration_test_utils.py").is_file();
    let Some(suite) = options.suite.as_ref().filter(there) else {
        println!(
            "SKIPPED: no UCP conformance suite. Check out commit fdced3a of \
             github.com/Universal-Commerce-Protocol/conformance and name the directory in UCP_SUITE."
        );
        return Ok(());
    };
    let suite = suite.canonicalize()?;
    let directory = target_directory().join("conformance/ucp-compat");
    let python = install(&directory)?;
    process::run(&mut process::cargo(["build", "--package", "handel"]))?;
    let data = suite.join("test_data/flower_shop");
    let shown = data.to_str().context("the path of the suite is not text")?;
    let shop = Shop::open(
        &directory.join("shop"),
        &[
            "--ucp-compat",
            "2026-01-11",
            "--ucp-compat-listen",
            "127.0.0.1:0",
            "--ucp-compat-data",
            shown,
            "--ucp-compat-secret",
            SECRET,
        ],
    )?;
    let sandbox = shop.server.said.iter().find_map(|line| {
        line.trim_start()
            .strip_prefix("sandbox")?
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
    });
    let sandbox = sandbox.context("the server does not say where the sandbox is")?.to_owned();
    flower_shop::run(&flower_shop::Options {
        data,
        url: shop.server.url.clone(),
        key: shop.key.clone(),
    })?;
    let counts = Suite { options, suite: &suite, python: &python, sandbox: &sandbox }.run()?;
    println!("{} passed, {} failed", counts.passed, counts.failed);
    ensure!(
        counts.failed == 0,
        "the sandbox does not pass the suite; it logs to {}/shop/server.log",
        directory.display()
    );
    if options.only.is_none() && counts.passed != TESTS {
        bail!("{TESTS} tests were expected; is the suite at commit fdced3a?");
    }
    Ok(())
}

/// An environment that has what the suite imports.
fn install(directory: &Path) -> Result<PathBuf> {
    match env::var_os("UCP_VENV") {
        Some(named) => Ok(PathBuf::from(named).join("bin/python")),
        None => packages::python(&directory.join("venv"), &PACKAGES),
    }
}

#[derive(Default)]
struct Counts {
    passed: usize,
    failed: usize,
}

struct Suite<'a> {
    options: &'a Options,
    suite: &'a Path,
    python: &'a Path,
    sandbox: &'a str,
}

impl Suite<'_> {
    fn run(&self) -> Result<Counts> {
        let mut files: Vec<String> = fs::read_dir(self.suite)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.ends_with("_test.py"))
            .filter(|name| {
                self.options.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
            })
            .collect();
        files.sort();
        let mut counts = Counts::default();
        for file in &files {
            self.run_file(file, &mut counts)?;
        }
        Ok(counts)
    }

    /// Runs a file and adds up what it reports. What it does not report has failed.
    fn run_file(&self, file: &str, counts: &mut Counts) -> Result<()> {
        let data = self.suite.join("test_data/flower_shop");
        let mut command = Command::new(self.python);
        command
            .current_dir(self.suite)
            .arg(file)
            .arg(format!("--server_url={}", self.sandbox))
            .arg(format!("--simulation_secret={SECRET}"))
            .arg(format!("--conformance_input={}", data.join("conformance_input.json").display()))
            .arg(format!("--test_data_dir={}", data.display()))
            .arg(format!("--mock_webhook_port={}", self.options.webhook_port))
            .arg(format!("--mock_agent_port={}", self.options.agent_port))
            .env("NO_PROXY", "localhost,127.0.0.1")
            .env("no_proxy", "localhost,127.0.0.1")
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let output = command.output().with_context(|| format!("cannot run {file}"))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned()
            + &String::from_utf8_lossy(&output.stdout);
        let source = fs::read_to_string(self.suite.join(file))?;
        let expected = source.lines().filter(|line| is_test(line)).count();
        let passed = verdicts(&said).into_iter().filter(|(_, passed)| *passed).count();
        for (name, passed) in verdicts(&said) {
            println!("{} {file}::{name}", if passed { "PASS" } else { "FAIL" });
        }
        let failed = expected.saturating_sub(passed);
        if failed > 0 {
            println!("{said}");
        }
        counts.passed += passed;
        counts.failed += failed;
        Ok(())
    }
}

fn is_test(line: &str) -> bool {
    line.starts_with("  def test_") || line.starts_with("  async def test_")
}

/// The tests in a report of absltest, with whether they passed.
fn verdicts(said: &str) -> Vec<(&str, bool)> {
    let mut verdicts: Vec<(&str, bool)> = Vec::new();
    for line in said.lines() {
        let Some((verdict, rest)) = line.strip_prefix('[').and_then(|line| line.split_once(']'))
        else {
            continue;
        };
        let passed = match verdict.trim() {
            "OK" => true,
            "FAILED" => false,
            _ => continue,
        };
        let name = rest.split_whitespace().next().unwrap_or_default();
        if name.contains(".test") && !verdicts.iter().any(|(known, _)| *known == name) {
            verdicts.push((name, passed));
        }
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_once_for_each_test() {
        let said = "[ RUN      ] A.test_one\n[       OK ] A.test_one\n[  FAILED  ] A.test_two\n\
            [  FAILED  ] A.test_two\n[==========] 2 tests\n";
        assert_eq!(verdicts(said), [("A.test_one", true), ("A.test_two", false)]);
        assert!(is_test("  def test_one(self):") && !is_test("def test_one"));
    }
}
