//! Stock: counted, held, backordered and never sold twice.

use std::time::Duration;

use handel_domain::{
    Code,
    catalog::{Backorder, Product},
    order::Status,
};
use handel_engine::{Caller, Context, Parcel, Scope, StockKey};
use handel_testkit::{
    TestShop, both_databases,
    fixtures::{adjustment, product_input, with_key},
    together,
};

use crate::{code, refusal};

async fn available(shop: &TestShop, product: &Product) -> Option<i64> {
    let views = shop.engine.get_stock(&shop.staff(), product.variants[0].id).await.expect("stock");
    views[0].available
}

both_databases! {
    /// Goal: what staff count is what there is, never less than nothing or than what buyers were promised.
    async fn an_adjustment_never_breaks_a_promise(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        shop.buy(&[("MUG", 4)]).await;
        let adjust = async |delta: i64| shop.engine.adjust_stock(&shop.staff(), adjustment("MUG", delta)).await;
        assert_eq!(code(adjust(-7).await), Some(Code::StockBelowAllocated));
        for delta in [0, -11, i64::MIN, i64::MAX, 1_000_000_000] {
            assert_eq!(code(adjust(delta).await), Some(Code::InputInvalid), "{delta}");
        }
        let after = adjust(-6).await.expect("four are promised").reply;
        assert_eq!((after.level.on_hand, after.level.allocated, after.available), (4, 4, Some(0)));
        assert_eq!(code(adjust(-1).await), Some(Code::StockBelowAllocated));
        adjust(3).await.expect("three arrive");
        assert_eq!(available(shop, &mug).await, Some(3));
        let mut blank = adjustment("MUG", 1);
        blank.reason = " ".to_owned();
        assert_eq!(code(shop.engine.adjust_stock(&shop.staff(), blank).await), Some(Code::InputInvalid));
        let mut nowhere = adjustment("MUG", 1);
        nowhere.location = Some("nowhere".parse().expect("a slug"));
        assert_eq!(code(shop.engine.adjust_stock(&shop.staff(), nowhere).await), Some(Code::LocationUnknown));
        assert_eq!(code(shop.engine.adjust_stock(&shop.staff(), adjustment("NOPE", 1)).await), Some(Code::VariantUnknown));
        shop.settle().await;
        let names = shop.events.names_of(&mug.variants[0].id.to_string());
        assert_eq!(names.iter().filter(|name| **name == "out_of_stock").count(), 1, "{names:?}");
        assert_eq!(names.iter().filter(|name| **name == "back_in_stock").count(), 2, "{names:?}");
    }

    /// Goal: many who count at once all count; a repeated adjustment counts once.
    async fn adjustments_at_once_all_count(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 1).await;
        let outcomes = together((0..16).map(|n| {
            let shop = shop.clone();
            async move {
                let ctx = with_key(shop.staff(), &format!("k{}", n / 2), "b");
                shop.engine.adjust_stock(&ctx, adjustment("MUG", 5)).await.expect("it counts").replayed
            }
        }))
        .await;
        assert_eq!(outcomes.iter().filter(|replayed| !**replayed).count(), 8);
        assert_eq!(shop.stock(&mug).await.on_hand, 41);
        let movements = shop.engine.list_movements(&shop.staff(), mug.variants[0].id, None, 100).await.expect("a ledger");
        assert_eq!(movements.items.iter().map(|movement| movement.on_hand_delta).sum::<i64>(), 41);
        assert!(movements.items.iter().all(|movement| movement.kind == "adjustment"));
        shop.settle().await;
    }

    /// Goal: two lines of one item share its stock, and the buyer is told of the sum.
    async fn two_lines_of_one_item_share_its_stock(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 5)]).await;
        let mut engraved = handel_testkit::fixtures::item(Some(handel_testkit::fixtures::reference(&cart)), "MUG", 5);
        engraved.custom = std::collections::HashMap::from([("engraving".to_owned(), "Ada".to_owned())]);
        let cart = shop.engine.add_cart_item(&shop.ctx(), engraved).await.expect("ten fit").reply;
        let checkout = shop.checkout(&cart).await.checkout;
        shop.buy(&[("MUG", 1)]).await;
        let short = refusal(shop.complete(&checkout, "tok_ok").await);
        assert_eq!((short.code, short.details.shortages.len()), (Code::StockShort, 1));
        let shortage = short.details.shortages[0];
        assert_eq!((shortage.variant_id, shortage.requested, shortage.available), (mug.variants[0].id, 10, 9));
        assert_eq!((shop.stock(&mug).await.allocated, shop.payments.calls().charges), (1, 1), "all or nothing");
        shop.receive_stock("MUG", 1).await;
        assert_eq!(shop.complete(&checkout, "tok_ok").await.expect("now it fits").order.lines.len(), 2);
        shop.settle().await;
    }

    /// Goal: an order gets all of its lines or none, and every shortage is named.
    async fn an_order_gets_all_or_nothing(shop: TestShop) {
        let (mug, pot) = (shop.product("MUG", 1_000, 5).await, shop.product("POT", 1_000, 5).await);
        shop.product("TEA", 1_000, 5).await;
        let cart = shop.cart_with(&[("MUG", 5), ("TEA", 1), ("POT", 5)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        shop.buy(&[("MUG", 1), ("POT", 5)]).await;
        let mut short = refusal(shop.complete(&checkout, "tok_ok").await).details.shortages;
        short.sort_by_key(|shortage| shortage.available);
        let found: Vec<_> = short.iter().map(|shortage| (shortage.variant_id, shortage.requested, shortage.available)).collect();
        assert_eq!(found, [(pot.variants[0].id, 5, 0), (mug.variants[0].id, 5, 4)]);
        assert_eq!(shop.stock(&mug).await.allocated, 1);
        shop.settle().await;
    }

    /// Goal: what a checkout holds nobody else can buy, and it can buy it itself.
    async fn a_hold_keeps_others_away_and_serves_its_owner(shop: TestShop) {
        shop.change_channel(|settings| settings.hold_ms = 600_000).await;
        let mug = shop.product("MUG", 1_000, 10).await;
        let (mine, other) = (shop.cart_with(&[("MUG", 8)]).await, shop.cart_with(&[("MUG", 8)]).await);
        let held = shop.checkout(&mine).await;
        assert_eq!((shop.stock(&mug).await.held, available(shop, &mug).await), (8, Some(2)));
        let ctx = shop.owner(other.view.cart.id);
        let buyer = handel_testkit::fixtures::buyer();
        let short = refusal(shop.engine.create_checkout(&ctx, &handel_testkit::fixtures::reference(&other), buyer).await);
        assert_eq!((short.code, short.details.shortages[0].available), (Code::StockShort, 2));
        assert_eq!(code(shop.submit(&other, "tok_ok", "k").await), Some(Code::StockShort));
        assert_eq!(code(shop.add(None, "MUG", 3).await), Some(Code::StockShort));
        // Looking at it again holds no more, and the buyer is not told that the own goods are short.
        let again = shop.checkout(&mine).await;
        assert_eq!((again.checkout.id, shop.stock(&mug).await.held), (held.checkout.id, 8));
        assert_eq!(again.quote.lines[0].problems, []);
        let done = shop.complete(&again.checkout, "tok_ok").await.expect("it is held for it");
        assert_eq!(done.order.status, Status::Paid);
        let level = shop.stock(&mug).await;
        assert_eq!((level.held, level.allocated), (0, 8));
        shop.settle().await;
    }

    /// Goal: a hold ends at its time, whether or not anybody sweeps, and the sweeper gives it back.
    async fn a_hold_ends_without_a_sweeper(shop: TestShop) {
        shop.change_channel(|settings| settings.hold_ms = 600_000).await;
        let mug = shop.product("MUG", 1_000, 10).await;
        let forgotten = shop.cart_with(&[("MUG", 9)]).await;
        shop.checkout(&forgotten).await;
        let waiting = shop.cart_with(&[("MUG", 1)]).await;
        shop.clock.advance(Duration::from_secs(599));
        assert_eq!((available(shop, &mug).await, code(shop.add(Some(&waiting), "MUG", 1).await)), (Some(1), Some(Code::StockShort)));
        shop.clock.advance(Duration::from_secs(2));
        // Nothing was swept.
        assert_eq!(available(shop, &mug).await, Some(10));
        let bought = shop.buy(&[("MUG", 10)]).await;
        let level = shop.stock(&mug).await;
        assert_eq!((level.held, level.allocated), (0, 10));
        shop.cancel(bought.order.id).await.expect("it has not shipped");
        shop.checkout(&waiting).await;
        assert_eq!(shop.stock(&mug).await.held, 1);
        shop.settle_after(601).await;
        assert_eq!(shop.stock(&mug).await.held, 0);
    }

    /// Goal: what a shopper takes out of the cart is free for others at once.
    async fn what_was_taken_out_of_a_cart_is_no_longer_held(shop: TestShop) {
        shop.change_channel(|settings| settings.hold_ms = 600_000).await;
        let (mug, cup) = (shop.product("MUG", 1_000, 5).await, shop.product("CUP", 1_000, 5).await);
        let cart = shop.cart_with(&[("MUG", 2), ("CUP", 5)]).await;
        shop.checkout(&cart).await;
        assert_eq!((shop.stock(&mug).await.held, shop.stock(&cup).await.held), (2, 5));
        let line = cart.view.cart.lines[1].id;
        let reference = handel_testkit::fixtures::reference(&cart);
        shop.engine.set_cart_quantity(&shop.ctx(), &reference, line, 0, None).await.expect("removed");
        shop.checkout(&cart).await;
        assert_eq!((shop.stock(&mug).await.held, shop.stock(&cup).await.held), (2, 0));
        shop.buy(&[("CUP", 5)]).await;
        shop.settle_after(601).await;
    }

    /// Goal: a hold follows the cart, up and down.
    async fn a_hold_follows_its_cart(shop: TestShop) {
        shop.change_channel(|settings| settings.hold_ms = 600_000).await;
        let mug = shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 4)]).await;
        shop.checkout(&cart).await;
        let cart = shop.add(Some(&cart), "MUG", 5).await.expect("five more, beside the four that it holds");
        shop.checkout(&cart).await;
        assert_eq!(shop.stock(&mug).await.held, 9);
        let line = cart.view.cart.lines[0].id;
        let reference = handel_testkit::fixtures::reference(&cart);
        shop.engine.set_cart_quantity(&shop.ctx(), &reference, line, 1, None).await.expect("fewer");
        shop.checkout(&cart).await;
        assert_eq!(shop.stock(&mug).await.held, 1);
        shop.settle_after(601).await;
    }

    /// Goal: holds of many at once never add up to more than there is.
    async fn holds_at_once_never_exceed_the_stock(shop: TestShop) {
        shop.change_channel(|settings| settings.hold_ms = 600_000).await;
        let mug = shop.product("MUG", 1_000, 10).await;
        let mut carts = Vec::new();
        for _ in 0..20 {
            carts.push(shop.cart_with(&[("MUG", 1)]).await);
        }
        let outcomes = together(carts.into_iter().map(|cart| {
            let shop = shop.clone();
            async move {
                let ctx = shop.owner(cart.view.cart.id);
                let reference = handel_testkit::fixtures::reference(&cart);
                shop.engine.create_checkout(&ctx, &reference, handel_testkit::fixtures::buyer()).await
            }
        }))
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 10);
        for outcome in outcomes.into_iter().filter(Result::is_err) {
            assert_eq!(code(outcome), Some(Code::StockShort));
        }
        assert_eq!(shop.stock(&mug).await.held, 10);
        shop.check_books().await;
        shop.settle_after(601).await;
    }

    /// Goal: more than there is can be sold only as far as the merchant allows, and never ships before it is
    /// there.
    async fn backorders_have_a_limit(shop: TestShop) {
        let mut input = product_input("MUG", 1_000);
        input.variants[0].backorder = Backorder::UpTo(3);
        let mug = shop.create(input, 2).await;
        assert_eq!(available(shop, &mug).await, Some(5));
        let cart = shop.cart_with(&[("MUG", 5)]).await;
        let late = shop.cart_with(&[("MUG", 1)]).await;
        let order = shop.submit(&cart, "tok_ok", "k").await.expect("two and three more").reply.order;
        let short = refusal(shop.submit(&late, "tok_ok", "late").await);
        assert_eq!((short.code, short.details.shortages[0].available), (Code::StockShort, 0));
        shop.engine.pack_order(&shop.staff(), order.id, None).await.expect("it is paid");
        let shipped = refusal(shop.engine.ship_order(&shop.staff(), order.id, Parcel::default(), None).await);
        assert_eq!((shipped.code, shipped.details.shortages[0].available), (Code::StockShort, 2));
        shop.receive_stock("MUG", 3).await;
        shop.engine.ship_order(&shop.staff(), order.id, Parcel::default(), None).await.expect("they are there");
        let level = shop.stock(&mug).await;
        assert_eq!((level.on_hand, level.allocated), (0, 0));
        shop.settle().await;
    }

    /// Goal: a merchant who allows it sells without limit; one who stops allowing it sells no more.
    async fn a_change_of_the_backorder_rule_holds_at_once(shop: TestShop) {
        let mut input = product_input("MUG", 1_000);
        input.variants[0].backorder = Backorder::Allow;
        let mug = shop.create(input.clone(), 1).await;
        assert_eq!(available(shop, &mug).await, None);
        shop.buy(&[("MUG", 500)]).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        input.variants[0].backorder = Backorder::UpTo(499);
        shop.engine.replace_product(&shop.staff(), mug.id, input, None).await.expect("a new rule");
        assert_eq!(available(shop, &mug).await, Some(0));
        assert_eq!(code(shop.submit(&cart, "tok_ok", "k").await), Some(Code::StockShort));
        shop.settle().await;
    }

    /// Goal: what is not counted is always for sale and never adjusted.
    async fn what_is_not_counted_is_never_short(shop: TestShop) {
        let mut input = product_input("EBOOK", 1_000);
        input.variants[0].tracked = false;
        input.variants[0].requires_shipping = false;
        let book = shop.create(input, 0).await;
        let order = shop.buy(&[("EBOOK", 999)]).await.order;
        assert_eq!((order.total_minor, order.lines[0].tracked), (999_000, false));
        assert_eq!(code(shop.engine.adjust_stock(&shop.staff(), adjustment("EBOOK", 1)).await), Some(Code::StockUntracked));
        assert!(shop.engine.get_stock(&shop.staff(), book.variants[0].id).await.expect("none").is_empty());
        shop.settle().await;
    }

    /// Goal: stock is seen and changed only by those who may.
    async fn stock_is_for_those_with_the_scope(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 1).await;
        let reader = Context {
            caller: Caller::ApiKey { id: handel_domain::id::ApiKeyId::from_u128(1), scopes: vec![Scope::StockRead] },
            ..shop.ctx()
        };
        let by_id = handel_engine::AdjustStock { variant: StockKey::Id(mug.variants[0].id), ..adjustment("MUG", 1) };
        assert_eq!(code(shop.engine.adjust_stock(&reader, by_id.clone()).await), Some(Code::ScopeMissing));
        assert_eq!(code(shop.engine.get_stock(&shop.ctx(), mug.variants[0].id).await), Some(Code::Unauthenticated));
        assert_eq!(shop.engine.get_stock(&reader, mug.variants[0].id).await.expect("it may")[0].level.on_hand, 1);
        shop.engine.adjust_stock(&shop.staff(), by_id).await.expect("staff may");
        shop.settle().await;
    }
}
