//! Makes a checkout from a cart, and takes in what the buyer says.

use std::sync::Arc;

use handel_domain::{
    Code, Refusal,
    cart::Cart,
    channel::{Channel, Settings},
    checkout::{Buyer, Checkout, CheckoutStatus},
    id::{CartId, CheckoutId, CheckoutKind},
    origin::Origin,
    text::Slug,
};
use handel_store::{Bound, Transaction};
use jiff::Timestamp;

use super::{CheckoutView, check_owner, sql, unknown, view};
use crate::{
    CartRef, Context, Engine, Error, Once,
    channel::{Market, Which},
    stock,
};

impl Engine {
    /// Makes a checkout from a cart, or refreshes the one that is under way: a cart has one at a time.
    pub async fn create_checkout(
        &self,
        ctx: &Context,
        cart: &CartRef,
        buyer: Buyer,
    ) -> Result<Once<CheckoutView>, Error> {
        let (engine, context, cart_id) = (self.clone(), ctx.clone(), self.cart_id(cart)?);
        self.write_once(ctx, async move |tx, now| {
            let (checkout, market) =
                engine.prepare(tx, &context, cart_id, buyer.clone(), now).await?;
            checkout.check_open(now)?;
            engine.hold_and_view(tx, &context, checkout, &market, now).await
        })
        .await
    }

    /// Takes in what the buyer says; parts that are absent stay as they were.
    pub async fn update_checkout(
        &self,
        ctx: &Context,
        id: CheckoutId,
        buyer: Buyer,
        expected_version: Option<i64>,
    ) -> Result<Once<CheckoutView>, Error> {
        let (engine, context) = (self.clone(), ctx.clone());
        self.write_once(ctx, async move |tx, now| {
            let mut checkout = sql::lock(tx, context.tenant_id, id).await?.ok_or_else(unknown)?;
            check_owner(&context, &checkout)?;
            checkout.check_open(now)?;
            crate::check_version(checkout.version, expected_version)?;
            let market =
                engine.market(tx, context.tenant_id, Which::Id(checkout.channel_id)).await?;
            checkout.update(buyer.clone(), &market.channel.settings, now)?;
            let save = sql::update(context.tenant_id, &mut checkout);
            write(tx, vec![save]).await?;
            engine.hold_and_view(tx, &context, checkout, &market, now).await
        })
        .await
    }

    /// The checkout of a cart, with its lines and the buyer's words as they are now. One that became an
    /// order is returned as it is.
    pub(super) async fn prepare(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        cart_id: CartId,
        buyer: Buyer,
        now: Timestamp,
    ) -> Result<(Checkout, Arc<Market>), Error> {
        let (cart, market) = self.lock_cart(tx, ctx.tenant_id, cart_id).await?;
        let (settings, said) = (&market.channel.settings, Said { buyer, origin: None });
        let (checkout, _) = self.checkout_of(tx, ctx, &cart, settings, said, now).await?;
        Ok((checkout, market))
    }

    /// The same for a cart that is locked, and whether the checkout is a new one.
    pub(super) async fn checkout_of(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        cart: &Cart,
        settings: &Settings,
        said: Said,
        now: Timestamp,
    ) -> Result<(Checkout, bool), Error> {
        let (tenant_id, Said { buyer, mut origin }) = (ctx.tenant_id, said);
        let existing = sql::lock_of_cart(tx, tenant_id, cart.id).await?;
        let mut saves: Vec<Bound> = Vec::new();
        let (checkout, is_new) = match existing {
            Some(checkout) if checkout.status == CheckoutStatus::Completed => (checkout, false),
            Some(mut checkout) if checkout.expires_at > now => {
                checkout.refresh(cart, settings, now)?;
                checkout.update(buyer, settings, now)?;
                // What the program says of itself is kept until it says something else.
                if ctx.agent().is_some() {
                    checkout.origin = origin.or(checkout.origin);
                }
                saves.push(sql::update(tenant_id, &mut checkout));
                (checkout, false)
            }
            expired => {
                if let Some(mut expired) = expired {
                    expired.status = CheckoutStatus::Canceled;
                    // A person goes on with what a program began.
                    if ctx.agent().is_none() {
                        origin = expired.origin.clone().or(origin);
                    }
                    saves.push(sql::update(tenant_id, &mut expired));
                }
                // A program that made the cart sees what becomes of it.
                let agent = cart.agent.clone();
                let maker = agent.map(|agent| Origin::of_agent(ctx.source, Some(agent)));
                let id = self.system().mint::<CheckoutKind>(now);
                let mut checkout = Checkout::create(id, cart, buyer, settings, now)?;
                checkout.origin = origin.or(maker);
                saves.push(sql::insert(tenant_id, &checkout));
                (checkout, true)
            }
        };
        write(tx, saves).await?;
        Ok((checkout, is_new))
    }

    async fn hold_and_view(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        checkout: Checkout,
        market: &Market,
        now: Timestamp,
    ) -> Result<CheckoutView, Error> {
        let view = view::view(tx, ctx.tenant_id, checkout, market, now).await?;
        self.check_payable(view.quote.totals.total_minor)?;
        hold(tx, ctx, &view, &market.channel, now).await?;
        Ok(view)
    }
}

/// Checks the choice of shipping, and keeps the stock from others where the channel wants that.
pub(super) async fn hold(
    tx: &mut Transaction<'_>,
    ctx: &Context,
    view: &CheckoutView,
    channel: &Channel,
    now: Timestamp,
) -> Result<(), Error> {
    check_shipping(view)?;
    match channel.settings.hold_ms {
        0 => Ok(()),
        hold_ms => stock::hold(tx, ctx.tenant_id, &view.checkout, &view.quote, hold_ms, now).await,
    }
}

/// What is said with a cart when a checkout is made from it.
pub(super) struct Said {
    pub(super) buyer: Buyer,
    pub(super) origin: Option<Origin>,
}

/// Refuses a shipping method that does not go to the address.
fn check_shipping(view: &CheckoutView) -> Result<(), Refusal> {
    let chosen = view.checkout.buyer.shipping_method.as_ref();
    let goes = |code: &Slug| view.shipping_options.iter().any(|method| method.code == *code);
    if chosen.is_some_and(|code| !view.shipping_options.is_empty() && !goes(code)) {
        let message = "the shipping method does not go to this address";
        return Err(Refusal::new(Code::ShippingMethodUnknown, message));
    }
    Ok(())
}

/// Writes rows that must each change exactly one.
pub(super) async fn write(tx: &mut Transaction<'_>, bounds: Vec<Bound>) -> Result<(), Error> {
    if tx.run_all(bounds).await?.iter().any(|changed| *changed != 1) {
        return Err(tx.restart().into());
    }
    Ok(())
}
