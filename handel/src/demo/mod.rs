//! `handel demo`: a shop with goods and prices, a buyer and an agent who shop in it, and then time to look around.

mod agent;
mod buyer;
pub mod catalog;
pub mod load;
mod transcript;

use anyhow::{Context as _, Result};

use crate::{
    config::Config,
    console,
    serve::{Bound, Open},
    wiring::Shop,
};

/// Opens a shop with the demo's goods, lets the buyer and the agent shop in it, and serves on until it is told to stop.
/// With `exit` it ends after them, and fails if anything was not as it should be.
pub async fn run(config: &Config, exit: bool) -> Result<()> {
    let mut config = config.clone();
    config.server.shop_name.get_or_insert_with(|| catalog::SHOP_NAME.to_owned());
    let config = &config;
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
    let shopped = shop_in(&open).await;
    if exit || shopped.is_err() {
        open.close().await?;
        return shopped;
    }
    console::print(&what_next(&open.local_url))?;
    open.told_to_stop().await;
    open.close().await
}

async fn shop_in(open: &Open) -> Result<()> {
    let mut transcript = transcript::Transcript::default();
    let bought = buyer::run(open, &mut transcript).await;
    let bought = bought.context("the buyer did not get through")?;
    let agent = agent::run(open, &bought, &mut transcript).await;
    agent.context("the agent did not get through")
}

fn what_next(url: &str) -> String {
    format!(
        "\nThe shop stays open. Try:\n  \
         {url}/                                   the shop, in your browser\n  \
         {url}/docs                               the interface, to read and to try\n  \
         {url}/.well-known/ucp                    how agents find out about the shop\n  \
         curl '{url}/api/v1/products?limit=3'     what is for sale\n  \
         curl -X POST {url}/api/v1/cart/items -H 'Content-Type: application/json' -d '{{\"sku\": \"COF-NGT-WB\"}}'\n  \
         {url}/metrics                            what is counted\n\
         Stop it with Ctrl-C; what was sold stays in the data directory.\n"
    )
}
