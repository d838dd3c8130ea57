//! What was shown is what is charged, for every caller and whatever staff change meanwhile.

use handel_domain::{
    Code,
    catalog::Price,
    checkout::{Buyer, Checkout},
    promotion::Class,
};
use handel_engine::{CheckoutView, Complete};
use handel_testkit::{
    TestShop,
    agents::{AGENT, opening},
    both_databases,
    fixtures::{buyer, completion_of, percent, promotion_rules, reference, sku, slug, submission},
    meanwhile, together,
};

use crate::{code, refusal};

/// Another price in every currency.
async fn reprice(shop: &TestShop, amount_minor: i64) {
    let price = |currency: &str| Price {
        currency: currency.parse().expect("a currency"),
        amount_minor,
        compare_at_minor: None,
    };
    let prices = vec![price("EUR"), price("USD")];
    shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, None).await.expect("staff may");
}

async fn see(shop: &TestShop, checkout: &Checkout) -> CheckoutView {
    let ctx = shop.owner(checkout.cart_id);
    shop.engine.get_checkout(&ctx, checkout.id).await.expect("its own")
}

/// Completes without a total, and returns the one that the refusal names.
async fn refused_at(shop: &TestShop, checkout: &Checkout, key: &str) -> i64 {
    let refused = refusal(shop.complete_with_key(checkout, "tok_ok", key).await);
    assert_eq!(refused.code, Code::TotalsChanged);
    refused.details.total_minor.expect("the refusal names the total")
}

async fn bought_at(shop: &TestShop, checkout: &Checkout, key: &str) -> i64 {
    let bought = shop.complete_with_key(checkout, "tok_ok", key).await.expect("it was shown").reply;
    assert_eq!(shop.kept_minor(bought.order.id).await, bought.order.total_minor);
    bought.order.total_minor
}

