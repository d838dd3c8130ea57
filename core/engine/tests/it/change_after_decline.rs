//! Changes of a checkout whose order waits because its payment failed.

use handel_domain::{
    Code,
    checkout::{Buyer, CheckoutStatus},
    order::Status,
};
use handel_engine::ReplaceCheckout;
use handel_testkit::{
    TestShop,
    agents::{AGENT, replacing},
    both_databases,
    fixtures::slug,
    meanwhile,
};

use crate::{code, refusal};

both_databases! {
    /// Goal: after a decline an agent changes the checkout in one request: the order is called off, its stock is free,
    /// and what is bought then is what was said last.
    async fn a_declined_checkout_is_changed_and_bought(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 5).await;
        let checkout = shop.open(&[("MUG", 4)]).await.checkout;
        let declined = shop.complete_open(checkout.id, "tok_declined").await.expect("the order waits").order;
        assert_eq!((declined.status, shop.stock(&mug).await.allocated), (Status::Reserved, 4));
        let changed = shop.engine.replace_checkout(&shop.agent(AGENT), replacing(&checkout, &[("MUG", 5)])).await;
        let changed = changed.expect("nothing is paid").reply;
        assert_eq!((changed.checkout.status, changed.checkout.order_id), (CheckoutStatus::Open, None));
        assert_eq!((changed.quote.totals.total_minor, changed.quote.lines[0].problems.len()), (5_490, 0));
        let gone = shop.order(declined.id).await;
        assert_eq!((gone.order.status, shop.stock(&mug).await.allocated), (Status::Canceled, 0));
        let bought = shop.complete_open(checkout.id, "tok_ok").await.expect("it was shown").order;
        assert_eq!((bought.lines[0].ordered, bought.total_minor, bought.status), (5, 5_490, Status::Paid));
        assert_eq!((shop.kept_minor(declined.id).await, shop.kept_minor(bought.id).await), (0, 5_490));
        shop.settle().await;
    }

    /// Goal: so can a shopper, who names the version that they saw, and one who saw another version cannot.
    async fn a_shopper_changes_the_version_that_they_saw(shop: TestShop) {
        shop.product("MUG", 1_000, 5).await;
        let checkout = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await.checkout;
        let declined = shop.complete(&checkout, "tok_declined").await.expect("the order waits").order;
        let ctx = shop.owner(checkout.cart_id);
        let seen = shop.engine.get_checkout(&ctx, checkout.id).await.expect("its own").checkout.version;
        let courier = || Buyer { shipping_method: Some(slug("courier")), ..Buyer::default() };
        let stale = shop.engine.update_checkout(&ctx, checkout.id, courier(), Some(seen - 1)).await;
        assert_eq!(refusal(stale).details.version, Some(seen));
        assert_eq!(shop.order(declined.id).await.order.status, Status::Reserved);
        let changed = shop.engine.update_checkout(&ctx, checkout.id, courier(), Some(seen)).await.expect("it waits").reply;
        assert_eq!((changed.checkout.status, changed.quote.totals.total_minor), (CheckoutStatus::Open, 1_990));
        let bought = shop.complete(&checkout, "tok_ok").await.expect("it was shown").order;
        assert_eq!((bought.total_minor, shop.order(declined.id).await.order.status), (1_990, Status::Canceled));
        shop.settle().await;
    }

    /// Goal: a change that is refused changes nothing: the order waits as before and can be paid.
    async fn a_refused_change_leaves_the_order_waiting(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 5).await;
        let checkout = shop.open(&[("MUG", 2)]).await.checkout;
        let declined = shop.complete_open(checkout.id, "tok_declined").await.expect("the order waits").order;
        let before = shop.engine.peek_checkout(&shop.agent(AGENT), checkout.id).await.expect("its own").checkout;
        for wrong in [
            replacing(&checkout, &[("NONE", 1)]),
            ReplaceCheckout { expected_version: Some(99), ..replacing(&checkout, &[("MUG", 1)]) },
        ] {
            shop.engine.replace_checkout(&shop.agent(AGENT), wrong).await.expect_err("it is wrong");
        }
        let after = shop.engine.peek_checkout(&shop.agent(AGENT), checkout.id).await.expect("its own").checkout;
        assert_eq!((after, shop.order(declined.id).await.order.status), (before, Status::Reserved));
        assert_eq!(shop.stock(&mug).await.allocated, 2);
        let paid = shop.complete_open(checkout.id, "tok_ok").await.expect("another attempt").order;
        assert_eq!((paid.id, paid.status), (declined.id, Status::Paid));
        shop.settle().await;
    }

    /// Goal: while an attempt may still take the money nothing is changed, and the refusal says until when.
    async fn a_payment_under_way_refuses_the_change_and_says_until_when(shop: TestShop) {
        shop.product("MUG", 1_000, 9).await;
        for token in ["tok_async_ok", "tok_action_required"] {
            let checkout = shop.open(&[("MUG", 1)]).await.checkout;
            let order = shop.complete_open(checkout.id, token).await.expect("the order waits").order;
            let changed = shop.engine.replace_checkout(&shop.agent(AGENT), replacing(&checkout, &[("MUG", 2)])).await;
            let refused = refusal(changed);
            assert_eq!((refused.code, refused.details.retry_after_ms.is_some()), (Code::PaymentInProgress, true));
            let until = order.reservation_expires_at.strftime("%H:%M:%SZ").to_string();
            assert!(refused.message.contains(&until) && refused.message.contains("nothing was changed"), "{refused}");
            let seen = shop.engine.get_checkout(&shop.agent(AGENT), checkout.id).await.expect("its own");
            assert_eq!((seen.checkout.order_id, seen.checkout.lines[0].quantity), (Some(order.id), 1));
        }
        shop.settle_after(60).await;
    }

    /// Goal: the same change twice calls one order off.
    async fn the_same_change_happens_once(shop: TestShop) {
        shop.product("MUG", 1_000, 9).await;
        let checkout = shop.open(&[("MUG", 1)]).await.checkout;
        shop.complete_open(checkout.id, "tok_declined").await.expect("the order waits");
        let ctx = shop.agent_with_key("change", "two mugs");
        let change = async || shop.engine.replace_checkout(&ctx, replacing(&checkout, &[("MUG", 2)])).await.expect("changed");
        let (once, again) = (change().await, change().await);
        assert_eq!((once.replayed, again.replayed, again.reply.checkout), (false, true, once.reply.checkout));
        shop.settle().await;
    }

    /// Goal: of a change and another payment at the same time, the order is what its buyer agreed to.
    async fn a_change_and_another_payment_have_one_winner(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 100).await;
        let mut sold = 0;
        for _ in 0..10 {
            let checkout = shop.open(&[("MUG", 1)]).await.checkout;
            let declined = shop.complete_open(checkout.id, "tok_declined").await.expect("the order waits").order;
            let paying = meanwhile({
                let (shop, id) = (shop.clone(), checkout.id);
                async move { shop.complete_open(id, "tok_ok").await }
            });
            let changing = meanwhile({
                let (shop, to) = (shop.clone(), replacing(&checkout, &[("MUG", 3)]));
                async move { shop.engine.replace_checkout(&shop.agent(AGENT), to).await }
            });
            let (paid, changed) = (paying.await.expect("no panic"), changing.await.expect("no panic"));
            match (paid, changed) {
                (Ok(paid), Err(error)) => {
                    assert!(matches!(error.code(), Code::PaymentInProgress | Code::CheckoutClosed), "{error}");
                    assert_eq!((paid.order.id, paid.order.lines[0].ordered), (declined.id, 1));
                    sold += 1;
                }
                // The change was first and was answered; what follows is bought at what it said.
                (Ok(paid), Ok(changed)) => {
                    let order = shop.order(paid.order.id).await.order;
                    match order.id == declined.id {
                        true => assert_eq!((order.status, changed.reply.checkout.lines[0].quantity), (Status::Canceled, 3)),
                        false => sold += order.lines[0].ordered,
                    }
                    assert!(order.lines[0].ordered == 3 || order.status == Status::Canceled);
                }
                (Err(error), Ok(changed)) => {
                    let code = error.code();
                    assert!(matches!(code, Code::TotalsChanged | Code::PaymentInProgress), "{error}");
                    assert_eq!(changed.reply.checkout.lines[0].quantity, 3);
                }
                (Err(paid), Err(changed)) => panic!("{paid} and {changed}"),
            }
        }
        shop.idle().await;
        assert_eq!(shop.stock(&mug).await.allocated, sold);
        shop.settle_after(60).await;
    }

    /// Goal: a paid order is not called off by a change.
    async fn a_paid_order_stays(shop: TestShop) {
        shop.product("MUG", 1_000, 9).await;
        let checkout = shop.open(&[("MUG", 1)]).await.checkout;
        let paid = shop.complete_open(checkout.id, "tok_ok").await.expect("bought").order;
        let changed = shop.engine.replace_checkout(&shop.agent(AGENT), replacing(&checkout, &[("MUG", 2)])).await;
        assert_eq!(code(changed), Some(Code::CheckoutClosed));
        assert_eq!(shop.order(paid.id).await.order.status, Status::Paid);
        shop.settle().await;
    }
}
