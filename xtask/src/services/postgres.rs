//! One PostgreSQL server: made, started, asked and stopped.
//!
//! Callers hold the lock of its directory while they change it.

use std::{
    fmt, fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use super::{Profile, binaries::Binaries, directory::Directory, settings};
use crate::process;

#[derive(Debug)]
pub struct Cluster {
    profile: Profile,
    binaries: Binaries,
    directory: Directory,
}

/// What `up` found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Running,
    Started,
    Created,
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "runs already and is ready",
            Self::Started => "started and ready",
            Self::Created => "created, started and ready",
        })
    }
}

/// How long a server may take to start or stop.
const TIMEOUT_S: &str = "120";

/// How long a server that runs already may take until it is ready.
const RECOVERY: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// Preferred first; the one of glibc is not everywhere.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

impl Cluster {
    pub fn new(profile: Profile, binaries: Binaries, directory: Directory) -> Self {
        Self { profile, binaries, directory }
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Makes sure that the server runs and is ready.
    pub fn up(&self) -> Result<Start> {
        if self.becomes_ready() {
            return Ok(Start::Running);
        }
        let exists = self.data().join("PG_VERSION").exists();
        if exists {
            match self.start() {
                Ok(()) => return Ok(Start::Started),
                Err(error) if self.profile == Profile::Durable => return Err(error),
                // Without fsync a crash of the machine may have broken the files, and nothing in them is missed.
                Err(error) => println!("{error:#}\nits data is disposable; making it anew"),
            }
            self.wipe()?;
        }
        self.create()?;
        self.start()?;
        Ok(Start::Created)
    }

    /// Stops the server, and says whether it ran.
    pub fn down(&self) -> Result<bool> {
        if !self.has_process() {
            return Ok(false);
        }
        process::read(&mut self.pg_ctl(&[
            "stop",
            "--mode=fast",
            "--wait",
            "--timeout",
            TIMEOUT_S,
        ]))?;
        Ok(true)
    }

    /// Deletes the data of a server that must not run.
    pub fn wipe(&self) -> Result<()> {
        self.down()?;
        remove(&self.data())?;
        remove(&self.unfinished_data())
    }

    /// Whether a server that runs takes connections, at the latest after its recovery from a crash.
    fn becomes_ready(&self) -> bool {
        let start = Instant::now();
        loop {
            if self.is_ready() {
                return true;
            }
            if !self.has_process() || start.elapsed() > RECOVERY {
                return false;
            }
            thread::sleep(POLL);
        }
    }

    fn has_process(&self) -> bool {
        process::succeeds(&mut self.pg_ctl(&["status"]))
    }

    /// Whether the server takes connections, both on its socket and on its port.
    ///
    /// Only our server can listen on the socket, so a stranger on the port is not mistaken for it.
    pub fn is_ready(&self) -> bool {
        let Ok(port) = self.port() else { return false };
        let sockets = self.sockets();
        [sockets.as_path(), Path::new("127.0.0.1")].into_iter().all(|host| {
            let mut command = self.command("pg_isready");
            process::succeeds(command.arg("--host").arg(host).args(["--port", &port.to_string()]))
        })
    }

    pub fn url(&self) -> Result<String> {
        Ok(format!("postgres://postgres@127.0.0.1:{}/postgres", self.port()?))
    }

    /// Where the server is and where it writes what goes wrong.
    pub fn describe(&self) -> String {
        format!(
            "{}, socket in {}, log in {}",
            self.data().display(),
            self.sockets().display(),
            self.log().display()
        )
    }

    fn create(&self) -> Result<()> {
        // A half-made directory never gets the name of a whole one.
        let new = self.unfinished_data();
        let mut last = None;
        for locale in LOCALES {
            remove(&new)?;
            let mut command = self.command("initdb");
            command.args([
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--locale",
                locale,
            ]);
            command.args(["--no-sync", "--no-instructions", "--pgdata"]).arg(&new);
            match process::read(&mut command) {
                Ok(_) => {
                    return fs::rename(&new, self.data())
                        .context("cannot rename the new data directory");
                }
                Err(error) => last = Some(error),
            }
        }
        remove(&new)?;
        last.map_or(Ok(()), Err)
    }

    /// Starts the server and waits until it is ready, on its old port if that is free.
    fn start(&self) -> Result<()> {
        let port = match self.port() {
            Ok(port) if settings::is_free(port) => port,
            _ => settings::free_port()?,
        };
        self.configure(port)?;
        self.make_sockets()?;
        remove(&self.log())?;
        let log = self.log();
        let mut command = self.pg_ctl(&["start", "--wait", "--timeout", TIMEOUT_S]);
        // The server starts in its directory, so the path needs no quotes for the shell that pg_ctl asks.
        command.args([
            "--options",
            &format!("-c config_file=../{}.conf", self.profile.name()),
            "--log",
        ]);
        if let Err(error) = process::read(command.arg(&log)) {
            let log = fs::read_to_string(&log).unwrap_or_default();
            return Err(error.context(format!("PostgreSQL did not start; its log says:\n{log}")));
        }
        fs::write(self.port_file(), port.to_string()).context("cannot remember the port")?;
        if !self.is_ready() {
            bail!("PostgreSQL started but takes no connections; see {}", log.display());
        }
        Ok(())
    }

    fn configure(&self, port: u16) -> Result<()> {
        let path = self.directory.beside("conf");
        fs::write(&path, settings::text(self.profile, port, &self.sockets()))
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o644)))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    fn make_sockets(&self) -> Result<()> {
        let mut command = self.directory.command("mkdir");
        process::read(command.args(["-p", "-m", "700"]).arg(self.sockets())).map(drop)
    }

    fn pg_ctl(&self, args: &[&str]) -> Command {
        let mut command = self.command("pg_ctl");
        command.arg("--pgdata").arg(self.data()).args(args);
        command
    }

    fn command(&self, program: &str) -> Command {
        self.directory.command(self.binaries.path(program))
    }

    fn port(&self) -> Result<u16> {
        let text =
            fs::read_to_string(self.port_file()).context("the server has never been started")?;
        text.trim().parse().context("the server's port is not a number")
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn unfinished_data(&self) -> PathBuf {
        self.directory.join("data.new")
    }

    fn sockets(&self) -> PathBuf {
        self.directory.join("run")
    }

    fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn port_file(&self) -> PathBuf {
        self.directory.beside("port")
    }
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removing_what_is_not_there_is_no_error() {
        remove(Path::new("/tmp/handel-nothing-here")).unwrap();
    }
}
