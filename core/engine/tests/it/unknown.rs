//! Calls whose outcome nobody knows, and orders whose money comes too late.

use std::time::Duration;

use handel_domain::{
    Code,
    checkout::CheckoutStatus,
    order::{PaymentStatus, Status},
    payment::AttemptStatus,
};
use handel_engine::{Completion, OwnedCart};
use handel_testkit::{Fault, TestShop, both_databases, fixtures::reference, meanwhile};

use crate::code;

/// How long an order waits for money.
const RESERVATION_S: u64 = 15 * 60;

struct Placed {
    cart: OwnedCart,
    completion: Completion,
    product: handel_domain::catalog::Product,
}

/// An order for 3 of 10 mugs, whose charge met a fault.
async fn placed(shop: &TestShop, token: &str, fault: Option<Fault>) -> Placed {
    let product = shop.product("MUG", 1_000, 10).await;
    let cart = shop.cart_with(&[("MUG", 3)]).await;
    if let Some(fault) = fault {
        shop.payments.fail_charge(fault);
    }
    let completion = shop.submit(&cart, token, "k").await.expect("the order is placed").reply;
    Placed { cart, completion, product }
}

async fn status(shop: &TestShop, placed: &Placed) -> (Status, PaymentStatus) {
    let details = shop.order(placed.completion.order.id).await;
    (details.order.status, details.payment.expect("something is owed").status)
}

async fn names(shop: &TestShop, placed: &Placed) -> Vec<&'static str> {
    shop.events.names_of(&placed.completion.order.id.to_string())
}

