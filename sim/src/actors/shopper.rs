//! People and programs that buy.

use std::sync::Arc;

use futures_util::future::join_all;
use handel_domain::{
    Code,
    checkout::Buyer,
    id::{CheckoutId, OrderId},
};
use handel_testkit::fixtures;

use super::{caller::Caller, goods};
use crate::{
    door::{Answer, Call, Cart, Door, Mine, Money, Purchase, Reply, Request, Who},
    world::World,
};

/// The visit of somebody of that number, if a door is open to them. It may last for hours.
pub async fn visit(world: Arc<World>, number: u64, is_agent: bool) {
    let kind = if is_agent { "agent" } else { "shopper" };
    let doors = [Door::Engine, Door::Rest];
    let Some(caller) = Caller::new(world, format!("{kind}{number}"), &doors) else { return };
    Shopper { caller, is_agent }.visit().await;
}

/// Somebody who buys, or nearly.
struct Shopper {
    caller: Caller,
    /// Programs think fast, and send things twice.
    is_agent: bool,
}

/// A purchase, and the token that it was to be paid with.
struct Bought {
    purchase: Purchase,
    token: String,
}

impl Shopper {
    async fn visit(self) {
        self.caller.world.trace.count("visits");
        self.browse().await;
        let Some(cart) = self.fill_cart().await else { return };
        if self.caller.dice.percent(12) {
            return;
        }
        if self.caller.dice.percent(8) {
            // Comes back hours later.
            self.caller.think(1_000_000, 15_000_000).await;
        }
        for _ in 0..3 {
            if self.caller.world.is_closing() {
                return;
            }
            let done = match self.is_agent && self.caller.dice.percent(60) {
                true => self.submit(&cart).await,
                false => self.check_out(&cart).await,
            };
            match done {
                Some(bought) => return self.afterwards(&cart, bought).await,
                None if self.caller.dice.percent(50) => return,
                None => self.change_mind(&cart).await,
            }
        }
    }

    async fn think(&self) {
        match self.is_agent {
            true => self.caller.think(0, 300).await,
            false => self.caller.think(500, 30_000).await,
        }
    }

    async fn browse(&self) {
        for _ in 0..self.caller.dice.below(3) {
            let call = match self.caller.dice.percent(50) {
                true => Call::ListProducts,
                false => Call::ViewProduct { sku: self.wish().to_owned() },
            };
            self.caller.ask(&self.caller.request(Who::Shopper(None), None, call)).await;
            self.think().await;
        }
    }

