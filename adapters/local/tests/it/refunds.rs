//! What goes back, and that it is never more than what came.

use handel_domain::Money;
use handel_ports::{PaymentProvider as _, RefundOutcome};
use tokio::task::JoinSet;

use crate::world::{World, key, reference, refund};

#[tokio::test]
async fn never_more_goes_back_than_came() {
    let world = World::new();
    world.charge(key(1), "tok_ok").await;
    let reference = reference(key(1));
    let mut outcomes = Vec::new();
    for (n, amount_minor) in [(1, 1000), (2, 251), (3, 250), (4, 1)] {
        outcomes.push(world.payments.refund(refund(n, &reference, amount_minor)).await);
    }
    use RefundOutcome::{Done, Refused};
    assert_eq!(outcomes, [Done, Refused, Done, Refused]);
    let summary = world.payments.ledger().summary().await.unwrap();
    assert_eq!((summary.refunds, summary.refunded_minor), (2, 1250));
}

#[tokio::test]
async fn a_refund_is_done_once_however_often_it_is_sent() {
    let world = World::new();
    world.charge(key(1), "tok_ok").await;
    // The second has another amount and is still the first one again.
    for amount_minor in [300, 400, 300] {
        let outcome = world.payments.refund(refund(1, &reference(key(1)), amount_minor)).await;
        assert_eq!(outcome, RefundOutcome::Done);
    }
    assert_eq!(world.payments.ledger().summary().await.unwrap().refunded_minor, 300);
}

#[tokio::test]
async fn a_refusal_stays_a_refusal() {
    let world = World::new();
    world.charge(key(1), "tok_ok").await;
    for amount_minor in [1251, 1] {
        let outcome = world.payments.refund(refund(1, &reference(key(1)), amount_minor)).await;
        assert_eq!(outcome, RefundOutcome::Refused);
    }
    assert_eq!(world.payments.ledger().summary().await.unwrap().refunds, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_at_once_share_what_was_taken() {
    let world = World::new();
    world.charge(key(1), "tok_ok").await;
    let mut calls = JoinSet::new();
    for n in 0..32 {
        let payments = world.payments.clone();
        calls.spawn(async move { payments.refund(refund(n, &reference(key(1)), 100)).await });
    }
    let outcomes = calls.join_all().await;
    let done = outcomes.iter().filter(|outcome| **outcome == RefundOutcome::Done).count();
    assert_eq!(done, 12, "1250 holds 100 twelve times");
    assert_eq!(world.payments.ledger().summary().await.unwrap().refunded_minor, 1200);
}

#[tokio::test]
async fn what_was_not_taken_cannot_go_back() {
    let world = World::new();
    let tokens = ["tok_declined", "tok_action_required", "tok_async_ok", "tok_refund_fails"];
    for (n, token) in (1..).zip(tokens) {
        world.charge(key(n), token).await;
        let outcome = world.payments.refund(refund(n, &reference(key(n)), 1)).await;
        assert_eq!(outcome, RefundOutcome::Refused, "{token}");
    }
    world.charge(key(9), "tok_ok").await;
    let mut dollars = refund(9, &reference(key(9)), 1);
    dollars.amount = Money::new(1, "USD".parse().unwrap());
    assert_eq!(world.payments.refund(dollars).await, RefundOutcome::Refused);
    for (n, reference, amount_minor) in
        [(10, "test_ch_unknown", 1), (11, "x", 1), (12, &*reference(key(9)), 0)]
    {
        let outcome = world.payments.refund(refund(n, reference, amount_minor)).await;
        assert_eq!(outcome, RefundOutcome::Refused, "{reference}");
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_refund_is_found_by_asking_again() {
    let world = World::new();
    world.charge(key(1), "tok_refund_timeout").await;
    let again = || world.payments.refund(refund(1, &reference(key(1)), 500));
    assert_eq!(again().await, RefundOutcome::Unknown);
    assert_eq!(world.payments.ledger().summary().await.unwrap().refunded_minor, 500);
    assert_eq!(again().await, RefundOutcome::Done);
    assert_eq!(world.payments.ledger().summary().await.unwrap().refunded_minor, 500);
}
