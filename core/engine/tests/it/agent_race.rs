//! Programs that race: with themselves, with people, and with a process that dies.

use handel_domain::{Code, checkout::CheckoutStatus, order::Status};
use handel_engine::{Complete, ReplaceCheckout};
use handel_testkit::{
    Gate, TestShop,
    agents::{AGENT, opening, replacing},
    both_databases,
    fixtures::completion_of,
    meanwhile, together,
};

use crate::{code, refusal};

/// Runs two things at the same time.
async fn both<A: Send + 'static, B: Send + 'static>(
    left: impl Future<Output = A> + Send + 'static,
    right: impl Future<Output = B> + Send + 'static,
) -> (A, B) {
    let (left, right) = (meanwhile(left), meanwhile(right));
    (left.await.expect("no panic"), right.await.expect("no panic"))
}

both_databases! {
    /// Goal: of those who say the same version of a checkout anew, one wins.
    async fn two_who_say_it_anew_do_not_overwrite_each_other(shop: TestShop) {
        shop.product("MUG", 1_000, 20).await;
        let checkout = shop.open(&[("MUG", 1)]).await.checkout;
        let sent = (2..8).map(|quantity| {
            let (shop, checkout) = (shop.clone(), checkout.clone());
            async move {
                let to = replacing(&checkout, &[("MUG", quantity)]);
                let to = ReplaceCheckout { expected_version: Some(checkout.version), ..to };
                shop.engine.replace_checkout(&shop.agent(AGENT), to).await
            }
        });
        let (won, lost): (Vec<_>, Vec<_>) = together(sent).await.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 5));
        for outcome in lost {
            let refused = refusal(outcome);
            assert_eq!((refused.code, refused.details.version), (Code::VersionConflict, Some(checkout.version + 1)));
        }
        let winner = won.into_iter().flatten().next().expect("one won").reply.checkout;
        let seen = shop.engine.get_checkout(&shop.agent(AGENT), checkout.id).await.expect("its own").checkout;
        assert_eq!(seen, winner);
        shop.settle().await;
    }

    /// Goal: an order never has lines that its buyer did not confirm, whoever changes the checkout meanwhile.
    async fn nobody_gets_what_they_did_not_agree_to(shop: TestShop) {
        shop.product("MUG", 1_000, 1_000).await;
        for round in 0..12 {
            let view = shop.open(&[("MUG", 1)]).await;
            let (checkout, agreed) = (view.checkout, view.quote.totals.total_minor);
            let complete = Complete { expected_total_minor: Some(agreed), ..completion_of(checkout.id, "tok_ok") };
            let ctx = shop.agent_with_key(&format!("round-{round}"), "b");
            let (completed, replaced) = both(
                { let shop = shop.clone(); async move { shop.engine.complete_checkout(&ctx, complete).await } },
                {
                    let (shop, checkout) = (shop.clone(), checkout.clone());
                    async move { shop.engine.replace_checkout(&shop.agent(AGENT), replacing(&checkout, &[("MUG", 7)])).await }
                },
            )
            .await;
            match completed {
                Ok(done) => {
                    let order = done.reply.order;
                    assert_eq!((order.lines[0].ordered, order.total_minor), (1, agreed));
                    // The words came before, and were not agreed to, or after, and change nothing.
                    let code = code(replaced);
                    assert!(matches!(code, Some(Code::CheckoutClosed | Code::PaymentInProgress)), "{code:?}");
                }
                Err(error) => {
                    assert_eq!(error.code(), Code::TotalsChanged);
                    assert_eq!(replaced.expect("it was first").reply.checkout.lines[0].quantity, 7);
                }
            }
        }
        shop.idle().await;
        shop.settle().await;
    }

    /// Goal: a checkout is either completed or canceled, never both.
    async fn completing_and_canceling_have_one_winner(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 100).await;
        let mut sold = 0;
        for _ in 0..12 {
            let id = shop.open(&[("MUG", 1)]).await.checkout.id;
            let (completed, canceled) = both(
                { let shop = shop.clone(); async move { shop.complete_open(id, "tok_ok").await } },
                { let shop = shop.clone(); async move { shop.cancel_open(id).await } },
            )
            .await;
            let seen = shop.engine.get_checkout(&shop.agent(AGENT), id).await.expect("its own");
            match (completed, canceled) {
                (Ok(done), Err(error)) => {
                    assert!(matches!(error.code(), Code::PaymentInProgress | Code::CheckoutClosed), "{error}");
                    assert_eq!((done.order.status, seen.checkout.status), (Status::Paid, CheckoutStatus::Completed));
                    sold += 1;
                }
                (Err(error), Ok(_)) => {
                    assert_eq!(error.code(), Code::CheckoutClosed);
                    assert_eq!((seen.checkout.status, seen.completion.is_none()), (CheckoutStatus::Canceled, true));
                }
                (completed, canceled) => panic!("{completed:?} and {canceled:?}"),
            }
        }
        shop.idle().await;
        assert_eq!(shop.stock(&mug).await.allocated, sold);
        shop.settle().await;
    }

    /// Goal: while the provider works on a payment, nobody can give the order up, not even after a crash; when
    /// the provider never heard of it, they can.
    async fn a_payment_under_way_is_waited_for(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let gate: Gate = shop.payments.hold_before_charge();
        let checkout = shop.open(&[("MUG", 1)]).await.checkout;
        let answer = meanwhile({
            let (shop, id) = (shop.clone(), checkout.id);
            async move { shop.complete_open(id, "tok_ok").await }
        });
        gate.reached().await;
        let refused = refusal(shop.cancel_open(checkout.id).await);
        assert_eq!((refused.code, refused.details.retry_after_ms.is_some()), (Code::PaymentInProgress, true));
        let replaced = shop.engine.replace_checkout(&shop.agent(AGENT), replacing(&checkout, &[("MUG", 2)])).await;
        assert_eq!(code(replaced), Some(Code::PaymentInProgress));
        shop.restart().await;
        assert!(answer.await.expect("no panic").is_err(), "a dead process answers nobody");
        assert_eq!(code(shop.cancel_open(checkout.id).await), Some(Code::PaymentInProgress), "it may be on its way");
        shop.clock.advance(std::time::Duration::from_secs(61));
        let view = shop.cancel_open(checkout.id).await.expect("the provider never heard of it").reply;
        assert_eq!(view.checkout.status, CheckoutStatus::Canceled);
        assert_eq!((shop.stock(&mug).await.allocated, shop.payments.calls().charges), (0, 1));
        shop.settle_after(120).await;
    }

    /// Goal: what was acknowledged is there after a crash, and is answered as before.
    async fn what_a_program_was_told_survives_a_crash(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let ctx = shop.agent_with_key("open", "b");
        let opened = shop.engine.open_checkout(&ctx, opening(&[("MUG", 2)])).await.expect("opened").reply.checkout;
        let other = shop.open(&[("MUG", 1)]).await.checkout;
        shop.cancel_open(other.id).await.expect("it is open");
        shop.restart().await;
        let again = shop.engine.open_checkout(&ctx, opening(&[("MUG", 2)])).await.expect("it is answered");
        assert_eq!((again.replayed, again.reply.checkout), (true, opened.clone()));
        let seen = shop.engine.get_checkout(&shop.agent(AGENT), other.id).await.expect("its own");
        assert_eq!(seen.checkout.status, CheckoutStatus::Canceled);
        let done = shop.complete_open(opened.id, "tok_ok").await.expect("it goes on");
        assert_eq!((done.order.lines[0].ordered, shop.stock(&mug).await.allocated), (2, 2));
        shop.settle_after(20).await;
    }

    /// Goal: ten programs and people who race for the last unit get one order between them.
    async fn the_last_unit_is_sold_once_over_all_doors(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 1).await;
        let mut checkouts = Vec::new();
        for _ in 0..5 {
            checkouts.push(shop.open(&[("MUG", 1)]).await.checkout);
        }
        let mut carts = Vec::new();
        for _ in 0..5 {
            carts.push(shop.cart_with(&[("MUG", 1)]).await);
        }
        let programs = checkouts.into_iter().map(|checkout| {
            let shop = shop.clone();
            meanwhile(async move { shop.complete_open(checkout.id, "tok_ok").await.map(|done| done.order.id) })
        });
        let people = carts.into_iter().enumerate().map(|(n, cart)| {
            let shop = shop.clone();
            meanwhile(async move {
                shop.submit(&cart, "tok_ok", &format!("buyer-{n}")).await.map(|once| once.reply.order.id)
            })
        });
        let racing: Vec<_> = programs.chain(people).collect();
        let mut sold = 0;
        for outcome in racing {
            match outcome.await.expect("no panic") {
                Ok(_) => sold += 1,
                Err(error) => assert_eq!(error.code(), Code::StockShort),
            }
        }
        assert_eq!((sold, shop.stock(&mug).await.allocated, shop.payments.calls().charges), (1, 1, 1));
        shop.idle().await;
        shop.settle().await;
    }
}
