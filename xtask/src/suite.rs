//! `test`: the whole suite, with the servers that it needs.

use std::{env, time::Instant};

use anyhow::{Result, bail};
use clap::Args;

use crate::{process, services};

/// Where the tests find PostgreSQL.
pub const POSTGRES_URL: &str = "TEST_POSTGRES_URL";
/// When this is `1`, a test whose server is missing fails instead of skipping itself.
const REQUIRE_SERVICES: &str = "HANDEL_REQUIRE_SERVICES";

#[derive(Debug, Default, Args)]
pub struct Options {
    /// Start no server; tests that need one skip themselves.
    #[arg(long)]
    pub no_services: bool,
    /// Passed on to the test runner, for example `-p handel-domain` or a part of a test's name.
    ///
    /// With arguments only the tests that they select run, without the documentation tests.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

/// Runs the suite, all of it even when a part fails, and ends with one line that says how it went.
pub fn run(options: &Options) -> Result<()> {
    let start = Instant::now();
    let environment = environment(options)?;
    // The documentation tests come first so that the runner's own summary stands at the end.
    let doctests = if options.args.is_empty() {
        outcome(&["test", "--workspace", "--doc"], &environment)
    } else {
        "not selected"
    };
    let has_nextest = process::succeeds(&mut process::cargo(["nextest", "--version"]));
    let tests = outcome(&runner(has_nextest, &options.args), &environment);
    let seconds = start.elapsed().as_secs();
    let servers = if options.no_services { "without servers" } else { "with PostgreSQL" };
    println!("xtask test: tests {tests}, documentation tests {doctests}, {servers}, {seconds} s");
    if [tests, doctests].contains(&FAILED) {
        bail!("the test suite failed");
    }
    Ok(())
}

const FAILED: &str = "FAILED";

fn outcome(args: &[&str], environment: &[(&str, String)]) -> &'static str {
    let mut command = process::cargo(args);
    command.env_remove(REQUIRE_SERVICES).envs(environment.iter().map(|(key, value)| (key, value)));
    match process::run(&mut command) {
        Ok(()) => "passed",
        Err(error) => {
            println!("{error:#}");
            FAILED
        }
    }
}

fn runner(has_nextest: bool, args: &[String]) -> Vec<&str> {
    let mut command = if has_nextest {
        vec!["nextest", "run"]
    } else {
        vec!["test", "--tests", "--no-fail-fast"]
    };
    if !args.iter().any(|arg| selects_packages(arg)) {
        command.push("--workspace");
    }
    command.extend(args.iter().map(String::as_str));
    command
}

fn selects_packages(arg: &str) -> bool {
    arg.starts_with("--package") || (arg.starts_with("-p") && !arg.starts_with("--"))
}

/// What the tests are told, after the servers are up.
///
/// A server that the caller names already is used as it is.
fn environment(options: &Options) -> Result<Vec<(&'static str, String)>> {
    if options.no_services {
        return Ok(Vec::new());
    }
    let url = match env::var(POSTGRES_URL) {
        Ok(url) if !url.is_empty() => url,
        _ => services::postgres_url()?,
    };
    println!("{POSTGRES_URL}={url}");
    Ok(vec![(POSTGRES_URL, url), (REQUIRE_SERVICES, "1".to_owned())])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runner_of(has_nextest: bool, args: &[&str]) -> String {
        let args: Vec<_> = args.iter().map(|&arg| arg.to_owned()).collect();
        runner(has_nextest, &args).join(" ")
    }

    #[test]
    fn the_whole_workspace_runs_unless_packages_are_selected() {
        assert_eq!(runner_of(true, &[]), "nextest run --workspace");
        assert_eq!(runner_of(true, &["order"]), "nextest run --workspace order");
        assert_eq!(runner_of(true, &["-p", "handel-domain"]), "nextest run -p handel-domain");
        assert_eq!(
            runner_of(true, &["--package=handel-domain"]),
            "nextest run --package=handel-domain"
        );
        assert_eq!(runner_of(true, &["--profile", "ci"]), "nextest run --workspace --profile ci");
    }

    #[test]
    fn cargo_test_stands_in_for_nextest() {
        assert_eq!(runner_of(false, &["order"]), "test --tests --no-fail-fast --workspace order");
    }

    #[test]
    fn without_services_the_tests_are_told_nothing() {
        let options = Options { no_services: true, ..Options::default() };
        assert_eq!(environment(&options).unwrap(), []);
    }
}
