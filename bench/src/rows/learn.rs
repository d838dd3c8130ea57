//! Does something at the shop while it is being watched.

use anyhow::Result;

use super::{Change, Op, Pattern, Places, Watch};
use crate::{
    client::{Client, Failed},
    scenario::buy,
    seed,
    shop::Shop,
    world::Article,
};

/// A client that no scenario has.
const CLIENT: usize = 999_999;

/// An article, and how more of it are made.
pub struct Product {
    /// The article.
    pub article: Article,
    /// Its rows.
    pub rows: Vec<Op>,
    /// Its ids.
    pub places: Places,
}

/// Puts the article with this number on the shelf. The number must be one that no text has by chance.
pub async fn product(shop: &Shop, watch: &Watch<'_>, at: usize, stock: i64) -> Result<Product> {
    let article = seed::article(shop, at, stock).await?;
    let mut pattern = Pattern::named(&at.to_string());
    let rows = pattern.rows(&watch.changes().await?)?;
    Ok(Product { article, rows, places: pattern.places().clone() })
}

/// Buys the article, and returns what that changed: all, or only what completing the checkout did.
pub async fn purchase(
    shop: &Shop,
    watch: &Watch<'_>,
    article: &Article,
    only_completion: bool,
) -> Result<Vec<Change>> {
    let world = std::sync::Arc::new(shop.world_of(article)?);
    let mut client = Client::new(world, CLIENT, 1);
    let completion = buy::prepare(&mut client).await.map_err(refused)?;
    if only_completion {
        drop(watch.changes().await?);
    }
    buy::complete(&mut client, completion).await.map_err(refused)?;
    watch.changes().await
}

fn refused(_: Failed) -> anyhow::Error {
    anyhow::anyhow!("the shop does not sell; try the scenario `flow` to see why")
}