both_databases! {
    /// Goal: a price that changed, up or down, buys nothing until its total was shown, and its refusal shows it.
    async fn a_changed_price_is_charged_only_after_it_was_shown(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        for price in [1_500, 700] {
            reprice(shop, 1_000).await;
            let checkout = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await.checkout;
            reprice(shop, price).await;
            let key = shop.fresh_key();
            assert_eq!(refused_at(shop, &checkout, &key).await, price + 490);
            // The same request, because refusals are not remembered.
            assert_eq!(bought_at(shop, &checkout, &key).await, price + 490);
            let again = shop.complete_with_key(&checkout, "tok_ok", &key).await.expect("it is repeated");
            assert!(again.replayed);
        }
        assert_eq!(shop.payments.calls().charges, 2);
        shop.settle().await;
    }

    /// Goal: shipping, tax and promotions count as prices do.
    async fn whatever_moves_the_total_is_shown_first(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let promotion = shop.promotion(promotion_rules(Class::Order, percent(10)), &[]).await;
        let checkout = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await.checkout;
        shop.change_channel(|settings| settings.shipping_methods[0].amount_minor = 690).await;
        assert_eq!(refused_at(shop, &checkout, "k").await, 900 + 690);
        shop.engine.delete_promotion(&shop.staff(), promotion.promotion.id).await.expect("it ends");
        assert_eq!(refused_at(shop, &checkout, "k").await, 1_000 + 690);
        shop.change_channel(|settings| settings.tax.prices_include_tax = false).await;
        assert_eq!(refused_at(shop, &checkout, "k").await, 1_190 + 821);
        assert_eq!(bought_at(shop, &checkout, "k").await, 1_190 + 821);
        shop.settle().await;
    }

    /// Goal: reading shows the total to its owner alone, and changes no version and no expiry.
    async fn a_look_shows_the_total_and_changes_nothing_else(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let checkout = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await.checkout;
        shop.clock.advance(std::time::Duration::from_secs(60));
        reprice(shop, 1_500).await;
        // Neither staff nor a door that prepares something show anything to the buyer.
        let staff = shop.engine.get_checkout(&shop.staff(), checkout.id).await.expect("staff see it");
        let peeked = shop.engine.peek_checkout(&shop.owner(checkout.cart_id), checkout.id).await.expect("its own");
        assert_eq!((staff.quote.totals.total_minor, peeked.quote.totals.total_minor), (1_990, 1_990));
        assert_eq!((&staff.checkout, &peeked.checkout), (&checkout, &checkout));
        let seen = see(shop, &checkout).await;
        let unchanged = Checkout { shown_total: seen.checkout.shown_total, ..checkout.clone() };
        assert_eq!((seen.quote.totals.total_minor, &seen.checkout), (1_990, &unchanged));
        let same = shop.engine.update_checkout(&shop.owner(checkout.cart_id), checkout.id, Buyer::default(), Some(checkout.version)).await;
        same.expect("a look changes no version");
        assert_eq!(bought_at(shop, &checkout, "k").await, 1_990);
        shop.settle().await;
    }

    /// Goal: staff who change a checkout for its buyer do not agree for them.
    async fn staff_agree_to_nothing_for_a_buyer(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let checkout = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await.checkout;
        let courier = Buyer { shipping_method: Some(slug("courier")), ..Buyer::default() };
        shop.engine.update_checkout(&shop.staff(), checkout.id, courier, None).await.expect("staff may");
        assert_eq!(refused_at(shop, &checkout, "k").await, 1_990);
        assert_eq!(bought_at(shop, &checkout, "k").await, 1_990);
        shop.settle().await;
    }

    /// Goal: an agent and its buyer, who share a checkout, share what was shown last.
    async fn two_doors_of_one_checkout_share_what_was_shown(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let checkout = shop.open(&[("MUG", 1)]).await.checkout;
        reprice(shop, 1_500).await;
        assert_eq!(see(shop, &checkout).await.quote.totals.total_minor, 1_990);
        let bought = shop.complete_open(checkout.id, "tok_ok").await.expect("the buyer saw it");
        assert_eq!(bought.order.total_minor, 1_990);
        let other = shop.open(&[("MUG", 1)]).await.checkout;
        reprice(shop, 700).await;
        assert_eq!(code(shop.complete_open(other.id, "tok_ok").await), Some(Code::TotalsChanged));
        assert_eq!(bought_at(shop, &other, "k").await, 1_190, "the refusal showed it");
        shop.settle().await;
    }

    /// Goal: an answer that is repeated shows again what it showed first, and that is what its buyer agrees to.
    async fn a_repeated_answer_is_the_latest_one(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let ctx = shop.agent_with_key("open", "b");
        let checkout = shop.engine.open_checkout(&ctx, opening(&[("MUG", 1)])).await.expect("opened").reply.checkout;
        reprice(shop, 1_500).await;
        let seen = shop.engine.get_checkout(&shop.agent(AGENT), checkout.id).await.expect("its own");
        assert_eq!(seen.quote.totals.total_minor, 1_990);
        let again = shop.engine.open_checkout(&ctx, opening(&[("MUG", 1)])).await.expect("repeated");
        assert_eq!((again.replayed, again.reply.quote.totals.total_minor), (true, 1_490));
        assert_eq!(code(shop.complete_open(checkout.id, "tok_ok").await), Some(Code::TotalsChanged));
        shop.settle().await;
    }

    /// Goal: a purchase in one request is for a total that was named or shown; else it shows it.
    async fn one_request_buys_at_a_total_that_is_known(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let ctx = shop.owner_with_key(cart.view.cart.id, "k", "b");
        let submit = async || shop.engine.submit_checkout(&ctx, submission(&cart, "tok_ok")).await;
        let refused = refusal(submit().await);
        assert_eq!((refused.code, refused.details.total_minor), (Code::TotalsChanged, Some(1_490)));
        assert_eq!(submit().await.expect("it was shown").reply.order.total_minor, 1_490);
        let cart = shop.cart_with(&[("MUG", 2)]).await;
        shop.checkout(&cart).await;
        let ctx = shop.owner_with_key(cart.view.cart.id, "l", "b");
        let bought = shop.engine.submit_checkout(&ctx, submission(&cart, "tok_ok")).await;
        assert_eq!(bought.expect("it was shown").reply.order.total_minor, 2_490);
        shop.settle().await;
    }

    /// Goal: who pays an order that waits pays its total, and who names another one pays nothing.
    async fn a_waiting_order_is_paid_at_its_own_total(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let checkout = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await.checkout;
        shop.complete(&checkout, "tok_declined").await.expect("an order that waits");
        reprice(shop, 1_500).await;
        let named = Complete { expected_total_minor: Some(1_990), ..completion_of(checkout.id, "tok_ok") };
        let ctx = shop.owner_with_key(checkout.cart_id, "named", "b");
        let refused = refusal(shop.engine.complete_checkout(&ctx, named).await);
        assert_eq!((refused.code, refused.details.total_minor), (Code::TotalsChanged, Some(1_490)));
        assert_eq!(shop.payments.calls().charges, 1);
        assert_eq!(bought_at(shop, &checkout, "k").await, 1_490);
        shop.settle().await;
    }

    /// Goal: an order that was not paid leaves a checkout whose total is shown before it is charged.
    async fn a_checkout_that_opens_again_is_shown_again(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let checkout = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await.checkout;
        let order = shop.complete(&checkout, "tok_declined").await.expect("an order that waits").order;
        reprice(shop, 1_500).await;
        shop.cancel(order.id).await.expect("it waits");
        assert_eq!(refused_at(shop, &checkout, "k").await, 1_990);
        assert_eq!(bought_at(shop, &checkout, "k").await, 1_990);
        shop.settle().await;
    }

    /// Goal: what a refusal showed is there after a crash.
    async fn what_was_shown_survives_a_crash(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let checkout = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await.checkout;
        reprice(shop, 1_500).await;
        assert_eq!(refused_at(shop, &checkout, "k").await, 1_990);
        shop.restart().await;
        assert_eq!(bought_at(shop, &checkout, "k").await, 1_990);
        shop.settle_after(20).await;
    }

    /// Goal: in a race of staff who change a price and a buyer who completes, the buyer pays the total that was shown.
    async fn a_price_change_and_a_completion_race(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        for round in 0..12 {
            reprice(shop, 1_000).await;
            let checkout = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await.checkout;
            let changing = meanwhile({
                let shop = shop.clone();
                async move { reprice(&shop, 1_500).await }
            });
            let completing = meanwhile({
                let (shop, checkout) = (shop.clone(), checkout.clone());
                async move { shop.complete_with_key(&checkout, "tok_ok", &format!("r{round}")).await }
            });
            changing.await.expect("no panic");
            match completing.await.expect("no panic") {
                Ok(bought) => assert_eq!(shop.kept_minor(bought.reply.order.id).await, 1_490),
                Err(error) => assert_eq!(error.code(), Code::TotalsChanged),
            }
        }
        shop.idle().await;
        shop.settle().await;
    }

    /// Goal: many who look and complete at once after a change neither overwrite each other nor buy unseen.
    async fn looks_and_completions_race(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        for round in 0..6 {
            reprice(shop, 1_000).await;
            let checkout = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await.checkout;
            reprice(shop, 1_500).await;
            let racing = (0..8).map(|n| {
                let (shop, checkout) = (shop.clone(), checkout.clone());
                async move {
                    if n % 2 == 0 {
                        return see(&shop, &checkout).await.completion.map(|done| done.order);
                    }
                    let key = format!("{round}-{n}");
                    match shop.complete_with_key(&checkout, "tok_ok", &key).await {
                        Ok(bought) => Some(bought.reply.order),
                        Err(error) => {
                            let code = error.code();
                            assert!(matches!(code, Code::TotalsChanged | Code::PaymentInProgress), "{error}");
                            None
                        }
                    }
                }
            });
            let orders: Vec<_> = together(racing).await.into_iter().flatten().collect();
            assert!(orders.iter().all(|order| (order.id, order.total_minor) == (orders[0].id, 1_990)));
            let seen = see(shop, &checkout).await;
            assert!(seen.completion.is_some() || seen.checkout.version == checkout.version);
        }
        shop.idle().await;
        shop.settle().await;
    }

    /// Goal: a completion that is refused for its total allocates no stock and takes no order number.
    async fn a_refused_total_leaves_nothing_behind(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.engine.create_checkout(&shop.owner(cart.view.cart.id), &reference(&cart), buyer()).await;
        let checkout = checkout.expect("made").reply.checkout;
        reprice(shop, 1_500).await;
        refused_at(shop, &checkout, "k").await;
        assert_eq!((shop.stock(&mug).await.allocated, shop.payments.calls().charges), (0, 0));
        let bought = shop.complete(&checkout, "tok_ok").await.expect("it was shown");
        assert_eq!(bought.order.number, 1_001);
        shop.settle().await;
    }
}
