//! `handel demo`: a shop with goods and prices, a buyer who shops in it, and then time to look around.

mod buyer;
pub mod catalog;
pub mod load;

use anyhow::{Context as _, Result};

use crate::{
    config::Config,
    console,
    serve::{Bound, Open},
    wiring::Shop,
};

/// Opens a shop with the demo's goods, lets the buyer shop in it, and serves on until it is told to stop.
/// With `exit` it ends after the buyer, and fails if anything was not as it should be.
pub async fn run(config: &Config, exit: bool) -> Result<()> {
    let bound = Bound::new(config).await?;
    let shop = Shop::open(config, &bound.public_url).await?;
    let loaded = load::load(&shop).await?;
    let mut open = Open::start(config, bound, shop)?;
    console::line(&format!(
        "{}: {} products and {} categories are new in this shop",
        catalog::SHOP_NAME,
        loaded.products,
        loaded.categories
    ))?;
    open.announce(config)?;
    let shopped = buyer::run(&open).await;
    if exit || shopped.is_err() {
        open.close().await?;
        return shopped.context("the buyer did not get through");
    }
    console::print(&what_next(&open.local_url))?;
    open.told_to_stop().await;
    open.close().await
}

fn what_next(url: &str) -> String {
    format!(
        "\nThe shop stays open. Try:\n  \
         {url}/docs                               the interface, to read and to try\n  \
         curl '{url}/api/v1/products?limit=3'     what is for sale\n  \
         curl -X POST {url}/api/v1/cart/items -H 'Content-Type: application/json' -d '{{\"sku\": \"COF-NGT-WB\"}}'\n  \
         {url}/metrics                            what is counted\n\
         Stop it with Ctrl-C; what was sold stays in the data directory.\n"
    )
}
