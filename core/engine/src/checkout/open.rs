//! Programs open checkouts: from a cart of theirs, or from a basket that they say at once.

use handel_domain::{
    Code, Refusal,
    cart::Cart,
    channel::Channel,
    checkout::{Buyer, Checkout},
    id::{CartId, CheckoutKind},
    origin::Origin,
};
use handel_store::Transaction;
use jiff::Timestamp;

use super::{
    CheckoutView,
    prepare::{Said, hold, write},
    sql,
    view::with_prices,
};
use crate::{
    Basket, Context, Engine, Error, Once,
    cart::{self, Fill},
    channel::Which,
    pricing::Prices,
};

/// Opens a checkout.
#[derive(Clone, Debug)]
pub struct OpenCheckout {
    /// The cart that it is made from; a new one for the basket if none is named.
    pub cart_id: Option<CartId>,
    /// What is bought. Needed without a cart. What a cart holds goes before it: its items always, its codes where it
    /// has some.
    pub basket: Option<Basket>,
    /// What the buyer says. What the cart says goes before it.
    pub buyer: Buyer,
    /// What the program says of itself. The door and the profile are taken from the context.
    pub origin: Origin,
}

impl Engine {
    /// What a program says of itself, with its door and its profile from where it cannot be wrong about them; none
    /// where somebody else asks. Refused if it wants to be told at an address that must not be called.
    pub(super) fn own_origin(
        &self,
        ctx: &Context,
        origin: Origin,
    ) -> Result<Option<Origin>, Refusal> {
        let agent = ctx.agent().map(str::to_owned);
        let origin = Origin { source: ctx.source, agent, ..origin }.checked()?;
        let told_at = origin.webhook_url.as_deref().map(|url| self.check_webhook_url(url));
        let origin = Origin { webhook_url: told_at.transpose()?, ..origin };
        Ok(Some(origin).filter(|origin| origin.agent.is_some()))
    }

    /// Opens a checkout, or finds the one that is under way: a cart has one at a time.
    ///
    /// Too little stock does not refuse it: the view shows what is short, and only completing is refused. But a basket
    /// of which nothing can be sold opens nothing. A way of sending that is unknown, or does not go there, is left
    /// out; the view shows which one is chosen.
    pub async fn open_checkout(
        &self,
        ctx: &Context,
        open: OpenCheckout,
    ) -> Result<Once<CheckoutView>, Error> {
        let origin = self.own_origin(ctx, open.origin)?;
        if open.cart_id.is_none() && open.basket.is_none() {
            return Err(Refusal::field("/items", "are needed where no cart is named").into());
        }
        let (engine, context) = (self.clone(), ctx.clone());
        self.answer_once(ctx, async move |tx, now| {
            let ctx = &context;
            let said = Said { buyer: open.buyer.clone(), origin: origin.clone() };
            match (open.cart_id, &open.basket) {
                (Some(cart_id), basket) => {
                    let codes = basket.as_ref().map_or(&[][..], |basket| &basket.codes[..]);
                    engine.open_from_cart(tx, ctx, (cart_id, codes), said, now).await
                }
                (None, basket) => {
                    let basket = basket.clone().unwrap_or_default();
                    engine.open_from_basket(tx, ctx, &basket, said, now).await
                }
            }
        })
        .await
    }

    async fn open_from_cart(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        (cart_id, codes): (CartId, &[String]),
        said: Said,
        now: Timestamp,
    ) -> Result<CheckoutView, Error> {
        let (mut cart, market) = self.lock_cart(tx, ctx.tenant_id, cart_id).await?;
        let channel = &market.channel;
        cart::check_owner(ctx, &cart)?;
        if cart.codes.is_empty() && !codes.is_empty() {
            cart.set_codes(codes, &channel.settings, now)?;
            write(tx, vec![cart::sql::update(ctx.tenant_id, &mut cart)]).await?;
        }
        let mut buyer = said.buyer.checked(&channel.settings)?;
        buyer.merge(cart.buyer.clone());
        let said = Said { buyer, ..said };
        let mut draft = self.checkout_of(tx, ctx, &cart, &channel.settings, said, now).await?;
        draft.checkout.check_open(now)?;
        draft.checkout.leave_out_unknown_method(&channel.settings);
        let view = self.save_and_view(tx, ctx, draft, &market, now).await?;
        view.quote.check_sellable()?;
        self.check_payable(view.quote.totals.total_minor)?;
        hold_what_there_is(tx, ctx, &view, channel, now).await?;
        Ok(view)
    }

    async fn open_from_basket(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        basket: &Basket,
        said: Said,
        now: Timestamp,
    ) -> Result<CheckoutView, Error> {
        let tenant_id = ctx.tenant_id;
        let market = self.market(tx, tenant_id, Which::from(ctx)).await?;
        let channel = &market.channel;
        let fill = Fill { basket, buyer: &said.buyer, market: &market };
        let (cart, prices) = self.cart_of_basket(tx, ctx, fill, now).await?;
        let id = self.system().mint::<CheckoutKind>(now);
        let mut checkout = Checkout::create(id, &cart, said.buyer, &channel.settings, now)?;
        checkout.origin = said.origin;
        checkout.leave_out_unknown_method(&channel.settings);
        let view = with_prices(checkout, &prices, &market, now)?;
        let mut view = CheckoutView { is_new: true, ..view };
        view.show_to(ctx);
        view.quote.check_sellable()?;
        self.check_payable(view.quote.totals.total_minor)?;
        let checkout = sql::insert(tenant_id, &view.checkout);
        write(tx, vec![cart::sql::insert(tenant_id, &cart), checkout]).await?;
        hold_what_there_is(tx, ctx, &view, channel, now).await?;
        Ok(view)
    }

    async fn cart_of_basket(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        fill: Fill<'_>,
        now: Timestamp,
    ) -> Result<(Cart, Prices), Error> {
        cart::check_may_begin(ctx)?;
        let mut cart = self.new_cart(ctx, &fill.market.channel, now);
        let prices = self.fill_cart(tx, ctx.tenant_id, &mut cart, fill, now).await?;
        Ok((cart, prices))
    }
}

/// Holds the stock as [`hold`] does, but refuses nothing for lack of it: then nothing is held.
pub(super) async fn hold_what_there_is(
    tx: &mut Transaction<'_>,
    ctx: &Context,
    view: &CheckoutView,
    channel: &Channel,
    now: Timestamp,
) -> Result<(), Error> {
    match hold(tx, ctx, view, channel, now).await {
        Err(error) if error.code() == Code::StockShort => Ok(()),
        outcome => outcome,
    }
}
