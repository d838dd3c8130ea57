//! Carts: what shoppers put in, change and take out, also all at once.

use std::collections::HashMap;

use handel_domain::{Code, checkout::LineProblem, id::VariantId, text::Slug};
use handel_engine::{Caller, CartRef, StockKey};
use handel_testkit::{
    TestShop, both_databases,
    fixtures::{item, product_input, reference, sku, with_key},
    together,
};

use crate::{code, refusal};

both_databases! {
    /// Goal: a cart holds several lines, and each can be changed and removed at any time.
    async fn several_items_share_a_cart_and_can_be_changed_and_removed(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        shop.product("POT", 2_500, 10).await;
        shop.product("TEA", 499, 10).await;
        let cart = shop.cart_with(&[("MUG", 2), ("POT", 1), ("TEA", 3), ("MUG", 1)]).await;
        let quantities = |cart: &handel_engine::OwnedCart| -> Vec<i64> {
            cart.view.cart.lines.iter().map(|line| line.quantity).collect()
        };
        assert_eq!(quantities(&cart), [3, 1, 3]);
        assert_eq!(cart.view.quote.totals.total_minor, 3_000 + 2_500 + 1_497);
        let lines: Vec<_> = cart.view.cart.lines.iter().map(|line| line.id).collect();
        let set = async |line, quantity| {
            let set = shop.engine.set_cart_quantity(&shop.ctx(), &reference(&cart), line, quantity, None).await;
            set.expect("it can be changed").reply
        };
        assert_eq!(quantities(&set(lines[0], 1).await), [1, 1, 3]);
        assert_eq!(quantities(&set(lines[1], 0).await), [1, 3]);
        let last = set(lines[0], 0).await;
        assert_eq!((quantities(&last), last.view.quote.totals.total_minor), (vec![3], 1_497));
        let again = shop.engine.get_cart(&shop.ctx(), &reference(&cart)).await.expect("it is stored");
        assert_eq!(again.view.cart, last.view.cart);
        shop.settle().await;
    }

    /// Goal: changes from many tabs follow one another, and none is lost.
    async fn sixteen_adds_at_once_all_count(shop: TestShop) {
        shop.product("MUG", 1_000, 100).await;
        shop.product("POT", 1_000, 100).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let adds = (0..16).map(|n| {
            let (shop, cart) = (shop.clone(), cart.clone());
            async move { shop.add(Some(&cart), if n % 2 == 0 { "MUG" } else { "POT" }, 1).await }
        });
        for added in together(adds).await {
            added.expect("every add counts");
        }
        let cart = shop.engine.get_cart(&shop.ctx(), &reference(&cart)).await.expect("it is there");
        let quantities: Vec<_> = cart.view.cart.lines.iter().map(|line| line.quantity).collect();
        assert_eq!((quantities, cart.view.cart.version), (vec![9, 8], 18));
        shop.settle().await;
    }

    /// Goal: no number that somebody sends leaves the limits, wraps or becomes another one.
    async fn a_quantity_is_positive_and_within_the_limit(shop: TestShop) {
        shop.product("MUG", 1_000, 5_000).await;
        let cart = shop.cart_with(&[("MUG", 990)]).await;
        for quantity in [0, -1, i64::MIN, 10, 4_294_967_295, 4_294_967_297, i64::MAX] {
            let refused = refusal(shop.add(Some(&cart), "MUG", quantity).await);
            assert_eq!((refused.code, refused.details.errors[0].pointer.as_str()), (Code::InputInvalid, "/quantity"));
        }
        let line = cart.view.cart.lines[0].id;
        for quantity in [-1, 1_000, i64::MAX, i64::MIN] {
            let set = shop.engine.set_cart_quantity(&shop.ctx(), &reference(&cart), line, quantity, None).await;
            assert_eq!(code(set), Some(Code::InputInvalid), "{quantity}");
        }
        let cart = shop.add(Some(&cart), "MUG", 9).await.expect("the limit itself fits");
        assert_eq!((cart.view.cart.lines[0].quantity, cart.view.cart.version), (999, 3));
        shop.settle().await;
    }

    /// Goal: the dearest cart that the limits allow is added up exactly, and dearer goods cannot exist.
    async fn the_dearest_cart_does_not_overflow(shop: TestShop) {
        for price_minor in [-1, i64::MIN, 1_000_000_000_001, i64::MAX / 2] {
            let created = shop.engine.create_product(&shop.staff(), product_input("BAD", price_minor)).await;
            assert_eq!(code(created), Some(Code::InputInvalid), "{price_minor}");
        }
        shop.product("YACHT", 1_000_000_000_000, 5_000).await;
        let cart = shop.cart_with(&[("YACHT", 999)]).await;
        assert_eq!(cart.view.quote.totals.total_minor, 999_000_000_000_000);
        let bought = shop.submit(&cart, "tok_ok", "k").await.expect("somebody buys them all").reply;
        assert_eq!(bought.order.total_minor, 999_000_000_000_490);
        shop.settle().await;
    }

    /// Goal: what does not exist is refused at once, and the cart is as it was.
    async fn an_unknown_item_leaves_the_cart_as_it_was(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        assert_eq!(code(shop.add(Some(&cart), "NOPE", 1).await), Some(Code::VariantUnknown));
        let mut by_id = item(Some(reference(&cart)), "MUG", 1);
        by_id.variant = StockKey::Id(VariantId::from_u128(404));
        assert_eq!(code(shop.engine.add_cart_item(&shop.ctx(), by_id).await), Some(Code::VariantUnknown));
        let after = shop.engine.get_cart(&shop.ctx(), &reference(&cart)).await.expect("it is there");
        assert_eq!(after.view.cart, cart.view.cart);
        shop.settle().await;
    }

    /// Goal: a cart never holds more than there is, over all its lines together.
    async fn more_than_there_is_cannot_be_put_into_a_cart(shop: TestShop) {
        shop.product("MUG", 1_000, 5).await;
        let cart = shop.cart_with(&[("MUG", 3)]).await;
        let mut engraved = item(Some(reference(&cart)), "MUG", 3);
        engraved.custom = HashMap::from([("engraving".to_owned(), "Ada".to_owned())]);
        let short = refusal(shop.engine.add_cart_item(&shop.ctx(), engraved.clone()).await);
        assert_eq!((short.code, short.details.shortages.len()), (Code::StockShort, 1));
        assert_eq!((short.details.shortages[0].requested, short.details.shortages[0].available), (6, 5));
        engraved.quantity = 2;
        let cart = shop.engine.add_cart_item(&shop.ctx(), engraved).await.expect("five fit").reply;
        let (plain, line) = (cart.view.cart.lines[0].id, cart.view.cart.lines[1].id);
        let set = async |line, quantity| {
            shop.engine.set_cart_quantity(&shop.ctx(), &reference(&cart), line, quantity, None).await
        };
        assert_eq!(code(set(line, 3).await), Some(Code::StockShort));
        // Others buy; now the cart holds more than is left, and may shrink but not grow.
        shop.buy(&[("MUG", 4)]).await;
        let fewer = set(plain, 2).await.expect("fewer are always fine").reply;
        assert!(fewer.view.quote.lines[0].problems.contains(&LineProblem::StockShort { available: 1 }));
        assert_eq!(code(set(plain, 3).await), Some(Code::StockShort));
        shop.settle().await;
    }

    /// Goal: a cart stays in the currency that it began in, and sells nothing that has no price in it.
    async fn a_cart_keeps_its_channel_and_currency(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let mut euros_only = product_input("POT", 2_000);
        euros_only.variants[0].prices.truncate(1);
        shop.create(euros_only, 10).await;
        let mut dollars = shop.ctx();
        dollars.channel = None;
        let cart = shop.engine.create_cart(&dollars).await.expect("a cart").reply;
        assert_eq!(cart.view.currency.code(), "USD");
        // The request names the other channel; the cart decides.
        let cart = shop.add(Some(&cart), "MUG", 1).await.expect("it costs dollars");
        assert_eq!((cart.view.currency.code(), cart.view.quote.totals.tax_minor), ("USD", 0));
        assert_eq!(code(shop.add(Some(&cart), "POT", 1).await), Some(Code::NotPriced));
        let mut nowhere = shop.ctx();
        nowhere.channel = Some("nowhere".parse::<Slug>().expect("a slug"));
        assert_eq!(code(shop.engine.create_cart(&nowhere).await), Some(Code::ChannelUnknown));
        shop.settle().await;
    }

    /// Goal: a cart costs what things cost now, and says what changed.
    async fn a_cart_shows_the_price_of_now_and_that_it_changed(shop: TestShop) {
        let product = shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 2)]).await;
        assert_eq!(cart.view.quote.lines[0].problems, []);
        let mut prices = product.variants[0].prices.clone();
        prices[0].amount_minor = 1_250;
        shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, None).await.expect("a new price");
        let cart = shop.engine.get_cart(&shop.ctx(), &reference(&cart)).await.expect("it is there");
        assert_eq!(cart.view.quote.totals.total_minor, 2_500);
        assert_eq!(cart.view.quote.lines[0].problems, [LineProblem::PriceChanged { before_minor: 1_000 }]);
        shop.engine.archive_product(&shop.staff(), product.id, None).await.expect("it goes");
        let cart = shop.engine.get_cart(&shop.ctx(), &reference(&cart)).await.expect("it is there");
        assert_eq!(cart.view.quote.totals.total_minor, 0);
        assert_eq!(cart.view.quote.lines[0].problems, [LineProblem::NotForSale]);
        assert_eq!(code(shop.add(Some(&cart), "MUG", 1).await), Some(Code::NotPriced));
        shop.settle().await;
    }

    /// Goal: what was bought stays what it was, and what was forgotten disappears.
    async fn a_bought_cart_is_closed_and_a_forgotten_one_disappears(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let bought = shop.cart_with(&[("MUG", 1)]).await;
        let forgotten = shop.cart_with(&[("MUG", 1)]).await;
        shop.submit(&bought, "tok_ok", "k").await.expect("it is bought");
        assert_eq!(code(shop.add(Some(&bought), "MUG", 1).await), Some(Code::CartClosed));
        let line = bought.view.cart.lines[0].id;
        let set = shop.engine.set_cart_quantity(&shop.ctx(), &reference(&bought), line, 0, None).await;
        assert_eq!(code(set), Some(Code::CartClosed));
        shop.engine.get_cart(&shop.ctx(), &reference(&bought)).await.expect("it can still be looked at");
        shop.clock.advance(std::time::Duration::from_secs(31 * 86_400));
        assert_eq!(code(shop.add(Some(&forgotten), "MUG", 1).await), Some(Code::CartUnknown));
        shop.settle().await;
        let names = shop.events.names_of(&forgotten.view.cart.id.to_string());
        assert_eq!(names, ["cart_expired"]);
        assert_eq!(code(shop.engine.get_cart(&shop.ctx(), &reference(&forgotten)).await), Some(Code::CartUnknown));
    }

    /// Goal: who looked at an old cart is told, and changes nothing.
    async fn a_change_of_an_old_version_is_refused(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let seen = cart.view.cart.version;
        let mut stale = item(Some(reference(&cart)), "MUG", 1);
        stale.expected_version = Some(seen);
        shop.engine.add_cart_item(&shop.ctx(), stale.clone()).await.expect("nobody was faster");
        let refused = refusal(shop.engine.add_cart_item(&shop.ctx(), stale).await);
        assert_eq!((refused.code, refused.details.version), (Code::VersionConflict, Some(seen + 1)));
        let line = cart.view.cart.lines[0].id;
        let set = shop.engine.set_cart_quantity(&shop.ctx(), &reference(&cart), line, 5, Some(seen)).await;
        assert_eq!(code(set), Some(Code::VersionConflict));
        shop.settle().await;
    }

    /// Goal: nobody gets at a cart without its token.
    async fn a_cart_opens_only_to_its_token(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let mut changed = cart.token.clone();
        let end = if changed.ends_with('A') { "B" } else { "A" };
        changed.replace_range(changed.len() - 1.., end);
        for token in [changed, cart.view.cart.id.to_string(), String::new(), format!("{}.1.AAAA", cart.view.cart.id)] {
            let cart = CartRef { token };
            assert_eq!(code(shop.engine.get_cart(&shop.ctx(), &cart).await), Some(Code::CartUnknown));
            let add = shop.engine.add_cart_item(&shop.ctx(), item(Some(cart), "MUG", 1)).await;
            assert_eq!(code(add), Some(Code::CartUnknown));
        }
        assert_eq!(shop.engine.read_cart_token(&cart.token), Some(cart.view.cart.id));
        assert!(matches!(shop.ctx().caller, Caller::Shopper(None)));
        shop.settle().await;
    }

    /// Goal: a cart has a limit of lines, and it is the one that the merchant set.
    async fn a_cart_takes_so_many_lines_and_no_more(shop: TestShop) {
        shop.change_channel(|settings| settings.cart_lines_max = 2).await;
        for text in ["MUG", "POT", "TEA"] {
            shop.product(text, 1_000, 10).await;
        }
        let cart = shop.cart_with(&[("MUG", 1), ("POT", 1)]).await;
        assert_eq!(code(shop.add(Some(&cart), "TEA", 1).await), Some(Code::CartFull));
        shop.add(Some(&cart), "POT", 1).await.expect("a line that is there can grow");
        shop.settle().await;
    }

    /// Goal: a request that is sent twice adds once, also where it makes the cart.
    async fn an_add_that_is_repeated_adds_once(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let ctx = shop.ctx_with_key("add", "MUG 2");
        let adds = (0..8).map(|_| {
            let (shop, ctx) = (shop.clone(), ctx.clone());
            async move { shop.engine.add_cart_item(&ctx, item(None, "MUG", 2)).await }
        });
        let replies: Vec<_> = together(adds).await.into_iter().map(|added| added.expect("it adds")).collect();
        assert_eq!(replies.iter().filter(|once| !once.replayed).count(), 1);
        let cart = replies[0].reply.clone();
        assert!(replies.iter().all(|once| once.reply.token == cart.token), "all got the same cart");
        assert_eq!(cart.view.cart.quantity_of(cart.view.cart.lines[0].variant_id), 2);
        let other = with_key(shop.ctx(), "add", "MUG 3");
        let conflict = shop.engine.add_cart_item(&other, item(None, "MUG", 3)).await;
        assert_eq!(code(conflict), Some(Code::IdempotencyConflict));
        shop.settle().await;
    }
}
