//! Checkouts of programs: opened, said anew, given up, and completed.

use std::{collections::BTreeMap, time::Duration};

use handel_domain::{
    Code,
    address::Address,
    checkout::{Buyer, CheckoutStatus, Consent, Destination, LineProblem},
    id::CheckoutId,
    order::{PaymentStatus, Source, Status},
    origin::Origin,
};
use handel_engine::{
    Basket, CheckoutView, Complete, OpenCheckout, PutCart, ReplaceCheckout, WantedItem,
};
use handel_testkit::{
    TestShop,
    agents::{AGENT, STRANGER, basket, opening, origin, replacing, wanted},
    both_databases,
    fixtures::{address, buyer, completion_of, reference, slug, with_key},
    together,
};

use crate::{code, refusal};

async fn replace(
    shop: &TestShop,
    to: ReplaceCheckout,
) -> Result<CheckoutView, handel_engine::Error> {
    shop.engine.replace_checkout(&shop.agent(AGENT), to).await.map(|once| once.reply)
}

async fn see(shop: &TestShop, id: CheckoutId) -> CheckoutView {
    shop.engine.get_checkout(&shop.agent(AGENT), id).await.expect("it is its own")
}

both_databases! {
    /// Goal: a program buys what it says, from the first call to the paid order, which knows where it came from.
    async fn a_program_buys_with_three_calls(shop: TestShop) {
        shop.product("MUG", 1_190, 10).await;
        let attribution = BTreeMap::from([("utm_source".to_owned(), "chat".to_owned())]);
        let claims = Origin {
            source: Source::Page,
            agent: Some("https://somebody.example/else".to_owned()),
            webhook_url: Some("https://agent.example/news".to_owned()),
            attribution: attribution.clone(),
            ..origin()
        };
        let open = OpenCheckout { buyer: Buyer::default(), origin: claims, ..opening(&[("MUG", 1)]) };
        let opened = shop.engine.open_checkout(&shop.agent(AGENT), open).await.expect("opened").reply;
        assert_eq!((opened.missing.len(), opened.quote.totals.total_minor), (3, 1_190));
        let said = replace(shop, replacing(&opened.checkout, &[("MUG", 2)])).await.expect("said anew");
        assert_eq!((said.missing.len(), said.quote.totals.total_minor), (0, 2_870));
        assert_eq!((said.checkout.id, said.checkout.version), (opened.checkout.id, opened.checkout.version + 1));
        let done = shop.complete_open(said.checkout.id, "tok_ok").await.expect("it is complete");
        let order = shop.engine.get_order(&shop.agent(AGENT), done.order.id, None).await.expect("its own").order;
        assert_eq!((order.status, order.source, order.total_minor, order.lines[0].ordered), (Status::Paid, Source::Ucp, 2_870, 2));
        let expected = Origin {
            source: Source::Ucp,
            agent: Some(AGENT.to_owned()),
            webhook_url: Some("https://agent.example/news".to_owned()),
            attribution,
            ..origin()
        };
        assert_eq!(order.origin, Some(expected), "what it claims of its name and door does not count");
        let seen = see(shop, said.checkout.id).await;
        assert_eq!((seen.checkout.status, seen.completion.map(|done| done.order.id)), (CheckoutStatus::Completed, Some(order.id)));
        shop.settle().await;
    }

    /// Goal: a checkout is what was said last, lines and buyer; lines that stay keep their ids.
    async fn a_checkout_is_what_was_said_last(shop: TestShop) {
        for name in ["MUG", "CUP"] {
            shop.product(name, 1_000, 10).await;
        }
        let opened = shop.open(&[("MUG", 1), ("CUP", 1)]).await;
        let ids: Vec<_> = opened.checkout.lines.iter().map(|line| line.id).collect();
        let named = WantedItem { line_id: Some(ids[1]), ..wanted("CUP", 4) };
        let home = |id: &str, code: &str| Destination { id: id.to_owned(), address: address("DE", code) };
        let said = ReplaceCheckout {
            basket: Basket { items: vec![named, wanted("MUG", 2)], codes: vec!["SPRING".to_owned()] },
            buyer: Buyer {
                first_name: Some("Ada".to_owned()),
                destinations: vec![home("home", "10115"), home("work", "80331")],
                selected_destination: Some("work".to_owned()),
                consents: BTreeMap::from([("marketing".to_owned(), Consent::default())]),
                ..Buyer::default()
            },
            ..replacing(&opened.checkout, &[])
        };
        let view = replace(shop, said).await.expect("said anew");
        let lines: Vec<_> = view.checkout.lines.iter().map(|line| (line.id, line.quantity)).collect();
        assert_eq!(lines, [(ids[1], 4), (ids[0], 2)]);
        let buyer = &view.checkout.buyer;
        assert_eq!((buyer.email.as_ref(), buyer.shipping_method.as_ref()), (None, None), "what is not said is gone");
        let goes_to = buyer.shipping_address.as_ref().and_then(|address| address.postal_code.as_deref());
        assert_eq!((goes_to, view.checkout.codes.as_slice()), (Some("80331"), ["SPRING".to_owned()].as_slice()));
        let silent = replace(shop, replacing(&view.checkout, &[("CUP", 1)])).await.expect("said anew");
        let buyer = &silent.checkout.buyer;
        assert_eq!((buyer.destinations.len(), buyer.consents.len()), (0, 1), "consent stays until it is decided anew");
        assert_eq!(silent.checkout.lines[0].id, ids[1]);
        assert_eq!(silent.checkout, see(shop, view.checkout.id).await.checkout);
        let done = shop.complete_open(silent.checkout.id, "tok_ok").await.expect("it is complete");
        assert_eq!(done.order.lines.iter().map(|line| (line.id, line.ordered)).collect::<Vec<_>>(), [(ids[1], 1)]);
        shop.settle().await;
    }

    /// Goal: a cart has one checkout at a time, and what the cart says goes before what is said with it.
    async fn a_cart_has_one_live_checkout(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let ctx = shop.agent(AGENT);
        let put = PutCart { cart_id: None, basket: basket(&[("MUG", 2)]), buyer: buyer(), expected_version: None };
        let cart = shop.engine.put_cart(&ctx, put).await.expect("a new cart").reply.cart;
        let from_cart = || OpenCheckout {
            cart_id: Some(cart.id),
            buyer: Buyer {
                email: Some("eve@example.com".parse().expect("an address")),
                phone: Some("+49 30 1234".to_owned()),
                ..Buyer::default()
            },
            ..opening(&[("MUG", 9)])
        };
        let first = shop.engine.open_checkout(&ctx, from_cart()).await.expect("opened").reply;
        let said = &first.checkout.buyer;
        assert_eq!((first.checkout.lines[0].quantity, said.email.as_ref(), said.phone.is_some()), (2, buyer().email.as_ref(), true));
        let again = shop.engine.open_checkout(&ctx, from_cart()).await.expect("found").reply;
        assert_eq!(again.checkout.id, first.checkout.id);
        let put = PutCart { cart_id: Some(cart.id), basket: basket(&[("MUG", 3)]), buyer: buyer(), expected_version: None };
        shop.engine.put_cart(&ctx, put).await.expect("replaced");
        assert_eq!(code(shop.complete_open(first.checkout.id, "tok_ok").await), Some(Code::CartChanged));
        let renewed = shop.engine.open_checkout(&ctx, from_cart()).await.expect("found").reply;
        assert_eq!((renewed.checkout.id, renewed.checkout.lines[0].quantity), (first.checkout.id, 3));
        shop.cancel_open(first.checkout.id).await.expect("it is open");
        let next = shop.engine.open_checkout(&ctx, from_cart()).await.expect("opened").reply;
        assert_ne!(next.checkout.id, first.checkout.id);
        let done = shop.complete_open(next.checkout.id, "tok_ok").await.expect("it is complete");
        let refused = refusal(shop.engine.open_checkout(&ctx, from_cart()).await);
        assert_eq!((refused.code, refused.details.order_id), (Code::CheckoutClosed, Some(done.order.id)));
        shop.settle().await;
    }

    /// Goal: the same request opens one checkout, and says and cancels it once.
    async fn the_same_request_happens_once(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let ctx = shop.agent_with_key("open", "one mug");
        let sent = (0..6).map(|_| {
            let (shop, ctx) = (shop.clone(), ctx.clone());
            async move { shop.engine.open_checkout(&ctx, opening(&[("MUG", 1)])).await }
        });
        let mut ids = Vec::new();
        for outcome in together(sent).await {
            ids.push(outcome.expect("it is answered").reply.checkout.id);
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        let checkout = see(shop, ids[0]).await.checkout;
        let said = shop.agent_with_key("say", "two mugs");
        let once = shop.engine.replace_checkout(&said, replacing(&checkout, &[("MUG", 2)])).await.expect("said anew");
        let again = shop.engine.replace_checkout(&said, replacing(&checkout, &[("MUG", 2)])).await.expect("answered");
        assert_eq!((once.replayed, again.replayed, again.reply.checkout), (false, true, once.reply.checkout));
        let gone = shop.agent_with_key("cancel", "");
        let once = shop.engine.cancel_checkout(&gone, checkout.id).await.expect("it is open");
        let again = shop.engine.cancel_checkout(&gone, checkout.id).await.expect("it is answered");
        assert_eq!((once.replayed, again.replayed), (false, true));
        assert_eq!(again.reply.checkout.status, CheckoutStatus::Canceled);
        for key in ["open", "say", "cancel"] {
            let other = shop.agent_with_key(key, "something else");
            let opened = shop.engine.open_checkout(&other, opening(&[("MUG", 3)])).await;
            assert_eq!(code(opened), Some(Code::IdempotencyConflict));
            let replaced = shop.engine.replace_checkout(&other, replacing(&checkout, &[("MUG", 3)])).await;
            assert_eq!(code(replaced), Some(Code::IdempotencyConflict));
            let canceled = shop.engine.cancel_checkout(&other, checkout.id).await;
            assert_eq!(code(canceled), Some(Code::IdempotencyConflict));
        }
        shop.settle().await;
    }

    /// Goal: a checkout that has ended takes no more words, stays to be looked at, and says what became of it.
    async fn an_ended_checkout_refuses_every_change(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let canceled = shop.open(&[("MUG", 1)]).await.checkout;
        shop.cancel_open(canceled.id).await.expect("it is open");
        assert_eq!(see(shop, canceled.id).await.checkout.status, CheckoutStatus::Canceled);
        let owner = shop.owner(canceled.cart_id);
        assert_eq!(code(shop.engine.get_checkout(&owner, canceled.id).await), Some(Code::CheckoutUnknown));
        let completed = shop.open(&[("MUG", 1)]).await.checkout;
        let order_id = shop.complete_open(completed.id, "tok_ok").await.expect("it is complete").order.id;
        for (checkout, order) in [(&canceled, None), (&completed, Some(order_id))] {
            let refused = [
                refusal(replace(shop, replacing(checkout, &[("MUG", 2)])).await),
                refusal(shop.cancel_open(checkout.id).await),
                refusal(shop.engine.update_checkout(&shop.agent(AGENT), checkout.id, buyer(), None).await),
            ];
            for refused in refused {
                assert_eq!((refused.code, refused.details.order_id), (Code::CheckoutClosed, order));
            }
        }
        assert_eq!(code(shop.complete_open(canceled.id, "tok_ok").await), Some(Code::CheckoutClosed));
        assert_eq!(shop.kept_minor(order_id).await, 1_490);
        let expired = shop.open(&[("MUG", 1)]).await.checkout;
        shop.clock.advance(Duration::from_secs(6 * 3_600));
        assert_eq!(code(replace(shop, replacing(&expired, &[("MUG", 2)])).await), Some(Code::CheckoutClosed));
        assert_eq!(code(shop.cancel_open(expired.id).await), Some(Code::CheckoutClosed));
        shop.settle().await;
    }

    /// Goal: giving up an order that waits for money frees its stock, and money that comes after all goes back.
    async fn canceling_releases_an_order_that_waits(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let declined = shop.open(&[("MUG", 2)]).await.checkout;
        shop.complete_open(declined.id, "tok_declined").await.expect("the order waits");
        let waiting = shop.open(&[("MUG", 3)]).await.checkout;
        let placed = shop.complete_open(waiting.id, "tok_action_required").await.expect("the order waits");
        assert_eq!(shop.stock(&mug).await.allocated, 5);
        for checkout in [&declined, &waiting] {
            let view = shop.cancel_open(checkout.id).await.expect("nothing is paid").reply;
            assert_eq!((view.checkout.status, view.checkout.order_id), (CheckoutStatus::Canceled, None));
        }
        assert_eq!(shop.stock(&mug).await.allocated, 0);
        let order = shop.engine.get_order(&shop.agent(AGENT), placed.order.id, None).await.expect("its own").order;
        assert_eq!(order.status, Status::Canceled);
        let attempt = placed.payment.and_then(|payment| payment.attempt).expect("tried");
        shop.provider.complete_action(attempt.id, true).await.expect("open books");
        shop.settle_after(60).await;
        assert_eq!(shop.kept_minor(order.id).await, 0, "what came too late went back");
    }

    /// Goal: canceling frees what a checkout held, and saying it anew holds what it needs now, and nothing else.
    async fn holds_follow_what_is_said(shop: TestShop) {
        let (mug, cup) = (shop.product("MUG", 1_000, 5).await, shop.product("CUP", 1_000, 5).await);
        shop.change_channel(|settings| settings.hold_ms = 60_000).await;
        let held = async || (shop.stock(&mug).await.held, shop.stock(&cup).await.held);
        let checkout = shop.open(&[("MUG", 2), ("CUP", 1)]).await.checkout;
        assert_eq!(held().await, (2, 1));
        replace(shop, replacing(&checkout, &[("CUP", 4)])).await.expect("said anew");
        assert_eq!(held().await, (0, 4));
        let short = replace(shop, replacing(&checkout, &[("MUG", 1), ("CUP", 6)])).await.expect("shown, not refused");
        assert_eq!(short.quote.lines[1].problems, [LineProblem::StockShort { available: 5 }]);
        assert_eq!(held().await, (0, 0), "all or nothing");
        replace(shop, replacing(&checkout, &[("MUG", 5)])).await.expect("said anew");
        let other = shop.engine.open_checkout(&shop.agent(AGENT), opening(&[("MUG", 1)])).await;
        assert_eq!(code(other), Some(Code::StockShort));
        shop.cancel_open(checkout.id).await.expect("it is open");
        assert_eq!(held().await, (0, 0));
        let other = shop.open(&[("MUG", 1)]).await;
        shop.complete_open(other.checkout.id, "tok_ok").await.expect("it is free again");
        shop.settle().await;
    }

    /// Goal: too little stock refuses no basket, but nobody gets an order for it.
    async fn only_completing_is_refused_for_stock(shop: TestShop) {
        shop.product("MUG", 1_000, 2).await;
        let opened = shop.open(&[("MUG", 3)]).await;
        assert_eq!(opened.quote.lines[0].problems, [LineProblem::StockShort { available: 2 }]);
        let refused = refusal(shop.complete_open(opened.checkout.id, "tok_ok").await);
        assert_eq!((refused.code, refused.details.shortages[0].available), (Code::StockShort, 2));
        replace(shop, replacing(&opened.checkout, &[("MUG", 2)])).await.expect("said anew");
        shop.complete_open(opened.checkout.id, "tok_ok").await.expect("there are two");
        assert_eq!(shop.payments.calls().charges, 1);
        shop.settle().await;
    }

    /// Goal: a way of sending that is unknown, or does not go there, does not stand in the way of a checkout, whatever
    /// it is made from; the rest is taken, and the right way can be said afterwards.
    async fn an_unknown_way_of_sending_is_left_out(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let ctx = shop.agent(AGENT);
        let put = PutCart { cart_id: None, basket: basket(&[("MUG", 2)]), buyer: Buyer::default(), expected_version: None };
        let cart = shop.engine.put_cart(&ctx, put).await.expect("a new cart").reply.cart;
        for (country, code, method) in [("DE", "10115", "rocket"), ("AT", "1010", "courier")] {
            let wanted = Buyer {
                shipping_address: Some(address(country, code)),
                shipping_method: Some(slug(method)),
                ..buyer()
            };
            for cart_id in [None, Some(cart.id)] {
                let open = OpenCheckout { cart_id, buyer: wanted.clone(), ..opening(&[("MUG", 1)]) };
                let view = shop.engine.open_checkout(&ctx, open).await.expect("opened").reply;
                assert_eq!((view.checkout.buyer.shipping_method.as_ref(), view.missing.len()), (None, 1), "{method}");
                assert_eq!(view.checkout.buyer.shipping_address, wanted.shipping_address, "the rest is taken");
                assert_eq!(see(shop, view.checkout.id).await.checkout, view.checkout, "it is stored so");
            }
        }
        let open = OpenCheckout { cart_id: Some(cart.id), ..opening(&[]) };
        let view = shop.engine.open_checkout(&ctx, open).await.expect("found").reply;
        assert_eq!((view.checkout.buyer.shipping_method, view.missing), (Some(slug("standard")), vec![]));
        shop.settle().await;
    }

    /// Goal: an address that is known in part costs what the whole one will, and is not enough to buy.
    async fn an_address_in_part_costs_what_the_whole_one_will(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        for (country, code) in [("DE", "10115"), ("AT", "1010")] {
            let whole = address(country, code);
            let part = Address {
                name: String::new(),
                line1: String::new(),
                city: String::new(),
                postal_code: None,
                ..whole.clone()
            };
            let to = |address: &Address| Buyer {
                destinations: vec![Destination { id: "to".to_owned(), address: address.clone() }],
                selected_destination: Some("to".to_owned()),
                shipping_address: None,
                ..buyer()
            };
            let open = OpenCheckout { buyer: to(&part), ..opening(&[("MUG", 2)]) };
            let vague = shop.engine.open_checkout(&shop.agent(AGENT), open).await.expect("opened").reply;
            let pointers: Vec<_> = vague.missing.iter().map(|error| error.pointer.clone()).collect();
            let expected = ["name", "line1", "city", "postal_code"].map(|part| format!("/shipping_address/{part}"));
            assert_eq!(pointers, expected);
            let refused = refusal(shop.complete_open(vague.checkout.id, "tok_ok").await);
            assert_eq!((refused.code, refused.details.errors), (Code::CheckoutIncomplete, vague.missing.clone()));
            assert_eq!(see(shop, vague.checkout.id).await.checkout, vague.checkout);
            let said = ReplaceCheckout { buyer: to(&whole), ..replacing(&vague.checkout, &[("MUG", 2)]) };
            let known = replace(shop, said).await.expect("said anew");
            assert_eq!((&known.quote.totals, &known.shipping_options), (&vague.quote.totals, &vague.shipping_options));
            let done = shop.complete_open(known.checkout.id, "tok_ok").await.expect("it is complete");
            assert_eq!(done.order.total_minor, vague.quote.totals.total_minor);
            assert_eq!(done.order.shipping_address, Some(whole));
        }
        let home = Buyer { shipping_address: Some(Address { city: String::new(), ..address("DE", "10115") }), ..buyer() };
        let open = OpenCheckout { buyer: home, ..opening(&[("MUG", 1)]) };
        let refused = shop.engine.open_checkout(&shop.agent(AGENT), open).await;
        assert_eq!(code(refused), Some(Code::InputInvalid), "what is no estimate is whole");
        shop.settle().await;
    }

    /// Goal: nonsense opens nothing and changes nothing.
    async fn nonsense_is_refused_whole(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let ctx = shop.agent(AGENT);
        let card = "4242 4242 4242 4242".to_owned();
        let with = |attribution: BTreeMap<String, String>| Origin { attribution, ..origin() };
        let wrong: [(OpenCheckout, Code); 8] = [
            (OpenCheckout { basket: None, ..opening(&[]) }, Code::InputInvalid),
            (opening(&[]), Code::CartEmpty),
            (opening(&[("NONE", 1)]), Code::VariantUnknown),
            (opening(&[("MUG", 0)]), Code::InputInvalid),
            (OpenCheckout { buyer: Buyer { last_name: Some(card.clone()), ..buyer() }, ..opening(&[("MUG", 1)]) }, Code::CardNumberRefused),
            (OpenCheckout { origin: with(BTreeMap::from([("note".into(), card)])), ..opening(&[("MUG", 1)]) }, Code::CardNumberRefused),
            (OpenCheckout { origin: Origin { protocol: Some("x".repeat(101)), ..origin() }, ..opening(&[("MUG", 1)]) }, Code::InputInvalid),
            (OpenCheckout { buyer: Buyer { selected_destination: Some("none".into()), ..buyer() }, ..opening(&[("MUG", 1)]) }, Code::InputInvalid),
        ];
        for (n, (open, expected)) in wrong.into_iter().enumerate() {
            assert_eq!(code(shop.engine.open_checkout(&ctx, open).await), Some(expected), "{n}");
        }
        let checkout = shop.open(&[("MUG", 1)]).await.checkout;
        let vienna = Buyer { shipping_address: Some(address("AT", "1010")), shipping_method: Some(slug("courier")), ..buyer() };
        let wrong = [
            (ReplaceCheckout { buyer: vienna, ..replacing(&checkout, &[("MUG", 2)]) }, Code::ShippingMethodUnknown),
            (replacing(&checkout, &[]), Code::CartEmpty),
            (replacing(&checkout, &[("MUG", 2), ("NONE", 1)]), Code::VariantUnknown),
            (ReplaceCheckout { expected_version: Some(9), ..replacing(&checkout, &[("MUG", 2)]) }, Code::VersionConflict),
        ];
        for (to, expected) in wrong {
            assert_eq!(code(replace(shop, to).await), Some(expected));
        }
        assert_eq!(see(shop, checkout.id).await.checkout, checkout);
        let long = shop.agent(&format!("https://agent.example/{}", "x".repeat(3_000)));
        assert_eq!(code(shop.engine.open_checkout(&long, opening(&[("MUG", 1)])).await), Some(Code::InputInvalid));
        assert_eq!(code(shop.engine.open_checkout(&shop.ctx(), opening(&[("MUG", 1)])).await), Some(Code::Unauthenticated));
        shop.settle().await;
    }

    /// Goal: what belongs to another program looks like what does not exist, from the basket to the order.
    async fn a_stranger_sees_nothing(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let mine = shop.open(&[("MUG", 1)]).await.checkout;
        let shoppers = shop.cart_with(&[("MUG", 1)]).await;
        let theirs = shop.checkout(&shoppers).await.checkout;
        for (profile, id) in [(STRANGER, mine.id), (AGENT, theirs.id), ("", theirs.id)] {
            let ctx = with_key(shop.agent(profile), &shop.fresh_key(), "b");
            assert_eq!(code(shop.engine.get_checkout(&ctx, id).await), Some(Code::CheckoutUnknown));
            let said = ReplaceCheckout { checkout_id: id, ..replacing(&mine, &[("MUG", 2)]) };
            assert_eq!(code(shop.engine.replace_checkout(&ctx, said).await), Some(Code::CheckoutUnknown));
            assert_eq!(code(shop.engine.cancel_checkout(&ctx, id).await), Some(Code::CheckoutUnknown));
            let completed = shop.engine.complete_checkout(&ctx, completion_of(id, "tok_ok")).await;
            assert_eq!(code(completed), Some(Code::CheckoutUnknown));
        }
        let mine = shop.complete_open(mine.id, "tok_ok").await.expect("it is complete").order;
        let theirs = shop.complete(&theirs, "tok_ok").await.expect("it is complete").order;
        for (profile, id) in [(STRANGER, mine.id), (AGENT, theirs.id), ("", theirs.id)] {
            let ctx = shop.agent(profile);
            assert_eq!(code(shop.engine.get_order(&ctx, id, None).await), Some(Code::OrderUnknown));
            assert_eq!(code(shop.engine.order_story(&ctx, id, None).await), Some(Code::OrderUnknown));
            let canceled = shop.engine.cancel_order(&ctx, id, "a whim".to_owned(), None).await;
            assert_eq!(code(canceled), Some(Code::Unauthenticated));
        }
        shop.settle().await;
    }

    /// Goal: a person to whom a checkout was handed over completes it, and the program sees the order.
    async fn a_person_completes_what_a_program_began(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let opened = shop.open(&[("MUG", 1)]).await.checkout;
        let token = shop.engine.handoff_token(opened.cart_id, opened.expires_at);
        let handoff = shop.engine.accept_handoff(&shop.ctx(), &token).await.expect("it is good");
        assert_eq!((handoff.cart_id, handoff.checkout_id), (opened.cart_id, Some(opened.id)));
        assert_eq!(shop.engine.read_cart_token(&handoff.cart_token), Some(opened.cart_id));
        let person = handel_engine::Context { source: Source::Page, ..shop.owner(opened.cart_id) };
        let home = Buyer { shipping_address: Some(address("AT", "1010")), ..Buyer::default() };
        let view = shop.engine.update_checkout(&person, opened.id, home, None).await.expect("theirs").reply;
        let complete = Complete {
            expected_total_minor: Some(view.quote.totals.total_minor),
            ..completion_of(opened.id, "tok_ok")
        };
        let person = with_key(person, "k", "b");
        let done = shop.engine.complete_checkout(&person, complete).await.expect("it is complete").reply;
        let order = shop.engine.get_order(&shop.agent(AGENT), done.order.id, None).await.expect("its own").order;
        let began = order.origin.as_ref().map(|origin| origin.source);
        assert_eq!((order.source, began), (Source::Page, Some(Source::Ucp)));
        shop.clock.advance(Duration::from_secs(6 * 3_600));
        assert_eq!(code(shop.engine.accept_handoff(&shop.ctx(), &token).await), Some(Code::CredentialInvalid));
        let forged = token.replace(&opened.cart_id.to_string(), "cart_00000000000000000000000001");
        assert!(shop.engine.read_handoff_token(&forged).is_err());
        shop.settle().await;
    }

    /// Goal: a shopper who checks out the cart of a program is seen by that program.
    async fn a_handed_over_cart_stays_visible_to_its_program(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let put = PutCart { cart_id: None, basket: basket(&[("MUG", 1)]), buyer: Buyer::default(), expected_version: None };
        let cart = shop.engine.put_cart(&shop.agent(AGENT), put).await.expect("a new cart").reply.cart;
        let token = shop.engine.handoff_token(cart.id, cart.expires_at);
        let handoff = shop.engine.accept_handoff(&shop.ctx(), &token).await.expect("it is good");
        assert_eq!(handoff.checkout_id, None);
        let owned = handel_engine::CartRef { token: handoff.cart_token };
        let made = shop.engine.create_checkout(&shop.owner(cart.id), &owned, buyer()).await.expect("made").reply;
        let done = shop.complete(&made.checkout, "tok_ok").await.expect("it is complete");
        let order = shop.engine.get_order(&shop.agent(AGENT), done.order.id, None).await.expect("its own").order;
        assert_eq!(order.agent(), Some(AGENT));
        shop.settle().await;
    }

    /// Goal: staff who go on with what a program began do not take it away from the program.
    async fn staff_do_not_take_a_checkout_over(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let opened = shop.open(&[("MUG", 1)]).await.checkout;
        let said = ReplaceCheckout { origin: Some(origin()), ..replacing(&opened, &[("MUG", 2)]) };
        shop.engine.replace_checkout(&shop.staff(), said).await.expect("staff may");
        let again = OpenCheckout { cart_id: Some(opened.cart_id), ..opening(&[]) };
        shop.engine.open_checkout(&shop.staff(), again).await.expect("staff may");
        let seen = see(shop, opened.id).await.checkout;
        assert_eq!((seen.lines[0].quantity, seen.agent()), (2, Some(AGENT)));
        assert_eq!(seen.origin, opened.origin);
        let by_hand = shop.engine.open_checkout(&shop.staff(), opening(&[("MUG", 1)])).await.expect("staff may").reply;
        assert_eq!(by_hand.checkout.origin, None);
        shop.settle().await;
    }

    /// Goal: a checkout that a shopper made has no origin, and no program sees its order.
    async fn a_shoppers_order_has_no_origin(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let made = shop.engine.create_checkout(&shop.owner(cart.view.cart.id), &reference(&cart), buyer()).await;
        let done = shop.complete(&made.expect("made").reply.checkout, "tok_ok").await.expect("it is complete");
        assert_eq!((done.order.origin.as_ref(), done.order.source), (None, Source::Rest));
        assert_eq!(shop.order(done.order.id).await.payment.map(|payment| payment.status), Some(PaymentStatus::Paid));
        shop.settle().await;
    }
}
