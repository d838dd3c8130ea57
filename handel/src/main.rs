//! The program `handel`: configuration, command line, wiring and roles.
//!
//! Owns which parts a shop is made of and how it starts and ends. Nothing depends on it, and no rule of
//! commerce stands here.

mod catalog_csv;
mod cli;
mod commands;
mod config;
mod console;
mod demo;
mod doctor;
mod failure;
mod logs;
mod output;
mod private;
mod serve;
mod signals;
mod test_secret;
mod wiring;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use cli::{Arguments, Command, Export, Import, Key};
use config::Loaded;

/// Many small requests on many threads: it is both faster and leaner than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let hidden = private::begin();
    // Only a second call could fail, and there is none.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    match run(arguments, hidden) {
        Ok(code) => code,
        Err(error) => {
            console::complain(&failure::sentence(&error));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments, hidden: u32) -> Result<ExitCode> {
    check_threads()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let outcome = runtime.block_on(Box::pin(dispatch(arguments, hidden)));
    // Upkeep and idle connections never end on their own.
    runtime.shutdown_background();
    outcome
}

/// Threads that the runtime starts beside one for each processor: those that wait for files and the database.
const THREADS_MORE: usize = 16;

/// Asks for as many threads as a shop needs, because the runtime panics where the system has none left.
#[expect(
    clippy::disallowed_methods,
    reason = "there is no runtime yet, and the threads do nothing"
)]
fn check_threads() -> Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let (sender, receiver) = std::sync::mpsc::channel::<()>();
    let receiver = std::sync::Arc::new(std::sync::Mutex::new(receiver));
    let start = |_| {
        let wait = receiver.clone();
        // It ends with an error when the sender is gone, which is all that it waits for.
        std::thread::Builder::new().spawn(move || drop(wait.lock().map(|wait| wait.recv())))
    };
    let started: std::io::Result<Vec<_>> = (0..processors + THREADS_MORE).map(start).collect();
    drop(sender);
    started.context(
        "the system lets this process start too few threads; raise its limit, such as ulimit -u or TasksMax of systemd",
    )?;
    Ok(())
}

async fn dispatch(arguments: Arguments, hidden: u32) -> Result<ExitCode> {
    let loaded = match Loaded::read(&arguments.overrides()) {
        Ok(loaded) => loaded,
        Err(error) if matches!(arguments.command, Command::Doctor) => {
            return doctor::report_configuration(&error);
        }
        Err(error) => return Err(error),
    };
    let config = &loaded.config;
    logs::start(&config.log)?;
    match arguments.command {
        Command::Serve { sandbox } => serve::run(config, &sandbox).await?,
        Command::Mcp { url } => commands::mcp::run(config, url.as_deref()).await?,
        Command::Demo { exit } => demo::run(config, exit).await?,
        Command::Import(Import::Products { file, currency, dry_run: true }) => {
            return commands::import::check(&file, currency);
        }
        Command::Import(Import::Products { file, currency, dry_run: false }) => {
            return commands::import::run(config, &file, currency).await;
        }
        Command::Export(Export::Products { file }) => {
            commands::export::run(config, &file, 0o666 & !hidden).await?;
        }
        Command::Key(Key::Create { name, scopes, expires_in }) => {
            commands::key::create(config, &name, scopes.0, expires_in).await?;
        }
        Command::Key(Key::List) => commands::key::list(config).await?,
        Command::Key(Key::Revoke { id }) => commands::key::revoke(config, id).await?,
        Command::Migrate { check: true } => commands::migrate::check(config).await?,
        Command::Migrate { check: false } => commands::migrate::run(config).await?,
        Command::Backup { file } => commands::backup::run(config, &file).await?,
        Command::Doctor => return doctor::run(&loaded).await,
        Command::Config => console::print(&loaded.show()?)?,
    }
    Ok(ExitCode::SUCCESS)
}
