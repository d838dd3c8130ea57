//! A closed-loop load generator that meets a shop over the wire, as any client does, and checks afterwards
//! that the shop kept its promises.

#![expect(
    clippy::disallowed_methods,
    reason = "a load generator measures real time, with real tasks and real chance"
)]
#![expect(clippy::print_stdout, reason = "the tables are the output")]

mod capacity;
mod check;
mod cli;
mod client;
mod compare;
mod flash;
mod http;
mod kill;
mod load;
mod open;
mod overload;
mod place;
mod plot;
mod report;
mod rows;
mod run;
mod scenario;
mod seed;
mod selftest;
mod series;
mod server;
mod shop;
mod stats;
mod world;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;
use tokio::runtime;

use cli::{Cli, Command};

/// A promise was broken.
const BROKEN: u8 = 1;
/// The run could not be made.
const FAILED: u8 = 2;

fn main() -> ExitCode {
    match measure(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(BROKEN),
        Err(error) => {
            eprintln!("handel-bench: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}

/// Returns whether every promise was kept.
fn measure(cli: &Cli) -> Result<bool> {
    let Some(output) = cli.command.output() else {
        return draw(&cli.command).map(|()| true);
    };
    let runtime =
        runtime::Builder::new_multi_thread().worker_threads(output.threads).enable_all().build()?;
    let report = runtime.block_on(run::run(&cli.command))?;
    report::print(&report);
    if let Some(path) = &output.json {
        report.save(path)?;
    }
    Ok(report.holds)
}

fn draw(command: &Command) -> Result<()> {
    let Command::Plot(plot) = command else { return Ok(()) };
    let out = plot.out.clone().unwrap_or_else(|| plot.series.with_extension("svg"));
    plot::run(&plot.series, &out)?;
    println!("{}", out.display());
    Ok(())
}
