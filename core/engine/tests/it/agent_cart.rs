//! Carts of programs: said whole, owned by a profile, and found by their id.

use std::{collections::HashMap, time::Duration};

use handel_domain::{
    Code,
    cart::Cart,
    checkout::{Buyer, CheckoutStatus, LineProblem},
    id::{CartId, LineId, VariantId},
};
use handel_engine::{
    Basket, CartView, Context, Error, Once, OpenCheckout, PutCart, StockKey, WantedItem,
};
use handel_store::{Statement, StoreError, Transaction, statements, values};
use handel_testkit::{
    TestShop,
    agents::{AGENT, STRANGER, basket, opening, origin, wanted},
    both_databases,
    fixtures::{address, adjustment, buyer, with_key},
    together,
};

use crate::{code, refusal};

statements! {
    CARTS = "select cast(count(*) as bigint) from carts";
    CHECKOUTS = "select cast(count(*) as bigint) from checkouts";
}

async fn carts(shop: &TestShop) -> i64 {
    count(shop, &CARTS).await
}

async fn count(shop: &TestShop, statement: &'static Statement) -> i64 {
    let count = shop.database().read(async move |tx: &mut Transaction<'_>| {
        tx.row(statement.bind(values![])).await?.expect("a count has one row").get(0)
    });
    count.await.unwrap_or_else(|error: StoreError| panic!("{error}"))
}

fn putting(cart_id: Option<CartId>, basket: Basket) -> PutCart {
    PutCart { cart_id, basket, buyer: Buyer::default(), expected_version: None }
}

async fn put(
    shop: &TestShop,
    ctx: &Context,
    cart: Option<&Cart>,
    items: &[(&str, i64)],
) -> Result<Once<CartView>, Error> {
    shop.engine.put_cart(ctx, putting(cart.map(|cart| cart.id), basket(items))).await
}

fn held(view: &CartView) -> Vec<(&str, i64)> {
    let lines = view.quote.lines.iter();
    lines
        .map(|line| {
            (line.offer.as_ref().map_or("?", |offer| offer.sku.as_str()), line.line.quantity)
        })
        .collect()
}

