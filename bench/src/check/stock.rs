//! What lies on the shelves, as the staff of the shop see it.

use std::collections::HashMap;

use anyhow::{Context, Result};
use handel_domain::id::VariantId;
use serde::Deserialize;
use tokio::task::JoinSet;

use crate::shop::Shop;

const HELPERS: usize = 4;

/// The stock of a variant, location by location.
#[derive(Debug, Deserialize)]
pub struct Stock {
    items: Vec<Level>,
}

#[derive(Debug, Deserialize)]
struct Level {
    on_hand: i64,
    allocated: i64,
}

impl Stock {
    /// How many lie there.
    pub fn on_hand(&self) -> i64 {
        self.items.iter().map(|level| level.on_hand).sum()
    }

    /// How many of them are promised to orders that have not shipped.
    pub fn allocated(&self) -> i64 {
        self.items.iter().map(|level| level.allocated).sum()
    }
}

/// The stock of a variant over all locations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// How many lie there.
    pub on_hand: i64,
    /// How many of them are promised to orders that have not shipped.
    pub allocated: i64,
    /// How many this program put there; none if some lay there before.
    pub seeded: Option<i64>,
}

/// Reads the stock of everything that this program sells.
pub async fn read(shop: &Shop) -> Result<HashMap<VariantId, Shelf>> {
    let articles = &shop.goods.articles;
    let share = articles.len().div_ceil(HELPERS).max(1);
    let mut helpers = JoinSet::new();
    for (helper, articles) in articles.chunks(share).enumerate() {
        let (mut admin, articles) = (shop.admin(helper), articles.to_vec());
        helpers.spawn(async move {
            let mut shelves = Vec::with_capacity(articles.len());
            for article in articles {
                let path = format!("/admin/stock/{}", article.variant_id);
                let stock: Stock = admin.get(&path).await?;
                let (on_hand, allocated) = (stock.on_hand(), stock.allocated());
                let shelf = Shelf { on_hand, allocated, seeded: article.seeded };
                shelves.push((article.variant_id, shelf));
            }
            Ok::<_, anyhow::Error>(shelves)
        });
    }
    let mut all = HashMap::with_capacity(articles.len());
    while let Some(shelves) = helpers.join_next().await {
        all.extend(shelves?.context("cannot read the stock")?);
    }
    Ok(all)
}
