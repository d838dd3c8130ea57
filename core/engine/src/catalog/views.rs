//! A product as a shopper sees it: in one channel, with prices and what can be bought now.

use std::{collections::HashMap, sync::Arc};

use handel_domain::{
    catalog::{Category, Product, ProductStatus, Variant},
    channel::Channel,
    id::{ProductId, VariantId},
};
use handel_store::{Transaction, Value, statements, values};
use serde::{Deserialize, Serialize};

use super::{ProductKey, available, product, sql};
use crate::{Context, Engine, Error, Scope, channel::Which, stock};

statements! {
    CATEGORIES = "
        select c.id, c.parent_id, c.slug, c.name, c.description, c.position, c.version, c.created_at, c.updated_at,
               pc.product_id
          from product_categories pc
          join categories c on c.tenant_id = pc.tenant_id and c.id = pc.category_id
         where pc.tenant_id = $1 and pc.product_id in list($2) order by pc.product_id, c.position, c.name, c.id";
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
    /// Whether it can be bought, and whether it is there already.
    pub supply: Supply,
}

/// Whether something can be bought now, if it has a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supply {
    /// It is on hand, or is not counted.
    InStock,
    /// None is on hand, but it can be bought: it is sent when there is some.
    OnOrder,
    /// It cannot be bought.
    SoldOut,
}

impl Supply {
    fn of(is_tracked: bool, available: Option<i64>, on_hand: i64) -> Self {
        match available {
            _ if !is_tracked => Self::InStock,
            Some(count) if count <= 0 => Self::SoldOut,
            _ if on_hand <= 0 => Self::OnOrder,
            _ => Self::InStock,
        }
    }

    /// Whether some can be bought.
    pub fn can_be_bought(self) -> bool {
        self != Self::SoldOut
    }
}

impl Engine {
    /// A product for shoppers. Drafts and archived products are there only for staff.
    pub async fn view_product(&self, ctx: &Context, key: ProductKey) -> Result<ProductView, Error> {
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let channel = engine.channel(tx, ctx.tenant_id, Which::from(&ctx)).await?;
                let id = product::resolve(tx, ctx.tenant_id, &key).await?;
                let views = engine.views_of(tx, &ctx, &channel, vec![id]).await?;
                Ok::<_, Error>(views.into_iter().next().ok_or_else(product::unknown)?)
            })
            .await
    }

    /// Products as the caller may see them, in no particular order; what they may not see is left out. Two
    /// round trips, however many there are.
    pub(super) async fn views_of(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        channel: &Arc<Channel>,
        ids: Vec<ProductId>,
    ) -> Result<Vec<ProductView>, Error> {
        let tenant_id = ctx.tenant_id;
        let mut products = sql::load(tx, tenant_id, ids).await?;
        products.retain(|product| {
            product.status == ProductStatus::Active || ctx.allows(Scope::CatalogRead)
        });
        if products.is_empty() {
            return Ok(Vec::new());
        }
        let of_products: Value = products.iter().map(|product| product.id).collect();
        let variants = products.iter().flat_map(|product| &product.variants);
        let of_variants: Value = variants.map(|variant| variant.id).collect();
        let rows = tx
            .rows_all(vec![
                stock::levels_of(tenant_id, of_variants),
                CATEGORIES.bind(values![tenant_id, of_products]),
            ])
            .await?;
        let now = self.system().now();
        let levels = stock::read_levels(tx, tenant_id, &rows[0], None, now).await?;
        let sums = available(&levels);
        let levels = crate::group_by(levels.into_iter().map(|level| (level.variant_id, level)));
        let mut categories: HashMap<ProductId, Vec<Category>> = HashMap::new();
        for row in &rows[1] {
            let category = super::category::read(row)?;
            categories.entry(row.get(9)?).or_default().push(category);
        }
        let availability = |variant: &Variant| {
            let here = levels.get(&variant.id).map(Vec::as_slice).unwrap_or_default();
            let sum = sums.get(&variant.id).copied().unwrap_or(0);
            let available = Some(sum).filter(|sum| variant.tracked && *sum < i64::MAX);
            let on_hand = here.iter().map(|level| level.in_stock().max(0)).sum();
            VariantAvailability {
                variant_id: variant.id,
                available,
                supply: Supply::of(variant.tracked, available, on_hand),
            }
        };
        let view = |product: Product| ProductView {
            availability: product.variants.iter().map(availability).collect(),
            categories: categories.remove(&product.id).unwrap_or_default(),
            channel: Arc::clone(channel),
            product,
        };
        Ok(products.into_iter().map(view).collect())
    }
}
