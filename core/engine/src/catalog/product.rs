//! Products: created, replaced and read whole.

use std::{collections::HashMap, str::FromStr};

use handel_domain::{
    Code, Refusal,
    catalog::{Price, Product, ProductInput},
    id::{ProductId, ProductKind, TenantId, VariantKind},
    text::{Sku, Slug},
};
use handel_store::{Transaction, values};
use jiff::Timestamp;

use super::{save, sql};
use crate::{Context, Engine, Error, Once, Scope, stock};

/// How a request names a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProductKey {
    /// By its id.
    Id(ProductId),
    /// By its name on the web.
    Slug(Slug),
    /// By the SKU of one of its variants.
    Sku(Sku),
}

impl FromStr for ProductKey {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Slug).map_err(|_| unknown()),
        }
    }
}

impl Engine {
    /// Makes a product.
    pub async fn create_product(
        &self,
        ctx: &Context,
        input: ProductInput,
    ) -> Result<Once<Product>, Error> {
        ctx.require(Scope::CatalogWrite)?;
        let (engine, context) = (self.clone(), ctx.clone());
        let once = self
            .write_once(ctx, async move |tx, now| {
                let id = engine.system().mint::<ProductKind>(now);
                engine.create_in(tx, &context, id, input.clone(), now).await
            })
            .await?;
        self.forget_lists();
        Ok(once)
    }

    /// Replaces a product. Variants keep their identity by SKU; those that are missing go.
    pub async fn replace_product(
        &self,
        ctx: &Context,
        id: ProductId,
        input: ProductInput,
        expected_version: Option<i64>,
    ) -> Result<Once<Product>, Error> {
        ctx.require(Scope::CatalogWrite)?;
        let (engine, context) = (self.clone(), ctx.clone());
        let once = self
            .write_once(ctx, async move |tx, now| {
                lock(tx, context.tenant_id, id, expected_version).await?;
                engine.replace_in(tx, &context, id, input.clone(), now).await
            })
            .await?;
        self.forget_lists();
        Ok(once)
    }

    /// Creates the product of that slug or replaces it, and sets what is on hand of its variants at the
    /// first location. What an import does with each product.
    ///
    /// Returns the product and whether it is new.
    pub async fn import_product(
        &self,
        ctx: &Context,
        slug: Slug,
        input: ProductInput,
        on_hand: Vec<(Sku, i64)>,
    ) -> Result<(Product, bool), Error> {
        ctx.require(Scope::CatalogWrite)?;
        ctx.require(Scope::StockWrite)?;
        let (engine, ctx) = (self.clone(), ctx.clone());
        let imported = self
            .database()
            .write(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                let input = ProductInput { slug: Some(slug.clone()), ..input.clone() };
                let existing = tx.row(sql::ID_BY_SLUG.bind(values![ctx.tenant_id, &slug])).await?;
                let (product, is_new) = match existing {
                    Some(row) => {
                        let id = row.get(0)?;
                        lock(tx, ctx.tenant_id, id, None).await?;
                        (engine.replace_in(tx, &ctx, id, input, now).await?, false)
                    }
                    None => {
                        let id = engine.system().mint::<ProductKind>(now);
                        (engine.create_in(tx, &ctx, id, input, now).await?, true)
                    }
                };
                for (sku, on_hand) in &on_hand {
                    if let Some(variant) =
                        product.variants.iter().find(|variant| variant.sku == *sku)
                    {
                        stock::set_on_hand(
                            tx,
                            engine.system(),
                            &ctx,
                            variant,
                            *on_hand,
                            "import",
                            now,
                        )
                        .await?;
                    }
                }
                Ok::<_, Error>((product, is_new))
            })
            .await?;
        self.forget_lists();
        Ok(imported)
    }

    /// Replaces the prices of one variant.
    pub async fn set_prices(
        &self,
        ctx: &Context,
        sku: Sku,
        prices: Vec<Price>,
        expected_version: Option<i64>,
    ) -> Result<Once<Product>, Error> {
        ctx.require(Scope::CatalogWrite)?;
        let prices = Price::checked(prices, "/prices")?;
        let (engine, context) = (self.clone(), ctx.clone());
        let once = self
            .write_once(ctx, async move |tx, now| {
                let row = tx.row(sql::ID_BY_SKU.bind(values![context.tenant_id, &sku])).await?;
                let id: ProductId = row.ok_or_else(|| unknown_sku(&sku))?.get(0)?;
                lock(tx, context.tenant_id, id, expected_version).await?;
                let before =
                    sql::load(tx, context.tenant_id, vec![id]).await?.pop().ok_or_else(unknown)?;
                let mut after = before.clone();
                let variant = after.variants.iter_mut().find(|variant| variant.sku == sku);
                variant.ok_or_else(|| unknown_sku(&sku))?.prices.clone_from(&prices);
                after.version += 1;
                after.updated_at = now;
                save::save(tx, engine.system(), &context, Some(&before), &after, now).await?;
                Ok(after)
            })
            .await?;
        self.forget_lists();
        Ok(once)
    }

    /// A product as staff see it. Who may change it may read it, too.
    pub async fn get_product(&self, ctx: &Context, key: ProductKey) -> Result<Product, Error> {
        if !ctx.allows(Scope::CatalogWrite) {
            ctx.require(Scope::CatalogRead)?;
        }
        let tenant_id = ctx.tenant_id;
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let id = resolve(tx, tenant_id, &key).await?;
                Ok::<_, Error>(sql::load(tx, tenant_id, vec![id]).await?.pop().ok_or_else(unknown)?)
            })
            .await
    }

    async fn create_in(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        id: ProductId,
        input: ProductInput,
        now: Timestamp,
    ) -> Result<Product, Error> {
        let mint = || self.system().mint::<VariantKind>(now);
        let product = Product::create(id, input, &HashMap::new(), mint, now)?;
        check_names(tx, ctx.tenant_id, &product).await?;
        save::save(tx, self.system(), ctx, None, &product, now).await?;
        Ok(product)
    }

    async fn replace_in(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        id: ProductId,
        input: ProductInput,
        now: Timestamp,
    ) -> Result<Product, Error> {
        let before = sql::load(tx, ctx.tenant_id, vec![id]).await?.pop().ok_or_else(unknown)?;
        let mint = || self.system().mint::<VariantKind>(now);
        let mut product = before.clone().replace(input, mint, now)?;
        product.version += 1;
        check_names(tx, ctx.tenant_id, &product).await?;
        save::save(tx, self.system(), ctx, Some(&before), &product, now).await?;
        Ok(product)
    }
}

