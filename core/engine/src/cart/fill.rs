//! Fills a cart with exactly what is wanted.

use std::collections::HashMap;

use handel_domain::{
    basket::{Wanted, unknown_variants},
    cart::{Cart, check_lines},
    checkout::Buyer,
    id::{LineId, LineKind, TenantId, VariantId},
    promotion::checked_codes,
    text::Sku,
};
use handel_store::{Transaction, Value, statements, values};
use jiff::Timestamp;

use crate::{
    Engine, Error, StockKey,
    channel::Market,
    pricing::{Prices, Purchase},
};

statements! {
    VARIANTS_BY_SKU = "select sku, id from variants where tenant_id = $1 and sku in list($2) and not deleted";
}

/// All that a cart is to hold. What is not in it goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basket {
    /// The items in the order of their lines.
    pub items: Vec<WantedItem>,
    /// The codes that the buyer entered.
    pub codes: Vec<String>,
}

/// What a cart is filled with, for whom, and where.
#[derive(Clone, Copy)]
pub(crate) struct Fill<'a> {
    /// What it is to hold.
    pub(crate) basket: &'a Basket,
    /// The buyer, as far as known.
    pub(crate) buyer: &'a Buyer,
    /// The channel of the cart.
    pub(crate) market: &'a Market,
}

/// An item that a cart is to hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedItem {
    /// The line that it is now, if it is one; else a line with the same goods keeps its id.
    pub line_id: Option<LineId>,
    /// What is bought.
    pub variant: StockKey,
    /// How many; at least one.
    pub quantity: i64,
    /// What is attached, such as an engraving.
    pub custom: HashMap<String, String>,
}

impl Engine {
    /// Makes a cart hold exactly what is wanted, and returns what the shop says of it. More than there is in
    /// stock is not refused: views show it, and nobody can order it. Two round trips at most.
    pub(crate) async fn fill_cart(
        &self,
        tx: &mut Transaction<'_>,
        tenant_id: TenantId,
        cart: &mut Cart,
        fill: Fill<'_>,
        now: Timestamp,
    ) -> Result<Prices, Error> {
        let Fill { basket, buyer, market } = fill;
        let settings = &market.channel.settings;
        cart.check_open(now)?;
        check_lines(basket.items.len(), settings)?;
        let codes = checked_codes(&basket.codes)?;
        let variants = resolve(tx, tenant_id, &basket.items).await?;
        let mut ids = variants.clone();
        ids.sort_unstable();
        ids.dedup();
        let purchase = Purchase { lines: &cart.lines, codes: &codes, buyer };
        let prices = Prices::read(tx, tenant_id, market, &ids, purchase, cart.id, now).await?;
        let wanted = basket.items.iter().zip(variants).map(|(item, variant_id)| Wanted {
            line_id: item.line_id,
            new_id: self.system().mint::<LineKind>(now),
            variant_id,
            quantity: item.quantity,
            custom: item.custom.clone(),
            unit_price_minor: prices
                .offers
                .get(&variant_id)
                .and_then(|offer| offer.unit_price_minor),
        });
        cart.replace(wanted.collect(), settings, now)?;
        cart.codes = codes;
        Ok(prices)
    }
}

/// The variant of each item. SKUs are looked up together.
async fn resolve(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    items: &[WantedItem],
) -> Result<Vec<VariantId>, Error> {
    let skus: Vec<String> = items
        .iter()
        .filter_map(|item| match &item.variant {
            StockKey::Sku(sku) => Some(sku.as_str().to_owned()),
            StockKey::Id(_) => None,
        })
        .collect();
    let mut by_sku: HashMap<Sku, VariantId> = HashMap::new();
    if !skus.is_empty() {
        for row in tx.rows(VARIANTS_BY_SKU.bind(values![tenant_id, Value::from(skus)])).await? {
            by_sku.insert(row.get(0)?, row.get(1)?);
        }
    }
    let found: Vec<Option<VariantId>> = items
        .iter()
        .map(|item| match &item.variant {
            StockKey::Id(id) => Some(*id),
            StockKey::Sku(sku) => by_sku.get(sku).copied(),
        })
        .collect();
    let unknown: Vec<usize> =
        found.iter().enumerate().filter(|(_, id)| id.is_none()).map(|(at, _)| at).collect();
    match unknown.is_empty() {
        true => Ok(found.into_iter().flatten().collect()),
        false => Err(unknown_variants(&unknown).into()),
    }
}
