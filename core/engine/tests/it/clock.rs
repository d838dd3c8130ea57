//! Clocks that jump: an hour forward ends what is over by then, an hour back delays what is due, and neither charges
//! anybody twice or loses anything.

use std::time::Duration;

use handel_domain::{
    Code,
    order::{PaymentStatus, Status},
};
use handel_store::Backend;
use handel_testkit::{Fault, FaultyPayments, Gate, TestShop, both_databases, meanwhile};

use crate::code;

const HOUR: Duration = Duration::from_hours(1);

async fn story_of(shop: &TestShop, order: impl ToString) -> Vec<i64> {
    let id = order.to_string();
    let of_it = shop.events.deliveries().into_iter().filter(|event| event.aggregate == id);
    of_it.map(|event| event.sequence).collect()
}

both_databases! {
    /// Goal: an order whose time is over ends, and its stock is free again; a cart is still there.
    async fn an_hour_forward_ends_reservations_and_nothing_else(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let kept = shop.cart_with(&[("MUG", 1)]).await;
        let cart = shop.cart_with(&[("MUG", 2)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        let placed = shop.complete(&checkout, "tok_declined").await.expect("it waits for money").order;
        shop.clock.advance(HOUR);
        shop.settle().await;
        assert_eq!(shop.order(placed.id).await.order.status, Status::Canceled);
        assert_eq!(shop.stock(&mug).await.allocated, 0);
        let checkout = shop.checkout(&kept).await.checkout;
        assert_eq!(shop.complete(&checkout, "tok_ok").await.expect("it is open").order.status, Status::Paid);
        shop.settle().await;
    }

    /// Goal: the clock jumps while the provider works. Whatever the shop believed meanwhile, in the end it keeps
    /// the price of an order that stands, or nothing of one that does not.
    async fn an_hour_forward_in_a_charge_keeps_no_money_for_nothing(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        for is_charged in [false, true] {
            let hold = if is_charged { FaultyPayments::hold_after_charge } else { FaultyPayments::hold_before_charge };
            let gate = hold(&shop.payments);
            let cart = shop.cart_with(&[("MUG", 1)]).await;
            let checkout = shop.checkout(&cart).await.checkout;
            let answer = meanwhile({
                let (shop, checkout) = (shop.clone(), checkout.clone());
                async move { shop.complete(&checkout, "tok_ok").await }
            });
            gate.reached().await;
            let placed = shop.checkout_of(&cart).await.completion.expect("it became an order").order;
            shop.clock.advance(HOUR);
            shop.settle().await;
            gate.open();
            let _late = answer.await.expect("no panic");
            shop.idle().await;
            shop.settle_after(60).await;
            let order = shop.order(placed.id).await;
            let kept_minor = shop.kept_minor(placed.id).await;
            match order.order.status {
                Status::Paid => assert_eq!(kept_minor, order.order.total_minor),
                status => assert_eq!((status, kept_minor), (Status::Canceled, 0)),
            }
            let charges = shop.provider.ledger().charges_of(placed.id).await.expect("open books");
            assert_eq!(charges.len(), usize::from(is_charged));
        }
    }

    /// Goal: after the clock was put back, an order of the future is paid by a new attempt, which is the latest one;
    /// its story is told in its order, and the money goes back when it is canceled.
    async fn an_hour_back_keeps_attempts_and_events_in_their_order(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        let placed = shop.complete(&checkout, "tok_declined").await.expect("it waits for money").order;
        shop.clock.turn_back(HOUR);
        let paid = shop.complete(&checkout, "tok_ok").await.expect("it takes another attempt");
        assert_eq!((paid.order.id, paid.order.status), (placed.id, Status::Paid));
        let payment = shop.order(placed.id).await.payment.expect("something is owed");
        assert_eq!(payment.status, PaymentStatus::Paid);
        assert_eq!(code(shop.complete(&checkout, "tok_ok:again").await), None, "it is paid already");
        assert_eq!(shop.kept_minor(placed.id).await, paid.order.total_minor);
        shop.cancel(placed.id).await.expect("it has not shipped");
        shop.settle().await;
        assert_eq!((shop.kept_minor(placed.id).await, shop.stock(&mug).await.allocated), (0, 0));
        let story = story_of(shop, placed.id).await;
        assert!(story.len() >= 6 && story.is_sorted(), "{story:?}");
    }

    /// Goal: a key that was used before the clock was put back is answered as before.
    async fn an_hour_back_forgets_no_key_and_no_cart(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let first = shop.submit(&cart, "tok_ok", "k").await.expect("bought");
        let open = shop.cart_with(&[("MUG", 1)]).await;
        shop.clock.turn_back(HOUR);
        let again = shop.submit(&cart, "tok_ok", "k").await.expect("answered");
        assert_eq!((again.replayed, again.reply.order), (true, first.reply.order));
        assert_eq!(code(shop.submit(&cart, "tok_ok:other", "k").await), Some(Code::IdempotencyConflict));
        shop.submit(&open, "tok_ok", "k2").await.expect("the cart is there");
        shop.settle().await;
    }

    /// Goal: what was due before the clock was put back is done at the latest when the clock is there again.
    async fn an_hour_back_delays_what_is_due_and_drops_nothing(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let placed = shop.submit(&cart, "tok_timeout_after_charge", "k").await.expect("placed").reply.order;
        shop.clock.turn_back(HOUR);
        shop.settle_after(30).await;
        shop.settle_after(HOUR.as_secs()).await;
        assert_eq!(shop.order(placed.id).await.order.status, Status::Paid);
        assert_eq!(shop.kept_minor(placed.id).await, placed.total_minor);
    }

    /// Goal: a process that starts after the clock was put back does the recurring work at once where it is the
    /// only one. What the dead process had leased until a time that is far away now does not hold it up.
    async fn a_restart_after_an_hour_back_waits_for_no_lease(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let order = shop.buy(&[("MUG", 1)]).await.order;
        let gate = Gate::default();
        shop.payments.fail_refund(Fault::HoldBefore(gate.clone()));
        shop.cancel(order.id).await.expect("it has not shipped");
        shop.spawn({
            let shop = shop.clone();
            async move { shop.settle().await }
        });
        gate.reached().await;
        shop.clock.turn_back(HOUR);
        shop.restart().await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let late = shop.submit(&cart, "tok_timeout_after_charge", "k").await.expect("placed").reply.order;
        shop.settle_after(30).await;
        if shop.database().backend() == Backend::Sqlite {
            assert_eq!(shop.order(late.id).await.order.status, Status::Paid, "nobody does the recurring work");
            assert_eq!(shop.kept_minor(order.id).await, 0, "the refund waits for a dead process");
        }
        // Where others may be alive, the leases must end by the clock.
        shop.settle_after(HOUR.as_secs() + 120).await;
        assert_eq!(shop.order(late.id).await.order.status, Status::Paid);
        assert_eq!(shop.kept_minor(order.id).await, 0);
    }
}