    fn wish(&self) -> &'static str {
        match self.caller.dice.percent(25) {
            true => goods::SCARCE,
            false => self.caller.dice.pick(goods::ALL).sku,
        }
    }

    async fn fill_cart(&self) -> Option<Mine> {
        let mut mine: Option<Mine> = None;
        for _ in 0..=self.caller.dice.below(3) {
            let who = Who::Shopper(mine.clone());
            let call = Call::AddItem {
                sku: self.wish().to_owned(),
                quantity: self.caller.dice.range(1, 4),
            };
            let request = self.caller.request(who, self.caller.perhaps_key(), call);
            if let Some(cart) = cart_of(self.caller.insist(&request).await) {
                mine = Some(Mine { id: cart.id, token: cart.token });
            }
            self.think().await;
        }
        if let Some(cart) = mine.as_ref().filter(|_| self.caller.dice.percent(40)) {
            self.give_codes(cart).await;
        }
        mine
    }

    /// Gives codes that were found somewhere; not all of them do anything.
    async fn give_codes(&self, cart: &Mine) {
        let code = || (*self.caller.dice.pick(goods::CODES)).to_owned();
        let codes = (0..=self.caller.dice.below(2)).map(|_| code()).collect();
        let set = Call::SetCodes { codes };
        let who = Who::Shopper(Some(cart.clone()));
        let request = self.caller.request(who, self.caller.perhaps_key(), set);
        let set = cart_of(self.caller.insist(&request).await);
        if set.is_some_and(|cart| cart.is_reduced) {
            self.caller.world.trace.count("codes that save something");
        }
        self.think().await;
    }

    /// Looks into the cart and takes something out, or more of it; or tries without codes.
    async fn change_mind(&self, cart: &Mine) {
        let who = Who::Shopper(Some(cart.clone()));
        let see = self.caller.request(who.clone(), None, Call::SeeCart);
        let Some(Cart { lines, has_codes, .. }) = cart_of(self.caller.insist(&see).await) else {
            return;
        };
        if has_codes && self.caller.dice.percent(50) {
            let drop = Call::SetCodes { codes: Vec::new() };
            self.caller.insist(&self.caller.request(who, self.caller.perhaps_key(), drop)).await;
            return;
        }
        if lines.is_empty() {
            return;
        }
        let line = *self.caller.dice.pick(&lines);
        let quantity = self.caller.dice.range(i64::from(lines.len() == 1), 3);
        let set = Call::SetQuantity { line, quantity };
        let request = self.caller.request(who, self.caller.perhaps_key(), set);
        self.caller.insist(&request).await;
        self.think().await;
    }

    fn buyer(&self) -> Buyer {
        let mut buyer = fixtures::buyer();
        if self.caller.dice.percent(60) {
            // The others are one and the same buyer in many carts.
            let address = format!("{}@example.com", self.caller.dice.below(1_000));
            buyer.email = address.parse().ok();
        }
        if self.caller.dice.percent(30) {
            buyer.shipping_address = Some(fixtures::address("AT", "1010"));
        }
        buyer
    }

    async fn check_out(&self, cart: &Mine) -> Option<Bought> {
        let who = Who::Shopper(Some(cart.clone()));
        let make = Call::CreateCheckout { buyer: self.buyer() };
        let make = self.caller.request(who.clone(), self.caller.perhaps_key(), make);
        let mut view = self.caller.insist(&make).await.checkout()?;
        self.think().await;
        if self.caller.dice.percent(20) {
            let see = Call::SeeCheckout { checkout: view.id };
            self.caller.ask(&self.caller.request(who.clone(), None, see)).await;
        }
        if self.caller.dice.percent(25) {
            let update = Call::UpdateCheckout { checkout: view.id, buyer: self.buyer() };
            let request = self.caller.request(who, self.caller.perhaps_key(), update);
            if let Some(updated) = self.caller.insist(&request).await.checkout() {
                view = updated;
            }
            self.think().await;
        }
        if self.caller.dice.percent(8) {
            return None;
        }
        let agreed = self.caller.dice.percent(50).then_some(view.goods.total_minor);
        self.complete(cart, view.id, agreed).await
    }

    /// Completes a checkout, with another means of payment if one is declined.
    async fn complete(
        &self,
        cart: &Mine,
        checkout: CheckoutId,
        mut expected_total_minor: Option<i64>,
    ) -> Option<Bought> {
        let who = Who::Shopper(Some(cart.clone()));
        let mut last = None;
        for _ in 0..3 {
            let key = self.caller.fresh_key();
            let token = self.token();
            let call = Call::Complete { checkout, token: token.clone(), expected_total_minor };
            let request = self.caller.request(who.clone(), Some(key), call);
            let answer = self.send(&request).await;
            if matches!(&answer, Answer::Refused(no) if no.code == Code::PromotionUsedUp) {
                self.caller.world.trace.count("codes that are used up");
                return last;
            }
            if moved(&answer) && self.caller.dice.percent(60) {
                // Agrees to what the refusal showed, without reading again.
                expected_total_minor = None;
                continue;
            }
            let Some(purchase) = answer.purchase() else { return last };
            let is_declined = purchase.is_declined();
            last = Some(Bought { purchase, token });
            if !is_declined || self.caller.world.is_closing() || self.caller.dice.percent(40) {
                break;
            }
            self.think().await;
        }
        last
    }

    /// What stands for a means of payment of this one.
    fn token(&self) -> String {
        format!("tok_{}_{}", self.caller.name, self.caller.dice.below(1_000))
    }

    async fn submit(&self, cart: &Mine) -> Option<Bought> {
        let token = self.token();
        let call = Call::Submit { buyer: self.buyer(), token: token.clone() };
        let who = Who::Shopper(Some(cart.clone()));
        let request = self.caller.request(who, Some(self.caller.fresh_key()), call);
        let mut answer = self.send(&request).await;
        if moved(&answer) && self.caller.dice.percent(80) {
            // Nothing was shown before; the refusal did.
            answer = self.send(&request).await;
        }
        Some(Bought { purchase: answer.purchase()?, token })
    }

    /// Sends what buys: some send it several times at once, or once more although it was answered.
    async fn send(&self, request: &Request) -> Answer {
        let copies = match self.is_agent {
            true => self.caller.dice.below(4),
            false => u64::from(self.caller.dice.percent(5)),
        };
        let answer = match copies {
            0 | 1 => self.caller.insist(request).await,
            _ => self.at_once(request, copies).await,
        };
        if matches!(answer, Answer::Ok(_)) {
            self.again(request).await;
        }
        answer
    }

    async fn at_once(&self, request: &Request, copies: u64) -> Answer {
        if let Call::Complete { checkout, .. } = request.call {
            self.caller.doubt(checkout);
        }
        // Some copies forget which key the first one had: the shop must still sell once.
        let forgets = self.caller.dice.percent(30);
        let requests: Vec<Request> = (0..copies)
            .map(|copy| match forgets && copy > 0 {
                true => Request { key: Some(self.caller.fresh_key()), ..request.clone() },
                false => request.clone(),
            })
            .collect();
        let answers = join_all(requests.iter().map(|request| self.caller.ask(request))).await;
        let answered = answers.into_iter().find(|answer| matches!(answer, Answer::Ok(_)));
        match answered {
            Some(answer) => answer,
            None => self.caller.insist(request).await,
        }
    }

    /// Repeats what was answered, and misuses its key.
    async fn again(&self, request: &Request) {
        if self.caller.dice.percent(30) {
            self.caller.ask(request).await;
        }
        if self.caller.dice.percent(10)
            && let Call::Complete { checkout, .. } = request.call
        {
            let call =
                Call::Complete { checkout, token: "tok_other".into(), expected_total_minor: None };
            self.caller.ask(&Request { call, ..request.clone() }).await;
        }
    }

    /// What happens after an order: approving, looking, completing again, repeating hours later.
    async fn afterwards(&self, cart: &Mine, bought: Bought) {
        self.approve(&bought).await;
        let Purchase { order, checkout, .. } = bought.purchase;
        if self.caller.dice.percent(40) {
            self.think().await;
            self.look(cart, order).await;
        }
        let Some(checkout) = checkout else { return };
        if self.caller.dice.percent(20) {
            self.think().await;
            self.complete(cart, checkout, None).await;
        }
        if self.caller.dice.percent(10) {
            self.caller.think(600_000, 9_000_000).await;
            self.look(cart, order).await;
            self.complete(cart, checkout, None).await;
        }
    }

    /// Approves the payment at the provider, or does not, or forgets about it.
    async fn approve(&self, bought: &Bought) {
        let waits = bought.purchase.money == Money::WaitsForBuyer;
        if waits && self.caller.dice.percent(75) {
            let late_ms = if self.caller.dice.percent(15) { 2_000_000 } else { 120_000 };
            self.caller.think(1_000, late_ms).await;
            self.caller.world.provider.decide(&bought.token, self.caller.dice.percent(85));
        }
    }

    async fn look(&self, cart: &Mine, order: Option<OrderId>) {
        let Some(order) = order else { return };
        let who = Who::Shopper(Some(cart.clone()));
        let see = self.caller.request(who, None, Call::SeeOrder { order });
        self.caller.ask(&see).await;
    }
}

/// Whether nothing was bought because the total is another one than was shown.
fn moved(answer: &Answer) -> bool {
    matches!(answer, Answer::Refused(no) if no.code == Code::TotalsChanged)
}

fn cart_of(answer: Answer) -> Option<Cart> {
    match answer.reply() {
        Some(Reply::Cart(cart)) => Some(cart),
        _ => None,
    }
}
