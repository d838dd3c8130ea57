//! Makes a checkout from a cart, and takes in what the buyer says.

use std::sync::Arc;

use handel_domain::{
    Code, Refusal,
    cart::Cart,
    channel::{Channel, Settings},
    checkout::{Buyer, Checkout, CheckoutStatus},
    id::{CartId, CheckoutId, CheckoutKind, TenantId},
    origin::Origin,
    text::Slug,
};
use handel_store::{Bound, Transaction};
use jiff::Timestamp;

use super::{CheckoutView, change::Target, check_owner, sql, unknown, view};
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
        self.answer_once(ctx, async move |tx, now| {
            let (draft, market) = engine.prepare(tx, &context, cart_id, buyer.clone(), now).await?;
            draft.checkout.check_open(now)?;
            let view = engine.save_and_view(tx, &context, draft, &market, now).await?;
            hold(tx, &context, &view, &market.channel, now).await?;
            Ok(view)
        })
        .await
    }

    /// Takes in what the buyer says; parts that are absent stay as they were. An order that waits because its payment
    /// failed is canceled for that.
    pub async fn update_checkout(
        &self,
        ctx: &Context,
        id: CheckoutId,
        buyer: Buyer,
        expected_version: Option<i64>,
    ) -> Result<Once<CheckoutView>, Error> {
        let (engine, context) = (self.clone(), ctx.clone());
        self.change_once(ctx, Target { id, expected_version }, async move |tx, expected, now| {
            let mut checkout = sql::lock(tx, context.tenant_id, id).await?.ok_or_else(unknown)?;
            check_owner(&context, &checkout)?;
            checkout.check_open(now)?;
            crate::check_version(checkout.version, expected)?;
            let market =
                engine.market(tx, context.tenant_id, Which::Id(checkout.channel_id)).await?;
            checkout.update(buyer.clone(), &market.channel.settings, now)?;
            let draft = Draft { checkout, saving: Saving::Changed };
            let view = engine.save_and_view(tx, &context, draft, &market, now).await?;
            hold(tx, &context, &view, &market.channel, now).await?;
            Ok(view)
        })
        .await
    }

    /// The checkout of a cart, with its lines and the buyer's words as they are now; still to be saved. One that
    /// became an order is returned as it is.
    pub(super) async fn prepare(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        cart_id: CartId,
        buyer: Buyer,
        now: Timestamp,
    ) -> Result<(Draft, Arc<Market>), Error> {
        let (cart, market) = self.lock_cart(tx, ctx.tenant_id, cart_id).await?;
        let (settings, said) = (&market.channel.settings, Said { buyer, origin: None });
        let draft = self.checkout_of(tx, ctx, &cart, settings, said, now).await?;
        Ok((draft, market))
    }

    /// The same for a cart that is locked.
    pub(super) async fn checkout_of(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        cart: &Cart,
        settings: &Settings,
        said: Said,
        now: Timestamp,
    ) -> Result<Draft, Error> {
        let Said { buyer, mut origin } = said;
        let existing = sql::lock_of_cart(tx, ctx.tenant_id, cart.id).await?;
        Ok(match existing {
            Some(checkout) if checkout.status == CheckoutStatus::Completed => {
                Draft { checkout, saving: Saving::Kept }
            }
            Some(mut checkout) if checkout.expires_at > now => {
                checkout.refresh(cart, settings, now)?;
                checkout.update(buyer, settings, now)?;
                // What the program says of itself is kept until it says something else.
                if ctx.agent().is_some() {
                    checkout.origin = origin.or(checkout.origin);
                }
                Draft { checkout, saving: Saving::Changed }
            }
            mut expired => {
                if let Some(expired) = &mut expired {
                    expired.status = CheckoutStatus::Canceled;
                    // A person goes on with what a program began.
                    if ctx.agent().is_none() {
                        origin = expired.origin.clone().or(origin);
                    }
                }
                // A program that made the cart sees what becomes of it.
                let agent = cart.agent.clone();
                let maker = agent.map(|agent| Origin::of_agent(ctx.source, Some(agent)));
                let id = self.system().mint::<CheckoutKind>(now);
                let mut checkout = Checkout::create(id, cart, buyer, settings, now)?;
                checkout.origin = origin.or(maker);
                Draft { checkout, saving: Saving::New { expired: expired.map(Box::new) } }
            }
        })
    }

    /// Saves a checkout with the total that the answer shows.
    pub(super) async fn save_and_view(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        draft: Draft,
        market: &Market,
        now: Timestamp,
    ) -> Result<CheckoutView, Error> {
        let Draft { checkout, saving } = draft;
        let is_new = matches!(saving, Saving::New { .. });
        let mut view = view::view(tx, ctx.tenant_id, checkout, market, now).await?;
        self.check_payable(view.quote.totals.total_minor)?;
        view.show_to(ctx);
        saving.run(tx, ctx.tenant_id, &mut view.checkout).await?;
        Ok(CheckoutView { is_new, ..view })
    }
}

/// A checkout that is still to be saved.
pub(super) struct Draft {
    pub(super) checkout: Checkout,
    pub(super) saving: Saving,
}

/// How a checkout is saved.
pub(super) enum Saving {
    /// It is as it was.
    Kept,
    /// It changed.
    Changed,
    /// It is a new one, perhaps after one that expired.
    New { expired: Option<Box<Checkout>> },
}

impl Saving {
    pub(super) async fn run(
        self,
        tx: &mut Transaction<'_>,
        tenant_id: TenantId,
        checkout: &mut Checkout,
    ) -> Result<(), Error> {
        let bounds = match self {
            Self::Kept => return Ok(()),
            Self::Changed => vec![sql::update(tenant_id, checkout)],
            Self::New { expired } => {
                let ended = expired.map(|mut expired| sql::update(tenant_id, &mut expired));
                ended.into_iter().chain([sql::insert(tenant_id, checkout)]).collect()
            }
        };
        write(tx, bounds).await
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
pub(crate) async fn write(tx: &mut Transaction<'_>, bounds: Vec<Bound>) -> Result<(), Error> {
    if tx.run_all(bounds).await?.iter().any(|changed| *changed != 1) {
        return Err(tx.restart().into());
    }
    Ok(())
}
