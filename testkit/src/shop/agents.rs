//! Programs that buy, and what they say.

use handel_domain::{checkout::Checkout, id::CheckoutId, order::Source, origin::Origin};
use handel_engine::{
    Basket, Caller, CheckoutView, Completion, Context, Error, Once, OpenCheckout, ReplaceCheckout,
    StockKey, WantedItem,
};

use crate::PlainNews;

use super::{
    TestShop,
    fixtures::{buyer, completion_of, sku, with_key},
};

/// The profile of the program that buys in tests.
pub const AGENT: &str = "https://agent.example/profile.json";
/// The profile of another one.
pub const STRANGER: &str = "https://stranger.example/profile.json";

/// Units of variants, as a program says them.
pub fn basket(items: &[(&str, i64)]) -> Basket {
    Basket {
        items: items.iter().map(|(name, quantity)| wanted(name, *quantity)).collect(),
        ..Basket::default()
    }
}

/// Units of a variant.
pub fn wanted(sku_text: &str, quantity: i64) -> WantedItem {
    WantedItem {
        line_id: None,
        variant: StockKey::Sku(sku(sku_text)),
        quantity,
        custom: std::collections::HashMap::new(),
    }
}

/// What a program says of itself.
pub fn origin() -> Origin {
    Origin { protocol: Some(PlainNews::NAME.to_owned()), ..Origin::default() }
}

/// A checkout for a basket and a buyer who said all that is needed.
pub fn opening(items: &[(&str, i64)]) -> OpenCheckout {
    OpenCheckout { cart_id: None, basket: Some(basket(items)), buyer: buyer(), origin: origin() }
}

/// The same checkout with another basket.
pub fn replacing(checkout: &Checkout, items: &[(&str, i64)]) -> ReplaceCheckout {
    ReplaceCheckout {
        checkout_id: checkout.id,
        basket: basket(items),
        buyer: buyer(),
        origin: None,
        expected_version: None,
    }
}

impl TestShop {
    /// A program that introduced itself.
    pub fn agent(&self, profile: &str) -> Context {
        let caller = Caller::Agent { profile: profile.to_owned() };
        Context { caller, source: Source::Ucp, ..self.ctx() }
    }

    /// The program that buys in tests, with an idempotency key; `body` stands for all that it says.
    pub fn agent_with_key(&self, key: &str, body: &str) -> Context {
        with_key(self.agent(AGENT), key, body)
    }

    /// A checkout of a program that lacks nothing.
    pub async fn open(&self, items: &[(&str, i64)]) -> CheckoutView {
        let opened = self.engine.open_checkout(&self.agent(AGENT), opening(items)).await;
        opened.expect("it is for sale").reply
    }

    /// A program completes a checkout, with a key that was not used before.
    pub async fn complete_open(&self, id: CheckoutId, token: &str) -> Result<Completion, Error> {
        let ctx = self.agent_with_key(&self.fresh_key(), token);
        self.engine.complete_checkout(&ctx, completion_of(id, token)).await.map(|once| once.reply)
    }

    /// A program gives a checkout up.
    pub async fn cancel_open(&self, id: CheckoutId) -> Result<Once<CheckoutView>, Error> {
        self.engine.cancel_checkout(&self.agent(AGENT), id).await
    }
}
