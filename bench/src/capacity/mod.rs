//! A shop that has been in business for years: how soon it starts, how much memory it takes, and how fast it is.
//!
//! Nobody waits for a million purchases. A few are made at the shop, and their rows are written many times.

mod fill;

use std::{
    fs,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use tokio::time;

use crate::{
    cli::{CapacityOptions, TargetOptions},
    load::{self, Outcome, Plan},
    report::{Latency, Run, rounded},
    rows::Database,
    scenario::Scenario,
    server::{Fleet, Store},
    shop::Shop,
};

pub use fill::Mold;

/// A server that was just started gets so long to come to rest.
const REST: Duration = Duration::from_secs(2);
const WARMUP: Duration = Duration::from_millis(500);

/// A shop of some size.
#[derive(Debug, Serialize)]
pub struct Capacity {
    /// Orders that were there before the load.
    pub orders: i64,
    /// Products that are for sale.
    pub products: usize,
    /// How large the database is, in megabytes.
    pub database_mb: u64,
    /// From the start of the process until it is ready, in milliseconds.
    pub ready_ms: f64,
    /// What the server keeps in memory when nothing happens, in megabytes.
    pub idle_memory_mb: Option<u64>,
    /// The same after the load.
    pub loaded_memory_mb: Option<u64>,
    /// Purchases per second.
    pub flows_per_second: f64,
    /// How long they took.
    pub flow: Latency,
    /// Looks per second: a list or two and a product page.
    pub browses_per_second: f64,
    /// How long they took.
    pub browse: Latency,
}

/// The options for a shop that has one product, because the others are written later.
pub fn opening(target: &TargetOptions) -> Result<TargetOptions> {
    if target.url.is_some() {
        bail!("a running shop is not filled; leave --url out");
    }
    ensure!(target.processes == 1, "the start of one server is measured; leave --processes out");
    let skus = target.skus.unwrap_or(1_000).min(target.products);
    Ok(TargetOptions { products: 1, skus: Some(skus), ..target.clone() })
}

/// Fills the shop with products, and stops it.
pub async fn prepare(shop: &mut Shop, target: &TargetOptions) -> Result<Mold> {
    let skus = target.skus.unwrap_or(1_000).min(target.products);
    let mold = Mold::learn(shop, target.products, skus, target.stock).await?;
    fleet(shop)?.pause().await?;
    let database = Database::open(&fleet(shop)?.store()).await?;
    mold.fill_products(&database).await?;
    shop.goods.articles = mold.articles()?;
    Ok(mold)
}

/// Fills the shop with orders up to so many, starts it, and puts load on it. It goes on running.
pub async fn measure(
    shop: &mut Shop,
    mold: &mut Mold,
    orders: i64,
    options: &CapacityOptions,
) -> Result<(Capacity, [(Run, Outcome); 2])> {
    let store = fleet(shop)?.store();
    let ledger = shop.ledger().context("the shop has no ledger")?.clone();
    let database = Database::open(&store).await?;
    mold.fill_orders(&database, &ledger, orders).await?;
    let database_mb = size_mb(&database, &store).await?;
    drop(database);
    fleet(shop)?.resume().await?;
    let ready = fleet(shop)?.ready_after(0);
    time::sleep(REST).await;
    let idle_memory_mb = fleet(shop)?.memory_mb();
    let flow = run(shop, "flow", Scenario::Flow, options).await?;
    let browse = run(shop, "browse", Scenario::Browse, options).await?;
    let capacity = Capacity {
        orders,
        products: options.common.target.products,
        database_mb,
        ready_ms: milliseconds(ready),
        idle_memory_mb,
        loaded_memory_mb: fleet(shop)?.memory_mb(),
        flows_per_second: flow.0.iterations_per_second,
        flow: flow.0.iteration,
        browses_per_second: browse.0.iterations_per_second,
        browse: browse.0.iteration,
    };
    Ok((capacity, [flow, browse]))
}

async fn run(
    shop: &Shop,
    name: &str,
    scenario: Scenario,
    options: &CapacityOptions,
) -> Result<(Run, Outcome)> {
    let plan = Plan {
        clients: options.clients,
        warmup: WARMUP,
        measured: Duration::from_secs(options.seconds),
        stop: Arc::new(AtomicBool::new(false)),
        window: None,
    };
    let outcome = load::run(scenario, &shop.world()?, &plan).await;
    Ok((Run::new(name, options.clients, &outcome), outcome))
}

/// The servers, which are this run's own.
pub fn fleet(shop: &mut Shop) -> Result<&mut Fleet> {
    shop.fleet.as_mut().context("only a server of our own can be stopped")
}

async fn size_mb(database: &Database, store: &Store) -> Result<u64> {
    let bytes = match store {
        Store::Sqlite(path) => fs::metadata(path)?.len(),
        Store::Postgres(_) => {
            let rows = database.texts("select pg_database_size(current_database())").await?;
            rows.first().and_then(|row| row.first()?.parse().ok()).context("no size")?
        }
    };
    Ok(bytes / (1 << 20))
}

#[expect(clippy::float_arithmetic, reason = "times are shown in milliseconds with decimals")]
fn milliseconds(time: Duration) -> f64 {
    rounded(time.as_secs_f64() * 1_000.0)
}
