//! Codes that programs say with their baskets.

use handel_domain::{
    Code,
    promotion::{Class, Rejection, Rules},
};
use handel_engine::{Basket, CheckoutView, OpenCheckout, PutCart, ReplaceCheckout};
use handel_testkit::{
    TestShop,
    agents::{AGENT, basket, opening, replacing},
    both_databases,
    fixtures::{buyer, percent, promotion_rules},
};

use crate::code;

fn with_codes(items: &[(&str, i64)], codes: &[&str]) -> Basket {
    Basket { codes: codes.iter().map(|code| (*code).to_owned()).collect(), ..basket(items) }
}

fn off(view: &CheckoutView) -> (i64, Vec<Rejection>) {
    let rejected = view.quote.rejected_codes.iter().map(|rejected| rejected.reason).collect();
    (view.quote.totals.discount_minor, rejected)
}

both_databases! {
    /// Goal: the codes of a basket hold from the cart to the order, and go when they are not said anew.
    async fn codes_come_and_go_with_the_basket(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let tenth = shop.promotion(promotion_rules(Class::Order, percent(10)), &["SPRING"]).await;
        let ctx = shop.agent(AGENT);
        let put = PutCart {
            cart_id: None,
            basket: with_codes(&[("MUG", 2)], &["spring", "NOPE"]),
            buyer: buyer(),
            expected_version: None,
        };
        let cart = shop.engine.put_cart(&ctx, put).await.expect("a new cart").reply;
        assert_eq!(cart.quote.totals.discount_minor, 200);
        let open = OpenCheckout { cart_id: Some(cart.cart.id), ..opening(&[]) };
        let opened = shop.engine.open_checkout(&ctx, open).await.expect("opened").reply;
        assert_eq!(off(&opened), (200, vec![Rejection::Unknown]), "the checkout takes them over");
        let silent = replacing(&opened.checkout, &[("MUG", 2)]);
        let silent = shop.engine.replace_checkout(&ctx, silent).await.expect("said anew").reply;
        assert_eq!(off(&silent), (0, Vec::new()));
        let again = ReplaceCheckout { basket: with_codes(&[("MUG", 3)], &["SPRING"]), ..replacing(&opened.checkout, &[]) };
        let again = shop.engine.replace_checkout(&ctx, again).await.expect("said anew").reply;
        assert_eq!(off(&again), (300, Vec::new()));
        let order = shop.complete_open(again.checkout.id, "tok_ok").await.expect("it is complete").order;
        assert_eq!((order.discount_minor, order.discounts[0].promotion_id), (300, tenth.promotion.id));
        shop.settle().await;
    }

    /// Goal: a code that each may use once is used once by a program too, and giving up frees it.
    async fn giving_up_frees_the_code(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let rules = Rules { usage_limit: Some(1), ..promotion_rules(Class::Order, percent(10)) };
        shop.promotion(rules, &["LAST"]).await;
        let open = || OpenCheckout { basket: Some(with_codes(&[("MUG", 1)], &["LAST"])), ..opening(&[]) };
        let ctx = shop.agent(AGENT);
        let first = shop.engine.open_checkout(&ctx, open()).await.expect("opened").reply;
        let second = shop.engine.open_checkout(&ctx, open()).await.expect("opened").reply;
        assert_eq!((off(&first), off(&second)), ((100, Vec::new()), (100, Vec::new())));
        shop.complete_open(first.checkout.id, "tok_declined").await.expect("the order waits");
        assert_eq!(code(shop.complete_open(second.checkout.id, "tok_ok").await), Some(Code::PromotionUsedUp));
        shop.cancel_open(first.checkout.id).await.expect("nothing is paid");
        let done = shop.complete_open(second.checkout.id, "tok_ok").await.expect("it is free again");
        assert_eq!(done.order.discount_minor, 100);
        shop.settle().await;
    }

    /// Goal: too many codes, and what is none, refuse the basket.
    async fn nonsense_for_codes_is_refused(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let many = ["A"; 11];
        let wrong: [(&[&str], Code); 4] = [
            (&many, Code::InputInvalid),
            (&[" "], Code::InputInvalid),
            (&["a\nb"], Code::InputInvalid),
            (&["4242424242424242"], Code::CardNumberRefused),
        ];
        for (codes, expected) in wrong {
            let open = OpenCheckout { basket: Some(with_codes(&[("MUG", 1)], codes)), ..opening(&[]) };
            assert_eq!(code(shop.engine.open_checkout(&shop.agent(AGENT), open).await), Some(expected));
        }
        shop.settle().await;
    }
}
