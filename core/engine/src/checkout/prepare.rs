//! Makes a checkout from a cart, and takes in what the buyer says.

use std::sync::Arc;

use handel_domain::{
    Code, Refusal,
    channel::Channel,
    checkout::{Buyer, Checkout, CheckoutStatus},
    id::{CartId, CheckoutId, CheckoutKind},
    text::Slug,
};
use handel_store::{Bound, Transaction};
use jiff::Timestamp;

use super::{CheckoutView, check_owner, sql, unknown, view};
use crate::{CartRef, Context, Engine, Error, Once, channel::Which, stock};

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
            let (checkout, channel) =
                engine.prepare(tx, &context, cart_id, buyer.clone(), now).await?;
            checkout.check_open(now)?;
            engine.hold_and_view(tx, &context, checkout, &channel, now).await
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
            if expected_version.is_some_and(|expected| expected != checkout.version) {
                return Err(Refusal::version_conflict(checkout.version).into());
            }
            let channel =
                engine.channel(tx, context.tenant_id, Which::Id(checkout.channel_id)).await?;
            checkout.update(buyer.clone(), &channel.settings, now)?;
            let save = sql::update(context.tenant_id, &mut checkout);
            write(tx, vec![save]).await?;
            engine.hold_and_view(tx, &context, checkout, &channel, now).await
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
    ) -> Result<(Checkout, Arc<Channel>), Error> {
        let tenant_id = ctx.tenant_id;
        let (cart, channel) = self.lock_cart(tx, tenant_id, cart_id).await?;
        let settings = &channel.settings;
        let existing = sql::lock_of_cart(tx, tenant_id, cart_id).await?;
        let mut saves: Vec<Bound> = Vec::new();
        let checkout = match existing {
            Some(checkout) if checkout.status == CheckoutStatus::Completed => checkout,
            Some(mut checkout) if checkout.expires_at > now => {
                checkout.refresh(&cart, settings, now)?;
                checkout.update(buyer, settings, now)?;
                saves.push(sql::update(tenant_id, &mut checkout));
                checkout
            }
            expired => {
                if let Some(mut expired) = expired {
                    expired.status = CheckoutStatus::Canceled;
                    saves.push(sql::update(tenant_id, &mut expired));
                }
                let id = self.system().mint::<CheckoutKind>(now);
                let checkout = Checkout::create(id, &cart, buyer, settings, now)?;
                saves.push(sql::insert(tenant_id, &checkout));
                checkout
            }
        };
        write(tx, saves).await?;
        Ok((checkout, channel))
    }

    async fn hold_and_view(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        checkout: Checkout,
        channel: &Channel,
        now: Timestamp,
    ) -> Result<CheckoutView, Error> {
        let view = view::view(tx, ctx.tenant_id, checkout, channel, now).await?;
        let chosen = view.checkout.buyer.shipping_method.as_ref();
        let goes = |code: &Slug| view.shipping_options.iter().any(|method| method.code == *code);
        if chosen.is_some_and(|code| !view.shipping_options.is_empty() && !goes(code)) {
            let message = "the shipping method does not go to this address";
            return Err(Refusal::new(Code::ShippingMethodUnknown, message).into());
        }
        let hold_ms = channel.settings.hold_ms;
        if hold_ms > 0 {
            stock::hold(tx, ctx.tenant_id, &view.checkout, &view.quote, hold_ms, now).await?;
        }
        Ok(view)
    }
}

/// Writes rows that must each change exactly one.
async fn write(tx: &mut Transaction<'_>, bounds: Vec<Bound>) -> Result<(), Error> {
    if tx.run_all(bounds).await?.iter().any(|changed| *changed != 1) {
        return Err(tx.restart().into());
    }
    Ok(())
}
