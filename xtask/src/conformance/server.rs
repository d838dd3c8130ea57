//! The program on a fresh directory, for a kit to test.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

use crate::process;

/// A server on a fresh directory, ended when it is dropped.
pub struct Shop {
    server: Child,
    /// Where it listens.
    pub url: String,
    /// A key that may do everything.
    pub key: String,
    /// What it said when it opened.
    pub said: Vec<String>,
}

impl Shop {
    /// Starts the program with `handel serve` and these arguments.
    pub fn open(directory: &Path, arguments: &[&str]) -> Result<Self> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        fs::create_dir_all(directory)?;
        let mut create = program(directory);
        create.args(["key", "create", "--name", "conformance", "--scopes", "all"]);
        let said = process::read(&mut create)?;
        let key = said.lines().map(str::trim).find(|line| line.starts_with("hk_"));
        let key = key.context("`handel key create` printed no key")?.to_owned();
        let log = fs::File::create(directory.join("server.log"))?;
        let mut serve = program(directory);
        serve.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        let server = serve.stdout(Stdio::piped()).stderr(log).spawn();
        let server = server.context("cannot start the server")?;
        let mut shop = Self { server, url: String::new(), key, said: Vec::new() };
        shop.listen().with_context(|| {
            format!("the server does not listen; see {}/server.log", directory.display())
        })?;
        Ok(shop)
    }

    /// Reads what the server says until it listens.
    fn listen(&mut self) -> Option<()> {
        let output = BufReader::new(self.server.stdout.take()?);
        for line in output.lines().map_while(Result::ok) {
            let url = line.strip_prefix("Listening on ").and_then(|rest| rest.split(' ').next());
            if let Some(url) = url {
                self.url = url.to_owned();
                return Some(());
            }
            self.said.push(line);
        }
        None
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ended = self.server.kill();
        let _ended = self.server.wait();
    }
}

/// Where things are built and kept that nobody commits.
pub fn target_directory() -> PathBuf {
    let named = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    process::repository_root().join(named.unwrap_or_else(|| "target".into()))
}

/// The program with no settings of the developer's own shop.
fn program(directory: &Path) -> Command {
    let mut command = Command::new(target_directory().join("debug/handel"));
    command.env_clear().current_dir(directory);
    command
}
