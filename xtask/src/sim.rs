//! `sim`: builds the simulation as a release with every assertion in it, and runs it.

use anyhow::Result;
use clap::Args;

use crate::process;

#[derive(Debug, Args)]
pub struct Options {
    /// Passed on to the simulation, for example `--seed 7 --hours 2`; `-- --help` lists everything.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
}

/// Runs the simulation with its options.
pub fn run(options: &Options) -> Result<()> {
    let args = ["run", "--quiet", "--profile", "sim", "--package", "handel-sim", "--"];
    let args = args.into_iter().chain(options.args.iter().map(String::as_str));
    process::run_through(&mut process::cargo(args))
}
