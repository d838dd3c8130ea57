//! The shop under test: servers of our own or a running one, with goods on its shelves.

use std::{
    net::{SocketAddr, ToSocketAddrs as _},
    path::PathBuf,
    sync::Arc,
};

use anyhow::{Context, Result};
use http::HeaderValue;

use crate::{
    cli::TargetOptions,
    http::Admin,
    seed,
    server::{Fleet, Spec},
    world::{Article, Goods, World},
};

/// A shop that can be bought from and examined.
#[derive(Debug)]
pub struct Shop {
    /// The servers that belong to this run; none where the shop was running before.
    pub fleet: Option<Fleet>,
    /// What is for sale.
    pub goods: Goods,
    /// Whether nobody ever bought here before.
    pub is_fresh: bool,
    running: Vec<SocketAddr>,
    ledger: Option<PathBuf>,
    authorization: HeaderValue,
    articles_max: usize,
    seed: u64,
}

impl Shop {
    /// Starts servers, or finds the running one, and puts goods on the shelves.
    pub async fn open(options: &TargetOptions) -> Result<Self> {
        let (fleet, running, key, ledger) = match &options.url {
            Some(url) => {
                let key = options.key.clone().context("--url needs --key")?;
                (None, addresses_of(url)?, key, options.ledger.clone())
            }
            None => {
                let (fleet, key) = Fleet::start(&spec(options)?).await?;
                let ledger = Some(fleet.ledger());
                (Some(fleet), Vec::new(), key, ledger)
            }
        };
        let mut authorization = HeaderValue::try_from(format!("Bearer {key}"))?;
        authorization.set_sensitive(true);
        let is_fresh = fleet.is_some();
        let mut shop = Self {
            fleet,
            goods: Goods::default(),
            is_fresh,
            running,
            ledger,
            authorization,
            articles_max: options.skus.unwrap_or(usize::MAX),
            seed: options.seed.unwrap_or_else(rand::random),
        };
        match seed::seed(&shop, options.products, options.stock).await {
            Ok(goods) => shop.goods = goods,
            Err(error) => {
                // Why the shop cannot be stocked matters more than how it ended.
                drop(shop.close().await);
                return Err(error);
            }
        }
        Ok(shop)
    }

    /// Where its processes listen at the moment.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.fleet.as_ref().map_or_else(|| self.running.clone(), Fleet::addresses)
    }

    /// A connection for staff. Several are spread over the processes.
    pub fn admin(&self, at: usize) -> Admin {
        let addresses = self.addresses();
        Admin::new(addresses[at % addresses.len()], self.authorization.clone())
    }

    /// The file in which the test provider keeps its books, if it is known.
    pub fn ledger(&self) -> Option<&PathBuf> {
        self.ledger.as_ref()
    }

    /// What the clients of the next run share.
    pub fn world(&self) -> Result<Arc<World>> {
        let world = World::new(self.addresses(), &self.goods, self.articles_max, self.seed);
        world.map(Arc::new)
    }

    /// The same where everybody buys one article.
    pub fn world_of(&self, article: &Article) -> Result<World> {
        let goods = Goods { articles: vec![article.clone()], ..self.goods.clone() };
        World::new(self.addresses(), &goods, 1, self.seed)
    }

    /// Stops the servers that belong to this run.
    pub async fn close(self) -> Result<()> {
        match self.fleet {
            Some(fleet) => fleet.stop().await,
            None => Ok(()),
        }
    }
}

fn spec(options: &TargetOptions) -> Result<Spec> {
    let program = match &options.server {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("handel"),
    };
    Ok(Spec {
        // Servers run in a directory of their own.
        program: std::path::absolute(program)?,
        parent: options.directory.clone(),
        ledger_parent: options.provider_directory.clone(),
        keep: options.keep,
        postgres: options.postgres.clone(),
        processes: options.processes,
    })
}

/// The addresses of one or several servers, separated by commas.
fn addresses_of(urls: &str) -> Result<Vec<SocketAddr>> {
    urls.split(',').map(address_of).collect()
}

fn address_of(url: &str) -> Result<SocketAddr> {
    let rest = url.trim().strip_prefix("http://");
    let host = rest.context("--url takes addresses that begin with http://")?;
    let host = host.trim_end_matches('/');
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let mut found = host.to_socket_addrs().with_context(|| format!("cannot find {host}"))?;
    found.next().with_context(|| format!("{host} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_found_by_their_addresses() {
        let found = addresses_of("http://127.0.0.1:8080/,http://127.0.0.1").unwrap();
        assert_eq!(found, ["127.0.0.1:8080".parse().unwrap(), "127.0.0.1:80".parse().unwrap()]);
        addresses_of("https://127.0.0.1").unwrap_err();
    }
}
