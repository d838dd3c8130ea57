//! A category that moved takes the list rows of its products along: a job, because there may be many.

use handel_domain::id::{CategoryId, ProductId, TenantId};
use handel_store::{Transaction, Value, statements, values};
use serde::{Deserialize, Serialize};

use super::{category, save, sql};
use crate::{Engine, Error};

statements! {
    PRODUCTS_BELOW = "
        select distinct product_id from product_categories
         where tenant_id = $1 and category_id in list($2) and product_id > $3 order by product_id limit 100";
    LOCK_PRODUCTS for update = "select id from products where tenant_id = $1 and id in list($2) order by id";
}

/// The kind of the job.
pub(crate) const RELIST_JOB: &str = "catalog.relist";

/// What the job needs to know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RelistJob {
    pub(super) category_id: CategoryId,
}

impl Engine {
    /// Writes the list rows of all products in a category or below it again, in chunks.
    pub(crate) async fn run_relist(
        &self,
        tenant_id: TenantId,
        job: RelistJob,
    ) -> Result<(), String> {
        let mut after = ProductId::from_u128(0);
        while let Some(last) = self
            .relist_chunk(tenant_id, job.category_id, after)
            .await
            .map_err(|error| error.to_string())?
        {
            after = last;
        }
        self.forget_lists();
        Ok(())
    }

    async fn relist_chunk(
        &self,
        tenant_id: TenantId,
        category_id: CategoryId,
        after: ProductId,
    ) -> Result<Option<ProductId>, Error> {
        self.database()
            .write(async move |tx: &mut Transaction<'_>| {
                let below: Value =
                    category::below(tx, tenant_id, category_id).await?.into_iter().collect();
                let rows = tx.rows(PRODUCTS_BELOW.bind(values![tenant_id, below, after])).await?;
                let ids =
                    rows.iter().map(|row| row.get(0)).collect::<Result<Vec<ProductId>, _>>()?;
                // Nobody changes a product between the look at it and the rows that are made from it.
                let locked: Value = ids.iter().copied().collect();
                tx.rows(LOCK_PRODUCTS.bind(values![tenant_id, locked])).await?;
                let products = sql::load(tx, tenant_id, ids.clone()).await?;
                let mut bounds = Vec::new();
                for product in &products {
                    let ancestors =
                        category::with_ancestors(tx, tenant_id, &product.category_ids).await?;
                    bounds.extend(save::listing_rows(tenant_id, product, &ancestors));
                }
                tx.run_all(bounds).await?;
                Ok(ids.last().copied())
            })
            .await
    }
}
