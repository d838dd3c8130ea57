//! Writes a product with everything that belongs to it: variants, prices, categories, attributes, and the
//! rows that lists are read from.

use std::collections::BTreeSet;

use handel_domain::{
    catalog::{Product, ProductStatus, Variant},
    event::{Change, Event, ProductEvent},
    id::{CategoryId, TenantId},
};
use handel_ports::System;
use handel_store::{Bound, Transaction, Value, statements, values};
use jiff::Timestamp;

use super::sql;
use crate::{Context, Error, catalog::category, journal};

statements! {
    DELETE_LISTINGS = "delete from listings where tenant_id = $1 and product_id = $2";
    INSERT_LISTING = "
        insert into listings (tenant_id, currency, category_id, product_id, price_min_minor, price_max_minor, title_key,
                              search_text, listed_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
}

/// Saves a product; `before` is what is stored now. One round trip.
pub(super) async fn save(
    tx: &mut Transaction<'_>,
    system: &System,
    ctx: &Context,
    before: Option<&Product>,
    product: &Product,
    now: Timestamp,
) -> Result<(), Error> {
    let tenant_id = ctx.tenant_id;
    let ancestors = category::with_ancestors(tx, tenant_id, &product.category_ids).await?;
    let mut bounds = vec![sql::upsert_product(tenant_id, product)];
    bounds.extend(variant_rows(tenant_id, before, product, now));
    bounds.push(sql::DELETE_CATEGORIES.bind(values![tenant_id, product.id]));
    for category in &product.category_ids {
        bounds.push(sql::INSERT_CATEGORY.bind(values![tenant_id, product.id, *category]));
    }
    bounds.push(sql::DELETE_ATTRIBUTES.bind(values![tenant_id, product.id]));
    for attribute in &product.attributes {
        for value in attribute.filter_values() {
            bounds.push(sql::INSERT_ATTRIBUTE.bind(values![
                tenant_id,
                product.id,
                &attribute.name,
                value
            ]));
        }
    }
    bounds.extend(listing_rows(tenant_id, product, &ancestors));
    let change = if before.is_none() { Change::Created } else { Change::Updated };
    let event = Event::Product(ProductEvent { product_id: product.id, change });
    bounds.extend(journal::record(system, ctx, &event, product.version, now));
    tx.run_all(bounds).await?;
    Ok(())
}

fn variant_rows(
    tenant_id: TenantId,
    before: Option<&Product>,
    product: &Product,
    now: Timestamp,
) -> Vec<Bound> {
    let known = before.map_or(&[][..], |before| &before.variants);
    let mut bounds = Vec::new();
    // Those that go, or get another SKU, give theirs free before others take it.
    let keeps_sku =
        |old: &Variant| product.variants.iter().any(|new| new.id == old.id && new.sku == old.sku);
    for freed in known.iter().filter(|old| !keeps_sku(old)) {
        bounds.push(sql::upsert_variant(tenant_id, product.id, freed, 0, true));
    }
    for (position, variant) in product.variants.iter().enumerate() {
        bounds.push(sql::upsert_variant(tenant_id, product.id, variant, position, false));
        let old = known.iter().find(|old| old.id == variant.id);
        let prices = old.map_or(&[][..], |old| &old.prices);
        bounds.extend(sql::price_rows(tenant_id, variant.id, prices, &variant.prices, now));
        if old.is_some_and(|old| old.backorder != variant.backorder) {
            let limit: Value = variant.backorder.limit().into();
            bounds.push(sql::SET_BACKORDER_LIMIT.bind(vec![
                tenant_id.into(),
                variant.id.into(),
                limit,
                now.into(),
            ]));
        }
    }
    bounds
}

/// The rows by which a product is found: one for each currency and category, the whole shop among them.
pub(super) fn listing_rows(
    tenant_id: TenantId,
    product: &Product,
    ancestors: &BTreeSet<CategoryId>,
) -> Vec<Bound> {
    let mut bounds = vec![DELETE_LISTINGS.bind(values![tenant_id, product.id])];
    if product.status != ProductStatus::Active {
        return bounds;
    }
    let (title_key, search_text) = (product.title.to_lowercase(), product.search_text());
    for currency in product.currencies() {
        let Some((min, max)) = product.price_range_minor(currency) else { continue };
        let places =
            std::iter::once(String::new()).chain(ancestors.iter().map(ToString::to_string));
        for place in places {
            bounds.push(INSERT_LISTING.bind(values![
                tenant_id,
                currency,
                place,
                product.id,
                min,
                max,
                &title_key,
                &search_text,
                product.created_at,
            ]));
        }
    }
    bounds
}
