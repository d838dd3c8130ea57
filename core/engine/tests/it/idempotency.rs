//! Keys: a request that is sent twice happens once.

use std::collections::HashSet;

use handel_domain::{Code, order::Status};
use handel_engine::{Context, Idempotency};
use handel_testkit::{
    TestShop, both_databases,
    fixtures::{completion_of, with_key},
    meanwhile, together,
};

use crate::{code, refusal};

both_databases! {
    /// Goal: a repetition gets the same answer, and nothing happens again.
    async fn a_repetition_gets_the_same_answer(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        let first = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is complete");
        let second = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is answered");
        assert_eq!((first.replayed, second.replayed), (false, true));
        assert_eq!(first.reply.order, second.reply.order);
        assert_eq!(first.reply.payment, second.reply.payment);
        assert_eq!((shop.payments.calls().charges, shop.stock(&mug).await.allocated), (1, 1));
        shop.settle().await;
    }

    /// Goal: of many at once with one key, one is worked on; the others wait or get its answer.
    async fn many_at_once_with_one_key_charge_once(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        let answers = together((0..32).map(|_| {
            let (shop, checkout) = (shop.clone(), checkout.clone());
            async move { shop.complete_with_key(&checkout, "tok_ok", "k").await }
        }))
        .await;
        let fresh = answers.iter().flatten().filter(|once| !once.replayed).count();
        let orders: HashSet<_> = answers.iter().flatten().map(|once| once.reply.order.id).collect();
        assert_eq!((fresh, orders.len()), (1, 1));
        for error in answers.into_iter().filter_map(Result::err) {
            assert_eq!(error.code(), Code::IdempotencyInFlight);
            assert!(error.refusal.details.retry_after_ms.is_some(), "it says when to ask again");
        }
        let later = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("it is answered");
        assert!(later.replayed && orders.contains(&later.reply.order.id));
        assert_eq!(shop.payments.calls().charges, 1);
        shop.settle().await;
    }

    /// Goal: one cart is bought once, whatever keys the requests have.
    async fn many_at_once_with_their_own_keys_buy_a_cart_once(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 100).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let answers = together((0..8).map(|n| {
            let (shop, cart) = (shop.clone(), cart.clone());
            async move { shop.submit(&cart, "tok_ok", &format!("k{n}")).await }
        }))
        .await;
        let orders: HashSet<_> = answers.iter().flatten().map(|once| once.reply.order.id).collect();
        assert_eq!(orders.len(), 1);
        for error in answers.into_iter().filter_map(Result::err) {
            assert_eq!(error.code(), Code::PaymentInProgress);
            assert!(error.refusal.details.retry_after_ms.is_some(), "it says when to ask again");
        }
        for n in 0..8 {
            let later = shop.submit(&cart, "tok_ok", &format!("k{n}")).await.expect("it is answered");
            assert!(orders.contains(&later.reply.order.id) && later.reply.order.status == Status::Paid);
        }
        assert_eq!((shop.payments.calls().charges, shop.stock(&mug).await.allocated), (1, 1));
        shop.settle().await;
    }

    /// Goal: a key that was used for something else is refused, before, while and after the first is done.
    async fn a_key_with_another_request_is_a_conflict(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        let (mine, other) = (shop.cart_with(&[("MUG", 1)]).await, shop.cart_with(&[("MUG", 5)]).await);
        let (checkout, dearer) = (shop.checkout(&mine).await.checkout, shop.checkout(&other).await.checkout);
        let gate = shop.payments.hold_before_charge();
        let first = meanwhile({
            let (shop, checkout) = (shop.clone(), checkout.clone());
            async move { shop.complete_with_key(&checkout, "tok_ok", "k").await }
        });
        gate.reached().await;
        let in_flight = refusal(shop.complete_with_key(&checkout, "tok_ok", "k").await);
        assert_eq!((in_flight.code, in_flight.details.retry_after_ms.is_some()), (Code::IdempotencyInFlight, true));
        let complete = async |body: &str| {
            let ctx = shop.owner_with_key(dearer.cart_id, "k", body);
            shop.engine.complete_checkout(&ctx, completion_of(dearer.id, "tok_ok")).await
        };
        assert_eq!(code(complete("another body").await), Some(Code::IdempotencyConflict));
        gate.open();
        let done = first.await.expect("no panic").expect("it is complete").reply;
        assert_eq!(code(complete("another body").await), Some(Code::IdempotencyConflict));
        assert_eq!((done.order.status, shop.payments.calls().charges), (Status::Paid, 1));
        shop.settle().await;
    }

    /// Goal: a key belongs to who sent it and what for; no clever text makes it another one's.
    async fn keys_of_different_scopes_never_meet(shop: TestShop) {
        let scoped = |scope: &str, key: &str| {
            let idempotency = Idempotency { scope: scope.to_owned(), key: key.to_owned(), digest: "b".to_owned() };
            Context { idempotency: Some(idempotency), ..shop.ctx() }
        };
        let mut tokens = HashSet::new();
        for (scope, key) in [("a", "b|c"), ("a|b", "c"), ("a", "b"), ("a|b|c", ""), ("", "a|b|c"), ("a\u{1f}b", "c")] {
            let made = shop.engine.create_cart(&scoped(scope, key)).await.expect("a cart");
            assert!(!made.replayed && tokens.insert(made.reply.token.clone()), "{scope:?} {key:?}");
            let again = shop.engine.create_cart(&scoped(scope, key)).await.expect("the same cart");
            assert!(again.replayed && again.reply.token == made.reply.token);
        }
        shop.settle().await;
    }

    /// Goal: a request that was refused before anything happened may be sent again, changed or not.
    async fn a_refusal_leaves_the_key_free(shop: TestShop) {
        shop.product("MUG", 1_000, 1).await;
        let (mine, other) = (shop.cart_with(&[("MUG", 1)]).await, shop.cart_with(&[("MUG", 1)]).await);
        let checkout = shop.checkout(&mine).await.checkout;
        let sold_to_another = shop.submit(&other, "tok_ok", "other").await.expect("it is sold").reply;
        assert_eq!(code(shop.complete_with_key(&checkout, "tok_ok", "k").await), Some(Code::StockShort));
        assert_eq!(code(shop.submit(&mine, "tok_ok", "k").await), Some(Code::StockShort));
        shop.cancel(sold_to_another.order.id).await.expect("it is canceled");
        let done = shop.complete_with_key(&checkout, "tok_ok", "k").await.expect("now there is one");
        assert_eq!((done.replayed, done.reply.order.status), (false, Status::Paid));
        shop.settle().await;
    }

    /// Goal: buying without a key is refused, because a repetition could not be told from a second purchase.
    async fn buying_needs_a_key(shop: TestShop) {
        shop.product("MUG", 1_000, 1).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        let ctx = shop.owner(checkout.cart_id);
        let completed = shop.engine.complete_checkout(&ctx, completion_of(checkout.id, "tok_ok")).await;
        assert_eq!(code(completed), Some(Code::IdempotencyKeyRequired));
        shop.settle().await;
    }

    /// Goal: a key is remembered for three days and then forgotten, so that the table does not grow for ever.
    async fn a_key_is_remembered_for_three_days(shop: TestShop) {
        let ctx = with_key(shop.ctx(), "k", "b");
        let first = shop.engine.create_cart(&ctx).await.expect("a cart").reply;
        shop.settle_after(71 * 3_600).await;
        let second = shop.engine.create_cart(&ctx).await.expect("the same cart");
        assert!(second.replayed && second.reply.token == first.token);
        shop.settle_after(2 * 3_600).await;
        let third = shop.engine.create_cart(&with_key(shop.ctx(), "k", "another")).await.expect("a new cart");
        assert!(!third.replayed && third.reply.token != first.token);
    }

    /// Goal: the queue in which requests meet tells the same key from the same checkout.
    async fn one_key_for_two_checkouts_at_once_buys_one(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        let mut checkouts = Vec::new();
        for _ in 0..16 {
            let cart = shop.cart_with(&[("MUG", 1)]).await;
            checkouts.push(shop.checkout(&cart).await.checkout);
        }
        let answers = together(checkouts.into_iter().map(|checkout| {
            let shop = shop.clone();
            async move {
                let ctx = shop.owner_with_key(checkout.cart_id, "k", &checkout.id.to_string());
                shop.engine.complete_checkout(&ctx, completion_of(checkout.id, "tok_ok")).await
            }
        }))
        .await;
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
        for error in answers.into_iter().filter_map(Result::err) {
            assert!(matches!(error.code(), Code::IdempotencyConflict | Code::IdempotencyInFlight), "{error:?}");
        }
        assert_eq!(shop.payments.calls().charges, 1);
        shop.settle().await;
    }
}
