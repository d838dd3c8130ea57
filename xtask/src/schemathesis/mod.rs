//! `schemathesis`: requests made from the OpenAPI document, against the real program on a fresh shop.
//!
//! Schemathesis comes from PyPI into an environment of its own below the target directory. Nothing of it is needed to
//! build or to test.

use std::process::Command;

use anyhow::Result;
use clap::Args;

use crate::{
    packages, process,
    shop::{Shop, target_directory},
};

const PACKAGE: &str = "schemathesis==4.32.5";

#[derive(Debug, Args)]
pub struct Options {
    /// Most requests for each operation.
    #[arg(long, default_value_t = 50)]
    examples: u32,
    /// What the requests follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs it, and fails if an answer is a fault, is not documented, or is not what is documented.
pub fn run(options: &Options) -> Result<()> {
    let directory = target_directory().join("schemathesis");
    let python = packages::python(&directory.join("venv"), &[PACKAGE])?;
    process::run(&mut process::cargo(["build", "--package", "handel"]))?;
    let sample = process::repository_root().join("handel/tests/it/products.csv");
    let shop = Shop::open_with_products(&directory.join("shop"), &sample)?;
    let url = &shop.server.url;
    let config = directory.join("schemathesis.toml");
    let prepare = process::repository_root().join("xtask/src/schemathesis/prepare.py");
    let mut prepared = Command::new(&python);
    process::run(prepared.arg(prepare).args([url, &shop.key]).arg(&config))?;
    let mut command = Command::new(python.with_file_name("schemathesis"));
    command.current_dir(&directory).arg("--config-file").arg(&config);
    command.args(["run", &format!("{url}/openapi.json"), "--no-color"]);
    command.args(["--continue-on-failure", "--generation-database", "none", "--warnings", "off"]);
    command.args(["--max-examples", &options.examples.to_string()]);
    process::run(command.args(["--seed", &options.seed.to_string()]))
}
