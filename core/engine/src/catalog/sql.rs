//! Rows of products and variants.

use handel_domain::{
    catalog::{Attribute, Backorder, Price, Product, ProductStatus, Variant},
    id::{ProductId, TenantId, VariantId},
};
use handel_store::{
    Bound, FromColumn, Json, Row, StoreError, Transaction, Value, statements, values,
};
use jiff::Timestamp;

statements! {
    GET = "
        select id, slug, title, description_html, vendor, product_type, status, tax_class, tags, options, attributes,
               media, seo, version, created_at, updated_at
          from products where tenant_id = $1 and id in list($2)";
    LOCK for update = "select version from products where tenant_id = $1 and id = $2";
    ID_BY_SLUG = "select id from products where tenant_id = $1 and slug = $2";
    ID_BY_SKU = "select product_id from variants where tenant_id = $1 and sku = $2 and not deleted";
    VARIANTS = "
        select product_id, id, sku, title, option_values, barcode, weight_grams, requires_shipping, tracked, backorder
          from variants where tenant_id = $1 and product_id in list($2) and not deleted
         order by product_id, position";
    PRICES = "
        select variant_id, currency, amount_minor, compare_at_minor
          from prices where tenant_id = $1 and variant_id in (
              select id from variants where tenant_id = $1 and product_id in list($2))
         order by variant_id, currency";
    CATEGORIES = "
        select product_id, category_id from product_categories
         where tenant_id = $1 and product_id in list($2) order by product_id, category_id";
    UPSERT_PRODUCT = "
        insert into products (tenant_id, id, slug, title, description_html, vendor, product_type, status, tax_class,
                              tags, options, attributes, media, image_url, seo, search_text, version, created_at,
                              updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
            on conflict (tenant_id, id) do update
               set slug = excluded.slug, title = excluded.title, description_html = excluded.description_html,
                   vendor = excluded.vendor, product_type = excluded.product_type, status = excluded.status,
                   tax_class = excluded.tax_class, tags = excluded.tags, options = excluded.options,
                   attributes = excluded.attributes, media = excluded.media, image_url = excluded.image_url,
                   seo = excluded.seo, search_text = excluded.search_text, version = excluded.version, updated_at = excluded.updated_at";
    UPSERT_VARIANT = "
        insert into variants (tenant_id, id, product_id, sku, title, option_values, barcode, weight_grams,
                              requires_shipping, tracked, backorder, position, deleted)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
            on conflict (tenant_id, id) do update
               set sku = excluded.sku, title = excluded.title, option_values = excluded.option_values,
                   barcode = excluded.barcode, weight_grams = excluded.weight_grams,
                   requires_shipping = excluded.requires_shipping, tracked = excluded.tracked,
                   backorder = excluded.backorder, position = excluded.position, deleted = excluded.deleted";
    UPSERT_PRICE = "
        insert into prices (tenant_id, variant_id, currency, amount_minor, compare_at_minor)
        values ($1, $2, $3, $4, $5)
            on conflict (tenant_id, variant_id, currency) do update
               set amount_minor = excluded.amount_minor, compare_at_minor = excluded.compare_at_minor";
    DELETE_PRICE = "delete from prices where tenant_id = $1 and variant_id = $2 and currency = $3";
    APPEND_PRICE_HISTORY = "
        insert into price_history (tenant_id, variant_id, currency, changed_at, amount_minor)
        values ($1, $2, $3, $4, $5)
            on conflict (tenant_id, variant_id, currency, changed_at) do update set amount_minor = excluded.amount_minor";
    SET_BACKORDER_LIMIT = "
        update stock_levels set backorder_limit = $3, version = version + 1, updated_at = $4
         where tenant_id = $1 and variant_id = $2
           and coalesce(backorder_limit, -1) <> coalesce($3, -1)";
    DELETE_CATEGORIES = "delete from product_categories where tenant_id = $1 and product_id = $2";
    INSERT_CATEGORY = "insert into product_categories (tenant_id, product_id, category_id) values ($1, $2, $3)";
    DELETE_ATTRIBUTES = "delete from product_attributes where tenant_id = $1 and product_id = $2";
    INSERT_ATTRIBUTE = "
        insert into product_attributes (tenant_id, product_id, name, value) values ($1, $2, $3, $4)
            on conflict do nothing";
}

/// Reads products whole, in no particular order. Four statements in one round trip, however many there are.
pub(super) async fn load(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    ids: Vec<ProductId>,
) -> Result<Vec<Product>, StoreError> {
    let ids: Value = ids.into_iter().collect();
    let bind = |statement: &'static handel_store::Statement| {
        statement.bind(values![tenant_id, ids.clone()])
    };
    let results =
        tx.rows_all(vec![bind(&GET), bind(&VARIANTS), bind(&PRICES), bind(&CATEGORIES)]).await?;
    let [products, variants, prices, categories] = &results[..] else {
        return Err(StoreError::Unit("four statements have four results".to_owned()));
    };
    let mut prices = crate::group_by(pairs::<VariantId, _>(prices, |row| {
        Ok(Price {
            currency: row.get(1)?,
            amount_minor: row.get(2)?,
            compare_at_minor: row.get(3)?,
        })
    })?);
    let mut variants = crate::group_by(pairs::<ProductId, _>(variants, |row| {
        let id: VariantId = row.get(1)?;
        read_variant(row, id, prices.remove(&id).unwrap_or_default())
    })?);
    let mut categories = crate::group_by(pairs::<ProductId, _>(categories, |row| row.get(1))?);
    products
        .iter()
        .map(|row| {
            let id: ProductId = row.get(0)?;
            let (variants, categories) = (variants.remove(&id), categories.remove(&id));
            read_product(row, id, variants.unwrap_or_default(), categories.unwrap_or_default())
        })
        .collect()
}

