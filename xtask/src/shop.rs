//! The real program on a fresh directory, for others to test.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};

use crate::process;

/// A program that listens, ended when it is dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub url: String,
    /// What it said before it listened.
    pub said: Vec<String>,
}

impl Server {
    /// Starts a program that says `Listening on <address>`. What it logs goes into a file.
    pub fn start(command: &mut Command, log: &Path) -> Result<Self> {
        let child = command.stdout(Stdio::piped()).stderr(fs::File::create(log)?).spawn();
        let child = child.context("cannot start the server")?;
        let mut server = Self { child, url: String::new(), said: Vec::new() };
        server
            .listen()
            .with_context(|| format!("the server does not listen; see {}", log.display()))?;
        Ok(server)
    }

    /// Reads what the server says until it listens.
    fn listen(&mut self) -> Option<()> {
        let output = BufReader::new(self.child.stdout.take()?);
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

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// A shop on a fresh directory.
pub struct Shop {
    /// Its server.
    pub server: Server,
    /// A key that may do everything.
    pub key: String,
}

impl Shop {
    /// Starts the program with `handel serve` and these arguments.
    pub fn open(directory: &Path, arguments: &[&str]) -> Result<Self> {
        Self::open_with(directory, arguments, |_| Ok(()))
    }

    /// Starts it with the products of a file in the format of Shopify.
    pub fn open_with_products(directory: &Path, file: &Path) -> Result<Self> {
        Self::open_with(directory, &[], |directory| {
            process::run(program(directory).args(["import", "products"]).arg(file))
        })
    }

    /// Starts it with the goods of the demo.
    pub fn open_demo(directory: &Path) -> Result<Self> {
        Self::open_with(directory, &[], |directory| {
            let demo = ["demo", "--exit", "--listen", "127.0.0.1:0"];
            process::read(program(directory).args(demo)).map(|_| ())
        })
    }

    fn open_with(
        directory: &Path,
        arguments: &[&str],
        fill: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        fs::create_dir_all(directory)?;
        let mut create = program(directory);
        create.args(["key", "create", "--name", "xtask", "--scopes", "all"]);
        let said = process::read(&mut create)?;
        let key = said.lines().map(str::trim).find(|line| line.starts_with("hk_"));
        let key = key.context("`handel key create` printed no key")?.to_owned();
        fill(directory)?;
        let mut serve = program(directory);
        serve.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        let server = Server::start(&mut serve, &directory.join("server.log"))?;
        Ok(Self { server, key })
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