fn unknown_sku(sku: &Sku) -> Refusal {
    Refusal::new(Code::VariantUnknown, format!("there is no variant {sku}"))
}

/// The refusal of a product that is not there.
pub(super) fn unknown() -> Refusal {
    Refusal::new(Code::ProductUnknown, "there is no such product")
}

/// The id that a key means.
pub(super) async fn resolve(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    key: &ProductKey,
) -> Result<ProductId, Error> {
    match key {
        ProductKey::Id(id) => Ok(*id),
        ProductKey::Slug(slug) => {
            let row = tx.row(sql::ID_BY_SLUG.bind(values![tenant_id, slug])).await?;
            Ok(row.ok_or_else(unknown)?.get(0)?)
        }
        ProductKey::Sku(sku) => {
            let row = tx.row(sql::ID_BY_SKU.bind(values![tenant_id, sku])).await?;
            Ok(row.ok_or_else(|| unknown_sku(sku))?.get(0)?)
        }
    }
}

/// Locks a product and checks that it is the one that the caller saw.
pub(super) async fn lock(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    id: ProductId,
    expected_version: Option<i64>,
) -> Result<(), Error> {
    let row = tx.row(sql::LOCK.bind(values![tenant_id, id])).await?.ok_or_else(unknown)?;
    let version: i64 = row.get(0)?;
    Ok(crate::check_version(version, expected_version)?)
}

/// Checks that no other product has the slug or one of the SKUs.
async fn check_names(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    product: &Product,
) -> Result<(), Error> {
    let mut bounds = vec![sql::ID_BY_SLUG.bind(values![tenant_id, &product.slug])];
    bounds.extend(
        product
            .variants
            .iter()
            .map(|variant| sql::ID_BY_SKU.bind(values![tenant_id, &variant.sku])),
    );
    let mut owners = Vec::new();
    for rows in tx.rows_all(bounds).await? {
        owners.push(rows.first().map(|row| row.get::<ProductId>(0)).transpose()?);
    }
    let foreign = |owner: &Option<ProductId>| owner.is_some_and(|owner| owner != product.id);
    if owners.first().is_some_and(foreign) {
        return Err(Refusal::new(
            Code::SlugTaken,
            format!("another product has the slug {}", product.slug),
        )
        .into());
    }
    let taken = owners.iter().skip(1).position(foreign);
    match taken.and_then(|at| product.variants.get(at)) {
        Some(variant) => Err(Refusal::new(
            Code::SkuTaken,
            format!("another product has the SKU {}", variant.sku),
        )
        .into()),
        None => Ok(()),
    }
}