both_databases! {
    /// Goal: a basket of which nothing can be sold leaves nothing behind, and is judged anew when it is sent again.
    async fn a_basket_of_which_nothing_can_be_sold_begins_nothing(shop: TestShop) {
        let gone = shop.product("GONE", 1_000, 0).await;
        shop.product("MUG", 1_000, 1).await;
        let ctx = shop.agent_with_key("k", "b");
        let refused = refusal(put(shop, &ctx, None, &[("GONE", 2)]).await);
        let shortage = refused.details.shortages.first().expect("it is short");
        assert_eq!((refused.code, shortage.requested, shortage.available), (Code::StockShort, 2, 0));
        assert_eq!(refused.details.errors[0].pointer, "/lines/0");
        let open = |cart_id, items: &[(&str, i64)]| OpenCheckout { cart_id, ..opening(items) };
        let opened = shop.engine.open_checkout(&ctx, open(None, &[("GONE", 1)])).await;
        assert_eq!(code(opened), Some(Code::StockShort));
        assert_eq!((carts(shop).await, count(shop, &CHECKOUTS).await), (0, 0));
        // A cart that has become so stays with its program, but no checkout is made from it.
        let cart = put(shop, &shop.agent(AGENT), None, &[("MUG", 1), ("GONE", 1)]).await;
        let cart = cart.expect("a mug can be sold").reply.cart;
        shop.buy(&[("MUG", 1)]).await;
        let before = count(shop, &CHECKOUTS).await;
        let opened = shop.engine.open_checkout(&shop.agent(AGENT), open(Some(cart.id), &[])).await;
        assert_eq!(code(opened), Some(Code::StockShort));
        put(shop, &shop.agent(AGENT), Some(&cart), &[("GONE", 1)]).await.expect("it may be said");
        assert_eq!(count(shop, &CHECKOUTS).await, before);
        shop.engine.adjust_stock(&shop.staff(), adjustment("GONE", 3)).await.expect("they came");
        let made = put(shop, &ctx, None, &[("GONE", 2)]).await.expect("there are some now");
        assert!(!made.replayed, "a refusal is not remembered");
        assert_eq!(shop.stock(&gone).await.on_hand, 3);
        shop.settle().await;
    }

    /// Goal: a cart is what its program said last, and its lines keep their ids.
    async fn a_cart_is_what_was_said_last(shop: TestShop) {
        for name in ["MUG", "CUP"] {
            shop.product(name, 1_000, 10).await;
        }
        let ctx = shop.agent(AGENT);
        let first = put(shop, &ctx, None, &[("MUG", 2)]).await.expect("a new cart").reply;
        assert_eq!((held(&first), first.cart.version, first.cart.agent.as_deref()), (vec![("MUG", 2)], 1, Some(AGENT)));
        let second = put(shop, &ctx, Some(&first.cart), &[("CUP", 1), ("MUG", 3)]).await.expect("replaced").reply;
        assert_eq!((held(&second), second.cart.version), (vec![("CUP", 1), ("MUG", 3)], 2));
        assert_eq!(second.cart.lines[1].id, first.cart.lines[0].id, "the same goods, the same line");
        assert_eq!(second.quote.totals.total_minor, 4_000);
        let named = WantedItem { line_id: Some(second.cart.lines[0].id), ..wanted("MUG", 1) };
        let third = Basket { items: vec![named], codes: vec!["SPRING".to_owned()] };
        let third = shop.engine.put_cart(&ctx, putting(Some(first.cart.id), third)).await.expect("replaced").reply;
        assert_eq!(third.cart.lines[0].id, second.cart.lines[0].id, "a line that is named stays, with other goods");
        let seen = shop.engine.agent_cart(&ctx, first.cart.id).await.expect("it is its own");
        assert_eq!((seen.cart, held(&third)), (third.cart.clone(), vec![("MUG", 1)]));
        let empty = put(shop, &ctx, Some(&first.cart), &[]).await.expect("an empty cart is a cart").reply;
        assert_eq!((empty.cart.lines.len(), empty.cart.codes.len()), (0, 0));
        shop.settle().await;
    }

    /// Goal: estimates are taxed where the buyer is, and never fail for a way of sending.
    async fn a_cart_is_taxed_where_its_buyer_is(shop: TestShop) {
        shop.product("MUG", 1_200, 10).await;
        let vienna = Buyer { shipping_address: Some(address("AT", "1010")), ..buyer() };
        let put = PutCart { buyer: vienna, ..putting(None, basket(&[("MUG", 1)])) };
        let view = shop.engine.put_cart(&shop.agent(AGENT), put).await.expect("a new cart").reply;
        assert_eq!((view.quote.totals.tax_minor, view.quote.totals.total_minor), (200, 1_200));
        let lost = Buyer { shipping_address: Some(address("GB", "SW1A 1AA")), ..buyer() };
        let put = PutCart { buyer: lost, ..putting(None, basket(&[("MUG", 1)])) };
        let refused = shop.engine.put_cart(&shop.agent(AGENT), put).await;
        assert_eq!(code(refused), Some(Code::CountryRefused));
        shop.settle().await;
    }

    /// Goal: the same key makes one cart, and no other request can use it.
    async fn the_same_request_makes_one_cart(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let ctx = shop.agent_with_key("k", "two mugs");
        let sent = (0..8).map(|_| {
            let (shop, ctx) = (shop.clone(), ctx.clone());
            async move { put(&shop, &ctx, None, &[("MUG", 2)]).await }
        });
        let mut views = Vec::new();
        for outcome in together(sent).await {
            views.push(outcome.expect("it is answered").reply.cart.id);
        }
        views.dedup();
        assert_eq!((views.len(), carts(shop).await), (1, 1));
        let again = put(shop, &ctx, None, &[("MUG", 2)]).await.expect("it is answered");
        assert!(again.replayed);
        let other = shop.agent_with_key("k", "one mug");
        assert_eq!(code(put(shop, &other, None, &[("MUG", 1)]).await), Some(Code::IdempotencyConflict));
        assert_eq!(carts(shop).await, 1);
        shop.settle().await;
    }

    /// Goal: of two who replace the same version, one wins, and the other learns what is there now.
    async fn two_who_replace_at_once_do_not_overwrite_each_other(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let ctx = shop.agent(AGENT);
        let cart = put(shop, &ctx, None, &[("MUG", 1)]).await.expect("a new cart").reply.cart;
        let sent = (2..8).map(|quantity| {
            let (shop, ctx, cart_id) = (shop.clone(), ctx.clone(), cart.id);
            async move {
                let put = putting(Some(cart_id), basket(&[("MUG", quantity)]));
                shop.engine.put_cart(&ctx, PutCart { expected_version: Some(1), ..put }).await
            }
        });
        let (won, lost): (Vec<_>, Vec<_>) = together(sent).await.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 5));
        for outcome in lost {
            let refused = refusal(outcome);
            assert_eq!((refused.code, refused.details.version), (Code::VersionConflict, Some(2)));
        }
        let winner = won.into_iter().flatten().next().expect("one won").reply;
        assert_eq!(shop.engine.agent_cart(&ctx, cart.id).await.expect("its own").cart, winner.cart);
        shop.settle().await;
    }

    /// Goal: one wrong item refuses the whole basket, by its place, and leaves the cart as it was.
    async fn one_wrong_item_refuses_the_basket(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let draft = handel_domain::catalog::ProductInput {
            status: handel_domain::catalog::ProductStatus::Draft,
            ..handel_testkit::fixtures::product_input("SECRET", 1_000)
        };
        shop.create(draft, 5).await;
        let ctx = shop.agent(AGENT);
        let cart = put(shop, &ctx, None, &[("MUG", 1)]).await.expect("a new cart").reply.cart;
        let by_id = |id| WantedItem { variant: StockKey::Id(id), ..wanted("MUG", 1) };
        let noted = |value: &str| HashMap::from([("note".to_owned(), value.to_owned())]);
        let mug_and = |item: WantedItem| vec![by_id(mug.variants[0].id), item];
        let wrong = [
            (mug_and(wanted("NONE", 1)), Code::VariantUnknown, "/items/1"),
            (mug_and(wanted("SECRET", 1)), Code::VariantUnknown, "/items/1"),
            (mug_and(by_id(VariantId::from_u128(9))), Code::VariantUnknown, "/items/1"),
            (mug_and(wanted("MUG", 0)), Code::InputInvalid, "/items/1/quantity"),
            (mug_and(wanted("MUG", -3)), Code::InputInvalid, "/items/1/quantity"),
            (mug_and(wanted("MUG", i64::MAX)), Code::InputInvalid, "/items/1/quantity"),
            (
                mug_and(WantedItem { line_id: Some(LineId::from_u128(7)), ..wanted("MUG", 1) }),
                Code::CartLineUnknown,
                "/items/1/line_id",
            ),
            (
                mug_and(WantedItem { custom: noted("4242 4242 4242 4242"), ..wanted("MUG", 1) }),
                Code::CardNumberRefused,
                "/items/1/custom",
            ),
            (mug_and(WantedItem { custom: noted(&"x".repeat(501)), ..wanted("MUG", 1) }), Code::InputInvalid, "/items/1/custom"),
        ];
        for (items, expected, pointer) in wrong {
            let basket = Basket { items, ..Basket::default() };
            let refused = refusal(shop.engine.put_cart(&ctx, putting(Some(cart.id), basket)).await);
            assert_eq!((refused.code, &*refused.details.errors[0].pointer), (expected, pointer));
        }
        let many = Basket { items: (0..201).map(|_| wanted("MUG", 1)).collect(), ..Basket::default() };
        assert_eq!(code(shop.engine.put_cart(&ctx, putting(Some(cart.id), many)).await), Some(Code::CartFull));
        let card = Buyer { first_name: Some("4242424242424242".to_owned()), ..Buyer::default() };
        let said = PutCart { buyer: card, ..putting(Some(cart.id), basket(&[("MUG", 1)])) };
        assert_eq!(code(shop.engine.put_cart(&ctx, said).await), Some(Code::CardNumberRefused));
        assert_eq!(shop.engine.agent_cart(&ctx, cart.id).await.expect("its own").cart, cart);
        shop.settle().await;
    }

    /// Goal: a program may plan with more than there is; it is told, and sells nobody else's stock.
    async fn too_little_stock_is_shown_and_not_refused(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 2).await;
        let view = put(shop, &shop.agent(AGENT), None, &[("MUG", 5)]).await.expect("a new cart").reply;
        assert_eq!(view.quote.lines[0].problems, [LineProblem::StockShort { available: 2 }]);
        shop.engine.archive_product(&shop.staff(), mug.id, None).await.expect("it goes");
        let gone = put(shop, &shop.agent(AGENT), Some(&view.cart), &[("MUG", 1)]).await.expect("it may stay").reply;
        assert_eq!(gone.quote.lines[0].problems, [LineProblem::NotForSale]);
        shop.settle().await;
    }

    /// Goal: what belongs to another program looks like what does not exist.
    async fn a_stranger_sees_no_cart(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let mine = put(shop, &shop.agent(AGENT), None, &[("MUG", 1)]).await.expect("a new cart").reply.cart;
        let theirs = shop.cart_with(&[("MUG", 1)]).await.view.cart;
        let cases = [
            (shop.agent(STRANGER), mine.id),
            (shop.ctx(), mine.id),
            (shop.owner(theirs.id), mine.id),
            (shop.agent(AGENT), theirs.id),
            (shop.agent(AGENT), CartId::from_u128(1)),
        ];
        for (ctx, id) in cases {
            assert_eq!(code(shop.engine.agent_cart(&ctx, id).await), Some(Code::CartUnknown));
            let put = shop.engine.put_cart(&ctx, putting(Some(id), basket(&[("MUG", 9)]))).await;
            assert_eq!(code(put), Some(Code::CartUnknown));
            assert_eq!(code(shop.engine.cancel_cart(&ctx, id).await), Some(Code::CartUnknown));
            let open = OpenCheckout { cart_id: Some(id), basket: None, buyer: buyer(), origin: origin() };
            assert_eq!(code(shop.engine.open_checkout(&ctx, open).await), Some(Code::CartUnknown));
        }
        assert_eq!(code(put(shop, &shop.ctx(), None, &[("MUG", 1)]).await), Some(Code::Unauthenticated));
        assert_eq!(shop.engine.agent_cart(&shop.agent(AGENT), mine.id).await.expect("its own").cart, mine);
        shop.settle().await;
    }

    /// Goal: a cart that was given up is gone, with its checkout and what that held; once.
    async fn a_canceled_cart_is_gone(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        shop.change_channel(|settings| settings.hold_ms = 60_000).await;
        let ctx = shop.agent(AGENT);
        let cart = put(shop, &ctx, None, &[("MUG", 2)]).await.expect("a new cart").reply.cart;
        let open = OpenCheckout { cart_id: Some(cart.id), basket: None, buyer: buyer(), origin: origin() };
        let opened = shop.engine.open_checkout(&ctx, open).await.expect("opened").reply.checkout;
        assert_eq!(shop.stock(&mug).await.held, 2);
        let keyed = with_key(ctx.clone(), "k", "cancel");
        let canceled = shop.engine.cancel_cart(&keyed, cart.id).await.expect("it is open");
        assert_eq!((held(&canceled.reply), canceled.replayed), (vec![("MUG", 2)], false));
        assert!(shop.engine.cancel_cart(&keyed, cart.id).await.expect("it is answered").replayed);
        assert_eq!(code(shop.engine.cancel_cart(&ctx, cart.id).await), Some(Code::CartUnknown));
        assert_eq!(code(shop.engine.agent_cart(&ctx, cart.id).await), Some(Code::CartUnknown));
        let seen = shop.engine.get_checkout(&ctx, opened.id).await.expect("its own");
        assert_eq!((seen.checkout.status, shop.stock(&mug).await.held), (CheckoutStatus::Canceled, 0));
        assert_eq!(code(shop.complete_open(opened.id, "tok_ok").await), Some(Code::CheckoutClosed));
        shop.settle().await;
    }

    /// Goal: a cart that became an order cannot be given up, nor changed.
    async fn an_ordered_cart_stays(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let opened = shop.open(&[("MUG", 1)]).await.checkout;
        shop.complete_open(opened.id, "tok_ok").await.expect("it is complete");
        let ctx = shop.agent(AGENT);
        assert_eq!(code(shop.engine.cancel_cart(&ctx, opened.cart_id).await), Some(Code::CartClosed));
        let put = shop.engine.put_cart(&ctx, putting(Some(opened.cart_id), basket(&[("MUG", 2)]))).await;
        assert_eq!(code(put), Some(Code::CartClosed));
        shop.engine.agent_cart(&ctx, opened.cart_id).await.expect("it can be looked at");
        shop.settle().await;
    }

    /// Goal: an expired cart is gone, and a crash loses none that was acknowledged.
    async fn carts_survive_a_crash_and_expire(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = put(shop, &shop.agent(AGENT), None, &[("MUG", 2)]).await.expect("a new cart").reply.cart;
        shop.restart().await;
        assert_eq!(shop.engine.agent_cart(&shop.agent(AGENT), cart.id).await.expect("it is there").cart, cart);
        shop.clock.advance(Duration::from_secs(31 * 24 * 3_600));
        assert_eq!(code(shop.engine.agent_cart(&shop.agent(AGENT), cart.id).await), Some(Code::CartUnknown));
        shop.settle().await;
        assert_eq!(carts(shop).await, 0);
    }
}
