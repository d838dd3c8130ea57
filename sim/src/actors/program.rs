//! Programs that say whole baskets, and hold the shop to what they were told.

use std::sync::Arc;

use futures_util::future::join;
use handel_domain::{
    Code,
    checkout::Buyer,
    id::{CheckoutId, OrderId},
};
use handel_testkit::fixtures;

use super::{caller::Caller, goods};
use crate::{
    door::{Answer, Call, Checkout, Door, Money, Purchase, Request, Who, Wish},
    world::World,
};

/// The visit of the program of that number, if a door is open to it.
pub async fn visit(world: Arc<World>, number: u64) {
    let doors = [Door::Engine, Door::Ucp];
    let Some(caller) = Caller::new(world, format!("program{number}"), &doors) else { return };
    Program { caller, who: Who::Agent(number) }.visit().await;
}

/// A program that buys, or nearly.
struct Program {
    caller: Caller,
    who: Who,
}

impl Program {
    async fn visit(self) {
        self.caller.world.trace.count("visits of programs");
        self.browse().await;
        let open = Call::Open { wish: self.wish(), buyer: self.buyer() };
        let opened = self.caller.insist(&self.write(open)).await;
        let Some(mut view) = opened.checkout() else { return };
        for _ in 0..self.caller.dice.below(4) {
            self.think().await;
            match self.say_anew(&view).await {
                Some(said) => view = said,
                None => return,
            }
        }
        if self.caller.dice.percent(10) {
            self.give_up(view.id).await;
            return;
        }
        self.think().await;
        let token = self.token();
        let purchase = match self.caller.dice.percent(20) {
            true => self.change_its_mind_at_once(&view, &token).await,
            false => self.complete(&view, &token).await,
        };
        if let Some(purchase) = purchase {
            self.afterwards(&view, &purchase, &token).await;
        }
    }

    async fn browse(&self) {
        if self.caller.dice.percent(30) {
            let call = match self.caller.dice.percent(50) {
                true => Call::ListProducts,
                false => Call::ViewProduct { sku: goods::SCARCE.to_owned() },
            };
            self.caller.ask(&self.caller.request(self.who.clone(), None, call)).await;
        }
    }

    /// What stands for a means of payment of its buyer.
    fn token(&self) -> String {
        format!("tok_{}_{}", self.caller.name, self.caller.dice.below(1_000))
    }

    async fn think(&self) {
        self.caller.think(0, 500).await;
    }

    fn write(&self, call: Call) -> Request {
        self.caller.request(self.who.clone(), self.caller.perhaps_key(), call)
    }

    fn wish(&self) -> Wish {
        let item = |_| match self.caller.dice.percent(25) {
            true => (goods::SCARCE, self.caller.dice.range(1, 3)),
            false => (self.caller.dice.pick(goods::ALL).sku, self.caller.dice.range(1, 4)),
        };
        let items = (0..=self.caller.dice.below(3)).map(item).collect();
        let code = |_| (*self.caller.dice.pick(goods::CODES)).to_owned();
        let codes = match self.caller.dice.percent(30) {
            true => (0..=self.caller.dice.below(2)).map(code).collect(),
            false => Vec::new(),
        };
        Wish { items, codes }
    }

    fn buyer(&self) -> Buyer {
        let mut buyer = fixtures::buyer();
        if self.caller.dice.percent(30) {
            buyer.shipping_address = Some(fixtures::address("AT", "1010"));
        }
        buyer
    }

    /// Says another basket, with a key, so that nothing of it can happen later. None where it does not know what
    /// became of it: then it agrees to nothing.
    async fn say_anew(&self, view: &Checkout) -> Option<Checkout> {
        let (checkout, wish) = (view.id, self.wish());
        let mut expected_version = view.version.filter(|_| self.caller.dice.percent(50));
        if self.caller.dice.percent(10) {
            expected_version = view.version.map(|version| version + 1);
        }
        let call = Call::Replace { checkout, wish, buyer: self.buyer(), expected_version };
        let request = self.caller.request(self.who.clone(), Some(self.caller.fresh_key()), call);
        match self.caller.insist(&request).await {
            Answer::Refused(refusal) if refusal.code == Code::VersionConflict => {
                self.look(checkout).await
            }
            answer => answer.checkout(),
        }
    }

    async fn look(&self, checkout: CheckoutId) -> Option<Checkout> {
        let see = self.caller.request(self.who.clone(), None, Call::SeeCheckout { checkout });
        self.caller.insist(&see).await.checkout()
    }

