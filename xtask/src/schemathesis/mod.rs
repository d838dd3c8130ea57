//! `schemathesis`: requests made from the OpenAPI document, against the real program on a fresh shop.
//!
//! Schemathesis comes from PyPI into an environment of its own below the target directory. Nothing of it is needed to
//! build or to test.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::process;

const VERSION: &str = "4.32.5";
const SCOPES: &str = "catalog:read,catalog:write,stock:read,stock:write,orders:read,orders:write,promotions:read,\
    promotions:write,channels:write,keys:write,operations";

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
    let programs = install(&directory)?;
    process::run(&mut process::cargo(["build", "--package", "handel"]))?;
    let shop = Shop::open(&directory.join("shop"))?;
    let config = directory.join("schemathesis.toml");
    let prepare = process::repository_root().join("xtask/src/schemathesis/prepare.py");
    let mut prepared = Command::new(programs.join("python"));
    process::run(prepared.arg(prepare).args([&shop.url, &shop.key]).arg(&config))?;
    let mut command = Command::new(programs.join("schemathesis"));
    command.current_dir(&directory).arg("--config-file").arg(&config);
    command.args(["run", &format!("{}/openapi.json", shop.url), "--no-color"]);
    command.args(["--continue-on-failure", "--generation-database", "none", "--warnings", "off"]);
    command.args(["--max-examples", &options.examples.to_string()]);
    process::run(command.args(["--seed", &options.seed.to_string()]))
}

/// The programs of an environment that has Schemathesis in it.
fn install(directory: &Path) -> Result<PathBuf> {
    let environment = directory.join(format!("venv-{VERSION}"));
    let programs = environment.join("bin");
    if programs.join("schemathesis").exists() {
        return Ok(programs);
    }
    ensure!(
        process::succeeds(Command::new("python3").arg("--version")),
        "python3 is missing; Schemathesis is written in Python"
    );
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&environment))
        .context("cannot make an environment; on Debian, the package python3-venv is needed")?;
    let package = format!("schemathesis=={VERSION}");
    process::run(Command::new(programs.join("pip")).args(["install", "--quiet", &package]))
        .context("pip cannot install Schemathesis; is PyPI out of reach?")?;
    Ok(programs)
}

fn target_directory() -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    process::repository_root().join(named.unwrap_or_else(|| "target".into()))
}

/// A server on a fresh directory, ended when it is dropped.
struct Shop {
    server: Child,
    url: String,
    key: String,
}

impl Shop {
    fn open(directory: &Path) -> Result<Self> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        fs::create_dir_all(directory)?;
        let sample = process::repository_root().join("handel/tests/it/products.csv");
        process::run(program(directory).args(["import", "products"]).arg(sample))?;
        let mut create = program(directory);
        let made = create.args(["key", "create", "--name", "schemathesis", "--scopes", SCOPES]);
        let made = made.output().context("cannot make an API key")?;
        let said = String::from_utf8_lossy(&made.stdout).into_owned();
        let key = said.lines().map(str::trim).find(|line| line.starts_with("hk_"));
        let key = key.context("`handel key create` printed no key")?.to_owned();
        let log = fs::File::create(directory.join("server.log"))?;
        let mut serve = program(directory);
        serve.args(["serve", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).stderr(log);
        let server = serve.spawn().context("cannot start the server")?;
        let mut shop = Self { server, url: String::new(), key };
        shop.url = shop.address().context("the server does not listen; see its server.log")?;
        Ok(shop)
    }

    fn address(&mut self) -> Option<String> {
        let output = BufReader::new(self.server.stdout.take()?);
        let mut lines = output.lines().map_while(Result::ok);
        lines.find_map(|line| {
            Some(line.strip_prefix("Listening on ")?.split(' ').next()?.to_owned())
        })
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ended = self.server.kill();
        let _ended = self.server.wait();
    }
}

/// The program with no settings of the developer's own shop.
fn program(directory: &Path) -> Command {
    let mut command = Command::new(target_directory().join("debug/handel"));
    command.env_clear().current_dir(directory);
    command
}
