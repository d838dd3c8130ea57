//! A cart with what it costs now.

use handel_domain::{
    Refusal,
    cart::{Cart, CartStatus},
    checkout::{Buyer, Quote},
    id::{CartId, TenantId},
};
use handel_store::Transaction;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CartRef, OwnedCart, sql, unknown, variants_of};
use crate::{
    Context, Engine, Error,
    channel::{Market, Which},
    pricing::{Prices, Purchase},
};

/// A cart with what it costs now. Nothing of it is a promise: prices and stock hold when it is ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CartView {
    /// The cart.
    pub cart: Cart,
    /// What it costs, without shipping, taxed where its buyer is if that is known, else at the channel's own
    /// country.
    pub quote: Quote,
    /// The currency of every amount.
    pub currency: handel_domain::Currency,
}

impl CartView {
    pub(crate) fn new(
        cart: Cart,
        prices: &Prices,
        market: &Market,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let buyer = without_shipping(&cart);
        let purchase = Purchase { lines: &cart.lines, codes: &cart.codes, buyer: &buyer };
        let quote = prices.quote(purchase, market, now)?;
        Ok(Self { cart, quote, currency: market.channel.settings.currency })
    }
}

impl Engine {
    /// A cart as it stands.
    pub async fn get_cart(&self, ctx: &Context, cart: &CartRef) -> Result<OwnedCart, Error> {
        // Whoever has the token owns it.
        let view = self.read_cart(ctx, self.cart_id(cart)?, |_| Ok(())).await?;
        Ok(self.owned(view))
    }

    /// A cart for whom `check` lets see it.
    pub(super) async fn read_cart(
        &self,
        ctx: &Context,
        id: CartId,
        check: impl Fn(&Cart) -> Result<(), Refusal> + Send + Sync + 'static,
    ) -> Result<CartView, Error> {
        let (engine, tenant_id) = (self.clone(), ctx.tenant_id);
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                let cart = sql::find(tx, tenant_id, id).await?.ok_or_else(unknown)?;
                check(&cart)?;
                // A cart that was ordered can still be looked at; one that has expired is gone.
                if cart.status == CartStatus::Open {
                    cart.check_open(now)?;
                }
                let market = engine.market(tx, tenant_id, Which::Id(cart.channel_id)).await?;
                view(tx, tenant_id, cart, &market, now).await
            })
            .await
    }
}

/// Goods are sent by the method that the checkout names.
fn without_shipping(cart: &Cart) -> Buyer {
    Buyer { shipping_method: None, ..cart.buyer.clone() }
}

/// Prices a cart with what the catalog says in this transaction.
pub(crate) async fn view(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    cart: Cart,
    market: &Market,
    now: Timestamp,
) -> Result<CartView, Error> {
    let variants = variants_of(&cart.lines);
    let purchase = Purchase { lines: &cart.lines, codes: &cart.codes, buyer: &cart.buyer };
    let prices = Prices::read(tx, tenant_id, market, &variants, purchase, cart.id, now).await?;
    CartView::new(cart, &prices, market, now)
}
