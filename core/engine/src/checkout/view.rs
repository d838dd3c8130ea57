//! A checkout with what it costs now and what it still lacks.

use handel_domain::{
    Currency,
    checkout::{Buyer, Checkout, CheckoutStatus, Quote},
    id::{CheckoutId, TenantId},
    promotion::{Class, Promotion},
    refusal::FieldError,
    shipping::ShippingMethod,
};
use handel_store::Transaction;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Completion, check_owner, sql, unknown};
use crate::{
    Context, Engine, Error,
    cart::variants_of,
    channel::{Market, Which},
    pricing::{Prices, Purchase},
};

/// A checkout as its owner sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckoutView {
    /// The checkout.
    pub checkout: Checkout,
    /// What it costs now.
    pub quote: Quote,
    /// The currency of every amount.
    pub currency: Currency,
    /// The methods that go to its address, by their full prices; see [`CheckoutView::shipping_prices`].
    pub shipping_options: Vec<ShippingMethod>,
    /// What promotions take off each of them, in minor units.
    #[serde(default)]
    pub shipping_discounts_minor: Vec<i64>,
    /// The shipping method that a form marks in advance, and what everything costs with it; none where one is chosen, or
    /// where none goes to the address.
    #[serde(default)]
    pub preselected: Option<Preselected>,
    /// What it still lacks.
    pub missing: Vec<FieldError>,
    /// The order that it became, with its payment.
    pub completion: Option<Completion>,
    /// Whether the request that this answers opened it; asking for the one that is under way does not.
    #[serde(default)]
    pub is_new: bool,
}

/// A shipping method that the buyer has not chosen yet, with the price of the whole checkout as if it were chosen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Preselected {
    /// The cheapest method after promotions.
    pub method: ShippingMethod,
    /// What everything costs with it.
    pub quote: Quote,
}

impl CheckoutView {
    /// The methods that go to its address, each with what it costs after promotions, in minor units. The cheapest comes
    /// first: promotions may make that another one than before them.
    pub fn shipping_prices(&self) -> impl Iterator<Item = (&ShippingMethod, i64)> {
        // A reply that was stored by an earlier version has no discounts.
        let discounts = self.shipping_discounts_minor.iter().copied().chain(std::iter::repeat(0));
        let mut prices: Vec<_> = self
            .shipping_options
            .iter()
            .zip(discounts)
            .map(|(method, discount_minor)| (method, method.amount_minor - discount_minor))
            .collect();
        prices.sort_by_key(|(_, price_minor)| *price_minor);
        prices.into_iter()
    }
}

impl Engine {
    /// A checkout of the caller, without what it costs.
    pub(crate) async fn own_checkout(
        &self,
        ctx: &Context,
        id: CheckoutId,
    ) -> Result<Checkout, Error> {
        let ctx = ctx.clone();
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let checkout = sql::find(tx, ctx.tenant_id, id).await?.ok_or_else(unknown)?;
                check_owner(&ctx, &checkout)?;
                Ok::<_, Error>(checkout)
            })
            .await
    }

    /// A checkout as it stands, for what a door must know before it acts. It is no answer: a door that shows it to
    /// the owner reads it by [`Engine::get_checkout`].
    pub async fn peek_checkout(
        &self,
        ctx: &Context,
        id: CheckoutId,
    ) -> Result<CheckoutView, Error> {
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let checkout = sql::find(tx, ctx.tenant_id, id).await?.ok_or_else(unknown)?;
                engine.own_view(tx, &ctx, checkout).await
            })
            .await
    }

    /// A checkout that was read in this transaction, as the caller may see it.
    pub(super) async fn own_view(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        checkout: Checkout,
    ) -> Result<CheckoutView, Error> {
        check_owner(ctx, &checkout)?;
        // Programs are told that it was canceled; a shopper makes another.
        if checkout.status == CheckoutStatus::Canceled && ctx.agent().is_none() {
            return Err(unknown().into());
        }
        let market = self.market(tx, ctx.tenant_id, Which::Id(checkout.channel_id)).await?;
        let completion = match checkout.order_id {
            Some(order_id) => Some(self.completion(tx, ctx.tenant_id, order_id).await?),
            None => None,
        };
        let now = self.system().now();
        let mut view = view(tx, ctx.tenant_id, checkout, &market, now).await?;
        view.completion = completion;
        Ok(view)
    }
}

