//! A checkout with what it costs now and what it still lacks.

use handel_domain::{
    Currency,
    channel::Channel,
    checkout::{Checkout, CheckoutStatus, Quote},
    id::{CheckoutId, TenantId},
    refusal::FieldError,
    shipping::ShippingMethod,
};
use handel_store::Transaction;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Completion, check_owner, sql, unknown};
use crate::{Context, Engine, Error, cart::variants_of, catalog, channel::Which};

/// A checkout as its owner sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckoutView {
    /// The checkout.
    pub checkout: Checkout,
    /// What it costs now.
    pub quote: Quote,
    /// The currency of every amount.
    pub currency: Currency,
    /// The methods that go to its address, cheapest first.
    pub shipping_options: Vec<ShippingMethod>,
    /// What it still lacks.
    pub missing: Vec<FieldError>,
    /// The order that it became, with its payment.
    pub completion: Option<Completion>,
}

impl Engine {
    /// A checkout as it stands.
    pub async fn get_checkout(&self, ctx: &Context, id: CheckoutId) -> Result<CheckoutView, Error> {
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let checkout = sql::find(tx, ctx.tenant_id, id).await?.ok_or_else(unknown)?;
                check_owner(&ctx, &checkout)?;
                if checkout.status == CheckoutStatus::Canceled {
                    return Err(unknown().into());
                }
                let channel =
                    engine.channel(tx, ctx.tenant_id, Which::Id(checkout.channel_id)).await?;
                let completion = match checkout.order_id {
                    Some(order_id) => Some(engine.completion(tx, ctx.tenant_id, order_id).await?),
                    None => None,
                };
                let now = engine.system().now();
                let mut view = view(tx, ctx.tenant_id, checkout, &channel, now).await?;
                view.completion = completion;
                Ok(view)
            })
            .await
    }
}

/// Prices a checkout with what the catalog says in this transaction.
pub(super) async fn view(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    checkout: Checkout,
    channel: &Channel,
    now: Timestamp,
) -> Result<CheckoutView, Error> {
    let settings = &channel.settings;
    let variants = variants_of(&checkout.lines);
    let own = Some(checkout.cart_id);
    let offers = catalog::offers(tx, tenant_id, &variants, settings.currency, own, now).await?;
    let quote = Quote::compute(&checkout.lines, &offers, &checkout.buyer, settings)?;
    let country = checkout.buyer.shipping_address.as_ref().map(|address| address.country);
    let shipping_options = match country.filter(|_| quote.needs_shipping()) {
        Some(country) => settings.shipping_methods_to(country).into_iter().cloned().collect(),
        None => Vec::new(),
    };
    let missing = match checkout.status {
        CheckoutStatus::Open => checkout.missing(&quote),
        CheckoutStatus::Completed | CheckoutStatus::Canceled => Vec::new(),
    };
    Ok(CheckoutView {
        checkout,
        quote,
        currency: settings.currency,
        shipping_options,
        missing,
        completion: None,
    })
}
