//! `ci`: everything that must hold before a change is merged, in one command that is the same for a contributor
//! and for the machine that guards the main branch.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::{layers, process, size, suite};

type Check = fn() -> Result<Outcome>;

const STEPS: [(&str, Check); 7] = [
    ("format", || cargo(&["fmt", "--all", "--check"])),
    ("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
    ("layers", || layers::check().map(passed)),
    ("size", || size::check().map(passed)),
    ("dependencies", dependencies),
    ("documentation", documentation),
    ("test", test),
];

enum Outcome {
    Passed,
    Skipped(&'static str),
}

/// Runs every step, also after one has failed, so that one run shows everything that is wrong.
pub fn run() -> Result<()> {
    let start = Instant::now();
    let results = STEPS.map(|(name, check)| {
        println!("\n== {name} ==");
        let start = Instant::now();
        let result = check();
        if let Err(error) = &result {
            println!("error: {error:#}");
        }
        (name, result, start.elapsed())
    });
    println!("\n== summary ==");
    for (name, result, time) in &results {
        println!("{}", line(name, result, *time));
    }
    println!("  total  {:>7}", seconds(start.elapsed()));
    let failed: Vec<_> =
        results.iter().filter(|(_, result, _)| result.is_err()).map(|(name, ..)| *name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    println!("xtask ci: passed");
    Ok(())
}

fn line(name: &str, result: &Result<Outcome>, time: Duration) -> String {
    let (state, note) = match result {
        Ok(Outcome::Passed) => ("ok", String::new()),
        Ok(Outcome::Skipped(why)) => ("skip", format!(" ({why})")),
        Err(_) => ("FAILED", String::new()),
    };
    format!("  {state:<6} {:>7}  {name}{note}", seconds(time))
}

fn seconds(time: Duration) -> String {
    format!("{}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

fn cargo(args: &[&str]) -> Result<Outcome> {
    process::run(&mut process::cargo(args)).map(passed)
}

fn passed((): ()) -> Outcome {
    Outcome::Passed
}

fn dependencies() -> Result<Outcome> {
    if !process::succeeds(&mut process::cargo(["deny", "--version"])) {
        println!("skipped: `cargo install --locked cargo-deny` makes this check possible");
        return Ok(Outcome::Skipped("cargo-deny is not installed"));
    }
    cargo(&["deny", "check", "bans", "licenses", "sources"])
}

fn documentation() -> Result<Outcome> {
    let mut command = process::cargo(["doc", "--workspace", "--no-deps"]);
    process::run(command.env("RUSTDOCFLAGS", "-D warnings")).map(passed)
}

/// The step is the command that the README names for contributors.
fn test() -> Result<Outcome> {
    println!("$ cargo xtask test");
    suite::run(&suite::Options::default()).map(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_says_how_each_step_went_and_how_long_it_took() {
        let time = Duration::from_millis(12_345);
        assert_eq!(line("lints", &Ok(Outcome::Passed), time), "  ok      12.3 s  lints");
        assert_eq!(
            line("lints", &Ok(Outcome::Skipped("why")), time),
            "  skip    12.3 s  lints (why)"
        );
        assert_eq!(line("lints", &Err(anyhow::anyhow!("no")), time), "  FAILED  12.3 s  lints");
    }
}
