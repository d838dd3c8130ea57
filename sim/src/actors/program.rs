//! Programs that say whole baskets, and hold the shop to what they were told.

use std::sync::Arc;

use futures_util::future::join;
use handel_domain::{
    Code,
    checkout::{Buyer, CheckoutStatus},
    id::{CheckoutId, OrderId},
    order::Status,
    payment::{AttemptStatus, NextAction},
};
use handel_engine::{CheckoutView, Completion};
use handel_testkit::fixtures;

use super::{caller::Caller, goods};
use crate::{
    door::{Answer, Call, Reply, Request, Who, Wish},
    world::World,
};

/// A program that buys, or nearly.
pub struct Program {
    caller: Caller,
    who: Who,
}

impl Program {
    /// The program of that number.
    pub fn new(world: Arc<World>, number: u64) -> Self {
        Self { caller: Caller::new(world, format!("program{number}")), who: Who::Agent(number) }
    }

    /// One visit.
    pub async fn visit(self) {
        self.caller.world.trace.count("visits of programs");
        let open = Call::Open { wish: self.wish(), buyer: self.buyer() };
        let opened = self.caller.insist(&self.write(open)).await;
        let Some(mut view) = checkout_of(opened) else { return };
        for _ in 0..self.caller.dice.below(4) {
            self.think().await;
            match self.say_anew(&view).await {
                Some(said) => view = said,
                None => return,
            }
        }
        if self.caller.dice.percent(10) {
            self.give_up(view.checkout.id).await;
            return;
        }
        self.think().await;
        let completion = match self.caller.dice.percent(20) {
            true => self.change_its_mind_at_once(&view).await,
            false => self.complete(&view).await,
        };
        if let Some(completion) = completion {
            self.afterwards(&view, &completion).await;
        }
    }

    async fn think(&self) {
        self.caller.think(0, 500).await;
    }

    fn write(&self, call: Call) -> Request {
        self.caller.request(self.who, self.caller.perhaps_key(), call)
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
    async fn say_anew(&self, view: &CheckoutView) -> Option<Box<CheckoutView>> {
        let (checkout, wish) = (view.checkout.id, self.wish());
        let mut expected_version = self.caller.dice.percent(50).then_some(view.checkout.version);
        if self.caller.dice.percent(10) {
            expected_version = Some(view.checkout.version + 1);
        }
        let call = Call::Replace { checkout, wish, buyer: self.buyer(), expected_version };
        let request = self.caller.request(self.who, Some(self.caller.fresh_key()), call);
        match self.caller.insist(&request).await {
            Answer::Refused(refusal) if refusal.code == Code::VersionConflict => {
                self.look(checkout).await
            }
            answer => checkout_of(answer),
        }
    }

    async fn look(&self, checkout: CheckoutId) -> Option<Box<CheckoutView>> {
        let see = self.caller.request(self.who, None, Call::SeeCheckout { checkout });
        checkout_of(self.caller.insist(&see).await)
    }

    async fn give_up(&self, checkout: CheckoutId) -> bool {
        let request = self.write(Call::CancelCheckout { checkout });
        let Some(view) = checkout_of(self.caller.insist(&request).await) else { return false };
        let trace = &self.caller.world.trace;
        trace.count("checkouts given up");
        if view.checkout.status != CheckoutStatus::Canceled || view.checkout.order_id.is_some() {
            trace.violation(format!("{checkout} was given up, and is {:?}", view.checkout.status));
        }
        true
    }

    fn completing(&self, view: &CheckoutView) -> Request {
        let agreed = view.quote.totals.total_minor;
        let call = Call::Complete {
            checkout: view.checkout.id,
            token: format!("tok_{}", self.caller.dice.below(1_000)),
            expected_total_minor: Some(agreed),
        };
        self.caller.request(self.who, Some(self.caller.fresh_key()), call)
    }

    /// Completes what it saw, with another means of payment if one is declined.
    async fn complete(&self, view: &CheckoutView) -> Option<Box<Completion>> {
        let mut last = None;
        for _ in 0..3 {
            let answer = self.caller.insist(&self.completing(view)).await;
            if matches!(&answer, Answer::Refused(no) if no.code == Code::PromotionUsedUp) {
                self.caller.world.trace.count("codes that are used up");
            }
            let Some(completion) = completion_of(answer) else { return last };
            self.check(view, &completion);
            let is_declined = completion.payment_refusal().is_some();
            last = Some(completion);
            if !is_declined || self.caller.world.is_closing() {
                break;
            }
            self.think().await;
        }
        last
    }

    /// Completes and gives up in the same moment: one of both may happen.
    async fn change_its_mind_at_once(&self, view: &CheckoutView) -> Option<Box<Completion>> {
        let request = self.completing(view);
        let completing = self.caller.insist(&request);
        let (answer, gave_up) = join(completing, self.give_up(view.checkout.id)).await;
        let completion = completion_of(answer)?;
        self.check(view, &completion);
        if gave_up && completion.order.status == Status::Paid {
            let sentence = format!("{} was paid and given up", view.checkout.id);
            self.caller.world.trace.violation(sentence);
        }
        Some(completion)
    }

    /// An order is what its program saw, line by line, at the price that it agreed to.
    fn check(&self, view: &CheckoutView, completion: &Completion) {
        let order = &completion.order;
        let agreed: Vec<_> = view
            .checkout
            .lines
            .iter()
            .map(|line| (line.id, line.variant_id, line.quantity))
            .collect();
        let sold: Vec<_> =
            order.lines.iter().map(|line| (line.id, line.variant_id, line.ordered)).collect();
        if agreed != sold || order.total_minor != view.quote.totals.total_minor {
            let sentence = format!("{} is not what its program agreed to", order.id);
            self.caller.world.trace.violation(sentence);
        }
        if order.agent().is_none() {
            self.caller.world.trace.violation(format!("{} forgot its program", order.id));
        }
    }

    /// What happens after an order: approving, giving up while it waits, and looking.
    async fn afterwards(&self, view: &CheckoutView, completion: &Completion) {
        let attempt = completion.payment.as_ref().and_then(|payment| payment.attempt.as_ref());
        let waits = attempt.is_some_and(|attempt| {
            attempt.status == AttemptStatus::RequiresAction
                && matches!(attempt.next_action, Some(NextAction::Redirect { .. }))
        });
        if let Some(attempt) = attempt.filter(|_| waits && self.caller.dice.percent(60)) {
            self.caller.think(1_000, 120_000).await;
            self.caller.world.provider.decide(attempt.id, self.caller.dice.percent(85));
        }
        if self.caller.dice.percent(30) {
            self.think().await;
            self.give_up(view.checkout.id).await;
        }
        self.think().await;
        self.see_order(completion.order.id).await;
    }

    async fn see_order(&self, order: OrderId) {
        let request = self.caller.request(self.who, None, Call::SeeOrder { order });
        if let Answer::Refused(refusal) = self.caller.ask(&request).await
            && refusal.code == Code::OrderUnknown
        {
            self.caller.world.trace.violation(format!("{order} is hidden from its program"));
        }
    }
}

fn checkout_of(answer: Answer) -> Option<Box<CheckoutView>> {
    match answer {
        Answer::Ok { reply: Reply::Checkout(view), .. } => Some(view),
        _ => None,
    }
}

fn completion_of(answer: Answer) -> Option<Box<Completion>> {
    match answer {
        Answer::Ok { reply: Reply::Completion(completion), .. } => Some(completion),
        _ => None,
    }
}
