//! Every product, drafts and archived ones too, for exports.

use std::collections::HashMap;

use handel_domain::{
    catalog::Product,
    id::{ProductId, TenantId},
    text::Sku,
};
use handel_store::{StoreError, Transaction, Value, statements, values};

use super::sql;
use crate::{Context, Engine, Error, Scope, page};

statements! {
    PAGE = "select id from products where tenant_id = $1 and id > $2 order by id limit $3";
    ON_HAND = "
        select v.product_id, v.sku, s.on_hand
          from variants v
          join stock_levels s on s.tenant_id = v.tenant_id and s.variant_id = v.id
         where v.tenant_id = $1 and v.product_id in list($2) and not v.deleted and v.tracked
           and s.location_id = (select id from locations where tenant_id = $1 order by priority, id limit 1)
         order by v.product_id, v.position";
}

impl Engine {
    /// Up to `limit` products after a given one, oldest first, each with what is on hand of its variants at
    /// the first location: what [`import_product`](Self::import_product) would take back. None are left
    /// when the answer is empty.
    pub async fn list_all_products(
        &self,
        ctx: &Context,
        after: Option<ProductId>,
        limit: u32,
    ) -> Result<Vec<(Product, Vec<(Sku, i64)>)>, Error> {
        ctx.require(Scope::CatalogRead)?;
        page::check_limit(limit)?;
        let tenant_id = ctx.tenant_id;
        let after = after.unwrap_or_else(|| ProductId::from_u128(0));
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let rows = tx.rows(PAGE.bind(values![tenant_id, after, i64::from(limit)])).await?;
                let ids =
                    rows.iter().map(|row| row.get(0)).collect::<Result<Vec<ProductId>, _>>()?;
                let mut on_hand = on_hand(tx, tenant_id, &ids).await?;
                let mut products = sql::load(tx, tenant_id, ids).await?;
                products.sort_by_key(|product| product.id);
                let with_stock = |product: Product| {
                    let stock = on_hand.remove(&product.id).unwrap_or_default();
                    (product, stock)
                };
                Ok::<_, Error>(products.into_iter().map(with_stock).collect())
            })
            .await
    }
}

async fn on_hand(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    products: &[ProductId],
) -> Result<HashMap<ProductId, Vec<(Sku, i64)>>, StoreError> {
    let ids: Value = products.iter().copied().collect();
    let rows = tx.rows(ON_HAND.bind(values![tenant_id, ids])).await?;
    let entries = rows.iter().map(|row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
    Ok(crate::group_by(entries.collect::<Result<Vec<_>, StoreError>>()?))
}
