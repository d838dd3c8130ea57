//! `conformance`: what others wrote to test a protocol, against the real program on a fresh shop.
//!
//! The kits are not part of this repository. One that is not on this machine and cannot be installed is skipped, and that
//! is said.

mod clients;
mod mcp;
mod spck;
mod ucp_compat;

use anyhow::Result;
use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    kit: Kit,
}

#[derive(Debug, Subcommand)]
enum Kit {
    /// The official UCP suite for 2026-01-11, against the sandbox.
    ///
    /// Needs a checkout of github.com/Universal-Commerce-Protocol/conformance at commit fdced3a, named by
    /// `UCP_SUITE`, and Python.
    UcpCompat(ucp_compat::Options),
    /// The official kit of the Model Context Protocol, on its fixtures and on a shop.
    ///
    /// Needs npm; the kit comes from there, and Node too where it is too old.
    Mcp,
    /// The kit spck-conformance for UCP 2026-08-25, 2026-04-08 and 2026-01-23.
    ///
    /// Needs Python; the kit comes from PyPI.
    Spck(spck::Options),
    /// The libraries that programs are written with read the shop and buy in it.
    ///
    /// Needs Python; the libraries come from PyPI, and the inspector of the Model Context Protocol from npm.
    Clients,
}

/// Runs a kit, and fails if one of its tests does.
pub fn run(options: &Options) -> Result<()> {
    match &options.kit {
        Kit::UcpCompat(options) => ucp_compat::run(options),
        Kit::Mcp => mcp::run(),
        Kit::Spck(options) => spck::run(options),
        Kit::Clients => clients::run(),
    }
}
