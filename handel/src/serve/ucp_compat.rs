//! The sandbox for the conformance suite of UCP 2026-01-11, on a port of its own.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use handel_kit::{Door, Server, layered};
use handel_ports::{Secret, System};
use handel_ucp_compat::{CompatSettings, Customers, VERSION};

use super::{Open, door_settings, reachable, server_settings};
use crate::{config::Config, console};

/// A sandbox for the conformance suite of an old version of UCP. Not for real buyers.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "UCP sandbox (not for real buyers)")]
pub struct Options {
    /// Run the sandbox too, for this version of the protocol: 2026-01-11.
    #[arg(long, value_name = "VERSION")]
    ucp_compat: Option<String>,
    /// Address and port of the sandbox; a loopback address [default: 127.0.0.1:8183].
    #[arg(long, value_name = "ADDR:PORT", requires = "ucp_compat")]
    ucp_compat_listen: Option<SocketAddr>,
    /// Directory with the test customers, customers.csv and addresses.csv.
    #[arg(long, value_name = "DIR", requires = "ucp_compat")]
    ucp_compat_data: Option<PathBuf>,
    /// What must be known to simulate shipping; nobody can if it is left out.
    #[arg(long, value_name = "SECRET", requires = "ucp_compat", value_parser = secret)]
    ucp_compat_secret: Option<Secret<String>>,
}

fn secret(text: &str) -> Result<Secret<String>, String> {
    match text.is_empty() {
        true => Err("must not be empty".to_owned()),
        false => Ok(Secret::new(text.to_owned())),
    }
}

/// A sandbox that has its address, and is not open yet.
pub struct Sandbox {
    server: Server,
    base_url: String,
    customers: Customers,
    secret: Option<Secret<String>>,
}

impl Options {
    /// Takes the address of the sandbox, if there is to be one, and makes the settings of the process fit:
    /// platforms of the suite are on this machine.
    pub async fn prepare(&self, config: &mut Config) -> Result<Option<Sandbox>> {
        let Some(version) = &self.ucp_compat else { return Ok(None) };
        if version != VERSION {
            bail!("there is a sandbox for UCP {VERSION} and for no other version");
        }
        ensure!(config.has_test_payments(), "the UCP sandbox needs the test payments");
        let listen = self.ucp_compat_listen.unwrap_or_else(|| ([127, 0, 0, 1], 8183).into());
        ensure!(
            listen.ip().is_loopback(),
            "the UCP sandbox gives addresses away, so it listens on loopback addresses only"
        );
        let customers = match &self.ucp_compat_data {
            Some(directory) => Customers::read(directory).context("the test customers")?,
            None => Customers::default(),
        };
        let server = Server::bind(listen, server_settings(&config.server), System::real()).await;
        let server = server.with_context(|| format!("cannot listen on {listen}"))?;
        let address = server.address().context("the address of the sandbox is unknown")?;
        config.outbound.allow_loopback = true;
        Ok(Some(Sandbox {
            server,
            base_url: format!("http://{}", reachable(address)),
            customers,
            secret: self.ucp_compat_secret.clone(),
        }))
    }
}

impl Sandbox {
    /// Opens it beside the doors of the shop.
    pub fn open(self, open: &Open, config: &Config) -> Result<()> {
        let Self { server, base_url, customers, secret } = self;
        let shown = format!("  {:<10}UCP {VERSION} at {base_url} (not for real buyers)", "sandbox");
        tracing::warn!("the UCP sandbox is open; it gives addresses of test customers away");
        let settings = CompatSettings {
            base_url,
            customers,
            simulation_secret: secret,
            web: Arc::clone(&open.shop.web),
        };
        let shop = &open.shop;
        let limits = door_settings(&config.server, &open.public_url);
        let door =
            Door::new(shop.engine.clone(), shop.system.clone(), shop.metrics.clone(), limits);
        let routes = layered(&door, handel_ucp_compat::router(&door, settings));
        open.serve_beside(server, routes);
        console::line(&shown)
    }
}
