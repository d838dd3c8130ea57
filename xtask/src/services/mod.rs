//! `services`: the servers that tests and benchmarks need, started from what this machine has.
//!
//! Owns the command and where the servers live; [`postgres`] owns the life of one server. It refuses to own
//! test data: a test makes and drops its own database.

mod account;
mod binaries;
mod directory;
mod postgres;
mod settings;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use crate::suite;
use account::Account;
use binaries::Binaries;
use directory::Directory;
use postgres::{Cluster, Start};

#[derive(Debug, Args)]
pub struct Options {
    /// What to do.
    #[arg(value_enum, default_value = "status")]
    action: Action,
    /// Mean the server for benchmarks, which loses nothing when the power fails.
    ///
    /// The server for tests does without fsync, because its data is disposable.
    #[arg(long)]
    durable: bool,
    /// With `down`: also delete the data.
    #[arg(long)]
    wipe: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Start the server unless it runs, wait until it is ready, and print its URL.
    Up,
    /// Stop the server.
    Down,
    /// Say whether the server runs and where; fails if it does not.
    Status,
    /// Print lines for the shell: `eval "$(cargo xtask services env)"`.
    Env,
}

/// What a server promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Fast, and its data does not survive a crash of the machine.
    Disposable,
    /// As in production, for measurements.
    Durable,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Disposable => "postgres",
            Self::Durable => "postgres-durable",
        }
    }
}

pub fn run(options: &Options) -> Result<()> {
    let profile = if options.durable { Profile::Durable } else { Profile::Disposable };
    if options.wipe && options.action != Action::Down {
        bail!("`--wipe` goes with `down`");
    }
    match options.action {
        Action::Up => {
            let (cluster, start) = up(profile)?;
            println!("{}: {start}", profile.name());
            print_urls(&cluster.url()?, "");
            Ok(())
        }
        Action::Down => down(profile, options.wipe),
        Action::Status => {
            let (cluster, url) = running(profile)?;
            println!("{}: running from {}", profile.name(), cluster.describe());
            print_urls(&url, "");
            Ok(())
        }
        Action::Env => {
            let (_, url) = running(profile)?;
            print_urls(&url, "export ");
            Ok(())
        }
    }
}

/// The URL of the server for tests, which runs when this returns.
pub fn postgres_url() -> Result<String> {
    let (cluster, start) = up(Profile::Disposable)?;
    println!("{}: {start}", Profile::Disposable.name());
    cluster.url()
}

fn up(profile: Profile) -> Result<(Cluster, Start)> {
    let binaries = Binaries::find_or_install()?;
    let directory = Directory::open(profile, &Account::of_servers()?)?;
    let _lock = directory.lock()?;
    let cluster = Cluster::new(profile, binaries, directory);
    let start = cluster.up()?;
    Ok((cluster, start))
}

fn down(profile: Profile, wipe: bool) -> Result<()> {
    let cluster = existing(profile)?;
    let _lock = cluster.directory().lock()?;
    let was_running = cluster.down()?;
    println!("{}: {}", profile.name(), if was_running { "stopped" } else { "was not running" });
    if wipe {
        cluster.wipe()?;
        println!("{}: data deleted", profile.name());
    }
    Ok(())
}

fn running(profile: Profile) -> Result<(Cluster, String)> {
    let cluster = existing(profile)?;
    if !cluster.is_ready() {
        let option = if profile == Profile::Durable { " --durable" } else { "" };
        bail!("{} is not running; start it with `cargo xtask services up{option}`", profile.name());
    }
    let url = cluster.url()?;
    Ok((cluster, url))
}

fn existing(profile: Profile) -> Result<Cluster> {
    let binaries = Binaries::find()?;
    let directory = Directory::open(profile, &Account::of_servers()?)?;
    Ok(Cluster::new(profile, binaries, directory))
}

fn print_urls(url: &str, prefix: &str) {
    for key in ["DATABASE_URL", suite::POSTGRES_URL] {
        println!("{prefix}{key}={url}");
    }
}
