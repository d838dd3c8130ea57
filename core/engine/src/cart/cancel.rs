//! Carts that their owner gives up.

use handel_domain::id::CartId;

use super::{CartView, check_owner, sql, view};
use crate::{Context, Engine, Error, Once, checkout};

impl Engine {
    /// Takes a cart away, with the checkout that was made from it, and returns what it held. What became an
    /// order stays.
    pub async fn cancel_cart(&self, ctx: &Context, id: CartId) -> Result<Once<CartView>, Error> {
        let (engine, context) = (self.clone(), ctx.clone());
        self.write_once(ctx, async move |tx, now| {
            let tenant_id = context.tenant_id;
            let (cart, market) = engine.lock_cart(tx, tenant_id, id).await?;
            check_owner(&context, &cart)?;
            cart.check_open(now)?;
            let live = checkout::sql::lock_of_cart(tx, tenant_id, id).await?;
            if let Some(mut live) = live {
                live.cancel(&market.channel.settings, now);
                checkout::save_canceled(tx, tenant_id, &mut live, now).await?;
            }
            let removed = sql::remove(tenant_id, &cart);
            let view = view::view(tx, tenant_id, cart, &market, now).await?;
            if tx.run(removed).await? != 1 {
                return Err(tx.restart().into());
            }
            Ok(view)
        })
        .await
    }
}