/// The first column, an id, with what the others hold.
fn pairs<K: FromColumn, V>(
    rows: &[Row],
    mut read: impl FnMut(&Row) -> Result<V, StoreError>,
) -> Result<Vec<(K, V)>, StoreError> {
    rows.iter().map(|row| Ok((row.get(0)?, read(row)?))).collect()
}

fn read_product(
    row: &Row,
    id: ProductId,
    variants: Vec<Variant>,
    category_ids: Vec<handel_domain::id::CategoryId>,
) -> Result<Product, StoreError> {
    Ok(Product {
        id,
        slug: row.get(1)?,
        title: row.get(2)?,
        description_html: row.get(3)?,
        vendor: row.get(4)?,
        product_type: row.get(5)?,
        status: read_status(row, 6)?,
        tax_class: row.get(7)?,
        tags: json(row, 8)?,
        options: json(row, 9)?,
        attributes: json::<Vec<Attribute>>(row, 10)?,
        category_ids,
        media: json(row, 11)?,
        seo: json(row, 12)?,
        variants,
        version: row.get(13)?,
        created_at: row.get(14)?,
        updated_at: row.get(15)?,
    })
}

fn read_variant(row: &Row, id: VariantId, prices: Vec<Price>) -> Result<Variant, StoreError> {
    Ok(Variant {
        id,
        sku: row.get(2)?,
        title: row.get(3)?,
        option_values: json(row, 4)?,
        barcode: row.get(5)?,
        weight_grams: row.get(6)?,
        requires_shipping: row.get(7)?,
        tracked: row.get(8)?,
        backorder: json::<BackorderColumn>(row, 9)?.policy,
        prices,
    })
}

/// JSON columns hold objects or arrays only, so the policy stands in one.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct BackorderColumn {
    pub(crate) policy: Backorder,
}

fn read_status(row: &Row, column: usize) -> Result<ProductStatus, StoreError> {
    let text: String = row.get(column)?;
    Ok(match text.as_str() {
        "draft" => ProductStatus::Draft,
        "archived" => ProductStatus::Archived,
        _ => ProductStatus::Active,
    })
}

fn json<T: serde::de::DeserializeOwned>(row: &Row, column: usize) -> Result<T, StoreError> {
    row.get::<Json<T>>(column).map(|Json(value)| value)
}

/// The row of a product.
pub(super) fn upsert_product(tenant_id: TenantId, product: &Product) -> Bound {
    UPSERT_PRODUCT.bind(values![
        tenant_id,
        product.id,
        &product.slug,
        &product.title,
        &product.description_html,
        &product.vendor,
        &product.product_type,
        product.status.as_str(),
        &product.tax_class,
        Json(&product.tags),
        Json(&product.options),
        Json(&product.attributes),
        Json(&product.media),
        product.media.first().map(|picture| picture.url.as_str()),
        Json(&product.seo),
        product.search_text(),
        product.version,
        product.created_at,
        product.updated_at,
    ])
}

/// The row of a variant. A deleted one keeps its row, because orders and stock refer to it, and gives its
/// SKU free.
pub(super) fn upsert_variant(
    tenant_id: TenantId,
    product_id: ProductId,
    variant: &Variant,
    position: usize,
    deleted: bool,
) -> Bound {
    let freed = format!("deleted {}", variant.id);
    UPSERT_VARIANT.bind(values![
        tenant_id,
        variant.id,
        product_id,
        if deleted { freed.as_str() } else { variant.sku.as_str() },
        &variant.title,
        Json(&variant.option_values),
        variant.barcode.as_deref(),
        variant.weight_grams,
        variant.requires_shipping,
        variant.tracked,
        Json(&BackorderColumn { policy: variant.backorder }),
        i64::try_from(position).unwrap_or(i64::MAX),
        deleted,
    ])
}

/// The rows that make the prices of a variant what they are, and remember what they were.
pub(super) fn price_rows(
    tenant_id: TenantId,
    variant_id: VariantId,
    before: &[Price],
    after: &[Price],
    now: Timestamp,
) -> Vec<Bound> {
    let history = |currency, amount: Option<i64>| {
        APPEND_PRICE_HISTORY.bind(values![tenant_id, variant_id, currency, now, amount])
    };
    let mut bounds = Vec::new();
    for price in after.iter().filter(|price| !before.contains(price)) {
        bounds.push(UPSERT_PRICE.bind(values![
            tenant_id,
            variant_id,
            price.currency,
            price.amount_minor,
            price.compare_at_minor,
        ]));
        bounds.push(history(price.currency, Some(price.amount_minor)));
    }
    for price in
        before.iter().filter(|price| after.iter().all(|kept| kept.currency != price.currency))
    {
        bounds.push(DELETE_PRICE.bind(values![tenant_id, variant_id, price.currency]));
        bounds.push(history(price.currency, None));
    }
    bounds
}
