//! Promotions that may be used only so often: never once more, by nobody, and never less.

use std::{collections::HashSet, time::Duration};

use handel_domain::{
    Code,
    id::PromotionId,
    order::Status,
    promotion::{Class, Rejection, Rules},
};
use handel_engine::{OwnedCart, Submit};
use handel_testkit::{
    Gate, TestDatabase, TestShop, both_databases,
    fixtures::{buyer, pays, percent, promotion_rules, reference},
    meanwhile, together,
};

use crate::{code, refusal};

fn limited(uses: i64) -> Rules {
    Rules { usage_limit: Some(uses), ..promotion_rules(Class::Order, percent(10)) }
}

fn once_each() -> Rules {
    Rules { customer_limit: Some(1), ..promotion_rules(Class::Order, percent(10)) }
}

async fn used(shop: &TestShop, id: PromotionId) -> i64 {
    shop.engine.get_promotion(&shop.staff(), id).await.expect("it is there").used
}

async fn carts(shop: &TestShop, count: usize, codes: &[&str]) -> Vec<OwnedCart> {
    let mut carts = Vec::new();
    for _ in 0..count {
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        carts.push(shop.set_codes(&cart, codes).await.expect("codes are taken"));
    }
    carts
}

/// A buyer of that name buys a cart, for the total that the shop names where none is expected.
async fn buy(
    shop: &TestShop,
    cart: &OwnedCart,
    name: &str,
    expected_total_minor: Option<i64>,
) -> Result<handel_engine::Completion, handel_engine::Error> {
    let mut buyer = buyer();
    buyer.email = Some(format!("{name}@example.com").parse().expect("an address"));
    let ctx = shop.owner_with_key(cart.view.cart.id, &shop.fresh_key(), name);
    let payment = pays("tok_ok");
    let submit = Submit { cart: reference(cart), buyer, payment, expected_total_minor };
    loop {
        match shop.engine.submit_checkout(&ctx, submit.clone()).await {
            Err(error) if error.code() == Code::TotalsChanged && expected_total_minor.is_none() => {
            }
            outcome => return outcome.map(|once| once.reply),
        }
    }
}

/// Several processes of one shop: as many as the database allows.
async fn processes(shop: &TestShop) -> Vec<TestShop> {
    let mut processes = vec![shop.clone()];
    if shop.database().backend() == handel_store::Backend::Postgres {
        processes.push(shop.second_process().await);
        processes.push(shop.second_process().await);
    }
    processes
}

async fn end(processes: Vec<TestShop>) {
    for process in &processes {
        process.idle().await;
    }
    processes[0].settle().await;
}

