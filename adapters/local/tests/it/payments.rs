//! What each token does, and that a key takes money at most once.

use std::time::Duration;

use handel_domain::{
    Code,
    payment::{NextAction, Report},
};
use handel_local::{
    TestPayments,
    payments::{OpenError, TestToken},
};
use handel_ports::{PaymentProvider as _, Secret};
use tokio::task::JoinSet;

use crate::world::{BASE_URL, World, captured, charge, config, euros, key, order_of, reference};

#[tokio::test]
async fn a_good_token_takes_the_money_and_is_found() {
    let world = World::new();
    assert_eq!(world.charge(key(1), "tok_ok:7f3a").await, captured(key(1), 1250));
    assert_eq!(world.find(key(1)).await, captured(key(1), 1250));
    assert_eq!(world.find(key(2)).await, Report::NotFound);
    assert_eq!(world.payments.name(), "test");
}

#[tokio::test]
async fn declined_tokens_take_nothing_and_say_why() {
    let world = World::new();
    for (n, token, code) in [
        (1, "tok_declined", Code::PaymentDeclined),
        (2, "tok_insufficient_funds", Code::InsufficientFunds),
    ] {
        let declined = Report::Declined { reference: Some(reference(key(n))), code };
        assert_eq!(world.charge(key(n), token).await, declined);
        assert_eq!(world.find(key(n)).await, declined);
    }
    let summary = world.payments.ledger().summary().await.unwrap();
    assert_eq!((summary.keys, summary.charges, summary.captured_minor), (2, 0, 0));
}

#[tokio::test]
async fn an_action_is_a_page_of_ours_or_a_secret_for_the_shop() {
    let world = World::new();
    let redirect = NextAction::Redirect { url: format!("{BASE_URL}/test-payments/{}", key(1)) };
    let confirm = NextAction::Confirm { client_secret: format!("test_cs_{}", key(2).body()) };
    for (n, token, next_action) in
        [(1, "tok_action_required", redirect), (2, "tok_confirm_required", confirm)]
    {
        let waits = Report::ActionRequired { reference: reference(key(n)), next_action };
        assert_eq!(world.charge(key(n), token).await, waits);
        assert_eq!(world.find(key(n)).await, waits);
    }
}

#[tokio::test]
async fn the_first_decision_over_an_action_holds() {
    let world = World::new();
    for n in [1, 2] {
        world.charge(key(n), "tok_action_required").await;
    }
    for (approve, is_first) in [(true, true), (false, false)] {
        let charge = world.payments.complete_action(key(1), approve).await.unwrap().unwrap();
        assert_eq!(charge.captured_minor, 1250, "first: {is_first}");
        world.payments.complete_action(key(2), !approve).await.unwrap();
    }
    assert_eq!(world.find(key(1)).await, captured(key(1), 1250));
    let code = Code::PaymentDeclined;
    let declined = Report::Declined { reference: Some(reference(key(2))), code };
    assert_eq!(world.find(key(2)).await, declined);
    assert_eq!(world.payments.complete_action(key(3), true).await.unwrap(), None);
}

#[tokio::test]
async fn nobody_decides_over_a_charge_that_waits_for_nobody() {
    let world = World::new();
    world.charge(key(1), "tok_async_declined").await;
    world.charge(key(2), "tok_declined").await;
    for n in [1, 2] {
        world.payments.complete_action(key(n), true).await.unwrap();
    }
    assert_eq!(world.payments.ledger().summary().await.unwrap().charges, 0);
}

#[tokio::test]
async fn a_call_that_hangs_may_or_may_not_have_charged() {
    let directory = tempfile::tempdir().unwrap();
    let (system, _) = crate::world::system();
    let mut config = config(&directory);
    config.hang = Duration::from_secs(30);
    let payments = TestPayments::open(config, system.clone()).unwrap();
    for (n, token, found) in [
        (1, "tok_timeout_before_charge", Report::NotFound),
        (2, "tok_timeout_after_charge", captured(key(2), 1250)),
    ] {
        let called_at = system.now();
        assert_eq!(payments.charge(charge(key(n), token)).await, Report::Unknown);
        assert_eq!(system.now().duration_since(called_at).as_secs(), 30, "{token} hangs");
        assert_eq!(payments.find(key(n)).await, found);
    }
    // Sent again, the lost answer arrives, and no more money is taken.
    let again = payments.charge(charge(key(2), "tok_timeout_after_charge")).await;
    assert_eq!(again, captured(key(2), 1250));
    assert_eq!(payments.ledger().summary().await.unwrap().captured_minor, 1250);
}

