//! Checkouts: from a cart to an order, and why not.

use handel_domain::{
    Code,
    checkout::{Buyer, CheckoutStatus},
    order::Status,
    tax::MissingRate,
};
use handel_engine::{Caller, Complete, ListOrders, PaymentChoice, Scope, Submit};
use handel_testkit::{
    TestShop,
    agents::{AGENT, opening},
    both_databases,
    fixtures::{address, buyer, completion_of, pays, product_input, reference, sku, slug},
    together,
};

use crate::{code, refusal};

both_databases! {
    /// Goal: where no payment provider is enabled, no purchase begins at any door, and what began before says why it cannot end; what
    /// costs nothing can still be had.
    async fn nothing_begins_that_could_never_be_paid(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        shop.product("GIFT", 0, 10).await;
        let before = shop.checkout(&shop.cart_with(&[("MUG", 1)]).await).await;
        shop.restart_without_payments().await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let ctx = shop.owner(cart.view.cart.id);
        let refused = Some(Code::PaymentsNotConfigured);
        assert_eq!(code(shop.engine.create_checkout(&ctx, &reference(&cart), buyer()).await), refused);
        let opened = shop.engine.open_checkout(&shop.agent(AGENT), opening(&[("MUG", 1)])).await;
        assert_eq!(code(opened), refused);
        assert_eq!(code(shop.complete(&before.checkout, "tok_ok").await), refused);
        let list = ListOrders { limit: 10, ..ListOrders::default() };
        let orders = shop.engine.list_orders(&shop.staff(), list).await.expect("staff may");
        assert!(orders.items.is_empty(), "nothing was ordered");
        let free = shop.cart_with(&[("GIFT", 1)]).await;
        let ctx = shop.owner(free.view.cart.id);
        let begun = shop.engine.create_checkout(&ctx, &reference(&free), Buyer::default()).await;
        assert_eq!(begun.expect("it costs nothing").reply.quote.totals.total_minor, 0);
        shop.settle().await;
    }

    /// Goal: the total with the method that a form marks in advance is the one that choosing it gives.
    async fn the_preselected_method_costs_what_it_will(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let ctx = shop.owner(cart.view.cart.id);
        let at = Buyer { shipping_method: None, ..buyer() };
        let view = shop.engine.create_checkout(&ctx, &reference(&cart), at).await.expect("made").reply;
        let marked = view.preselected.expect("none is chosen yet");
        assert_eq!(marked.method.code, view.shipping_options[0].code);
        let choose = Buyer { shipping_method: Some(marked.method.code), ..Buyer::default() };
        let chosen = shop.engine.update_checkout(&ctx, view.checkout.id, choose, None).await.expect("it goes there").reply;
        assert_eq!(chosen.quote.totals, marked.quote.totals);
        assert!(chosen.preselected.is_none());
        shop.settle().await;
    }

    /// Goal: the order costs what the checkout said, tax and shipping included, and keeps it for ever.
    async fn an_order_costs_what_its_checkout_said(shop: TestShop) {
        shop.product("MUG", 1_190, 10).await;
        let cart = shop.cart_with(&[("MUG", 2)]).await;
        let checkout = shop.checkout(&cart).await;
        assert_eq!((checkout.quote.totals.total_minor, checkout.quote.totals.tax_minor), (2_870, 380 + 78));
        assert_eq!(checkout.shipping_options.iter().map(|method| method.code.as_str()).collect::<Vec<_>>(), ["standard", "courier"]);
        let done = shop.complete(&checkout.checkout, "tok_ok").await.expect("it is complete");
        let order = shop.order(done.order.id).await.order;
        assert_eq!(order, done.order);
        assert_eq!((order.status, order.number, order.total_minor, order.tax_minor), (Status::Paid, 1_001, 2_870, 458));
        assert_eq!((order.lines[0].sku.as_str(), order.lines[0].unit_price_minor, order.lines[0].ordered), ("MUG", 1_190, 2));
        assert_eq!(order.email.as_str(), "ada@example.com");
        assert_eq!(order.shipping_method.map(|method| method.name).as_deref(), Some("Paket"));
        assert_eq!(shop.kept_minor(order.id).await, 2_870);
        shop.settle().await;
    }

    /// Goal: the destination decides over the tax, and a channel without tax charges none.
    async fn tax_follows_the_destination_and_the_channel(shop: TestShop) {
        shop.product("MUG", 1_200, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let ctx = shop.owner(cart.view.cart.id);
        let vienna = Buyer { shipping_address: Some(address("AT", "1010")), ..buyer() };
        let checkout = shop.engine.create_checkout(&ctx, &reference(&cart), vienna).await.expect("made").reply;
        assert_eq!((checkout.quote.lines[0].totals.tax_minor, checkout.quote.totals.total_minor), (200, 1_690));
        let mut dollars = shop.ctx();
        dollars.channel = None;
        let cart = shop.engine.create_cart(&dollars).await.expect("a cart").reply;
        let cart = shop.add(Some(&cart), "MUG", 1).await.expect("it is for sale");
        let checkout = shop.checkout(&cart).await;
        assert_eq!((checkout.currency.code(), checkout.quote.totals.tax_minor, checkout.quote.totals.total_minor), ("USD", 0, 1_700));
        let order = shop.complete(&checkout.checkout, "tok_ok").await.expect("it is complete").order;
        assert_eq!(order.currency.code(), "USD");
        let charges = shop.provider.ledger().charges_of(order.id).await.expect("open books");
        assert_eq!(charges[0].amount.currency.code(), "USD", "the provider is told the currency of the cart");
        shop.settle().await;
    }

    /// Goal: a buyer learns of everything that is missing at once, and nothing is ordered meanwhile.
    async fn an_incomplete_checkout_lists_all_that_is_missing(shop: TestShop) {
        let product = shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let ctx = shop.owner(cart.view.cart.id);
        let made = shop.engine.create_checkout(&ctx, &reference(&cart), Buyer::default()).await.expect("made").reply;
        let pointers = |errors: &[handel_domain::refusal::FieldError]| -> Vec<String> {
            errors.iter().map(|error| error.pointer.clone()).collect()
        };
        let all = ["/email", "/shipping_address", "/shipping_method"];
        assert_eq!(pointers(&made.missing), all);
        let refused = refusal(shop.complete_with_key(&made.checkout, "tok_ok", "k").await);
        assert_eq!((refused.code, pointers(&refused.details.errors)), (Code::CheckoutIncomplete, all.map(str::to_owned).to_vec()));
        let parts = Buyer { shipping_method: None, ..buyer() };
        let made = shop.engine.update_checkout(&ctx, made.checkout.id, parts, None).await.expect("updated").reply;
        assert_eq!(pointers(&made.missing), ["/shipping_method"]);
        let method = Buyer { shipping_method: Some(slug("standard")), ..Buyer::default() };
        let made = shop.engine.update_checkout(&ctx, made.checkout.id, method, None).await.expect("updated").reply;
        assert_eq!((made.missing.len(), made.checkout.buyer.email.is_some()), (0, true), "what was said before is kept");
        let unpaid = Complete { payment: None, ..completion_of(made.checkout.id, "tok_ok") };
        let ctx = shop.owner_with_key(cart.view.cart.id, "k", "tok_ok");
        let refused = refusal(shop.engine.complete_checkout(&ctx, unpaid).await);
        assert_eq!((refused.code, pointers(&refused.details.errors)), (Code::CheckoutIncomplete, vec!["/payment".to_owned()]));
        shop.engine.archive_product(&shop.staff(), product.id, None).await.expect("it goes");
        let refused = refusal(shop.complete_with_key(&made.checkout, "tok_ok", "k").await);
        assert_eq!((refused.code, pointers(&refused.details.errors)), (Code::CheckoutIncomplete, vec!["/lines/0".to_owned()]));
        assert_eq!((shop.payments.calls().charges, shop.stock(&product).await.allocated), (0, 0));
        shop.settle().await;
    }

    /// Goal: nothing is bought with an empty cart or without a way to pay.
    async fn an_empty_cart_cannot_be_bought(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let empty = shop.cart_with(&[]).await;
        let ctx = shop.owner(empty.view.cart.id);
        let made = shop.engine.create_checkout(&ctx, &reference(&empty), buyer()).await;
        assert_eq!(code(made), Some(Code::CartEmpty));
        assert_eq!(code(shop.submit(&empty, "tok_ok", "k").await), Some(Code::CartEmpty));
        // The cart is emptied after the checkout was made.
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await;
        let line = cart.view.cart.lines[0].id;
        shop.engine.set_cart_quantity(&shop.ctx(), &reference(&cart), line, 0, None).await.expect("emptied");
        assert_eq!(code(shop.complete(&checkout.checkout, "tok_ok").await), Some(Code::CartChanged));
        assert_eq!(shop.payments.calls().charges, 0);
        shop.settle().await;
    }

    /// Goal: what cannot be charged is refused before anything is ordered.
    async fn a_payment_that_can_never_work_orders_nothing(shop: TestShop) {
        let product = shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        assert_eq!(code(shop.complete(&checkout, "tok_nope").await), Some(Code::PaymentTokenInvalid));
        assert_eq!(code(shop.complete(&checkout, "4242424242424242").await), Some(Code::CardNumberRefused));
        assert_eq!(code(shop.submit(&cart, "4242 4242 4242 4242", "k").await), Some(Code::CardNumberRefused));
        let other = PaymentChoice { provider: Some("other".to_owned()), ..pays("tok_ok").expect("a payment") };
        let complete = Complete { payment: Some(other), ..completion_of(checkout.id, "tok_ok") };
        let ctx = shop.owner_with_key(checkout.cart_id, "k", "other");
        assert_eq!(code(shop.engine.complete_checkout(&ctx, complete).await), Some(Code::ProviderUnknown));
        assert_eq!((shop.stock(&product).await.allocated, shop.payments.calls().charges), (0, 0));
        shop.settle().await;
    }

    /// Goal: the shop sells only to its countries, and sends only where its methods go.
    async fn a_country_is_refused_at_the_checkout(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let ctx = shop.owner(cart.view.cart.id);
        let to = |country: &str, code: &str, method: &str| Buyer {
            shipping_address: Some(address(country, code)),
            shipping_method: Some(slug(method)),
            ..buyer()
        };
        let create = async |buyer| shop.engine.create_checkout(&ctx, &reference(&cart), buyer).await;
        assert_eq!(code(create(to("GB", "SW1A 1AA", "standard")).await), Some(Code::CountryRefused));
        assert_eq!(code(create(to("AT", "1010", "courier")).await), Some(Code::ShippingMethodUnknown));
        assert_eq!(code(create(to("DE", "10115", "pigeon")).await), Some(Code::ShippingMethodUnknown));
        let made = create(to("DE", "10115", "courier")).await.expect("it goes there").reply;
        let moved = Buyer { shipping_address: Some(address("GB", "SW1A 1AA")), ..Buyer::default() };
        let updated = shop.engine.update_checkout(&ctx, made.checkout.id, moved, None).await;
        assert_eq!(code(updated), Some(Code::CountryRefused));
        // The merchant stops selling to the country, or the method stops, after the checkout was made.
        shop.change_channel(|settings| settings.shipping_methods.retain(|method| method.code.as_str() != "courier")).await;
        assert_eq!(code(shop.complete(&made.checkout, "tok_ok").await), Some(Code::ShippingMethodUnknown));
        assert_eq!(shop.payments.calls().charges, 0);
        shop.settle().await;
    }

    /// Goal: where the shop must charge tax and knows no rate, it does not sell.
    async fn a_missing_tax_rate_blocks_the_sale_where_the_channel_says_so(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let ctx = shop.owner(cart.view.cart.id);
        let paris = Buyer { shipping_address: Some(address("FR", "75001")), ..buyer() };
        let made = shop.engine.create_checkout(&ctx, &reference(&cart), paris.clone()).await.expect("without tax").reply;
        assert_eq!(made.quote.totals.tax_minor, 0);
        shop.change_channel(|settings| settings.tax.missing_rate = MissingRate::Block).await;
        assert_eq!(code(shop.complete(&made.checkout, "tok_ok").await), Some(Code::TaxRateMissing));
        assert_eq!(code(shop.engine.create_checkout(&ctx, &reference(&cart), paris).await), Some(Code::TaxRateMissing));
        shop.settle().await;
    }

    /// Goal: nobody pays a total that they did not agree to, whatever amount they name.
    async fn a_total_that_was_not_agreed_to_is_never_charged(shop: TestShop) {
        let product = shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        let complete = async |expected| {
            let ctx = shop.owner_with_key(checkout.cart_id, &shop.fresh_key(), "b");
            let complete = Complete { expected_total_minor: Some(expected), ..completion_of(checkout.id, "tok_ok") };
            shop.engine.complete_checkout(&ctx, complete).await
        };
        for expected in [0, 1, -1_490, 1_489, 1_491, 1_000_000_000_000_000, i64::MAX, i64::MIN] {
            let refused = refusal(complete(expected).await);
            assert_eq!((refused.code, refused.details.total_minor), (Code::TotalsChanged, Some(1_490)));
        }
        let mut prices = product.variants[0].prices.clone();
        prices[0].amount_minor = 1_500;
        shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, None).await.expect("a new price");
        let refused = refusal(complete(1_490).await);
        assert_eq!((refused.code, refused.details.total_minor), (Code::TotalsChanged, Some(1_990)));
        assert_eq!(shop.payments.calls().charges, 0);
        let done = complete(1_990).await.expect("that is the price").reply;
        assert_eq!((done.order.total_minor, shop.kept_minor(done.order.id).await), (1_990, 1_990));
        shop.settle().await;
    }

    /// Goal: a cart that changed is not bought as it was.
    async fn a_cart_that_changed_must_be_looked_at_again(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let first = shop.checkout(&cart).await.checkout;
        shop.add(Some(&cart), "MUG", 2).await.expect("two more");
        assert_eq!(code(shop.complete(&first, "tok_ok").await), Some(Code::CartChanged));
        let second = shop.checkout(&cart).await;
        assert_eq!((second.checkout.id, second.checkout.lines[0].quantity), (first.id, 3));
        let done = shop.complete(&second.checkout, "tok_ok").await.expect("it is as it was seen");
        assert_eq!(done.order.lines[0].ordered, 3);
        shop.settle().await;
    }

    /// Goal: a cart has one checkout, however many ask for one at once.
    async fn a_cart_has_one_live_checkout(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let made = together((0..8).map(|_| {
            let (shop, cart) = (shop.clone(), cart.clone());
            async move { shop.checkout(&cart).await.checkout.id }
        }))
        .await;
        assert!(made.iter().all(|id| *id == made[0]));
        let checkout = shop.checkout(&cart).await.checkout;
        assert_eq!(checkout.version, 9, "each of them was counted");
        let stale = shop.engine.update_checkout(&shop.owner(checkout.cart_id), checkout.id, buyer(), Some(8)).await;
        assert_eq!(refusal(stale).details.version, Some(9));
        shop.settle().await;
    }

    /// Goal: a checkout ends when its time is over, and the cart can be bought by a new one.
    async fn an_expired_checkout_gives_way_to_a_new_one(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let old = shop.checkout(&cart).await.checkout;
        shop.clock.advance(std::time::Duration::from_secs(6 * 3_600));
        assert_eq!(code(shop.complete(&old, "tok_ok").await), Some(Code::CheckoutClosed));
        let ctx = shop.owner(old.cart_id);
        assert_eq!(code(shop.engine.update_checkout(&ctx, old.id, buyer(), None).await), Some(Code::CheckoutClosed));
        let new = shop.checkout(&cart).await.checkout;
        assert_ne!(new.id, old.id);
        assert_eq!(code(shop.complete(&old, "tok_ok").await), Some(Code::CheckoutClosed));
        shop.complete(&new, "tok_ok").await.expect("the new one is good");
        shop.settle().await;
    }

    /// Goal: nobody sees or completes the checkout of somebody else.
    async fn a_checkout_is_its_owners(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let (mine, other) = (shop.cart_with(&[("MUG", 1)]).await, shop.cart_with(&[("MUG", 1)]).await);
        let checkout = shop.checkout(&mine).await.checkout;
        let key = |scopes: Vec<Scope>| Caller::ApiKey { id: handel_domain::id::ApiKeyId::from_u128(1), scopes };
        let strangers = [
            Caller::Shopper(None),
            Caller::Shopper(Some(other.view.cart.id)),
            key(vec![Scope::OrdersRead, Scope::CatalogWrite]),
        ];
        for caller in strangers {
            let mut ctx = shop.ctx_with_key(&shop.fresh_key(), "b");
            ctx.caller = caller;
            assert_eq!(code(shop.engine.get_checkout(&ctx, checkout.id).await), Some(Code::CheckoutUnknown));
            let updated = shop.engine.update_checkout(&ctx, checkout.id, buyer(), None).await;
            assert_eq!(code(updated), Some(Code::CheckoutUnknown));
            let completed = shop.engine.complete_checkout(&ctx, completion_of(checkout.id, "tok_ok")).await;
            assert_eq!(code(completed), Some(Code::CheckoutUnknown));
        }
        let mut agent = shop.ctx_with_key("agent", "b");
        agent.caller = key(vec![Scope::OrdersWrite]);
        let done = shop.engine.complete_checkout(&agent, completion_of(checkout.id, "tok_ok")).await;
        done.expect("a key with the scope may complete it");
        shop.settle().await;
    }

    /// Goal: a checkout that became an order says so, and another completion buys nothing twice.
    async fn a_completed_checkout_answers_with_its_order(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        let done = shop.complete(&checkout, "tok_ok").await.expect("it is complete");
        let again = shop.complete_with_key(&checkout, "tok_declined", "another").await.expect("it is answered");
        assert_eq!((again.reply.order.id, again.replayed), (done.order.id, false));
        assert_eq!(again.reply.payment_refusal(), None);
        let resubmitted = shop.submit(&cart, "tok_ok", "one more").await.expect("it is answered").reply;
        assert_eq!(resubmitted.order.id, done.order.id);
        let view = shop.engine.get_checkout(&shop.owner(checkout.cart_id), checkout.id).await.expect("it is there");
        assert_eq!((view.checkout.status, view.completion.map(|done| done.order.id)), (CheckoutStatus::Completed, Some(done.order.id)));
        let refused = refusal(shop.engine.create_checkout(&shop.owner(checkout.cart_id), &reference(&cart), buyer()).await);
        assert_eq!((refused.code, refused.details.order_id), (Code::CheckoutClosed, Some(done.order.id)));
        assert_eq!(shop.payments.calls().charges, 1);
        shop.settle().await;
    }

    /// Goal: what costs nothing is paid at once, and no provider is called.
    async fn a_free_order_is_paid_without_a_provider(shop: TestShop) {
        let mut input = product_input("LEAFLET", 0);
        input.variants[0].requires_shipping = false;
        input.variants[0].tracked = false;
        shop.create(input, 0).await;
        let cart = shop.cart_with(&[("LEAFLET", 3)]).await;
        let submit = Submit {
            cart: reference(&cart),
            buyer: Buyer { email: buyer().email, ..Buyer::default() },
            payment: None,
            expected_total_minor: Some(0),
        };
        let ctx = shop.owner_with_key(cart.view.cart.id, "k", "b");
        let done = shop.engine.submit_checkout(&ctx, submit.clone()).await.expect("nothing is owed");
        assert_eq!((done.reply.order.status, done.reply.payment.is_none(), done.replayed), (Status::Paid, true, false));
        let again = shop.engine.submit_checkout(&ctx, submit).await.expect("it is answered");
        assert_eq!((again.reply.order.id, again.replayed), (done.reply.order.id, true));
        assert_eq!(shop.payments.calls().charges, 0);
        shop.settle().await;
    }
}
