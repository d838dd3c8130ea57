//! `fuzz`: gives the fuzz targets to libFuzzer, one after another.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::process;

/// Where the programs of the targets are.
const RUNNER: &str = "fuzz/runner";

#[derive(Debug, Args)]
pub struct Options {
    /// Run only these targets; all of `fuzz/src/lib.rs` without.
    targets: Vec<String>,
    /// How long each of them runs.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Longest input, in bytes.
    #[arg(long, default_value_t = 4096)]
    length: usize,
}

/// Runs the targets. What is found lies in `fuzz/runner/artifacts`; inputs that lead somewhere new, in
/// `fuzz/runner/corpus`.
pub fn run(options: &Options) -> Result<()> {
    if !process::succeeds(&mut process::cargo(["fuzz", "--version"])) {
        bail!("cargo-fuzz is missing; install it with `cargo install --locked cargo-fuzz`");
    }
    let known = targets()?;
    let unknown = options.targets.iter().find(|target| !known.contains(target));
    if let Some(unknown) = unknown {
        bail!("there is no target {unknown}; there are {}", known.join(", "));
    }
    let chosen = if options.targets.is_empty() { &known } else { &options.targets };
    let mut failed = Vec::new();
    for target in chosen {
        println!("\n== {target} ==");
        if let Err(error) = run_one(target, options) {
            println!("error: {error:#}");
            failed.push(target.as_str());
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    println!("xtask fuzz: {} targets, {} s each, nothing found", chosen.len(), options.seconds);
    Ok(())
}

fn run_one(target: &str, options: &Options) -> Result<()> {
    let found = Path::new(RUNNER).join("corpus").join(target);
    fs::create_dir_all(process::repository_root().join(&found))
        .with_context(|| format!("cannot make {}", found.display()))?;
    let mut command = process::cargo(["fuzz", "run", "--fuzz-dir", RUNNER]);
    // The product has no unsafe code, so the sanitizers, which need another compiler, would find little.
    command.args(["--sanitizer", "none", target]).arg(&found).arg(format!("fuzz/corpus/{target}"));
    command.arg("--");
    command.arg(format!("-max_total_time={}", options.seconds));
    command.arg(format!("-max_len={}", options.length));
    // A whole shop answers in memory that is never given back.
    command.args(["-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"]);
    // cargo-fuzz asks for flags that the stable compiler has and hides.
    process::run(command.env("RUSTC_BOOTSTRAP", "1"))
}

/// The targets are the programs, each named as its file is.
fn targets() -> Result<Vec<String>> {
    let directory = process::repository_root().join(RUNNER).join("targets");
    let files =
        fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?;
    let mut targets = Vec::new();
    for file in files {
        let path = file?.path();
        targets.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    }
    targets.sort();
    Ok(targets)
}
