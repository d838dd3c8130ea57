//! A cart that a program hands over to a person: a link that opens it in a browser for a while.

use handel_domain::{
    Code, Refusal,
    id::{CartId, CheckoutId},
};
use handel_store::Transaction;
use jiff::Timestamp;

use crate::{Context, Engine, Error, cart, checkout};

/// What a link opens.
#[derive(Clone, Debug)]
pub struct Handoff {
    /// The cart.
    pub cart_id: CartId,
    /// The token by which the person owns the cart from now on.
    pub cart_token: String,
    /// How long the cart lives from now on if nobody changes it, in milliseconds.
    pub cart_ttl_ms: i64,
    /// Its checkout, if one is under way or became an order.
    pub checkout_id: Option<CheckoutId>,
}

impl Engine {
    /// A token that hands a cart over until it expires. Whoever has it owns the cart, so it belongs into a link
    /// for the buyer and nowhere else.
    pub fn handoff_token(&self, cart_id: CartId, expires_at: Timestamp) -> String {
        self.0.signer.handoff_token(cart_id, expires_at)
    }

    /// The cart that a token hands over. Refuses what this shop did not sign and what has expired.
    pub fn read_handoff_token(&self, token: &str) -> Result<CartId, Refusal> {
        let invalid = || Refusal::new(Code::CredentialInvalid, "this link is not valid");
        let (cart_id, expires_at) = self.0.signer.read_handoff_token(token).ok_or_else(invalid)?;
        if expires_at <= self.system().now() {
            return Err(Refusal::new(Code::CredentialInvalid, "this link has expired"));
        }
        Ok(cart_id)
    }

    /// Takes a cart over by its token: the token of its owner, and the checkout to go on with.
    pub async fn accept_handoff(&self, ctx: &Context, token: &str) -> Result<Handoff, Error> {
        let cart_id = self.read_handoff_token(token)?;
        let (engine, tenant_id) = (self.clone(), ctx.tenant_id);
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let cart =
                    cart::sql::find(tx, tenant_id, cart_id).await?.ok_or_else(cart::unknown)?;
                let found = checkout::sql::find_of_cart(tx, tenant_id, cart_id).await?;
                let left = cart.expires_at.duration_since(engine.system().now());
                Ok::<_, Error>(Handoff {
                    cart_id,
                    cart_token: engine.0.signer.cart_token(cart_id),
                    cart_ttl_ms: i64::try_from(left.as_millis()).unwrap_or(i64::MAX).max(0),
                    checkout_id: found.map(|checkout| checkout.id),
                })
            })
            .await
    }
}
