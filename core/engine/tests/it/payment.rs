//! Payments: what providers do, and what the shop makes of it.

use handel_domain::{
    Code, Money,
    id::{AttemptId, OrderId},
    order::{PaymentStatus, Status},
    payment::{Attempt, AttemptStatus, NextAction},
};
use handel_engine::Completion;
use handel_local::payments::ChargeEvent;
use handel_testkit::{Fault, TestShop, both_databases, meanwhile, together};

use crate::code;

/// An order whose first attempt to pay ended with that token.
async fn ordered(shop: &TestShop, token: &str) -> Completion {
    shop.product("MUG", 1_000, 10).await;
    let cart = shop.cart_with(&[("MUG", 1)]).await;
    shop.submit(&cart, token, "first").await.expect("the order is placed").reply
}

/// Pays once more for the same order.
async fn pay_again(
    shop: &TestShop,
    order: &Completion,
    token: &str,
) -> Result<Completion, handel_engine::Error> {
    let ctx = shop.owner_with_key(order.order.cart_id, &shop.fresh_key(), token);
    let complete = handel_testkit::fixtures::completion_of(order.order.checkout_id, token);
    shop.engine.complete_checkout(&ctx, complete).await.map(|once| once.reply)
}

fn attempt_of(completion: &Completion) -> Attempt {
    completion.payment.as_ref().and_then(|payment| payment.attempt.clone()).expect("it was tried")
}

fn payment_status(completion: &Completion) -> PaymentStatus {
    completion.payment.as_ref().expect("something is owed").status
}

/// What the provider would say of a charge.
fn event(id: &str, key: AttemptId, is_captured: bool, amount_minor: i64) -> ChargeEvent {
    let reference = format!("test_ch_{}", key.body());
    let amount = Money::new(amount_minor, "EUR".parse().expect("a currency"));
    ChargeEvent { id: id.to_owned(), key, reference, is_captured, amount }
}

async fn deliver_webhooks(shop: &TestShop) -> usize {
    let due = shop.due_webhooks().await;
    for event in &due {
        shop.receive(&shop.sign(event)).await.expect("it is signed");
    }
    shop.settle().await;
    due.len()
}

async fn status(shop: &TestShop, id: OrderId) -> (Status, PaymentStatus) {
    let details = shop.order(id).await;
    (details.order.status, details.payment.expect("something is owed").status)
}

