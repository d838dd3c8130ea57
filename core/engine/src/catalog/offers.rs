//! What the catalog says of the variants in a basket at this moment.

use std::collections::HashMap;

use handel_domain::{
    Currency,
    checkout::{Offer, Offers},
    id::{CartId, TenantId, VariantId},
};
use handel_store::{Bound, Row, StoreError, Transaction, Value, statements, values};
use jiff::Timestamp;

use crate::stock;

statements! {
    OFFERS = "
        select v.id, v.product_id, p.slug, v.sku, p.title, v.title, p.image_url, p.tax_class,
               case when p.status = 'active' and not v.deleted then r.amount_minor end,
               v.weight_grams, v.requires_shipping, v.tracked
          from variants v
          join products p on p.tenant_id = v.tenant_id and p.id = v.product_id
          left join prices r on r.tenant_id = v.tenant_id and r.variant_id = v.id and r.currency = $3
         where v.tenant_id = $1 and v.id in list($2)";
}

/// The offers of some variants, with what can be bought of them; what the cart `own` holds, it can buy. Two
/// statements in one round trip, in which `others` go along; their rows are returned too.
pub(crate) async fn offers(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    variants: &[VariantId],
    currency: Currency,
    own: Option<CartId>,
    now: Timestamp,
    others: Vec<Bound>,
) -> Result<(Offers, Vec<Vec<Row>>), StoreError> {
    let ids: Value = variants.iter().copied().collect();
    let mut bounds = others;
    bounds.push(OFFERS.bind(values![tenant_id, ids.clone(), currency]));
    bounds.push(stock::levels_of(tenant_id, ids));
    let mut results = tx.rows_all(bounds).await?;
    let level_rows = results.pop().unwrap_or_default();
    let levels = stock::read_levels(tx, tenant_id, &level_rows, own, now).await?;
    let available = available(&levels);
    let rows = results.pop().unwrap_or_default();
    let offer = |row| read(row, &available).map(|offer| (offer.variant_id, offer));
    Ok((rows.iter().map(offer).collect::<Result<_, _>>()?, results))
}

/// How many of each variant can be bought over all locations; variants without stock are absent.
pub(crate) fn available(levels: &[handel_domain::stock::Level]) -> HashMap<VariantId, i64> {
    let mut available: HashMap<VariantId, i64> = HashMap::new();
    for level in levels {
        let sum = available.entry(level.variant_id).or_default();
        *sum = sum.saturating_add(level.available());
    }
    available
}

fn read(row: &Row, available: &HashMap<VariantId, i64>) -> Result<Offer, StoreError> {
    let variant_id = row.get(0)?;
    let tracked = row.get(11)?;
    let in_stock = available.get(&variant_id).copied().unwrap_or(0);
    Ok(Offer {
        variant_id,
        product_id: row.get(1)?,
        slug: row.get(2)?,
        sku: row.get(3)?,
        title: row.get(4)?,
        variant_title: row.get(5)?,
        image_url: row.get(6)?,
        tax_class: row.get(7)?,
        unit_price_minor: row.get(8)?,
        weight_grams: row.get(9)?,
        requires_shipping: row.get(10)?,
        tracked,
        available: Some(in_stock).filter(|count| tracked && *count < i64::MAX),
    })
}
