//! Processes that die in the middle: the next one finds what they left, and nobody pays twice or in vain.

use std::time::Duration;

use handel_domain::{
    Code, Money,
    checkout::Checkout,
    order::{PaymentStatus, Status},
    payment::Attempt,
};
use handel_engine::{Completion, Error, Once};
use handel_ports::{Charge, PaymentProvider as _, Secret};
use handel_store::Backend;
use handel_testkit::{Fault, Gate, TestDatabase, TestShop, both_databases, meanwhile};

use crate::code;

type Answer = tokio::task::JoinHandle<Result<Once<Completion>, Error>>;

/// A checkout whose charge stops at a gate.
async fn buying(shop: &TestShop, gate: &Gate) -> (Checkout, Answer) {
    shop.product("MUG", 1_000, 10).await;
    let cart = shop.cart_with(&[("MUG", 1)]).await;
    let checkout = shop.checkout(&cart).await.checkout;
    let answer = meanwhile({
        let (shop, checkout) = (shop.clone(), checkout.clone());
        async move { shop.complete_with_key(&checkout, "tok_ok", "k").await }
    });
    gate.reached().await;
    (checkout, answer)
}

/// The process dies, and its caller with it.
async fn crash(shop: &mut TestShop, answer: Answer) {
    shop.restart().await;
    assert!(answer.await.expect("no panic").is_err(), "a dead process answers nobody");
}

/// Whatever the dead process leased is free again.
async fn leases_end(shop: &TestShop) {
    if shop.database().backend() == Backend::Postgres {
        shop.clock.advance(Duration::from_secs(31));
    }
}

/// A charge that nobody waits for any more arrives at the provider.
async fn arrive(shop: &TestShop, attempt: &Attempt) {
    let charge = Charge {
        key: attempt.id,
        order_id: attempt.order_id,
        amount: Money::new(attempt.amount_minor, "EUR".parse().expect("a currency")),
        token: Secret::new("tok_ok".to_owned()),
        return_url: None,
    };
    shop.provider.charge(charge).await;
}

async fn order_of(shop: &TestShop, checkout: &Checkout) -> (Status, PaymentStatus, i64) {
    let view = shop.engine.get_checkout(&shop.owner(checkout.cart_id), checkout.id).await;
    let completion = view.expect("it is there").completion.expect("it became an order");
    let kept_minor = shop.kept_minor(completion.order.id).await;
    (completion.order.status, completion.payment.expect("something is owed").status, kept_minor)
}

