//! Programs say a checkout anew: its lines and its buyer become exactly what is said.

use handel_domain::{checkout::Buyer, id::CheckoutId, origin::Origin};

use super::{
    CheckoutView, change::Target, check_owner, open::hold_what_there_is, prepare::write, sql,
    unknown, view::with_prices,
};
use crate::{
    Basket, Context, Engine, Error, Once,
    cart::{self, Fill},
    channel::Which,
};

/// Replaces what a checkout says.
#[derive(Clone, Debug)]
pub struct ReplaceCheckout {
    /// Which.
    pub checkout_id: CheckoutId,
    /// What is bought. Lines that are named, or that hold the same goods, keep their ids.
    pub basket: Basket,
    /// What the buyer says. What is absent is gone; only decisions on consent stay where none is said.
    pub buyer: Buyer,
    /// What the program says of itself now; none where that is what it was.
    pub origin: Option<Origin>,
    /// The version of the checkout that the caller saw.
    pub expected_version: Option<i64>,
}

impl Engine {
    /// Replaces the lines and the buyer of an open checkout, and what its cart holds.
    ///
    /// An order of it that waits because its payment failed is canceled for that. Refuses a checkout whose payment may
    /// still take the money, or took it, so that no buyer gets what was not agreed to. Too little stock does not refuse it: the view shows what is short.
    pub async fn replace_checkout(
        &self,
        ctx: &Context,
        replace: ReplaceCheckout,
    ) -> Result<Once<CheckoutView>, Error> {
        let said = replace.origin.clone().map(|origin| self.own_origin(ctx, origin)).transpose()?;
        let said = said.flatten();
        let (engine, context) = (self.clone(), ctx.clone());
        let (id, expected_version) = (replace.checkout_id, replace.expected_version);
        self.change_once(ctx, Target { id, expected_version }, async move |tx, expected, now| {
            let (tenant_id, ctx) = (context.tenant_id, &context);
            let found = sql::lock_with_cart(tx, tenant_id, replace.checkout_id).await?;
            let (mut checkout, cart) = found.ok_or_else(unknown)?;
            check_owner(ctx, &checkout)?;
            checkout.check_open(now)?;
            crate::check_version(checkout.version, expected)?;
            let mut cart = cart.ok_or_else(cart::unknown)?;
            let market = engine.market(tx, tenant_id, Which::Id(checkout.channel_id)).await?;
            let channel = &market.channel;
            let fill = Fill { basket: &replace.basket, buyer: &replace.buyer, market: &market };
            let prices = engine.fill_cart(tx, tenant_id, &mut cart, fill, now).await?;
            // From here on the checkout says who buys.
            cart.buyer = Buyer::default();
            let save_cart = cart::sql::update(tenant_id, &mut cart);
            checkout.replace(&cart, replace.buyer.clone(), &channel.settings, now)?;
            if said.is_some() {
                checkout.origin.clone_from(&said);
            }
            let mut view = with_prices(checkout, &prices, &market, now)?;
            engine.check_payable(view.quote.totals.total_minor)?;
            view.show_to(ctx);
            let save = sql::update(tenant_id, &mut view.checkout);
            write(tx, vec![save_cart, save]).await?;
            hold_what_there_is(tx, ctx, &view, channel, now).await?;
            Ok(view)
        })
        .await
    }
}
