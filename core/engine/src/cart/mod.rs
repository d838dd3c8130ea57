//! Carts.

mod cancel;
mod edit;
mod fill;
mod put;
pub(crate) mod sql;
mod view;

use handel_domain::{
    Code, Refusal,
    cart::Cart,
    id::{CartId, TenantId, VariantId},
    origin::URL_MAX,
    text,
};
use handel_store::Transaction;

pub use edit::AddItem;
pub(crate) use fill::Fill;
pub use fill::{Basket, WantedItem};
pub use put::PutCart;
pub use view::CartView;

use crate::{
    Caller, Context, Engine, Error, Scope,
    channel::{Market, Which},
};

/// How a request names a cart: by a token that this shop made for its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartRef {
    /// The token.
    pub token: String,
}

/// A cart with the token of its owner.
#[derive(Clone, Debug)]
pub struct OwnedCart {
    /// The token by which the owner comes back to it.
    pub token: String,
    /// The cart.
    pub view: CartView,
}

impl Engine {
    /// The cart that a token belongs to; none where this shop did not make the token.
    pub fn read_cart_token(&self, token: &str) -> Option<CartId> {
        self.0.signer.read_cart_token(token)
    }

    pub(crate) fn owned(&self, view: CartView) -> OwnedCart {
        OwnedCart { token: self.0.signer.cart_token(view.cart.id), view }
    }

    pub(crate) fn cart_id(&self, cart: &CartRef) -> Result<CartId, Refusal> {
        self.read_cart_token(&cart.token).ok_or_else(unknown)
    }

    /// A cart with the channel that it belongs to and its promotions, locked until the end of the transaction.
    pub(crate) async fn lock_cart(
        &self,
        tx: &mut Transaction<'_>,
        tenant_id: TenantId,
        id: CartId,
    ) -> Result<(Cart, std::sync::Arc<Market>), Error> {
        let cart = sql::lock(tx, tenant_id, id).await?.ok_or_else(unknown)?;
        let market = self.market(tx, tenant_id, Which::Id(cart.channel_id)).await?;
        Ok((cart, market))
    }
}

/// The refusal of a cart that is not there, or not the caller's.
pub(crate) fn unknown() -> Refusal {
    Refusal::new(Code::CartUnknown, "there is no such cart; start a new one")
}

/// Programs own the carts that they made; shoppers those whose token they hold; keys with a scope see all.
pub(crate) fn check_owner(ctx: &Context, cart: &Cart) -> Result<(), Refusal> {
    match &ctx.caller {
        Caller::Agent { .. } if ctx.is_agent(cart.agent.as_deref()) => Ok(()),
        Caller::Shopper(Some(id)) if *id == cart.id => Ok(()),
        Caller::Agent { .. } | Caller::Shopper(_) => Err(unknown()),
        _ if ctx.allows(Scope::OrdersWrite) => Ok(()),
        _ => Err(unknown()),
    }
}

/// Refuses a new cart or checkout for somebody who could never come back to it.
pub(crate) fn check_may_begin(ctx: &Context) -> Result<(), Refusal> {
    match &ctx.caller {
        Caller::Agent { profile } => text::line("/agent", profile, URL_MAX).map(drop),
        Caller::Shopper(_) => {
            Err(Refusal::new(Code::Unauthenticated, "this needs the profile of a program"))
        }
        _ => ctx.require(Scope::OrdersWrite),
    }
}

/// The variants of a basket, each once.
pub(crate) fn variants_of(lines: &[handel_domain::cart::CartLine]) -> Vec<VariantId> {
    let mut variants: Vec<_> = lines.iter().map(|line| line.variant_id).collect();
    variants.sort_unstable();
    variants.dedup();
    variants
}
