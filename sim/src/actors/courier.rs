//! Brings the provider's webhooks to the shop, until each was taken in.

use std::{sync::Arc, time::Duration};

use super::caller::Caller;
use crate::{
    door::{Answer, Call, Door, Who},
    provider::Webhook,
    world::World,
};

/// Carries webhooks.
pub struct Courier(Caller);

impl Courier {
    /// The courier of the provider.
    pub fn new(world: Arc<World>) -> Self {
        let name = "courier";
        let caller = Caller::new(world.clone(), name.to_owned(), &[Door::Engine, Door::Rest]);
        Self(caller.unwrap_or_else(|| Caller::of_house(world, name.to_owned())))
    }

    /// Carries until nobody lives any more.
    pub async fn work(self) {
        loop {
            self.0.think(500, 2_500).await;
            for webhook in self.0.world.provider.take_due_webhooks() {
                self.bring(webhook).await;
            }
        }
    }

    async fn bring(&self, webhook: Webhook) {
        let call = Call::Webhook { body: webhook.body.clone() };
        let request = self.0.request(Who::Shopper(None), None, call);
        match self.0.ask(&request).await {
            Answer::Ok(_) => self.0.world.trace.count("webhooks"),
            // No answer, or not now: it comes again, later and later in the day.
            _ => self.0.world.provider.put_back(webhook, self.wait()),
        }
    }

    fn wait(&self) -> Duration {
        self.0.dice.millis(1_000, 120_000)
    }
}