both_databases! {
    /// Goal: an answer that got lost after the money was taken is found again, and nobody pays twice.
    async fn a_charge_whose_answer_was_lost_is_found_again(shop: TestShop) {
        let placed = placed(shop, "tok_ok", Some(Fault::LostAfter)).await;
        assert_eq!(placed.completion.payment.as_ref().map(|payment| payment.status), Some(PaymentStatus::Unknown));
        let again = shop.submit(&placed.cart, "tok_ok", "k").await.expect("it is answered");
        assert_eq!((again.replayed, again.reply.payment, again.reply.order.id), (true, placed.completion.payment.clone(), placed.completion.order.id));
        shop.settle_after(2).await;
        assert_eq!(status(shop, &placed).await, (Status::Paid, PaymentStatus::Paid));
        let again = shop.submit(&placed.cart, "tok_ok", "another").await.expect("it is answered").reply;
        assert_eq!((again.order.id, again.order.status), (placed.completion.order.id, Status::Paid));
        assert_eq!(shop.payments.calls().charges, 1);
        shop.settle().await;
        assert!(names(shop, &placed).await.contains(&"payment_unknown"));
    }

    /// Goal: a buyer who asks at once with another key is not charged twice either: the provider is asked.
    async fn a_retry_asks_before_it_charges(shop: TestShop) {
        let placed = placed(shop, "tok_ok", Some(Fault::LostAfter)).await;
        let retried = shop.submit(&placed.cart, "tok_ok", "another").await.expect("it is answered").reply;
        assert_eq!((retried.order.id, retried.order.status), (placed.completion.order.id, Status::Paid));
        assert_eq!(shop.payments.calls().charges, 1);
        shop.settle().await;
    }

    /// Goal: a request that never arrived counts as such only when it can no longer arrive; then the buyer
    /// tries again.
    async fn a_charge_that_never_arrived_is_given_up_after_a_while(shop: TestShop) {
        let placed = placed(shop, "tok_ok", Some(Fault::LostBefore)).await;
        shop.settle_after(2).await;
        assert_eq!(status(shop, &placed).await, (Status::Reserved, PaymentStatus::Unknown));
        assert_eq!(code(shop.submit(&placed.cart, "tok_ok", "early").await), Some(Code::PaymentInProgress));
        shop.settle_after(60).await;
        assert_eq!(status(shop, &placed).await, (Status::Reserved, PaymentStatus::Unpaid));
        let stored = shop.submit(&placed.cart, "tok_ok", "k").await.expect("it is answered");
        assert!(stored.replayed, "the first answer stays the answer");
        let retried = shop.submit(&placed.cart, "tok_ok", "late").await.expect("it is tried").reply;
        assert_eq!((retried.order.id, retried.order.status), (placed.completion.order.id, Status::Paid));
        assert_eq!(shop.kept_minor(placed.completion.order.id).await, 3_490);
        shop.settle().await;
    }

    /// Goal: a provider that is down for a while stops nobody for ever: no key hangs, no money is lost.
    async fn a_provider_that_is_down_is_asked_again_when_it_is_back(shop: TestShop) {
        shop.payments.set_down(true);
        let placed = placed(shop, "tok_ok", None).await;
        for _ in 0..5 {
            shop.settle_after(60).await;
            assert_eq!(status(shop, &placed).await, (Status::Reserved, PaymentStatus::Unknown));
            assert_eq!(code(shop.submit(&placed.cart, "tok_ok", "while down").await), Some(Code::PaymentInProgress));
        }
        shop.payments.set_down(false);
        shop.settle_after(300).await;
        assert_eq!(status(shop, &placed).await, (Status::Reserved, PaymentStatus::Unpaid));
        let retried = shop.submit(&placed.cart, "tok_ok", "while down").await.expect("it is tried").reply;
        assert_eq!(retried.order.status, Status::Paid);
        shop.settle().await;
    }

    /// Goal: a provider that never answers holds a request for its time limit and no longer.
    async fn a_provider_that_hangs_is_left_after_its_time(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 3)]).await;
        let gate = shop.payments.hold_after_charge();
        let buying = meanwhile({
            let (shop, cart) = (shop.clone(), cart.clone());
            async move { shop.submit(&cart, "tok_ok", "k").await }
        });
        gate.reached().await;
        shop.clock.advance(Duration::from_secs(9));
        assert!(!buying.is_finished(), "it waits as long as it may");
        shop.clock.advance(Duration::from_secs(2));
        let answer = buying.await.expect("no panic").expect("it is answered").reply;
        assert_eq!(answer.payment.map(|payment| payment.status), Some(PaymentStatus::Unknown));
        // The question hangs as well, and is asked again.
        let hangs = handel_testkit::Gate::default();
        shop.payments.fail_find(Fault::HoldBefore(hangs.clone()));
        shop.clock.advance(Duration::from_secs(2));
        let settling = meanwhile({
            let shop = shop.clone();
            async move { shop.settle().await }
        });
        hangs.reached().await;
        shop.clock.advance(Duration::from_secs(11));
        settling.await.expect("it goes on");
        assert_eq!(shop.order(answer.order.id).await.order.status, Status::Reserved);
        shop.settle_after(10).await;
        assert_eq!(shop.order(answer.order.id).await.order.status, Status::Paid);
    }

    /// Goal: an order that nobody pays gives its stock back, and its buyer may start again.
    async fn an_unpaid_order_expires_and_gives_everything_back(shop: TestShop) {
        let placed = placed(shop, "tok_declined", None).await;
        let order = &placed.completion.order;
        shop.settle_after(RESERVATION_S - 5).await;
        assert_eq!((shop.order(order.id).await.order.status, shop.stock(&placed.product).await.allocated), (Status::Reserved, 3));
        assert_eq!(code(shop.add(Some(&placed.cart), "MUG", 1).await), Some(Code::CartClosed));
        shop.settle_after(10).await;
        assert_eq!((shop.order(order.id).await.order.status, shop.stock(&placed.product).await.allocated), (Status::Canceled, 0));
        let checkout = shop.engine.get_checkout(&shop.owner(order.cart_id), order.checkout_id).await.expect("it is there");
        assert_eq!((checkout.checkout.status, checkout.checkout.order_id), (CheckoutStatus::Open, None));
        let again = shop.complete(&checkout.checkout, "tok_ok").await.expect("it still fits its cart");
        assert_eq!((again.order.number, again.order.status), (order.number + 1, Status::Paid));
        assert_ne!(again.order.id, order.id);
        shop.settle().await;
        assert!(names(shop, &placed).await.ends_with(&["order_canceled"]));
    }

    /// Goal: after an order expired its buyer can also change the cart before buying it.
    async fn an_expired_order_gives_its_cart_back(shop: TestShop) {
        let placed = placed(shop, "tok_declined", None).await;
        shop.settle_after(RESERVATION_S + 1).await;
        let cart = shop.add(Some(&placed.cart), "MUG", 7).await.expect("the cart is open");
        let bought = shop.submit(&cart, "tok_ok", "again").await.expect("it is bought").reply;
        assert_eq!((bought.order.lines[0].ordered, bought.order.status), (10, Status::Paid));
        shop.settle().await;
    }

    /// Goal: where a merchant lets buyers pay days later, they can, and they still see what they ordered.
    async fn an_order_that_waits_for_days_can_be_paid_days_later(shop: TestShop) {
        shop.change_channel(|settings| settings.reservation_ms = 3 * 86_400_000).await;
        let placed = placed(shop, "tok_declined", None).await;
        let order = &placed.completion.order;
        shop.settle_after(2 * 86_400).await;
        let own = shop.engine.list_own_orders(&shop.owner(order.cart_id)).await.expect("a list");
        assert_eq!(own.iter().map(|details| details.order.id).collect::<Vec<_>>(), [order.id]);
        let paid = shop.submit(&placed.cart, "tok_ok", "late").await.expect("it is tried").reply;
        assert_eq!((paid.order.id, paid.order.status), (order.id, Status::Paid));
        shop.settle_after(20 * 86_400).await;
        let own = shop.engine.list_own_orders(&shop.owner(order.cart_id)).await.expect("a list");
        assert_eq!(own.len(), 1);
    }

    /// Goal: before an order expires the provider is asked once more, so that nobody loses what they paid for.
    async fn an_order_whose_money_came_is_paid_and_not_expired(shop: TestShop) {
        let placed = placed(shop, "tok_ok", Some(Fault::LostAfter)).await;
        // The janitor asks in vain; whoever expires orders asks for itself.
        shop.payments.fail_find(Fault::LostBefore);
        shop.settle_after(RESERVATION_S + 1).await;
        assert_eq!(status(shop, &placed).await, (Status::Paid, PaymentStatus::Paid));
        assert!(!names(shop, &placed).await.contains(&"order_canceled"));
    }

    /// Goal: money that turns up after the order expired goes back, and the stock stays free.
    async fn money_that_comes_after_the_order_expired_goes_back(shop: TestShop) {
        let placed = placed(shop, "tok_ok", Some(Fault::LostAfter)).await;
        shop.payments.set_down(true);
        shop.settle_after(RESERVATION_S + 1).await;
        assert_eq!(status(shop, &placed).await, (Status::Canceled, PaymentStatus::Unknown));
        assert_eq!(shop.stock(&placed.product).await.allocated, 0);
        // Meanwhile the buyer pays for the same cart in another way.
        shop.payments.set_down(false);
        let again = shop.submit(&placed.cart, "tok_ok", "again").await.expect("it is bought").reply;
        assert_ne!(again.order.id, placed.completion.order.id);
        shop.settle_after(600).await;
        assert_eq!(status(shop, &placed).await, (Status::Canceled, PaymentStatus::Refunded));
        assert_eq!(shop.kept_minor(placed.completion.order.id).await, 0);
        assert_eq!((shop.kept_minor(again.order.id).await, shop.stock(&placed.product).await.allocated), (3_490, 3));
        let names = names(shop, &placed).await;
        assert!(names.ends_with(&["order_canceled", "payment_unexpected", "payment_refunded"]), "{names:?}");
    }

    /// Goal: a buyer who approves after the order expired gets the money back.
    async fn an_approval_after_the_order_expired_is_returned(shop: TestShop) {
        let placed = placed(shop, "tok_action_required", None).await;
        shop.settle_after(RESERVATION_S + 1).await;
        assert_eq!(status(shop, &placed).await, (Status::Canceled, PaymentStatus::RequiresAction));
        let attempt = placed.completion.payment.as_ref().and_then(|payment| payment.attempt.as_ref()).expect("tried").id;
        shop.provider.complete_action(attempt, true).await.expect("open books").expect("it waits");
        for event in shop.due_webhooks().await {
            shop.receive(&shop.sign(&event)).await.expect("it is signed");
        }
        shop.settle().await;
        assert_eq!(status(shop, &placed).await, (Status::Canceled, PaymentStatus::Refunded));
        let cart = shop.engine.get_cart(&shop.ctx(), &reference(&placed.cart)).await.expect("it is there");
        assert_eq!(cart.view.cart.quantity_of(placed.product.variants[0].id), 3, "the cart is as it was");
    }

    /// Goal: a buyer who leaves for ever is not asked about for ever.
    async fn an_abandoned_payment_is_asked_about_for_two_days(shop: TestShop) {
        let placed = placed(shop, "tok_action_required", None).await;
        for _ in 0..50 {
            shop.settle_after(3_600).await;
        }
        let asked = shop.payments.calls().finds;
        shop.settle_after(86_400).await;
        assert_eq!(shop.payments.calls().finds, asked);
        let attempt = shop.order(placed.completion.order.id).await.payment.and_then(|payment| payment.attempt);
        assert_eq!(attempt.map(|attempt| (attempt.status, attempt.check_at)), Some((AttemptStatus::RequiresAction, None)));
    }
}
