//! One server process.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use http::Uri;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::{Child, Command},
    time,
};

use crate::http::{Connection, get};

/// How long a server may take until it is ready, with a large database after a crash.
const READY_LIMIT: Duration = Duration::from_secs(60);
const READY_POLL: Duration = Duration::from_millis(2);
/// How long a server may take to end what it has begun.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// How much of its output is shown when a server fails.
const SHOWN_LINES: usize = 20;

/// How the servers of a shop are started.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The binary.
    pub program: PathBuf,
    /// Everything that the servers keep and say.
    pub directory: PathBuf,
    /// Where the test provider keeps its books.
    pub books: PathBuf,
    /// The database; embedded if none is named.
    pub database_url: Option<String>,
}

impl Launch {
    /// The file in which the test provider keeps its books. All processes share it, as they would share a
    /// real provider.
    pub fn ledger(&self) -> PathBuf {
        self.books.join("test-payments.db")
    }

    /// The file that an embedded shop keeps its rows in.
    pub fn database_file(&self) -> PathBuf {
        self.data().join("handel.db")
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Makes an API key. This also makes the tables of a fresh shop.
    pub async fn create_key(&self, scopes: &str) -> Result<String> {
        let mut command = self.command(["key", "create", "--name", "bench", "--scopes", scopes]);
        let output = command.output().await.context("cannot run the server's `key create`")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`key create` failed: {}\n{said}", output.status);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let key = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        let key = key.context("`key create` printed no key")?;
        ensure!(key.starts_with("hk_"), "`key create` printed something else than a key: {key}");
        Ok(key.to_owned())
    }

    /// The database and the ledger are named here and nowhere else, so that a bench started in a
    /// developer's shell never meets the developer's own shop.
    fn command<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).arg("--data-dir").arg(self.data());
        command.env_remove("DATABASE_URL").env("HANDEL__PAYMENTS__TEST__LEDGER", self.ledger());
        if let Some(url) = &self.database_url {
            command.env("DATABASE_URL", url);
        }
        command.stdin(Stdio::null()).current_dir(&self.directory).kill_on_drop(true);
        command
    }
}

/// A server that runs, or ran.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: SocketAddr,
    output: PathBuf,
    ready_after: Duration,
}

impl Process {
    /// Starts a server on a free port and waits until it is ready.
    pub async fn start(launch: &Launch, at: usize) -> Result<Self> {
        let address = free_address()?;
        let output = launch.directory.join(format!("server-{at}.log"));
        let file = File::options().create(true).append(true).open(&output)?;
        let mut command = launch.command(["serve", "--listen", &address.to_string()]);
        command.stdout(file.try_clone()?).stderr(file);
        let begun = Instant::now();
        let child = command.spawn().context("cannot start the server")?;
        let mut process = Self { child, address, output, ready_after: Duration::ZERO };
        process.wait_until_ready(begun).await?;
        process.ready_after = begun.elapsed();
        Ok(process)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How long it took until it could do business.
    pub fn ready_after(&self) -> Duration {
        self.ready_after
    }

    /// Its id, as long as it runs.
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it keeps in memory, in megabytes.
    pub fn memory_mb(&self) -> Option<u64> {
        memory_of(self.id()?)
    }

    /// Ends it as a power cut does.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.kill().await.context("cannot kill the server")
    }

    /// Ends it as an operator does, and fails if it does not end well.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            return self.check(status);
        }
        let id = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        kill_process(id.context("the server has no process id")?, Signal::TERM)?;
        match time::timeout(STOP_LIMIT, self.child.wait()).await {
            Ok(status) => self.check(status?),
            Err(_) => bail!("the server did not stop within {STOP_LIMIT:?}\n{}", self.said()),
        }
    }

    fn check(&self, status: ExitStatus) -> Result<()> {
        ensure!(status.success(), "the server ended with {status}\n{}", self.said());
        Ok(())
    }

    async fn wait_until_ready(&mut self, begun: Instant) -> Result<()> {
        let mut connection = Connection::new(self.address);
        let ready = Uri::from_static("/health/ready");
        while begun.elapsed() < READY_LIMIT {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended before it was ready: {status}\n{}", self.said());
            }
            match connection.send(get(ready.clone())).await {
                Ok(answer) if answer.status.is_success() => return Ok(()),
                _ => time::sleep(READY_POLL).await,
            }
        }
        bail!("the server was not ready within {READY_LIMIT:?}\n{}", self.said())
    }

    fn said(&self) -> String {
        last_lines(&self.output, SHOWN_LINES)
    }
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?)
}

fn last_lines(file: &Path, count: usize) -> String {
    let said = fs::read(file).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<_> = said.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// What a process keeps in memory, in megabytes, where the system tells.
pub fn memory_of(process_id: u32) -> Option<u64> {
    resident_mb(&fs::read_to_string(format!("/proc/{process_id}/status")).ok()?)
}

/// The line `VmRSS:   51200 kB` of a process's status.
fn resident_mb(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes / 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_the_status() {
        let status = "Name:\thandel\nVmHWM:\t  99999 kB\nVmRSS:\t   51200 kB\nThreads:\t4\n";
        assert_eq!(resident_mb(status), Some(50));
        assert_eq!(resident_mb("Name:\tzombie\n"), None);
    }

    #[test]
    fn the_end_of_a_log_is_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "one\ntwo\nthree\n").unwrap();
        assert_eq!(last_lines(file.path(), 2), "two\nthree");
        assert_eq!(last_lines(file.path(), 9), "one\ntwo\nthree");
        assert_eq!(last_lines(Path::new("no-such-file"), 2), "");
    }
}
