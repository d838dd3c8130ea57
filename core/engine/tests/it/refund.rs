//! Money that goes back: once, whatever the provider does.

use handel_domain::{
    Code,
    id::JobId,
    order::{PaymentStatus, Status},
    payment::AttemptStatus,
};
use handel_engine::Completion;
use handel_testkit::{
    Fault, TestShop, both_databases,
    fixtures::{completion_of, with_key},
    meanwhile, together,
};

use crate::code;

async fn bought(shop: &TestShop) -> Completion {
    shop.product("MUG", 1_000, 10).await;
    shop.buy(&[("MUG", 2)]).await
}

async fn status(shop: &TestShop, completion: &Completion) -> (Status, PaymentStatus) {
    let details = shop.order(completion.order.id).await;
    (details.order.status, details.payment.expect("something is owed").status)
}

async fn dead_jobs(shop: &TestShop) -> Vec<JobId> {
    let dead = shop.engine.list_dead_jobs(&shop.staff(), None, 10).await.expect("a list");
    dead.items.into_iter().map(|job| job.id).collect()
}

both_databases! {
    /// Goal: a paid order that is canceled gives its money back once, however many cancel it.
    async fn canceling_a_paid_order_refunds_once(shop: TestShop) {
        let bought = bought(shop).await;
        let outcomes = together((0..8).map(|_| {
            let (shop, id) = (shop.clone(), bought.order.id);
            async move { shop.cancel(id).await }
        }))
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for outcome in outcomes.into_iter().filter(Result::is_err) {
            assert_eq!(code(outcome), Some(Code::TransitionRefused));
        }
        assert_eq!(status(shop, &bought).await, (Status::Canceled, PaymentStatus::Refunded));
        assert_eq!(shop.kept_minor(bought.order.id).await, 2_490, "no provider is called in a transaction");
        shop.settle().await;
        assert_eq!((shop.kept_minor(bought.order.id).await, shop.payments.calls().refunds), (0, 1));
        let names = shop.events.names_of(&bought.order.id.to_string());
        assert!(names.ends_with(&["order_canceled", "payment_refunded"]), "{names:?}");
    }

    /// Goal: a cancellation that is repeated with its key gets the same answer.
    async fn a_repeated_cancellation_is_answered_as_the_first(shop: TestShop) {
        let bought = bought(shop).await;
        let ctx = with_key(shop.staff(), "cancel", "it");
        let cancel = async || shop.engine.cancel_order(&ctx, bought.order.id, "changed mind".to_owned(), None).await;
        let (first, second) = (cancel().await.expect("canceled"), cancel().await.expect("answered"));
        assert_eq!((first.replayed, second.replayed), (false, true));
        assert_eq!(first.reply, second.reply);
        shop.settle().await;
        assert_eq!(shop.payments.calls().refunds, 1);
    }

    /// Goal: a refund whose answer gets lost is asked for again with the same key, and done once.
    async fn a_refund_of_unknown_outcome_is_repeated_with_its_key(shop: TestShop) {
        let bought = bought(shop).await;
        for fault in [Fault::LostAfter, Fault::LostBefore, Fault::LostAfter] {
            shop.payments.fail_refund(fault);
        }
        shop.cancel(bought.order.id).await.expect("canceled");
        shop.settle().await;
        assert_eq!((shop.payments.calls().refunds, shop.kept_minor(bought.order.id).await), (1, 0));
        for pause_s in [1, 2, 4] {
            shop.settle().await;
            shop.settle_after(pause_s).await;
        }
        assert_eq!(shop.payments.calls().refunds, 4);
        assert_eq!(status(shop, &bought).await, (Status::Canceled, PaymentStatus::Refunded));
        let summary = shop.provider.ledger().summary().await.expect("open books");
        assert_eq!((summary.refunds, summary.refunded_minor), (1, 2_490));
    }

    /// Goal: a refund that the network repeats gives the money back once.
    async fn a_refund_that_arrives_twice_is_done_once(shop: TestShop) {
        let bought = bought(shop).await;
        shop.payments.fail_refund(Fault::Twice);
        shop.cancel(bought.order.id).await.expect("canceled");
        shop.settle().await;
        assert_eq!(shop.provider.ledger().summary().await.expect("open books").refunded_minor, 2_490);
    }

    /// Goal: a refund that hangs is left after its time and tried again.
    async fn a_refund_that_hangs_is_tried_again(shop: TestShop) {
        let bought = bought(shop).await;
        let gate = handel_testkit::Gate::default();
        shop.payments.fail_refund(Fault::HoldAfter(gate.clone()));
        shop.cancel(bought.order.id).await.expect("canceled");
        let settling = meanwhile({
            let shop = shop.clone();
            async move { shop.settle().await }
        });
        gate.reached().await;
        shop.clock.advance(std::time::Duration::from_secs(11));
        settling.await.expect("it goes on");
        shop.settle_after(2).await;
        assert_eq!((shop.payments.calls().refunds, shop.kept_minor(bought.order.id).await), (2, 0));
        assert_eq!(status(shop, &bought).await, (Status::Canceled, PaymentStatus::Refunded));
    }

    /// Goal: a refund that the provider refuses for good is said so, and the books show whose money it is.
    async fn a_refused_refund_is_told_and_not_hidden(shop: TestShop) {
        let bought = bought(shop).await;
        shop.payments.fail_refund(Fault::Declined(Code::PaymentDeclined));
        shop.cancel(bought.order.id).await.expect("canceled");
        shop.settle().await;
        assert_eq!(status(shop, &bought).await, (Status::Canceled, PaymentStatus::Paid));
        let names = shop.events.names_of(&bought.order.id.to_string());
        assert!(names.ends_with(&["order_canceled", "refund_failed"]), "{names:?}");
        assert_eq!(shop.kept_minor(bought.order.id).await, 2_490);
    }

    /// Goal: money of one attempt that cannot be returned does not keep that of another from going back.
    async fn a_refused_return_does_not_block_a_later_refund(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 2)]).await;
        let first = shop.submit(&cart, "tok_action_required", "k").await.expect("placed").reply;
        let old = first.payment.as_ref().and_then(|payment| payment.attempt.as_ref()).expect("tried").id;
        let ctx = shop.owner_with_key(first.order.cart_id, "k2", "b");
        let paid = shop.engine.complete_checkout(&ctx, completion_of(first.order.checkout_id, "tok_ok")).await;
        let attempt = paid.expect("it is tried").reply.payment.and_then(|payment| payment.attempt);
        assert_eq!(attempt.map(|attempt| attempt.status), Some(AttemptStatus::Succeeded));
        shop.provider.complete_action(old, true).await.expect("open books");
        shop.payments.fail_refund(Fault::Declined(Code::PaymentDeclined));
        for event in shop.due_webhooks().await {
            shop.receive(&shop.sign(&event)).await.expect("it is signed");
        }
        shop.settle().await;
        assert_eq!(shop.kept_minor(first.order.id).await, 4_980);
        shop.cancel(first.order.id).await.expect("it has not shipped");
        shop.settle().await;
        assert_eq!(shop.kept_minor(first.order.id).await, 2_490, "only what was refused is left");
    }

    /// Goal: a refund that fails again and again waits longer each time, ends where somebody sees it, and
    /// runs again when told to.
    async fn a_refund_that_always_fails_is_put_aside_and_can_be_replayed(shop: TestShop) {
        let bought = bought(shop).await;
        shop.cancel(bought.order.id).await.expect("canceled");
        shop.payments.set_down(true);
        shop.settle().await;
        for (tries, pause_s) in (1..).zip([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900]) {
            assert!(dead_jobs(shop).await.is_empty());
            shop.settle_after(pause_s - 1).await;
            assert_eq!(shop.payments.calls().refunds, tries, "it waits for {pause_s} s");
            shop.settle_after(1).await;
            assert_eq!(shop.payments.calls().refunds, tries + 1, "it waits for {pause_s} s");
        }
        shop.settle_after(7_200).await;
        assert_eq!(shop.payments.calls().refunds, 12, "it is not tried any more");
        let dead = shop.engine.list_dead_jobs(&shop.staff(), None, 10).await.expect("a list").items;
        assert_eq!((dead.len(), dead[0].kind.as_str(), dead[0].attempts), (1, "payment.refund", 12));
        assert!(dead[0].last_error.as_ref().is_some_and(|error| error.contains("refund")));
        assert_eq!(status(shop, &bought).await, (Status::Canceled, PaymentStatus::Refunded));
        shop.payments.set_down(false);
        let shopper = shop.engine.replay_job(&shop.ctx(), dead[0].id).await;
        assert_eq!(code(shopper), Some(Code::Unauthenticated));
        shop.engine.replay_job(&shop.staff(), dead[0].id).await.expect("it runs again");
        shop.settle().await;
        assert_eq!((shop.kept_minor(bought.order.id).await, dead_jobs(shop).await.len()), (0, 0));
        let again = shop.engine.replay_job(&shop.staff(), dead[0].id).await;
        assert_eq!(code(again), Some(Code::NotFound));
    }
}