both_databases! {
    /// Goal: a crash after the order was placed and before the provider was called: the same request takes
    /// it up and pays it once.
    async fn a_crash_before_the_charge_is_taken_up_by_a_retry(shop: TestShop) {
        let gate = shop.payments.hold_before_charge();
        let (checkout, answer) = buying(shop, &gate).await;
        crash(shop, answer).await;
        leases_end(shop).await;
        let retried = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is taken up");
        assert_eq!((retried.replayed, retried.reply.order.status), (false, Status::Paid));
        let again = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is answered");
        assert_eq!((again.replayed, again.reply.order), (true, retried.reply.order));
        assert_eq!(order_of(shop, &checkout).await, (Status::Paid, PaymentStatus::Paid, 1_490));
        shop.settle_after(60).await;
        assert_eq!(shop.provider.ledger().summary().await.expect("open books").charges, 1);
    }

    /// Goal: a crash between a decline and its note: the same request is answered with the decline and charges nothing
    /// again; another key may.
    async fn a_decline_whose_note_was_lost_is_answered_and_not_charged_again(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        let gate = shop.payments.hold_after_charge();
        let answer = meanwhile({
            let (shop, checkout) = (shop.clone(), checkout.clone());
            async move { shop.complete_with_key(&checkout, "tok_declined", "k").await }
        });
        gate.reached().await;
        crash(shop, answer).await;
        leases_end(shop).await;
        let retried = shop.complete_with_key(&checkout, "tok_declined", "k").await.expect("it is answered").reply;
        assert_eq!(retried.payment_refusal().map(|refusal| refusal.code), Some(Code::PaymentDeclined));
        let again = shop.complete_with_key(&checkout, "tok_declined", "k").await.expect("it is answered");
        assert_eq!((again.replayed, again.reply.order), (true, retried.order));
        assert_eq!(shop.payments.calls().charges, 1);
        let paid = shop.complete(&checkout, "tok_ok").await.expect("another attempt");
        assert_eq!(paid.order.status, Status::Paid);
        shop.settle_after(60).await;
    }

    /// Goal: the same crash without any retry: the janitor frees the order for another attempt, and no
    /// stock is lost.
    async fn a_crash_before_the_charge_is_cleared_up_without_a_retry(shop: TestShop) {
        let gate = shop.payments.hold_before_charge();
        let (checkout, answer) = buying(shop, &gate).await;
        crash(shop, answer).await;
        shop.settle_after(20).await;
        assert_eq!(order_of(shop, &checkout).await.0, Status::Reserved);
        shop.settle_after(90).await;
        assert_eq!(order_of(shop, &checkout).await, (Status::Reserved, PaymentStatus::Unpaid, 0));
        let paid = shop.complete(&checkout, "tok_ok").await.expect("it waits for another attempt");
        assert_eq!(paid.order.status, Status::Paid);
        shop.settle().await;
    }

    /// Goal: a crash after the money was taken and before it was written down: it is found, by a retry or
    /// by the janitor, and taken once.
    async fn a_crash_after_the_charge_is_found_by_the_janitor(shop: TestShop) {
        let gate = shop.payments.hold_after_charge();
        let (checkout, answer) = buying(shop, &gate).await;
        crash(shop, answer).await;
        assert_eq!(order_of(shop, &checkout).await, (Status::Reserved, PaymentStatus::Processing, 1_490));
        // Another key meanwhile is told to wait, or learns that it is paid: never a second charge.
        match shop.complete(&checkout, "tok_ok").await {
            Ok(completion) => assert_eq!(completion.order.status, Status::Paid),
            Err(error) => assert_eq!(error.code(), Code::PaymentInProgress),
        }
        shop.settle_after(20).await;
        assert_eq!(order_of(shop, &checkout).await, (Status::Paid, PaymentStatus::Paid, 1_490));
        leases_end(shop).await;
        let retried = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is answered");
        assert_eq!(retried.reply.order.status, Status::Paid);
        assert_eq!(shop.payments.calls().charges, 1);
        shop.settle().await;
    }

    /// Goal: a retry after that crash asks the provider and charges nothing again.
    async fn a_crash_after_the_charge_is_found_by_a_retry(shop: TestShop) {
        let gate = shop.payments.hold_after_charge();
        let (checkout, answer) = buying(shop, &gate).await;
        crash(shop, answer).await;
        leases_end(shop).await;
        let retried = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is taken up").reply;
        assert_eq!(retried.order.status, Status::Paid);
        assert_eq!(order_of(shop, &checkout).await, (Status::Paid, PaymentStatus::Paid, 1_490));
        assert_eq!(shop.payments.calls().charges, 1);
        shop.settle().await;
    }

    /// Goal: crash after crash in the same purchase changes nothing in that.
    async fn three_crashes_in_one_purchase_charge_once(shop: TestShop) {
        let gate = shop.payments.hold_after_charge();
        let (checkout, answer) = buying(shop, &gate).await;
        crash(shop, answer).await;
        for fault in [Fault::HoldBefore(gate.clone()), Fault::HoldAfter(gate.clone())] {
            leases_end(shop).await;
            shop.payments.fail_find(fault);
            let answer = meanwhile({
                let (shop, checkout) = (shop.clone(), checkout.clone());
                async move { shop.complete_with_key(&checkout, "tok_ok", "k").await }
            });
            gate.reached().await;
            crash(shop, answer).await;
        }
        leases_end(shop).await;
        let retried = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is taken up").reply;
        assert_eq!((retried.order.status, shop.payments.calls().charges), (Status::Paid, 1));
        shop.settle().await;
    }

    /// Goal: a different request with the key of a dead one is still a conflict.
    async fn a_key_of_a_dead_request_is_not_free_for_another(shop: TestShop) {
        let gate = shop.payments.hold_before_charge();
        let (checkout, answer) = buying(shop, &gate).await;
        crash(shop, answer).await;
        leases_end(shop).await;
        let other = shop.complete_with_key(&checkout, "tok_declined", "k").await;
        assert_eq!(code(other), Some(Code::IdempotencyConflict));
        shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is taken up");
        shop.settle().await;
    }

    /// Goal: a charge that a retry sends again, late and without an answer, is waited for as long as a first
    /// one: its money is found when it arrives, and nobody pays twice.
    async fn a_charge_that_is_sent_again_is_waited_for_anew(shop: TestShop) {
        let gate = shop.payments.hold_before_charge();
        let (checkout, answer) = buying(shop, &gate).await;
        crash(shop, answer).await;
        shop.clock.advance(Duration::from_secs(50));
        shop.payments.fail_charge(Fault::HoldBefore(gate.clone()));
        let again = meanwhile({
            let (shop, checkout) = (shop.clone(), checkout.clone());
            async move { shop.complete_with_key(&checkout, "tok_ok", "k").await }
        });
        gate.reached().await;
        // Its answer does not come in time, and the first attempt to pay is more than a minute old.
        shop.clock.advance(Duration::from_secs(11));
        let placed = again.await.expect("no panic").expect("it is taken up").reply;
        let attempt = placed.payment.and_then(|payment| payment.attempt).expect("tried");
        shop.settle_after(5).await;
        arrive(shop, &attempt).await;
        shop.settle_after(120).await;
        assert_eq!(order_of(shop, &checkout).await, (Status::Paid, PaymentStatus::Paid, 1_490));
        assert_eq!(shop.provider.ledger().summary().await.expect("open books").charges, 1);
    }

    /// Goal: a charge that a retry could not send again may still be on its way from the first time: its
    /// money is found when it arrives, and nobody pays twice.
    async fn a_charge_that_cannot_be_sent_again_may_still_arrive(shop: TestShop) {
        let gate = shop.payments.hold_before_charge();
        let (checkout, answer) = buying(shop, &gate).await;
        crash(shop, answer).await;
        leases_end(shop).await;
        shop.payments.fail_charge(Fault::NotSent);
        let placed = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is taken up").reply;
        let payment = placed.payment.expect("something is owed");
        assert_eq!(payment.status, PaymentStatus::Unknown);
        arrive(shop, &payment.attempt.expect("tried")).await;
        shop.settle_after(120).await;
        assert_eq!(order_of(shop, &checkout).await, (Status::Paid, PaymentStatus::Paid, 1_490));
        assert_eq!(shop.provider.ledger().summary().await.expect("open books").charges, 1);
    }

    /// Goal: a crash in the middle of a refund: the job runs again with its key, and the money goes back once.
    async fn a_crash_in_a_refund_refunds_once(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let order = shop.buy(&[("MUG", 1)]).await.order;
        let gate = Gate::default();
        shop.payments.fail_refund(Fault::HoldAfter(gate.clone()));
        shop.cancel(order.id).await.expect("it has not shipped");
        shop.spawn({
            let shop = shop.clone();
            async move { shop.settle().await }
        });
        gate.reached().await;
        assert_eq!(shop.kept_minor(order.id).await, 0);
        shop.restart().await;
        shop.settle_after(61).await;
        let payment = shop.order(order.id).await.payment.expect("something was owed");
        assert_eq!((payment.status, payment.payment.refunded_minor), (PaymentStatus::Refunded, 1_490));
        assert_eq!(shop.provider.ledger().summary().await.expect("open books").refunds, 1);
    }

    /// Goal: a webhook that was acknowledged is applied after a crash, once.
    async fn a_crash_after_a_webhook_was_accepted_loses_nothing(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let placed = shop.submit(&cart, "tok_action_required", "k").await.expect("placed").reply;
        let key = placed.payment.and_then(|payment| payment.attempt).expect("tried").id;
        shop.provider.complete_action(key, true).await.expect("open books");
        let webhook = shop.sign(&shop.due_webhooks().await[0]);
        assert!(shop.receive(&webhook).await.expect("it is signed").accepted);
        shop.restart().await;
        assert!(!shop.receive(&webhook).await.expect("it is signed").accepted);
        shop.settle_after(20).await;
        assert_eq!(shop.order(placed.order.id).await.order.status, Status::Paid);
    }

    /// Goal: what was acknowledged before a crash is there after it, and nothing of what was not.
    async fn what_was_acknowledged_survives(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let bought = shop.buy(&[("MUG", 1)]).await;
        let open = shop.cart_with(&[("MUG", 2)]).await;
        let checkout = shop.checkout(&open).await.checkout;
        shop.restart().await;
        assert_eq!(shop.order(bought.order.id).await.order, bought.order);
        assert_eq!(shop.stock(&mug).await.allocated, 1);
        assert_eq!(shop.complete(&checkout, "tok_ok").await.expect("it goes on").order.number, 1_002);
        assert_eq!(shop.engine.read_cart_token(&open.token), Some(open.view.cart.id), "tokens stay good");
        shop.settle_after(20).await;
    }
}

/// Goal: where one of several processes dies, the others clear up after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_process_finishes_what_a_dead_one_began() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let mut shop = TestShop::start(database).await;
    let other = shop.second_process().await;
    let gate = shop.payments.hold_after_charge();
    let (checkout, answer) = buying(&other, &gate).await;
    let in_flight = other.complete_with_key(&checkout, "tok_ok", "k").await;
    assert_eq!(code(in_flight), Some(Code::IdempotencyInFlight));
    let elsewhere = shop.complete_with_key(&checkout, "tok_ok", "k").await;
    assert_eq!(code(elsewhere), Some(Code::IdempotencyInFlight), "one key in two processes");
    let mut dead = other;
    crash(&mut dead, answer).await;
    shop.settle_after(20).await;
    assert_eq!(order_of(&shop, &checkout).await, (Status::Paid, PaymentStatus::Paid, 1_490));
    leases_end(&shop).await;
    let retried = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is answered");
    assert_eq!((retried.reply.order.status, shop.payments.calls().charges), (Status::Paid, 1));
    shop.settle().await;
    shop.finish().await;
}