/// Prices a checkout with what the catalog says in this transaction.
pub(super) async fn view(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    checkout: Checkout,
    market: &Market,
    now: Timestamp,
) -> Result<CheckoutView, Error> {
    let variants = variants_of(&checkout.lines);
    let purchase = purchase(&checkout);
    let own = checkout.cart_id;
    let mut prices = Prices::read(tx, tenant_id, market, &variants, purchase, own, now).await?;
    if checkout.status == CheckoutStatus::Completed {
        prices.known.forget_uses();
    }
    with_prices(checkout, &prices, market, now)
}

fn purchase(checkout: &Checkout) -> Purchase<'_> {
    let Checkout { lines, codes, buyer, .. } = checkout;
    Purchase { lines, codes, buyer }
}

/// Prices a checkout with what the shop said a moment ago.
pub(super) fn with_prices(
    checkout: Checkout,
    prices: &Prices,
    market: &Market,
    now: Timestamp,
) -> Result<CheckoutView, Error> {
    let settings = &market.channel.settings;
    let quote = prices.quote(purchase(&checkout), market, now)?;
    let country = checkout.buyer.shipping_address.as_ref().map(|address| address.country);
    let shipping_options = match country.filter(|_| quote.needs_shipping()) {
        Some(country) => settings.shipping_methods_to(country).into_iter().cloned().collect(),
        None => Vec::new(),
    };
    let shipping_discounts_minor =
        shipping_discounts(&checkout, &shipping_options, prices, market, now)?;
    let missing = match checkout.status {
        CheckoutStatus::Open => checkout.missing(&quote),
        CheckoutStatus::Completed | CheckoutStatus::Canceled => Vec::new(),
    };
    let mut view = CheckoutView {
        checkout,
        quote,
        currency: settings.currency,
        shipping_options,
        shipping_discounts_minor,
        preselected: None,
        missing,
        completion: None,
        is_new: false,
    };
    view.preselected = preselect(&view, prices, market, now);
    Ok(view)
}

fn preselect(
    view: &CheckoutView,
    prices: &Prices,
    market: &Market,
    now: Timestamp,
) -> Option<Preselected> {
    let checkout = &view.checkout;
    let is_open =
        checkout.status == CheckoutStatus::Open && checkout.buyer.shipping_method.is_none();
    let (method, _) = view.shipping_prices().next().filter(|_| is_open)?;
    // A method that cannot be priced, such as for a missing tax rate, is refused when it is chosen.
    let quote = quote_with(method, checkout, prices, market, now).ok()?;
    Some(Preselected { method: method.clone(), quote })
}

/// What a checkout would cost with another shipping method.
fn quote_with(
    method: &ShippingMethod,
    checkout: &Checkout,
    prices: &Prices,
    market: &Market,
    now: Timestamp,
) -> Result<Quote, Error> {
    let buyer = Buyer { shipping_method: Some(method.code.clone()), ..checkout.buyer.clone() };
    prices.quote(Purchase { buyer: &buyer, ..purchase(checkout) }, market, now)
}

/// What promotions would take off each of some methods if it were chosen.
fn shipping_discounts(
    checkout: &Checkout,
    options: &[ShippingMethod],
    prices: &Prices,
    market: &Market,
    now: Timestamp,
) -> Result<Vec<i64>, Error> {
    let is_for_shipping = |promotion: &Promotion| promotion.rules.class == Class::Shipping;
    // Most shops take nothing off shipping, and then there is nothing to compute.
    if checkout.codes.is_empty() && !market.automatic.iter().any(is_for_shipping) {
        return Ok(vec![0; options.len()]);
    }
    let discount = |method: &ShippingMethod| {
        let quote = quote_with(method, checkout, prices, market, now)?;
        Ok(quote.totals.shipping.discount_minor)
    };
    options.iter().map(discount).collect()
}