#[tokio::test]
async fn a_provider_that_was_not_reached_knows_nothing() {
    let world = World::new();
    assert_eq!(world.charge(key(1), "tok_unreachable").await, Report::NotSent);
    assert_eq!(world.find(key(1)).await, Report::NotFound);
    assert_eq!(world.payments.ledger().summary().await.unwrap().keys, 0);
}

#[tokio::test]
async fn a_slow_charge_ends_by_itself() {
    let world = World::new();
    for (n, token) in [(1, "tok_async_ok"), (2, "tok_async_declined")] {
        let processing = Report::Processing { reference: reference(key(n)) };
        assert_eq!(world.charge(key(n), token).await, processing);
        assert_eq!(world.find(key(n)).await, processing);
    }
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.find(key(1)).await, captured(key(1), 1250));
    assert!(matches!(world.find(key(2)).await, Report::Declined { .. }));
    // The end is in the books, not only in the answer.
    assert_eq!(world.payments.ledger().summary().await.unwrap().captured_minor, 1250);
}

#[tokio::test]
async fn too_much_is_taken_by_one_minor_unit() {
    let world = World::new();
    assert_eq!(world.charge(key(1), "tok_amount_mismatch").await, captured(key(1), 1251));
    assert_eq!(world.payments.ledger().summary().await.unwrap().captured_minor, 1251);
}

#[tokio::test]
async fn nothing_and_less_cannot_be_charged() {
    let world = World::new();
    for (n, token, amount_minor) in [
        (1, "tok_ok", 0),
        (2, "tok_ok", -5),
        (3, "tok_async_ok", 0),
        (4, "tok_action_required", -1),
    ] {
        let mut charge = charge(key(n), token);
        charge.amount = euros(amount_minor);
        assert!(matches!(world.payments.charge(charge).await, Report::Declined { .. }));
    }
    // Nothing of this ever ends otherwise.
    world.payments.complete_action(key(4), true).await.unwrap();
    world.clock.advance(Duration::from_secs(60));
    assert!(matches!(world.find(key(3)).await, Report::Declined { .. }));
    assert_eq!(world.payments.ledger().summary().await.unwrap().charges, 0);
}

#[tokio::test]
async fn the_first_charge_of_a_key_is_the_answer_to_all() {
    let world = World::new();
    world.charge(key(1), "tok_ok").await;
    let mut other = charge(key(1), "tok_ok");
    other.amount = euros(999_999);
    assert_eq!(world.payments.charge(other).await, captured(key(1), 1250));
    for token in TestToken::ALL {
        assert_eq!(world.charge(key(1), token.as_str()).await, captured(key(1), 1250), "{token:?}");
    }
    let rows = world.payments.ledger().charges_of(order_of(key(1))).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].captured_minor, rows[0].token), (1250, TestToken::Ok));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_sent_64_times_at_once_takes_money_once() {
    let world = World::new();
    let mut calls = JoinSet::new();
    for _ in 0..64 {
        let payments = world.payments.clone();
        calls.spawn(async move { payments.charge(charge(key(1), "tok_ok")).await });
    }
    for report in calls.join_all().await {
        assert_eq!(report, captured(key(1), 1250));
    }
    let summary = world.payments.ledger().summary().await.unwrap();
    assert_eq!((summary.keys, summary.charges, summary.captured_minor), (1, 1, 1250));
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let world = World::new();
    let check = |token: &str| world.payments.check_token(&Secret::new(token.to_owned()));
    for token in TestToken::ALL {
        check(token.as_str()).unwrap();
        check(&format!("{}:a-1", token.as_str())).unwrap();
    }
    for bad in ["", "tok", "tok_ok ", "TOK_OK", "tok_ok:", "tok_ok:a b", "tok_ok_", ":tok_ok"] {
        let refusal = check(bad).unwrap_err();
        assert_eq!(refusal.code, Code::PaymentTokenInvalid, "{bad:?}");
        assert!(refusal.message.contains("tok_timeout_after_charge"), "the message lists them");
    }
    for card in ["4242424242424242", "tok_ok:4242-4242-4242-4242"] {
        let refusal = check(card).unwrap_err();
        assert_eq!(refusal.code, Code::CardNumberRefused);
        assert!(!refusal.message.contains("4242"), "a card number is never repeated");
        // And one that was not checked is not charged.
        let declined = Report::Declined { reference: None, code: Code::CardNumberRefused };
        assert_eq!(world.charge(key(1), card).await, declined);
    }
    assert_eq!(world.payments.ledger().summary().await.unwrap().keys, 0);
}

#[tokio::test]
async fn a_short_webhook_secret_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = config(&directory);
    config.webhook_secret = Secret::new(vec![7; TestPayments::SECRET_LEN_MIN - 1]);
    let refused = TestPayments::open(config, crate::world::system().0);
    assert!(matches!(refused, Err(OpenError::SecretTooShort)));
}
