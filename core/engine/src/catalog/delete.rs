//! Takes a product out of the shop.

use handel_domain::{catalog::ProductStatus, id::ProductId};

use super::{product, save, sql};
use crate::{Context, Engine, Error, Once, Scope};

impl Engine {
    /// Archives a product: shoppers no longer see it, carts no longer sell it, and orders, stock and the
    /// audit log that refer to it stay whole.
    pub async fn archive_product(
        &self,
        ctx: &Context,
        id: ProductId,
        expected_version: Option<i64>,
    ) -> Result<Once<()>, Error> {
        ctx.require(Scope::CatalogWrite)?;
        let (system, context) = (self.system().clone(), ctx.clone());
        let once = self
            .write_once(ctx, async move |tx, now| {
                product::lock(tx, context.tenant_id, id, expected_version).await?;
                let before = sql::load(tx, context.tenant_id, vec![id])
                    .await?
                    .pop()
                    .ok_or_else(product::unknown)?;
                let mut after = before.clone();
                after.status = ProductStatus::Archived;
                after.version += 1;
                after.updated_at = now;
                save::save(tx, &system, &context, Some(&before), &after, now).await
            })
            .await?;
        self.forget_lists();
        Ok(once)
    }
}