    async fn give_up(&self, checkout: CheckoutId) -> bool {
        let request = self.write(Call::CancelCheckout { checkout });
        let Some(view) = self.caller.insist(&request).await.checkout() else { return false };
        let trace = &self.caller.world.trace;
        trace.count("checkouts given up");
        if !view.is_canceled || view.has_order {
            trace.violation(format!("{checkout} was given up, and is {view:?}"));
        }
        true
    }

    fn completing(&self, view: &Checkout, token: &str) -> Request {
        let agreed_minor = view.goods.total_minor;
        let call = Call::Complete {
            checkout: view.id,
            token: token.to_owned(),
            expected_total_minor: (self.caller.door.takes_totals() && self.caller.dice.percent(50))
                .then_some(agreed_minor),
        };
        self.caller.request(self.who.clone(), Some(self.caller.fresh_key()), call)
    }

    /// Completes what it saw, once more if the payment is declined.
    async fn complete(&self, view: &Checkout, token: &str) -> Option<Purchase> {
        let mut last = None;
        for _ in 0..3 {
            let request = self.completing(view, token);
            let answer = self.caller.insist(&request).await;
            if matches!(&answer, Answer::Refused(no) if no.code == Code::PromotionUsedUp) {
                self.caller.world.trace.count("codes that are used up");
            }
            if matches!(&answer, Answer::Refused(no) if no.code == Code::TotalsChanged)
                && self.caller.dice.percent(60)
            {
                // Agrees to what the answer showed, without reading again.
                continue;
            }
            let Some(purchase) = answer.purchase() else { return last };
            self.check(view, &purchase);
            self.again(&request, &purchase).await;
            let is_declined = purchase.is_declined();
            last = Some(purchase);
            if !is_declined || self.caller.world.is_closing() {
                break;
            }
            self.think().await;
        }
        last
    }

    /// Repeats what was answered, and misuses its key.
    async fn again(&self, request: &Request, purchase: &Purchase) {
        if self.caller.dice.percent(30) {
            self.caller.ask(request).await;
        }
        if !purchase.is_declined()
            && self.caller.dice.percent(10)
            && let Call::Complete { checkout, expected_total_minor, .. } = request.call
        {
            let token = "tok_other".to_owned();
            let call = Call::Complete { checkout, token, expected_total_minor };
            self.caller.ask(&Request { call, ..request.clone() }).await;
        }
    }

    /// Completes and gives up in the same moment: one of both may happen.
    async fn change_its_mind_at_once(&self, view: &Checkout, token: &str) -> Option<Purchase> {
        let request = self.completing(view, token);
        self.caller.doubt(view.id);
        let completing = self.caller.insist(&request);
        let (answer, gave_up) = join(completing, self.give_up(view.id)).await;
        let purchase = answer.purchase()?;
        self.check(view, &purchase);
        if gave_up && purchase.money == Money::Paid && !purchase.is_canceled {
            self.caller.world.trace.violation(format!("{} was paid and given up", view.id));
        }
        Some(purchase)
    }

    /// An order is what its program saw, line by line. That it costs what was shown is held against every answer.
    fn check(&self, view: &Checkout, purchase: &Purchase) {
        let Some(sold) = &purchase.goods else { return };
        if sold.lines != view.goods.lines {
            let sentence = format!("{} is not sold as its program agreed to", view.id);
            self.caller.world.trace.violation(sentence);
        }
    }

    /// What happens after an order: approving, giving up while it waits, and looking.
    async fn afterwards(&self, view: &Checkout, purchase: &Purchase, token: &str) {
        let waits = purchase.money == Money::WaitsForBuyer;
        if waits && self.caller.dice.percent(60) {
            self.caller.think(1_000, 120_000).await;
            self.caller.world.provider.decide(token, self.caller.dice.percent(85));
        }
        if self.caller.dice.percent(30) {
            self.think().await;
            self.give_up(view.id).await;
        }
        self.think().await;
        self.look(view.id).await;
        if let Some(order) = purchase.order {
            self.see_order(order).await;
        }
    }

    async fn see_order(&self, order: OrderId) {
        let request = self.caller.request(self.who.clone(), None, Call::SeeOrder { order });
        if let Answer::Refused(refusal) = self.caller.ask(&request).await
            && refusal.code == Code::OrderUnknown
        {
            self.caller.world.trace.violation(format!("{order} is hidden from its program"));
        }
    }
}