both_databases! {
    /// Goal: of twenty who want the last use, in several processes, exactly one gets it, and every other one is
    /// told and not charged.
    async fn the_last_use_is_used_once(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        let id = shop.promotion(limited(1), &["LAST"]).await.promotion.id;
        let processes = processes(shop).await;
        let carts = carts(shop, 20, &["LAST"]).await;
        let outcomes = together(carts.iter().cloned().enumerate().map(|(n, cart)| {
            let shop = processes[n % processes.len()].clone();
            async move { buy(&shop, &cart, &format!("buyer-{n}"), None).await }
        }))
        .await;
        let mut winners = HashSet::new();
        for outcome in outcomes {
            match outcome {
                Ok(completion) => {
                    assert_eq!((completion.order.status, completion.order.total_minor), (Status::Paid, 900 + 490));
                    winners.insert(completion.order.id);
                }
                Err(error) => {
                    let refused = refusal::<()>(Err(error));
                    assert_eq!((refused.code, refused.details.total_minor), (Code::PromotionUsedUp, Some(1_490)));
                }
            }
        }
        assert_eq!((winners.len(), shop.payments.calls().charges, used(shop, id).await), (1, 1, 1));
        // A loser drops the code and buys at the full price.
        let mut full = 0;
        for cart in carts.iter().take(3) {
            if let Ok(cart) = shop.set_codes(cart, &[]).await {
                let bought = buy(shop, &cart, "loser", None).await.expect("without a code");
                assert_eq!(bought.order.total_minor, 1_490);
                full += 1;
            }
        }
        assert!(full >= 2);
        end(processes).await;
    }

    /// Goal: a promotion without a code is as limited as one with a code. Who agreed to a total is refused when
    /// it is gone; who did not is shown what it costs then.
    async fn a_limit_holds_without_a_code_too(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        let id = shop.promotion(limited(3), &[]).await.promotion.id;
        let processes = processes(shop).await;
        let carts = carts(shop, 16, &[]).await;
        assert_eq!(carts[0].view.quote.totals.total_minor, 900);
        let outcomes = together(carts.into_iter().enumerate().map(|(n, cart)| {
            let shop = processes[n % processes.len()].clone();
            let agreed = (n % 2 == 0).then_some(1_390);
            async move { buy(&shop, &cart, &format!("buyer-{n}"), agreed).await }
        }))
        .await;
        let mut cheap = 0;
        for (n, outcome) in outcomes.into_iter().enumerate() {
            match outcome {
                Ok(completion) if completion.order.total_minor == 1_390 => cheap += 1,
                Ok(completion) => assert_eq!((completion.order.total_minor, n % 2), (1_490, 1)),
                Err(error) => assert_eq!((error.code(), n % 2), (Code::TotalsChanged, 0)),
            }
        }
        assert_eq!((cheap, used(shop, id).await), (3, 3));
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        assert_eq!(cart.view.quote.totals.total_minor, 1_000, "there is nothing left to promise");
        end(processes).await;
    }

    /// Goal: one buyer uses it once, however the address is capitalized and however many carts there are, and
    /// others still can.
    async fn a_limit_for_each_buyer_holds_in_a_race(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        let id = shop.promotion(once_each(), &["ONCE"]).await.promotion.id;
        let processes = processes(shop).await;
        let carts = carts(shop, 12, &["ONCE"]).await;
        let names = ["ada", "Ada", "ADA", "grace"];
        let outcomes = together(carts.into_iter().enumerate().map(|(n, cart)| {
            let shop = processes[n % processes.len()].clone();
            async move { buy(&shop, &cart, names[n % 4], None).await }
        }))
        .await;
        let mut buyers = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok(completion) => buyers.push(completion.order.email.as_str().to_lowercase()),
                Err(error) => assert_eq!(error.code(), Code::PromotionUsedUp),
            }
        }
        buyers.sort();
        assert_eq!((buyers.join(" "), used(shop, id).await), ("ada@example.com grace@example.com".to_owned(), 2));
        // The checkout of somebody who is known says so before it is completed.
        let cart = shop.set_codes(&shop.cart_with(&[("MUG", 1)]).await, &["ONCE"]).await.expect("taken");
        assert_eq!(cart.view.quote.totals.total_minor, 900, "nobody knows the buyer yet");
        let checkout = shop.checkout(&cart).await;
        assert_eq!(checkout.quote.rejected_codes[0].reason, Rejection::UsedUp);
        end(processes).await;
    }

    /// Goal: an order that is canceled or never paid gives its use back, once, and the next buyer gets it.
    async fn a_canceled_order_gives_its_use_back_once(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        let id = shop.promotion(Rules { customer_limit: Some(1), ..limited(1) }, &["LAST"]).await.promotion.id;
        let cart = carts(shop, 1, &["LAST"]).await.remove(0);
        let declined = shop.submit(&cart, "tok_declined", "k").await.expect("the order waits for money").reply;
        assert_eq!((declined.order.status, used(shop, id).await), (Status::Reserved, 1));
        let other = carts(shop, 1, &["LAST"]).await.remove(0);
        assert_eq!(other.view.quote.rejected_codes[0].reason, Rejection::UsedUp);
        assert_eq!(code(buy(shop, &other, "other", None).await), Some(Code::PromotionUsedUp));
        // No money comes in time.
        shop.settle_after(16 * 60).await;
        assert_eq!((shop.order(declined.order.id).await.order.status, used(shop, id).await), (Status::Canceled, 0));
        let paid = shop.submit(&cart, "tok_ok", "again").await.expect("the cart is open again").reply.order;
        assert_eq!((paid.status, paid.discount_minor, used(shop, id).await), (Status::Paid, 100, 1));
        let cancels = together((0..4).map(|_| {
            let (shop, id) = (shop.clone(), paid.id);
            async move { shop.cancel(id).await }
        }))
        .await;
        assert_eq!(cancels.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        assert_eq!(used(shop, id).await, 0);
        assert_eq!(shop.order(paid.id).await.order.discounts.len(), 1, "it keeps what it got");
        buy(shop, &other, "other", None).await.expect("there is a use again");
        assert_eq!(used(shop, id).await, 1);
        shop.settle().await;
    }

    /// Goal: the same request twice uses it once, and another attempt to pay uses nothing.
    async fn a_repeated_purchase_uses_it_once(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        let id = shop.promotion(limited(2), &["TWICE"]).await.promotion.id;
        let cart = carts(shop, 1, &["TWICE"]).await.remove(0);
        let outcomes = together((0..6).map(|_| {
            let (shop, cart) = (shop.clone(), cart.clone());
            async move { shop.submit(&cart, "tok_declined", "k").await }
        }))
        .await;
        assert!(outcomes.iter().any(Result::is_ok));
        assert_eq!(used(shop, id).await, 1);
        let checkout = shop.checkout_of(&cart).await;
        assert_eq!(checkout.quote.rejected_codes, [], "its own use is not in its way");
        let paid = shop.complete(&checkout.checkout, "tok_ok").await.expect("another attempt");
        assert_eq!((paid.order.status, used(shop, id).await), (Status::Paid, 1));
        shop.settle().await;
    }

    /// Goal: a process that dies between placing an order and its money leaves the use where the order is.
    async fn a_crash_keeps_the_use_with_its_order(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        let id = shop.promotion(limited(1), &["LAST"]).await.promotion.id;
        let carts = carts(shop, 2, &["LAST"]).await;
        let gate: Gate = shop.payments.hold_before_charge();
        let answer = meanwhile({
            let (shop, cart) = (shop.clone(), carts[0].clone());
            async move { shop.submit(&cart, "tok_ok", "k").await }
        });
        gate.reached().await;
        shop.restart().await;
        assert!(answer.await.expect("no panic").is_err(), "a dead process answers nobody");
        assert_eq!(used(shop, id).await, 1);
        assert_eq!(code(buy(shop, &carts[1], "other", None).await), Some(Code::PromotionUsedUp));
        // Nobody comes back for it: the order is canceled in time, and its use is free.
        shop.settle_after(20).await;
        shop.settle_after(90).await;
        shop.settle_after(16 * 60).await;
        assert_eq!(used(shop, id).await, 0);
        buy(shop, &carts[1], "other", None).await.expect("there is a use again");
        assert_eq!(used(shop, id).await, 1);
        shop.settle().await;
    }

    /// Goal: what lacks stock uses nothing, also where others of its batch buy.
    async fn a_refused_order_uses_nothing(shop: TestShop) {
        shop.product("MUG", 1_000, 3).await;
        let id = shop.promotion(limited(10), &["TEN"]).await.promotion.id;
        let carts = carts(shop, 8, &["TEN"]).await;
        let outcomes = together(carts.into_iter().enumerate().map(|(n, cart)| {
            let shop = shop.clone();
            async move { buy(&shop, &cart, &format!("buyer-{n}"), None).await }
        }))
        .await;
        for outcome in &outcomes {
            assert!(outcome.as_ref().err().is_none_or(|error| error.code() == Code::StockShort));
        }
        assert_eq!((outcomes.iter().filter(|outcome| outcome.is_ok()).count(), used(shop, id).await), (3, 3));
        shop.settle().await;
    }

    /// Goal: buyers, staff who cancel and staff who change the promotion at the same time: every use is counted,
    /// and no deadlock loses an order.
    async fn uses_are_counted_while_everything_changes(shop: TestShop) {
        shop.product("MUG", 1_000, 1_000).await;
        let hot = shop.promotion(limited(1_000), &["HOT"]).await.promotion.id;
        let free = promotion_rules(Class::Shipping, percent(100));
        let automatic = shop.promotion(free.clone(), &[]).await.promotion.id;
        let processes = processes(shop).await;
        let mut orders = Vec::new();
        for cart in carts(shop, 8, &["HOT"]).await {
            orders.push(buy(shop, &cart, "early", None).await.expect("there are enough").order.id);
        }
        let carts = carts(shop, 24, &["HOT"]).await;
        let cancels = meanwhile({
            let shop = processes[processes.len() - 1].clone();
            async move {
                for id in orders {
                    shop.cancel(id).await.expect("it has not shipped");
                }
            }
        });
        let edits = meanwhile({
            let (shop, rules) = (processes[0].clone(), free);
            async move {
                for n in 0..8 {
                    let rules = Rules { priority: n, ..rules.clone() };
                    shop.engine.replace_promotion(&shop.staff(), automatic, rules, vec![], None).await.expect("changed");
                }
            }
        });
        let outcomes = together(carts.into_iter().enumerate().map(|(n, cart)| {
            let shop = processes[n % processes.len()].clone();
            async move { buy(&shop, &cart, &format!("buyer-{n}"), None).await }
        }))
        .await;
        for outcome in outcomes {
            assert_eq!(outcome.expect("there are enough").order.total_minor, 900);
        }
        cancels.await.expect("no panic");
        edits.await.expect("no panic");
        assert_eq!((used(shop, hot).await, used(shop, automatic).await), (24, 24));
        end(processes).await;
    }
}

/// Goal: a promotion that is deleted while somebody buys with it is deleted or used, never both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promotion_is_deleted_or_used() {
    for database in [Some(TestDatabase::sqlite().await), TestDatabase::postgres().await] {
        let Some(database) = database else { continue };
        let mut shop = TestShop::start(database).await;
        shop.product("MUG", 1_000, 100).await;
        for n in 0..5 {
            let code = format!("CODE-{n}");
            let id = shop.promotion(limited(5), &[&code]).await.promotion.id;
            let cart = carts(&shop, 1, &[&code]).await.remove(0);
            let bought = meanwhile({
                let (shop, cart) = (shop.clone(), cart.clone());
                async move { buy(&shop, &cart, "ada", None).await }
            });
            let deleted = shop.engine.delete_promotion(&shop.staff(), id).await;
            let order = bought.await.expect("no panic").expect("with or without").order;
            assert_eq!(order.discounts.is_empty(), deleted.is_ok());
            shop.clock.advance(Duration::from_secs(1));
        }
        shop.settle().await;
        shop.finish().await;
    }
}
