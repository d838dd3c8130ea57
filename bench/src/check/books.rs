//! The orders of the shop, as its staff see them.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context, Result};
use handel_domain::{
    id::{CheckoutId, OrderId, VariantId},
    order::Status,
};
use serde::Deserialize;
use tokio::task::JoinSet;

use super::Depth;
use crate::{http::Admin, shop::Shop};

/// How many connections fetch the lines of orders.
const HELPERS: usize = 4;
/// How many orders are looked at closely when not all are.
const SAMPLE: usize = 1_000;

/// An order.
#[derive(Clone, Debug)]
pub struct Order {
    /// How far it has come.
    pub status: Status,
    /// What the buyer pays, in minor units.
    pub total_minor: i64,
    /// What was not fetched for every order.
    pub details: Option<Arc<Details>>,
}

/// What must be asked for order by order.
#[derive(Debug, Deserialize)]
pub struct Details {
    /// The checkout that it was made from.
    pub checkout_id: CheckoutId,
    /// What was bought.
    pub lines: Vec<Line>,
}

/// A line of an order.
#[derive(Debug, Deserialize)]
pub struct Line {
    /// What was bought.
    pub variant_id: VariantId,
    /// How many.
    pub quantity: i64,
    /// How many of them were canceled.
    #[serde(default)]
    pub canceled: i64,
    /// How many of them have shipped.
    #[serde(default)]
    pub shipped: i64,
}

/// The orders of a shop. What was fetched before is not fetched again unless the order has moved on.
#[derive(Debug, Default)]
pub struct Books(HashMap<OrderId, Order>);

#[derive(Deserialize)]
struct OrderPage {
    items: Vec<Summary>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Summary {
    id: OrderId,
    status: Status,
    total_minor: i64,
}

impl Books {
    /// The orders.
    pub fn orders(&self) -> &HashMap<OrderId, Order> {
        &self.0
    }

    /// Reads all orders, and the lines of as many as are asked for.
    pub async fn refresh(&mut self, shop: &Shop, depth: Depth) -> Result<()> {
        let found = list(&mut shop.admin(0)).await.context("cannot list the orders")?;
        let before = std::mem::take(&mut self.0);
        for Summary { id, status, total_minor } in found {
            let known = before.get(&id).filter(|known| known.status == status);
            let details = known.and_then(|known| known.details.clone());
            self.0.insert(id, Order { status, total_minor, details });
        }
        let missing = self.0.iter().filter(|(_, order)| order.details.is_none());
        let missing: Vec<OrderId> = missing.map(|(id, _)| *id).collect();
        let wanted = match depth {
            Depth::Full => missing,
            // The order of a map is as good as a dice.
            Depth::Sample => missing.into_iter().take(SAMPLE).collect(),
            Depth::Off => Vec::new(),
        };
        for (id, details) in fetch(shop, wanted).await? {
            if let Some(order) = self.0.get_mut(&id) {
                order.details = Some(Arc::new(details));
            }
        }
        Ok(())
    }
}

/// A page names the one that follows, so this part cannot be spread over connections.
async fn list(admin: &mut Admin) -> Result<Vec<Summary>> {
    let mut orders = Vec::new();
    let mut path = "/admin/orders?limit=100".to_owned();
    loop {
        let page: OrderPage = admin.get(&path).await?;
        orders.extend(page.items);
        let Some(cursor) = page.next_cursor else { return Ok(orders) };
        path = format!("/admin/orders?limit=100&cursor={cursor}");
    }
}

async fn fetch(shop: &Shop, wanted: Vec<OrderId>) -> Result<Vec<(OrderId, Details)>> {
    let share = wanted.len().div_ceil(HELPERS).max(1);
    let mut helpers = JoinSet::new();
    for (helper, ids) in wanted.chunks(share).enumerate() {
        let (mut admin, ids) = (shop.admin(helper), ids.to_vec());
        helpers.spawn(async move {
            let mut fetched = Vec::with_capacity(ids.len());
            for id in ids {
                fetched.push((id, admin.get(&format!("/admin/orders/{id}")).await?));
            }
            Ok::<_, anyhow::Error>(fetched)
        });
    }
    let mut all = Vec::with_capacity(wanted.len());
    while let Some(fetched) = helpers.join_next().await {
        all.extend(fetched??);
    }
    Ok(all)
}
