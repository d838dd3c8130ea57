//! Promotions: what staff set is what buyers get, in the cart, at the checkout and on the order.

use std::time::Duration;

use handel_domain::{
    Code,
    checkout::Buyer,
    id::{ChannelId, PromotionId},
    order::Order,
    promotion::{Action, Class, Rejection, Rules},
};
use handel_engine::{Basket, CartView, Complete, OwnedCart, PutCart};
use handel_testkit::{
    TestDatabase, TestShop,
    agents::{AGENT, basket, replacing},
    both_databases,
    fixtures::{buyer, completion_of, percent, promotion_rules, reference, with_key},
    together,
};

use crate::{code, refusal};

fn fixed(amount_minor: i64) -> Action {
    Action::Fixed { amount_minor }
}

/// What is taken off a cart: the code and amount of each discount.
fn off(cart: &CartView) -> Vec<(Option<&str>, i64)> {
    let discounts = cart.quote.discounts.iter();
    discounts.map(|discount| (discount.code.as_deref(), discount.amount_minor)).collect()
}

fn rejected(cart: &CartView) -> Vec<(&str, Rejection)> {
    let rejected = cart.quote.rejected_codes.iter();
    rejected.map(|rejected| (rejected.code.as_str(), rejected.reason)).collect()
}

async fn used(shop: &TestShop, id: PromotionId) -> i64 {
    shop.engine.get_promotion(&shop.staff(), id).await.expect("it is there").used
}

async fn seen(shop: &TestShop, cart: &OwnedCart) -> OwnedCart {
    shop.engine.get_cart(&shop.ctx(), &reference(cart)).await.expect("it is there")
}

/// The order says what was taken off, line by line, and adds up.
fn check_sums(order: &Order) {
    let parts = order.discounts.iter().flat_map(|discount| &discount.allocations);
    let of = |line_id| {
        let parts = parts.clone().filter(|part| part.line_id == line_id);
        parts.map(|part| part.amount_minor).sum::<i64>()
    };
    for line in &order.lines {
        assert_eq!(line.totals.discount_minor, of(Some(line.id)));
    }
    assert_eq!(order.shipping.discount_minor, of(None));
}

