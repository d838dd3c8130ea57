//! Finds many products at once, by whatever name a program has for them.

use std::{collections::HashMap, str::FromStr};

use handel_domain::{
    Code, Refusal,
    id::{ProductId, VariantId},
    text::{Sku, Slug},
};
use handel_store::{Bound, Row, StoreError, Transaction, Value, statements, values};

use super::views::ProductView;
use crate::{Context, Engine, Error, ListProducts, Page, channel::Which};

statements! {
    BY_VARIANT = "
        select id, product_id from variants where tenant_id = $1 and id in list($2) and not deleted";
    BY_SKU = "
        select sku, id, product_id from variants where tenant_id = $1 and sku in list($2) and not deleted";
    BY_SLUG = "select slug, id from products where tenant_id = $1 and slug in list($2)";
}

/// How a program names a product or a variant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CatalogKey {
    /// A product by its id.
    Product(ProductId),
    /// A variant by its id.
    Variant(VariantId),
    /// Anything else: a variant by its SKU, or else a product by its slug.
    Name(String),
}

impl FromStr for CatalogKey {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let variant = || text.parse().map(Self::Variant).ok();
        let found = text.parse().map(Self::Product).ok().or_else(variant);
        Ok(found.unwrap_or_else(|| Self::Name(text.to_owned())))
    }
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct ProductLookup {
    /// The products, each once, in the order in which the keys name them first.
    pub products: Vec<ProductView>,
    /// What each key found, in the order of the keys; none where that is nothing for the caller.
    pub found: Vec<Option<FoundKey>>,
}

/// What a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundKey {
    /// The product.
    pub product_id: ProductId,
    /// The variant, where the key names one.
    pub variant_id: Option<VariantId>,
}

impl Engine {
    /// Most keys of a lookup.
    pub const LOOKUP_MAX: usize = 100;

    /// Products by many keys at once. Drafts and archived products are there only for staff.
    pub async fn lookup_products(
        &self,
        ctx: &Context,
        keys: Vec<CatalogKey>,
    ) -> Result<ProductLookup, Error> {
        if keys.len() > Self::LOOKUP_MAX {
            let message = format!("at most {} products can be looked up at once", Self::LOOKUP_MAX);
            return Err(Refusal::new(Code::TooLarge, message).into());
        }
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let channel = engine.channel(tx, ctx.tenant_id, Which::from(&ctx)).await?;
                let found = Names::read(tx, &ctx, &keys).await?.resolve(&keys);
                let ids = distinct(found.iter().flatten().map(|found| found.product_id));
                let mut views: HashMap<ProductId, ProductView> = match ids.is_empty() {
                    true => HashMap::new(),
                    false => {
                        let views = engine.views_of(tx, &ctx, &channel, ids.clone()).await?;
                        views.into_iter().map(|view| (view.product.id, view)).collect()
                    }
                };
                let is_there = |found: &FoundKey| {
                    views.get(&found.product_id).is_some_and(|view| holds(view, found))
                };
                let found = found.into_iter().map(|found| found.filter(is_there)).collect();
                let products = ids.iter().filter_map(|id| views.remove(id)).collect();
                Ok::<_, Error>(ProductLookup { products, found })
            })
            .await
    }

    /// A page of products of a channel, each with its variants, prices and what can be bought now: what
    /// [`Engine::list_products`] finds.
    pub async fn search_products(
        &self,
        ctx: &Context,
        list: ListProducts,
    ) -> Result<Page<ProductView>, Error> {
        let page = self.list_products(ctx, list).await?;
        let keys = page.items.iter().map(|item| CatalogKey::Product(item.id)).collect();
        let items = self.lookup_products(ctx, keys).await?.products;
        Ok(Page { items, next_cursor: page.next_cursor })
    }
}

/// A variant may be gone although its product is there.
fn holds(view: &ProductView, found: &FoundKey) -> bool {
    found.variant_id.is_none_or(|id| view.product.variants.iter().any(|variant| variant.id == id))
}

fn distinct(ids: impl Iterator<Item = ProductId>) -> Vec<ProductId> {
    let mut seen = std::collections::HashSet::new();
    ids.filter(|id| seen.insert(*id)).collect()
}

/// What the names of a lookup stand for.
#[derive(Default)]
struct Names {
    variants: HashMap<VariantId, ProductId>,
    skus: HashMap<String, (VariantId, ProductId)>,
    slugs: HashMap<String, ProductId>,
}

impl Names {
    /// Reads all of them in one round trip, and nothing where all are ids of products.
    async fn read(
        tx: &mut Transaction<'_>,
        ctx: &Context,
        keys: &[CatalogKey],
    ) -> Result<Self, StoreError> {
        let names = || keys.iter().filter_map(CatalogKey::name);
        let variants: Vec<VariantId> = keys.iter().filter_map(CatalogKey::variant).collect();
        let skus: Vec<String> =
            names().filter(|name| name.parse::<Sku>().is_ok()).map(str::to_owned).collect();
        let slugs: Vec<String> =
            names().filter(|name| name.parse::<Slug>().is_ok()).map(str::to_owned).collect();
        let bind = |statement: &'static handel_store::Statement, list: Value| -> Bound {
            statement.bind(values![ctx.tenant_id, list])
        };
        if variants.is_empty() && skus.is_empty() && slugs.is_empty() {
            return Ok(Self::default());
        }
        let bounds = vec![
            bind(&BY_VARIANT, variants.into_iter().collect()),
            bind(&BY_SKU, skus.into()),
            bind(&BY_SLUG, slugs.into()),
        ];
        let results = tx.rows_all(bounds).await?;
        let [variants, skus, slugs] = &results[..] else {
            return Err(StoreError::Unit("three statements have three results".to_owned()));
        };
        let pair = |row: &Row| Ok((row.get(0)?, row.get(1)?));
        let sku = |row: &Row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)));
        let slug = |row: &Row| Ok((row.get(0)?, row.get(1)?));
        Ok(Self {
            variants: variants.iter().map(pair).collect::<Result<_, StoreError>>()?,
            skus: skus.iter().map(sku).collect::<Result<_, StoreError>>()?,
            slugs: slugs.iter().map(slug).collect::<Result<_, StoreError>>()?,
        })
    }

    fn resolve(&self, keys: &[CatalogKey]) -> Vec<Option<FoundKey>> {
        let whole = |product_id: ProductId| FoundKey { product_id, variant_id: None };
        let part = |variant_id: VariantId, product_id: ProductId| FoundKey {
            product_id,
            variant_id: Some(variant_id),
        };
        let one = |key: &CatalogKey| match key {
            CatalogKey::Product(id) => Some(whole(*id)),
            CatalogKey::Variant(id) => self.variants.get(id).map(|product| part(*id, *product)),
            CatalogKey::Name(name) => {
                let sku = self.skus.get(name).map(|(variant, product)| part(*variant, *product));
                sku.or_else(|| self.slugs.get(name).copied().map(whole))
            }
        };
        keys.iter().map(one).collect()
    }
}

impl CatalogKey {
    fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Product(_) | Self::Variant(_) => None,
        }
    }

    fn variant(&self) -> Option<VariantId> {
        match self {
            Self::Variant(id) => Some(*id),
            Self::Product(_) | Self::Name(_) => None,
        }
    }
}
