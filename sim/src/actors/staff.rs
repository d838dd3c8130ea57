//! Those who run the shop.

use std::sync::Arc;

use handel_domain::{
    id::{LineId, OrderId},
    order::{LineQuantity, Status},
};

use super::{caller::Caller, goods};
use crate::{
    door::{Answer, Call, Reply, Who},
    world::World,
};

/// Somebody with every right.
pub struct Clerk(Caller);

impl Clerk {
    /// Somebody of that number.
    pub fn new(world: Arc<World>, number: u64) -> Self {
        Self(Caller::of_house(world, format!("staff{number}")))
    }

    /// Works until the shop closes.
    pub async fn work(self) {
        while !self.0.world.is_closing() {
            self.0.think(2_000, 40_000).await;
            match self.0.dice.below(100) {
                0..12 => self.price().await,
                12 => self.shipping().await,
                13 => self.promotion().await,
                14..32 => self.count().await,
                32..40 => self.cancel().await,
                40..90 => self.fulfill().await,
                90..96 => self.reconcile().await,
                _ => drop(self.say(Call::ReplayJobs).await),
            }
        }
    }

    async fn say(&self, call: Call) -> Answer {
        let key = match call {
            Call::ListOrders { .. }
            | Call::SeeOrder { .. }
            | Call::Reconcile { .. }
            | Call::ReplayJobs => None,
            _ => self.0.perhaps_key(),
        };
        let request = self.0.request(Who::Staff, key, call);
        let answer = self.0.insist(&request).await;
        if request.key.is_some() && self.0.dice.percent(10) {
            self.0.ask(&request).await;
        }
        answer
    }

    async fn price(&self) {
        let good = self.0.dice.pick(goods::ALL);
        let price_minor = (good.price_minor * self.0.dice.range(50, 150) / 100).max(1);
        let prices = goods::Good::prices(price_minor);
        self.say(Call::SetPrice { sku: good.sku.to_owned(), prices }).await;
    }

    async fn shipping(&self) {
        let amount_minor = self.0.dice.range(0, 12) * 70;
        self.say(Call::SetShipping { amount_minor }).await;
    }

    async fn promotion(&self) {
        let minimum_minor = self.0.dice.range(1, 8) * 1_000;
        self.say(Call::SetFreeShipping { minimum_minor }).await;
    }

    async fn count(&self) {
        let good = self.0.dice.pick(goods::ALL);
        let delta = match good.sku {
            goods::SCARCE => self.0.dice.range(-2, 4),
            _ => self.0.dice.range(-10, 30),
        };
        if good.is_tracked && delta != 0 {
            self.say(Call::AdjustStock { sku: good.sku.to_owned(), delta }).await;
        }
    }

    async fn some(&self, status: Option<Status>) -> Option<OrderId> {
        match self.say(Call::ListOrders { status }).await.reply() {
            Some(Reply::Orders(ids)) if !ids.is_empty() => Some(*self.0.dice.pick(&ids)),
            _ => None,
        }
    }

    async fn cancel(&self) {
        let status = *self.0.dice.pick(&[Status::Paid, Status::Packing, Status::Reserved]);
        if let Some(order) = self.some(Some(status)).await {
            self.say(Call::Cancel { order }).await;
        }
    }

    async fn reconcile(&self) {
        if let Some(order) = self.some(None).await {
            self.say(Call::Reconcile { order }).await;
        }
    }

    async fn fulfill(&self) {
        let status = *self.0.dice.pick(&[Status::Paid, Status::Packing, Status::Shipped]);
        let Some(order) = self.some(Some(status)).await else { return };
        match status {
            Status::Paid => drop(self.say(Call::Pack { order }).await),
            Status::Packing => self.ship(order).await,
            _ => drop(self.say(Call::Deliver { order }).await),
        }
    }

    async fn ship(&self, order: OrderId) {
        let seen = self.say(Call::SeeOrder { order }).await;
        let Some(Reply::Order(seen)) = seen.reply() else { return };
        let units = match self.0.dice.percent(40) {
            true => self.part_of(&seen.lines),
            false => Vec::new(),
        };
        self.say(Call::Ship { order, units }).await;
    }

    /// Some of an order, and now and then more than there is.
    fn part_of(&self, lines: &[LineId]) -> Vec<LineQuantity> {
        let line_id = *self.0.dice.pick(lines);
        vec![LineQuantity { line_id, quantity: self.0.dice.range(1, 3) }]
    }
}
