//! Carts of programs: said whole each time, and found by their id.

use handel_domain::{
    cart::Cart,
    checkout::Buyer,
    id::{CartId, CartKind},
};

use super::{Basket, CartView, Fill, check_may_begin, check_owner, edit::save};
use crate::{Context, Engine, Error, Once, channel::Which, check_version};

/// Makes a cart hold exactly what is said.
#[derive(Clone, Debug)]
pub struct PutCart {
    /// The cart; a new one, in the channel that the request names, if none is named.
    pub cart_id: Option<CartId>,
    /// What it is to hold.
    pub basket: Basket,
    /// What is known of the buyer. It decides the estimated tax, and goes into the checkout.
    pub buyer: Buyer,
    /// The version of the cart that the caller saw.
    pub expected_version: Option<i64>,
}

impl Engine {
    /// Makes a cart, or replaces all that it holds.
    ///
    /// An unknown variant refuses the whole basket. Too little stock does not: the view shows it. But no new cart
    /// begins with a basket of which nothing can be sold.
    pub async fn put_cart(&self, ctx: &Context, put: PutCart) -> Result<Once<CartView>, Error> {
        let (engine, context) = (self.clone(), ctx.clone());
        self.write_once(ctx, async move |tx, now| {
            let (tenant_id, ctx) = (context.tenant_id, &context);
            let (mut cart, market, is_new) = match put.cart_id {
                Some(id) => {
                    let (cart, market) = engine.lock_cart(tx, tenant_id, id).await?;
                    check_owner(ctx, &cart)?;
                    (cart, market, false)
                }
                None => {
                    check_may_begin(ctx)?;
                    let market = engine.market(tx, tenant_id, Which::from(ctx)).await?;
                    (engine.new_cart(ctx, &market.channel, now), market, true)
                }
            };
            check_version(cart.version, put.expected_version)?;
            let buyer = put.buyer.clone().checked(&market.channel.settings)?;
            let fill = Fill { basket: &put.basket, buyer: &buyer, market: &market };
            let prices = engine.fill_cart(tx, tenant_id, &mut cart, fill, now).await?;
            cart.say_buyer(buyer);
            let mut view = CartView::new(cart, &prices, &market, now)?;
            if is_new {
                view.quote.check_sellable()?;
            }
            save(tx, tenant_id, &mut view.cart, is_new).await?;
            Ok(view)
        })
        .await
    }

    /// A cart as its owner finds it by its id.
    pub async fn agent_cart(&self, ctx: &Context, id: CartId) -> Result<CartView, Error> {
        let context = ctx.clone();
        self.read_cart(ctx, id, move |cart| check_owner(&context, cart)).await
    }

    /// An empty cart of whoever asks.
    pub(crate) fn new_cart(
        &self,
        ctx: &Context,
        channel: &handel_domain::channel::Channel,
        now: jiff::Timestamp,
    ) -> Cart {
        let id = self.system().mint::<CartKind>(now);
        let cart = Cart::create(id, channel.id, &channel.settings, now);
        Cart { agent: ctx.agent().map(str::to_owned), ..cart }
    }
}
