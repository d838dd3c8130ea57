//! A cart with what it costs now.

use std::sync::Arc;

use handel_domain::{
    cart::{Cart, CartStatus},
    channel::{Channel, Settings},
    checkout::{Buyer, Offers, Quote},
    id::TenantId,
};
use handel_store::Transaction;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CartRef, OwnedCart, sql, unknown, variants_of};
use crate::{Context, Engine, Error, catalog, channel::Which};

/// A cart with what it costs now. Nothing of it is a promise: prices and stock hold when it is ordered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CartView {
    /// The cart.
    pub cart: Cart,
    /// What it costs, without shipping, taxed at the channel's own country.
    pub quote: Quote,
    /// The currency of every amount.
    pub currency: handel_domain::Currency,
}

impl CartView {
    pub(crate) fn new(cart: Cart, offers: &Offers, settings: &Settings) -> Result<Self, Error> {
        let quote = Quote::compute(&cart.lines, offers, &Buyer::default(), settings)?;
        Ok(Self { cart, quote, currency: settings.currency })
    }
}

impl Engine {
    /// A cart as it stands.
    pub async fn get_cart(&self, ctx: &Context, cart: &CartRef) -> Result<OwnedCart, Error> {
        let (engine, tenant_id, id) = (self.clone(), ctx.tenant_id, self.cart_id(cart)?);
        let view = self
            .database()
            .read(async move |tx: &mut Transaction<'_>| {
                let now = engine.system().now();
                let cart = sql::find(tx, tenant_id, id).await?.ok_or_else(unknown)?;
                // A cart that was ordered can still be looked at; one that has expired is gone.
                if cart.status == CartStatus::Open {
                    cart.check_open(now)?;
                }
                let channel = engine.channel(tx, tenant_id, Which::Id(cart.channel_id)).await?;
                view(tx, tenant_id, cart, &channel, now).await
            })
            .await?;
        Ok(self.owned(view))
    }
}

/// Prices a cart with what the catalog says in this transaction.
pub(super) async fn view(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    cart: Cart,
    channel: &Arc<Channel>,
    now: Timestamp,
) -> Result<CartView, Error> {
    let variants = variants_of(&cart.lines);
    let currency = channel.settings.currency;
    let offers = match variants.is_empty() {
        true => Offers::new(),
        false => catalog::offers(tx, tenant_id, &variants, currency, Some(cart.id), now).await?,
    };
    CartView::new(cart, &offers, &channel.settings)
}