both_databases! {
    /// Goal: what is taken off in the cart is taken off at the checkout, and the order keeps it for ever.
    async fn a_code_lowers_the_cart_the_checkout_and_the_order(shop: TestShop) {
        shop.product("MUG", 3_500, 10).await;
        let ten = shop.promotion(promotion_rules(Class::Order, percent(10)), &["10OFF"]).await;
        let twenty = shop.promotion(promotion_rules(Class::Order, percent(20)), &["WELCOME20"]).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        assert_eq!((off(&cart.view), cart.view.quote.totals.total_minor), (vec![], 3_500));
        let cart = shop.set_codes(&cart, &["welcome20", "10off", "nope"]).await.expect("codes are taken");
        assert_eq!(off(&cart.view), [(Some("10off"), 350), (Some("welcome20"), 630)]);
        assert_eq!(rejected(&cart.view), [("nope", Rejection::Unknown)]);
        assert_eq!((cart.view.quote.totals.discount_minor, cart.view.quote.totals.total_minor), (980, 2_520));
        assert_eq!(seen(shop, &cart).await.view.quote, cart.view.quote);
        let checkout = shop.checkout(&cart).await;
        assert_eq!((checkout.checkout.codes.len(), checkout.quote.totals.total_minor), (3, 2_520 + 490));
        let done = shop.complete(&checkout.checkout, "tok_ok").await.expect("an unknown code is in nobody's way");
        let order = shop.order(done.order.id).await.order;
        assert_eq!((&order, order.total_minor, order.discount_minor), (&done.order, 3_010, 980));
        assert_eq!(order.discounts, checkout.quote.discounts);
        check_sums(&order);
        assert_eq!(shop.kept_minor(order.id).await, 3_010);
        assert_eq!((used(shop, ten.promotion.id).await, used(shop, twenty.promotion.id).await), (1, 1));
        let again = shop.checkout_of(&cart).await;
        assert_eq!((again.quote.discounts, again.quote.totals), (checkout.quote.discounts, checkout.quote.totals));
        let without = shop.set_codes(&shop.cart_with(&[("MUG", 1)]).await, &["10OFF"]).await.expect("taken");
        let without = shop.set_codes(&without, &[]).await.expect("removed");
        assert_eq!((off(&without.view), without.view.quote.totals.total_minor), (vec![], 3_500));
        shop.settle().await;
    }

    /// Goal: what needs no code is given to everybody at once, and taken away at once, by conditions and time.
    async fn a_promotion_without_a_code_holds_as_soon_as_it_is_saved(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let pot = shop.product("POT", 600, 10).await;
        let cart = shop.cart_with(&[("MUG", 3), ("POT", 1)]).await;
        let mut rules = promotion_rules(Class::Product, fixed(50));
        rules.conditions.variant_ids = [mug.variants[0].id].into();
        rules.ends_at = Some(shop.now() + Duration::from_secs(60));
        let per_unit = shop.promotion(rules.clone(), &[]).await.promotion;
        assert_eq!(off(&seen(shop, &cart).await.view), [(None, 150)]);
        let mut free = promotion_rules(Class::Shipping, percent(100));
        free.conditions.minimum_subtotal_minor = Some(3_601);
        let free_shipping = shop.promotion(free.clone(), &[]).await.promotion;
        let checkout = shop.checkout(&cart).await;
        assert_eq!(checkout.quote.totals.total_minor, 3_600 - 150 + 490);
        free.conditions.minimum_subtotal_minor = None;
        free.conditions.product_ids = [pot.id].into();
        let expected = Some(free_shipping.version);
        let replaced = shop.engine.replace_promotion(&shop.staff(), free_shipping.id, free, Vec::new(), expected).await;
        assert_eq!(replaced.expect("it is changed").reply.promotion.version, 2);
        let checkout = shop.checkout(&cart).await;
        assert_eq!((checkout.quote.totals.total_minor, checkout.quote.totals.shipping.total_minor), (3_450, 0));
        shop.clock.advance(Duration::from_secs(60));
        assert_eq!(off(&seen(shop, &cart).await.view), [], "its time is over");
        let refused = refusal(shop.complete(&checkout.checkout, "tok_ok").await);
        assert_eq!((refused.code, refused.details.total_minor), (Code::TotalsChanged, Some(3_600)));
        let done = shop.complete(&checkout.checkout, "tok_ok").await.expect("it was shown");
        assert_eq!((done.order.total_minor, done.order.shipping.discount_minor), (3_600, 490));
        check_sums(&done.order);
        let gone = shop.engine.delete_promotion(&shop.staff(), per_unit.id).await;
        gone.expect("no order uses it");
        let kept = shop.engine.delete_promotion(&shop.staff(), free_shipping.id).await;
        assert_eq!(code(kept), Some(Code::StillInUse));
        shop.settle().await;
    }

    /// Goal: who agreed to a total pays this total, or nothing is bought.
    async fn an_agreed_total_holds_when_a_promotion_ends(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let mut rules = promotion_rules(Class::Order, percent(10));
        rules.ends_at = Some(shop.now() + Duration::from_secs(60));
        shop.promotion(rules, &["SOON"]).await;
        let cart = shop.set_codes(&shop.cart_with(&[("MUG", 1)]).await, &["SOON"]).await.expect("taken");
        let checkout = shop.checkout(&cart).await;
        let agreed = Complete {
            expected_total_minor: Some(checkout.quote.totals.total_minor),
            ..completion_of(checkout.checkout.id, "tok_ok")
        };
        shop.clock.advance(Duration::from_secs(60));
        let ctx = shop.owner_with_key(cart.view.cart.id, "k", "b");
        let refused = refusal(shop.engine.complete_checkout(&ctx, agreed).await);
        assert_eq!((refused.code, refused.details.total_minor), (Code::TotalsChanged, Some(1_490)));
        assert_eq!(rejected(&seen(shop, &cart).await.view), [("SOON", Rejection::Expired)]);
        shop.settle().await;
    }

    /// Goal: codes are part of the cart: a checkout that was made before they changed is not completed.
    async fn a_code_that_is_added_later_needs_the_checkout_anew(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        shop.promotion(promotion_rules(Class::Order, percent(10)), &["10OFF"]).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let before = shop.checkout(&cart).await.checkout;
        shop.set_codes(&cart, &["10OFF"]).await.expect("taken");
        assert_eq!(code(shop.complete(&before, "tok_ok").await), Some(Code::CartChanged));
        let after = shop.checkout(&cart).await;
        assert_eq!((after.checkout.id, after.quote.totals.total_minor), (before.id, 900 + 490));
        shop.complete(&after.checkout, "tok_ok").await.expect("it is complete");
        let closed = shop.set_codes(&cart, &[]).await;
        assert_eq!(code(closed), Some(Code::CartClosed));
        shop.settle().await;
    }

    /// Goal: a code that does nothing does not get into a cart by adding it, whatever is there already; one that waits for
    /// an address does.
    async fn a_code_that_does_nothing_is_not_added(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        shop.promotion(promotion_rules(Class::Order, percent(10)), &["TEN"]).await;
        let later = Some(shop.now() + jiff::SignedDuration::from_hours(1));
        shop.promotion(Rules { starts_at: later, ..promotion_rules(Class::Order, percent(10)) }, &["LATER"]).await;
        let mut rules = promotion_rules(Class::Shipping, percent(100));
        rules.conditions.countries = vec!["AT".parse().expect("a country")];
        shop.promotion(rules, &["AUSTRIA"]).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let add = async |code: &str| {
            shop.engine.add_cart_code(&shop.ctx(), &reference(&cart), code.to_owned()).await.map(|added| {
                added.map(|owned| owned.view.quote.totals.discount_minor)
            })
        };
        assert_eq!(add("NOPE").await.expect("judged"), Err(Rejection::Unknown));
        assert_eq!(add("ten").await.expect("judged"), Ok(100));
        assert_eq!(add("TEN").await.expect("judged"), Err(Rejection::AlreadyApplied));
        assert_eq!(add("LATER").await.expect("judged"), Err(Rejection::NotYetValid));
        assert_eq!(add("AUSTRIA").await.expect("judged"), Ok(100));
        assert_eq!(code(add("4242424242424242").await), Some(Code::CardNumberRefused));
        assert_eq!(code(add("").await), Some(Code::InputInvalid));
        assert_eq!(seen(shop, &cart).await.view.cart.codes, ["ten", "AUSTRIA"]);
        shop.settle().await;
    }

    /// Goal: of sixteen windows that add the same code at once, one does.
    async fn a_code_is_added_once(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        shop.promotion(promotion_rules(Class::Order, percent(10)), &["TEN"]).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let added = together((0..16).map(|_| {
            let (engine, ctx, cart) = (shop.engine.clone(), shop.ctx(), reference(&cart));
            async move { engine.add_cart_code(&ctx, &cart, "TEN".to_owned()).await.expect("judged").is_ok() }
        }))
        .await;
        assert_eq!(added.iter().filter(|is_added| **is_added).count(), 1);
        assert_eq!(seen(shop, &cart).await.view.cart.codes, ["TEN"]);
        shop.settle().await;
    }

    /// Goal: no list of codes that somebody sends is too long, hides a card number, or changes the wrong cart.
    async fn codes_that_make_no_sense_are_refused(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.set_codes(&shop.cart_with(&[("MUG", 1)]).await, &["ONE"]).await.expect("taken");
        let long = "x".repeat(65);
        for bad in [vec![""], vec!["a\nb"], vec![&long], vec!["x"; 11]] {
            assert_eq!(code(shop.set_codes(&cart, &bad).await), Some(Code::InputInvalid), "{bad:?}");
        }
        assert_eq!(code(shop.set_codes(&cart, &["4242424242424242"]).await), Some(Code::CardNumberRefused));
        let stale = shop.engine.set_cart_codes(&shop.ctx(), &reference(&cart), Vec::new(), Some(1)).await;
        assert_eq!(code(stale), Some(Code::VersionConflict));
        assert_eq!(seen(shop, &cart).await.view.cart.codes, ["ONE"]);
        shop.settle().await;
    }

    /// Goal: giving codes twice with one key changes the cart once, and makes one promotion.
    async fn what_is_sent_twice_happens_once(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let rules = promotion_rules(Class::Order, percent(10));
        let staff = with_key(shop.staff(), "make", "b");
        let mut made = Vec::new();
        for _ in 0..2 {
            let codes = vec!["10OFF".to_owned()];
            made.push(shop.engine.create_promotion(&staff, rules.clone(), codes).await.expect("made once"));
        }
        assert_eq!((made[0].replayed, made[1].replayed), (false, true));
        assert_eq!(made[0].reply, made[1].reply);
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let ctx = shop.owner_with_key(cart.view.cart.id, "codes", "b");
        let mut versions = Vec::new();
        for _ in 0..2 {
            let codes = vec!["10OFF".to_owned()];
            let set = shop.engine.set_cart_codes(&ctx, &reference(&cart), codes, None).await;
            versions.push(set.expect("taken").reply.view.cart.version);
        }
        assert_eq!(versions, [3, 3]);
        let page = shop.engine.list_promotions(&shop.staff(), None, 10).await.expect("a page");
        assert_eq!(page.items.len(), 1);
        shop.settle().await;
    }

    /// Goal: a code belongs to one promotion, whoever is faster, and is free again when it is dropped.
    async fn a_code_belongs_to_one_promotion(shop: TestShop) {
        let rules = promotion_rules(Class::Order, percent(10));
        let make = async |codes: &[&str]| {
            let codes = codes.iter().map(|code| (*code).to_owned()).collect();
            shop.engine.create_promotion(&shop.staff(), rules.clone(), codes).await
        };
        let first = make(&["one", "two"]).await.expect("free").reply;
        assert_eq!(first.codes, ["ONE", "TWO"]);
        assert_eq!(code(make(&["three", "One"]).await), Some(Code::PromotionCodeTaken));
        let id = first.promotion.id;
        let replace = async |codes: &[&str], expected| {
            let codes = codes.iter().map(|code| (*code).to_owned()).collect();
            shop.engine.replace_promotion(&shop.staff(), id, rules.clone(), codes, expected).await
        };
        assert_eq!(code(replace(&["two"], Some(2)).await), Some(Code::VersionConflict));
        assert_eq!(replace(&["two", "four"], Some(1)).await.expect("changed").reply.codes, ["FOUR", "TWO"]);
        make(&["one"]).await.expect("free again");
        let outcomes = together((0..8).map(|_| {
            let (shop, rules) = (shop.clone(), rules.clone());
            async move { shop.engine.create_promotion(&shop.staff(), rules, vec!["race".to_owned()]).await }
        }))
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for outcome in outcomes.into_iter().filter(Result::is_err) {
            assert_eq!(code(outcome), Some(Code::PromotionCodeTaken));
        }
        shop.settle().await;
    }

    /// Goal: changes of one promotion follow one another, and of many at once from one version one wins.
    async fn a_promotion_changes_one_version_at_a_time(shop: TestShop) {
        let rules = promotion_rules(Class::Order, percent(10));
        let id = shop.promotion(rules.clone(), &[]).await.promotion.id;
        let outcomes = together((0..8).map(|n| {
            let (shop, rules) = (shop.clone(), rules.clone());
            let codes = vec![format!("code-{n}")];
            async move { shop.engine.replace_promotion(&shop.staff(), id, rules, codes, Some(1)).await }
        }))
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for outcome in outcomes.into_iter().filter(Result::is_err) {
            assert_eq!(code(outcome), Some(Code::VersionConflict));
        }
        let details = shop.engine.get_promotion(&shop.staff(), id).await.expect("it is there");
        assert_eq!((details.promotion.version, details.codes.len(), details.promotion.is_automatic), (2, 1, false));
        shop.settle().await;
    }

    /// Goal: a channel never has more promotions to look at than a basket may, and nonsense is refused.
    async fn promotions_that_make_no_sense_are_refused(shop: TestShop) {
        let good = promotion_rules(Class::Order, fixed(100));
        let create = async |change: fn(&mut handel_domain::promotion::Rules), codes: Vec<String>| {
            let mut rules = good.clone();
            change(&mut rules);
            shop.engine.create_promotion(&shop.staff(), rules, codes).await
        };
        assert_eq!(code(create(|rules| rules.currency = None, vec![]).await), Some(Code::InputInvalid));
        assert_eq!(code(create(|rules| rules.usage_limit = Some(0), vec![]).await), Some(Code::InputInvalid));
        let nowhere = |rules: &mut handel_domain::promotion::Rules| rules.channel_id = Some(ChannelId::from_u128(404));
        assert_eq!(refusal(create(nowhere, vec![]).await).details.errors[0].pointer, "/channel_id");
        assert_eq!(code(create(|_| {}, vec!["a b".to_owned()]).await), Some(Code::InputInvalid));
        assert_eq!(code(create(|_| {}, vec!["x".to_owned(); 1_001]).await), Some(Code::InputInvalid));
        let shopper = shop.engine.create_promotion(&shop.ctx(), good.clone(), vec![]).await;
        assert_eq!(code(shopper), Some(Code::Unauthenticated));
        let unknown = PromotionId::from_u128(404);
        assert_eq!(code(shop.engine.get_promotion(&shop.staff(), unknown).await), Some(Code::PromotionUnknown));
        assert_eq!(code(shop.engine.delete_promotion(&shop.staff(), unknown).await), Some(Code::PromotionUnknown));
        for _ in 0..100 {
            create(|_| {}, vec![]).await.expect("there is room");
        }
        assert_eq!(refusal(create(|_| {}, vec![]).await).details.errors[0].pointer, "/codes");
        create(|rules| rules.is_enabled = false, vec![]).await.expect("nobody looks at it");
        create(|_| {}, vec!["CODE".to_owned()]).await.expect("only who gives the code looks at it");
        shop.settle().await;
    }

    /// Goal: each channel has its own, and amounts count in their currency only.
    async fn a_promotion_stays_in_its_channel_and_currency(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let euros = shop.engine.get_channel(&shop.ctx()).await.expect("it is open").id;
        let mut here = promotion_rules(Class::Order, percent(10));
        (here.channel_id, here.currency) = (Some(euros), None);
        shop.promotion(here, &["HERE"]).await;
        shop.promotion(promotion_rules(Class::Order, fixed(100)), &["EUROS"]).await;
        let mut dollars = shop.ctx();
        dollars.channel = None;
        let cart = shop.engine.create_cart(&dollars).await.expect("a cart").reply;
        let cart = shop.add(Some(&cart), "MUG", 1).await.expect("it is for sale");
        let cart = shop.set_codes(&cart, &["HERE", "EUROS"]).await.expect("taken");
        assert_eq!(off(&cart.view), []);
        assert_eq!(rejected(&cart.view), [("HERE", Rejection::Unknown), ("EUROS", Rejection::NotEligible)]);
        let cart = shop.set_codes(&shop.cart_with(&[("MUG", 1)]).await, &["HERE", "EUROS"]).await.expect("taken");
        assert_eq!(off(&cart.view), [(Some("HERE"), 100), (Some("EUROS"), 100)]);
        shop.settle().await;
    }

    /// Goal: a basket that costs nothing is bought without a payment, and uses its promotion.
    async fn a_basket_may_become_free(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let all = shop.promotion(promotion_rules(Class::Order, fixed(5_000)), &["GIFT"]).await;
        shop.promotion(promotion_rules(Class::Shipping, percent(100)), &[]).await;
        let cart = shop.set_codes(&shop.cart_with(&[("MUG", 1)]).await, &["GIFT"]).await.expect("taken");
        let checkout = shop.checkout(&cart).await;
        assert_eq!(checkout.quote.totals.total_minor, 0);
        let complete = Complete { payment: None, ..completion_of(checkout.checkout.id, "") };
        let ctx = shop.owner_with_key(cart.view.cart.id, "k", "b");
        let order = shop.engine.complete_checkout(&ctx, complete).await.expect("nothing is owed").reply.order;
        assert_eq!((order.total_minor, order.discount_minor, used(shop, all.promotion.id).await), (0, 1_490, 1));
        check_sums(&order);
        shop.settle().await;
    }

    /// Goal: a program says its codes with its basket, whole each time: in the cart, when a checkout is opened and
    /// when it is replaced. A limit for each buyer counts as soon as the program names one.
    async fn a_program_says_codes_with_its_basket(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let mut once = promotion_rules(Class::Order, percent(10));
        once.customer_limit = Some(1);
        shop.promotion(once, &["ONCE"]).await;
        let ctx = shop.agent(AGENT);
        let with_code = || Basket { codes: vec!["once".to_owned()], ..basket(&[("MUG", 2)]) };
        let put = |basket, buyer| PutCart { cart_id: None, basket, buyer, expected_version: None };
        let cart = shop.engine.put_cart(&ctx, put(with_code(), Buyer::default())).await.expect("a cart").reply;
        assert_eq!(off(&cart), [(Some("once"), 200)]);
        let opened = shop.open(&[("MUG", 2)]).await;
        assert_eq!(opened.quote.discounts, []);
        let mut replace = replacing(&opened.checkout, &[("MUG", 2)]);
        replace.basket = with_code();
        let replaced = shop.engine.replace_checkout(&ctx, replace).await.expect("replaced").reply;
        assert_eq!(replaced.quote.totals.total_minor, 1_800 + 490);
        let bought = shop.complete_open(replaced.checkout.id, "tok_ok").await.expect("it is complete").order;
        assert_eq!((bought.discount_minor, bought.discounts[0].code.as_deref()), (200, Some("once")));
        let known = shop.engine.put_cart(&ctx, put(with_code(), buyer())).await.expect("a cart").reply;
        assert_eq!(rejected(&known), [("once", Rejection::UsedUp)]);
        shop.settle().await;
    }

    /// Goal: a country counts once the buyer has named it.
    async fn a_promotion_for_a_country_waits_for_the_address(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let mut rules = promotion_rules(Class::Shipping, percent(100));
        rules.conditions.countries = vec!["AT".parse().expect("a country")];
        shop.promotion(rules, &["AUSTRIA"]).await;
        let cart = shop.set_codes(&shop.cart_with(&[("MUG", 1)]).await, &["AUSTRIA"]).await.expect("taken");
        assert_eq!(rejected(&cart.view), [("AUSTRIA", Rejection::NotEligible)]);
        let berlin = shop.checkout(&cart).await;
        assert_eq!((berlin.quote.discounts.len(), berlin.quote.rejected_codes.len()), (0, 1));
        let vienna = Buyer { shipping_address: Some(handel_testkit::fixtures::address("AT", "1010")), ..buyer() };
        let ctx = shop.owner(cart.view.cart.id);
        let vienna = shop.engine.update_checkout(&ctx, berlin.checkout.id, vienna, None).await.expect("made").reply;
        assert_eq!((vienna.quote.totals.shipping.total_minor, vienna.quote.rejected_codes.len()), (0, 0));
        shop.settle().await;
    }

    /// Goal: every shipping method says what would come off it, whichever is chosen.
    async fn each_shipping_method_says_what_comes_off_it(shop: TestShop) {
        shop.product("MUG", 3_500, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let prices = [490, 990];
        let plain = shop.checkout(&cart).await;
        assert_eq!(plain.shipping_options.iter().map(|method| method.amount_minor).collect::<Vec<_>>(), prices);
        assert_eq!(plain.shipping_discounts_minor, [0, 0]);
        shop.promotion(promotion_rules(Class::Shipping, fixed(500)), &[]).await;
        let cheaper = shop.checkout_of(&cart).await;
        assert_eq!(cheaper.shipping_discounts_minor, [490, 500]);
        assert_eq!(cheaper.quote.totals.shipping.discount_minor, 490);
        shop.settle().await;
    }
}

/// Goal: a change holds at once in every process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_promotion_holds_at_once_in_every_process() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let mut shop = TestShop::start(database).await;
    let other = shop.second_process().await;
    shop.product("MUG", 1_000, 10).await;
    let cart = other.cart_with(&[("MUG", 1)]).await;
    let rules = promotion_rules(Class::Order, percent(10));
    let made = shop.promotion(rules.clone(), &[]).await.promotion;
    assert_eq!(off(&seen(&other, &cart).await.view), [(None, 100)]);
    let off_now = handel_domain::promotion::Rules { is_enabled: false, ..rules };
    let staff = other.staff();
    let switched = other.engine.replace_promotion(&staff, made.id, off_now, vec![], None).await;
    switched.expect("it is switched off");
    assert_eq!(off(&seen(&shop, &cart).await.view), []);
    other.idle().await;
    shop.settle().await;
    shop.finish().await;
}