both_databases! {
    /// Goal: a declined buyer tries again on the same order, and pays once.
    async fn a_declined_order_is_paid_by_a_second_attempt(shop: TestShop) {
        let first = ordered(shop, "tok_insufficient_funds").await;
        assert_eq!((first.order.status, payment_status(&first)), (Status::Reserved, PaymentStatus::Unpaid));
        let refusal = first.payment_refusal().expect("it was declined");
        assert_eq!((refusal.code, refusal.details.order_id), (Code::InsufficientFunds, Some(first.order.id)));
        let second = pay_again(shop, &first, "tok_declined").await.expect("it is tried");
        assert_eq!(second.payment_refusal().map(|refusal| refusal.code), Some(Code::PaymentDeclined));
        let third = pay_again(shop, &first, "tok_ok").await.expect("it is tried");
        assert_eq!((third.order.id, third.order.status, third.payment_refusal()), (first.order.id, Status::Paid, None));
        assert_eq!((payment_status(&third), attempt_of(&third).status), (PaymentStatus::Paid, AttemptStatus::Succeeded));
        assert_eq!((shop.payments.calls().charges, shop.kept_minor(first.order.id).await), (3, 1_490));
        shop.settle().await;
        let paid = ["order_placed", "inventory_reserved", "payment_failed", "payment_failed", "payment_captured", "order_paid"];
        assert_eq!(shop.events.names_of(&first.order.id.to_string()), paid);
    }

    /// Goal: many clicks on "pay again" take the money once.
    async fn many_second_attempts_at_once_charge_once(shop: TestShop) {
        let first = ordered(shop, "tok_declined").await;
        let answers = together((0..8).map(|_| {
            let (shop, first) = (shop.clone(), first.clone());
            async move { pay_again(&shop, &first, "tok_ok").await }
        }))
        .await;
        for answer in answers {
            match answer {
                Ok(paid) => assert_eq!((paid.order.id, paid.order.status), (first.order.id, Status::Paid)),
                Err(error) => assert_eq!(error.code(), Code::PaymentInProgress),
            }
        }
        assert_eq!((shop.payments.calls().charges, shop.kept_minor(first.order.id).await), (2, 1_490));
        shop.settle().await;
    }

    /// Goal: the buyer approves at the provider, its webhook comes, and the order is paid.
    async fn an_action_is_required_then_approved(shop: TestShop) {
        let first = ordered(shop, "tok_action_required").await;
        let attempt = attempt_of(&first);
        assert_eq!((first.order.status, payment_status(&first)), (Status::Reserved, PaymentStatus::RequiresAction));
        assert!(matches!(attempt.next_action, Some(NextAction::Redirect { .. })));
        assert_eq!(first.payment_refusal(), None);
        shop.provider.complete_action(attempt.id, true).await.expect("open books").expect("it waits");
        assert_eq!(deliver_webhooks(shop).await, 1);
        assert_eq!(status(shop, first.order.id).await, (Status::Paid, PaymentStatus::Paid));
        let answered = pay_again(shop, &first, "tok_ok").await.expect("it is answered");
        assert_eq!((answered.order.status, shop.payments.calls().charges), (Status::Paid, 1));
    }

    /// Goal: a buyer who declines at the provider can still pay another way.
    async fn an_action_is_required_then_declined(shop: TestShop) {
        let first = ordered(shop, "tok_confirm_required").await;
        assert!(matches!(attempt_of(&first).next_action, Some(NextAction::Confirm { .. })));
        shop.provider.complete_action(attempt_of(&first).id, false).await.expect("open books");
        assert_eq!(deliver_webhooks(shop).await, 1);
        assert_eq!(status(shop, first.order.id).await, (Status::Reserved, PaymentStatus::Unpaid));
        assert_eq!(pay_again(shop, &first, "tok_ok").await.expect("it is tried").order.status, Status::Paid);
        shop.settle().await;
    }

    /// Goal: money of an attempt that another one took the place of goes back, and what is kept can still be
    /// given back when the order is canceled.
    async fn a_superseded_attempt_that_is_captured_late_is_returned(shop: TestShop) {
        let first = ordered(shop, "tok_action_required").await;
        let old = attempt_of(&first);
        let second = pay_again(shop, &first, "tok_ok").await.expect("it is tried");
        assert_eq!((second.order.status, attempt_of(&second).status), (Status::Paid, AttemptStatus::Succeeded));
        assert_ne!(attempt_of(&second).id, old.id);
        shop.provider.complete_action(old.id, true).await.expect("open books");
        deliver_webhooks(shop).await;
        assert_eq!(status(shop, first.order.id).await, (Status::Paid, PaymentStatus::PartiallyRefunded));
        assert_eq!(shop.kept_minor(first.order.id).await, 1_490);
        let names = shop.events.names_of(&first.order.id.to_string());
        assert!(names.ends_with(&["payment_unexpected", "payment_refunded"]), "{names:?}");
        shop.cancel(first.order.id).await.expect("it has not shipped");
        shop.settle().await;
        assert_eq!(status(shop, first.order.id).await, (Status::Canceled, PaymentStatus::Refunded));
        assert_eq!(shop.kept_minor(first.order.id).await, 0);
    }

    /// Goal: a charge that ends later is heard of by webhook, once, however often it comes.
    async fn a_late_success_comes_by_webhook(shop: TestShop) {
        let first = ordered(shop, "tok_async_ok").await;
        assert_eq!((payment_status(&first), attempt_of(&first).status), (PaymentStatus::Processing, AttemptStatus::Processing));
        assert_eq!(code(pay_again(shop, &first, "tok_ok").await), Some(Code::PaymentInProgress));
        shop.clock.advance(std::time::Duration::from_millis(250));
        let due = shop.due_webhooks().await;
        let webhook = shop.sign(&due[0]);
        let receipts = together((0..8).map(|_| {
            let (shop, webhook) = (shop.clone(), webhook.clone());
            async move { shop.receive(&webhook).await.expect("it is signed").accepted }
        }))
        .await;
        assert_eq!(receipts.iter().filter(|accepted| **accepted).count(), 1);
        shop.settle().await;
        assert_eq!(status(shop, first.order.id).await, (Status::Paid, PaymentStatus::Paid));
        shop.settle_after(60).await;
        assert!(!shop.receive(&webhook).await.expect("it is signed").accepted, "it is remembered");
        shop.settle().await;
        let names = shop.events.names_of(&first.order.id.to_string());
        assert_eq!(names.iter().filter(|name| **name == "order_paid").count(), 1);
    }

    /// Goal: without any webhook the janitor asks, and the order is paid or freed for another attempt.
    async fn the_janitor_asks_where_no_webhook_comes(shop: TestShop) {
        let first = ordered(shop, "tok_async_declined").await;
        shop.settle_after(2).await;
        assert_eq!(status(shop, first.order.id).await, (Status::Reserved, PaymentStatus::Unpaid));
        let second = pay_again(shop, &first, "tok_async_ok").await.expect("it is tried");
        assert_eq!(payment_status(&second), PaymentStatus::Processing);
        shop.settle_after(2).await;
        assert_eq!(status(shop, first.order.id).await, (Status::Paid, PaymentStatus::Paid));
    }

    /// Goal: webhooks may come in any order; a captured payment never becomes unpaid.
    async fn webhooks_may_come_in_any_order(shop: TestShop) {
        let first = ordered(shop, "tok_async_ok").await;
        let key = attempt_of(&first).id;
        shop.clock.advance(std::time::Duration::from_millis(250));
        assert_eq!(shop.due_webhooks().await.len(), 1, "the provider has taken the money");
        for (id, is_captured) in [("declined", false), ("captured", true), ("declined again", false), ("captured again", true)] {
            shop.receive(&shop.sign(&event(id, key, is_captured, 1_490))).await.expect("it is signed");
            shop.settle().await;
            let expected = if id == "declined" { Status::Reserved } else { Status::Paid };
            assert_eq!(shop.order(first.order.id).await.order.status, expected, "{id}");
        }
        assert_eq!(shop.kept_minor(first.order.id).await, 1_490);
    }

    /// Goal: a webhook that overtakes the answer to the call changes nothing but who pays first.
    async fn a_webhook_may_overtake_the_answer(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let gate = shop.payments.hold_after_charge();
        let buying = meanwhile({
            let (shop, cart) = (shop.clone(), cart.clone());
            async move { shop.submit(&cart, "tok_ok", "k").await }
        });
        gate.reached().await;
        let checkout = shop.checkout_of(&cart).await;
        let placed = checkout.completion.expect("the order is placed");
        let key = attempt_of(&placed).id;
        shop.receive(&shop.sign(&event("early", key, true, 1_490))).await.expect("it is signed");
        shop.settle().await;
        assert_eq!(status(shop, placed.order.id).await, (Status::Paid, PaymentStatus::Paid));
        gate.open();
        let answer = buying.await.expect("no panic").expect("it is answered").reply;
        assert_eq!((answer.order.id, answer.order.status), (placed.order.id, Status::Paid));
        shop.settle().await;
        let names = shop.events.names_of(&placed.order.id.to_string());
        assert_eq!(names.iter().filter(|name| **name == "order_paid").count(), 1);
    }

    /// Goal: nobody but the provider is believed, and what it says of strangers changes nothing.
    async fn a_webhook_that_is_forged_stale_or_foreign_changes_nothing(shop: TestShop) {
        let first = ordered(shop, "tok_action_required").await;
        let key = attempt_of(&first).id;
        let mut forged = shop.sign(&event("forged", key, true, 1_490));
        forged.body = String::from_utf8(forged.body.to_vec()).expect("JSON").replace("1490", "1491").into();
        assert_eq!(code(shop.receive(&forged).await), Some(Code::WebhookRefused));
        let stale = shop.sign(&event("stale", key, true, 1_490));
        shop.clock.advance(std::time::Duration::from_secs(6 * 60));
        assert_eq!(code(shop.receive(&stale).await), Some(Code::WebhookRefused));
        let long = shop.sign(&event(&"x".repeat(256), key, true, 1_490));
        assert_eq!(code(shop.receive(&long).await), Some(Code::InputInvalid));
        let foreign = shop.sign(&event("foreign", AttemptId::from_u128(9), true, 1_490));
        assert!(shop.receive(&foreign).await.expect("it is signed").accepted);
        let elsewhere = shop.engine.receive_webhook(&shop.ctx(), "other", &foreign.headers, &foreign.body).await;
        assert_eq!(code(elsewhere), Some(Code::ProviderUnknown));
        shop.settle().await;
        assert_eq!(status(shop, first.order.id).await, (Status::Reserved, PaymentStatus::RequiresAction));
    }

    /// Goal: another amount than was asked for never pays an order, and goes back.
    async fn another_amount_is_returned_and_pays_nothing(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let mut last = None;
        for (n, more_minor) in [1, -1, 1_000_000].into_iter().enumerate() {
            shop.payments.fail_charge(Fault::OtherAmount(more_minor));
            let done = shop.submit(&cart, "tok_ok", &format!("k{n}")).await.expect("the order is placed").reply;
            assert_eq!(done.payment_refusal().map(|refusal| refusal.code), Some(Code::AmountMismatch));
            assert_eq!(done.order.status, Status::Reserved);
            shop.settle().await;
            assert_eq!(shop.kept_minor(done.order.id).await, 0);
            last = Some(done);
        }
        let paid = pay_again(shop, &last.expect("three were tried"), "tok_ok").await.expect("it is tried");
        assert_eq!((paid.order.status, shop.kept_minor(paid.order.id).await), (Status::Paid, 1_490));
        shop.settle().await;
    }

    /// Goal: a request that the network repeats takes the money once.
    async fn a_charge_that_arrives_twice_takes_the_money_once(shop: TestShop) {
        shop.payments.fail_charge(Fault::Twice);
        let done = ordered(shop, "tok_ok").await;
        assert_eq!((done.order.status, shop.kept_minor(done.order.id).await), (Status::Paid, 1_490));
        shop.settle().await;
    }

    /// Goal: a provider that surely was not reached costs the buyer nothing, not even the key.
    async fn an_unreachable_provider_leaves_order_and_key_usable(shop: TestShop) {
        shop.payments.fail_charge(Fault::NotSent);
        let first = ordered(shop, "tok_ok").await;
        assert_eq!(first.payment_refusal().map(|refusal| refusal.code), Some(Code::ProviderUnavailable));
        let ctx = shop.owner_with_key(first.order.cart_id, "first", "tok_ok");
        let complete = handel_testkit::fixtures::completion_of(first.order.checkout_id, "tok_ok");
        let second = shop.engine.complete_checkout(&ctx, complete).await.expect("the key is free");
        assert_eq!((second.replayed, second.reply.order.id, second.reply.order.status), (false, first.order.id, Status::Paid));
        shop.settle().await;
    }

    /// Goal: a client that hangs up in the middle changes nothing: the order is paid, and a retry learns it.
    async fn a_client_that_hangs_up_changes_nothing(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        let gate = shop.payments.hold_before_charge();
        let client = meanwhile({
            let (shop, checkout) = (shop.clone(), checkout.clone());
            async move { shop.complete_with_key(&checkout, "tok_ok", "k").await }
        });
        gate.reached().await;
        client.abort();
        assert!(client.await.is_err_and(|error| error.is_cancelled()), "the client is gone");
        assert_eq!(shop.engine.in_flight(), 1);
        gate.open();
        shop.idle().await;
        let retry = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is answered");
        assert_eq!((retry.replayed, retry.reply.order.status), (true, Status::Paid));
        assert_eq!(shop.payments.calls().charges, 1);
        shop.settle().await;
    }

    /// Goal: a charge of another amount is no disagreement once all of it went back.
    async fn another_amount_that_went_back_is_no_disagreement(shop: TestShop) {
        shop.payments.fail_charge(Fault::OtherAmount(5));
        let done = ordered(shop, "tok_ok").await;
        let check = async || {
            let check = shop.engine.reconcile_order(&shop.staff(), done.order.id).await;
            let check = check.expect("it can be asked").expect("it was tried");
            (check.provider_says, check.agrees)
        };
        assert_eq!(check().await, ("captured".to_owned(), false), "it is still on its way back");
        shop.settle().await;
        assert_eq!((check().await, shop.kept_minor(done.order.id).await), (("captured".to_owned(), true), 0));
    }

    /// Goal: what the shop and the provider say of the money is compared, and silence is not agreement.
    async fn reconciling_says_whether_both_agree(shop: TestShop) {
        let first = ordered(shop, "tok_declined").await;
        let check = async || {
            let check = shop.engine.reconcile_order(&shop.staff(), first.order.id).await;
            let check = check.expect("it can be asked").expect("it was tried");
            (check.provider_says, check.agrees)
        };
        assert_eq!(check().await, ("declined".to_owned(), true));
        pay_again(shop, &first, "tok_ok").await.expect("it is tried");
        assert_eq!(check().await, ("captured".to_owned(), true));
        shop.payments.set_down(true);
        assert_eq!(check().await, ("unreachable".to_owned(), false));
        shop.payments.set_down(false);
        let shopper = shop.engine.reconcile_order(&shop.ctx(), first.order.id).await;
        assert_eq!(code(shopper), Some(Code::Unauthenticated));
        shop.settle().await;
    }
}
