//! A product as a shopper sees it: in one channel, with prices and what can be bought now.

use std::sync::Arc;

use handel_domain::{
    catalog::{Category, Product, ProductStatus},
    channel::Channel,
    id::VariantId,
};
use handel_store::{Transaction, Value, statements, values};
use serde::{Deserialize, Serialize};

use super::{ProductKey, available, product, sql};
use crate::{Context, Engine, Error, Scope, channel::Which, stock};

statements! {
    CATEGORIES = "
        select c.id, c.parent_id, c.slug, c.name, c.description, c.position, c.version, c.created_at, c.updated_at
          from product_categories pc
          join categories c on c.tenant_id = pc.tenant_id and c.id = pc.category_id
         where pc.tenant_id = $1 and pc.product_id = $2 order by c.position, c.name, c.id";
}

/// A product in one channel.
#[derive(Clone, Debug)]
pub struct ProductView {
    /// The product.
    pub product: Product,
    /// Its categories.
    pub categories: Vec<Category>,
    /// The channel whose currency the prices are shown in.
    pub channel: Arc<Channel>,
    /// What can be bought of each variant.
    pub availability: Vec<VariantAvailability>,
}

/// What can be bought of a variant now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantAvailability {
    /// The variant.
    pub variant_id: VariantId,
    /// How many can be bought; none where that has no limit.
    pub available: Option<i64>,
    /// How many of them are on hand.
    pub in_stock: i64,
}

impl Engine {
    /// A product for shoppers. Drafts and archived products are there only for staff.
    pub async fn view_product(&self, ctx: &Context, key: ProductKey) -> Result<ProductView, Error> {
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let channel = engine.channel(tx, ctx.tenant_id, Which::from(&ctx)).await?;
                let id = product::resolve(tx, ctx.tenant_id, &key).await?;
                let found = sql::load(tx, ctx.tenant_id, vec![id])
                    .await?
                    .pop()
                    .ok_or_else(product::unknown)?;
                if found.status != ProductStatus::Active && !ctx.allows(Scope::CatalogRead) {
                    return Err(product::unknown().into());
                }
                let ids: Value = found.variants.iter().map(|variant| variant.id).collect();
                let rows = tx
                    .rows_all(vec![
                        stock::levels_of(ctx.tenant_id, ids),
                        CATEGORIES.bind(values![ctx.tenant_id, id]),
                    ])
                    .await?;
                let levels =
                    stock::read_levels(tx, ctx.tenant_id, &rows[0], None, engine.system().now())
                        .await?;
                let categories =
                    rows[1].iter().map(super::category::read).collect::<Result<_, _>>()?;
                let sums = available(&levels);
                let availability = found.variants.iter().map(|variant| {
                    let here = levels.iter().filter(|level| level.variant_id == variant.id);
                    let sum = sums.get(&variant.id).copied().unwrap_or(0);
                    VariantAvailability {
                        variant_id: variant.id,
                        available: Some(sum).filter(|sum| variant.tracked && *sum < i64::MAX),
                        in_stock: here.map(|level| level.in_stock().max(0)).sum(),
                    }
                });
                Ok::<_, Error>(ProductView {
                    availability: availability.collect(),
                    product: found,
                    categories,
                    channel,
                })
            })
            .await
    }
}
