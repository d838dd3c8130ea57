//! What use cases cost in statements and round trips. A change that makes one dearer must say so here.

use handel_domain::{
    checkout::Buyer,
    promotion::{Class, Rules},
};
use handel_engine::PutCart;
use handel_store::{StatementCount, StoreError, Transaction, statements, values};
use handel_testkit::{
    TestDatabase, TestShop,
    agents::{AGENT, basket, replacing},
    both_databases,
    fixtures::{percent, promotion_rules},
};

statements! {
    STATISTICS = postgres "select 0", sqlite "select count(*) from sqlite_schema where name = 'sqlite_stat1'";
}

/// What the database ran while something was done.
async fn price<T>(shop: &TestShop, done: impl Future<Output = T>) -> (T, StatementCount) {
    let before = shop.database().statement_count();
    let outcome = done.await;
    let after = shop.database().statement_count();
    let count = StatementCount {
        statements: after.statements - before.statements,
        round_trips: after.round_trips - before.round_trips,
    };
    (outcome, count)
}

fn count(statements: u64, round_trips: u64) -> StatementCount {
    StatementCount { statements, round_trips }
}

/// Goal: a shop that was small when it was closed is not slow when it has grown. Statistics of five products make
/// SQLite read whole tables as soon as there are thousands.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plans_do_not_depend_on_how_small_the_shop_was() {
    let mut shop = TestShop::start(TestDatabase::sqlite().await).await;
    shop.product("MUG", 1_000, 10).await;
    shop.buy(&[("MUG", 1)]).await;
    shop.settle().await;
    shop.restart().await;
    let count = shop.database().read(async |tx: &mut Transaction<'_>| {
        let row = tx.row(STATISTICS.bind(values![])).await?.expect("a count has one row");
        row.get::<i64>(0)
    });
    assert_eq!(count.await.map_err(|error: StoreError| error.to_string()), Ok(0));
    shop.finish().await;
}

both_databases! {
    /// Goal: who gives a code, or shops where others need none, waits for no more round trips; what is read and
    /// written besides does not grow with the number of promotions.
    async fn a_purchase_with_promotions_has_a_fixed_number_of_statements(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let limited = Rules { usage_limit: Some(9), ..promotion_rules(Class::Order, percent(10)) };
        shop.promotion(limited, &["TEN"]).await;
        for n in 1..=3 {
            for _ in 0..5 {
                let mut automatic = promotion_rules(Class::Order, percent(1));
                automatic.conditions.minimum_subtotal_minor = Some(1_000_000);
                shop.promotion(automatic, &[]).await;
            }
            shop.buy(&[("MUG", 1)]).await;
            shop.settle().await;
            let cart = shop.cart_with(&[("MUG", 1)]).await;
            let (cart, giving) = price(shop, shop.set_codes(&cart, &["TEN"])).await;
            let cart = cart.expect("it is taken");
            let (checkout, checking_out) = price(shop, shop.checkout(&cart)).await;
            let (bought, completing) = price(shop, shop.complete(&checkout.checkout, "tok_ok")).await;
            assert_eq!(bought.expect("it can be bought").order.discount_minor, 100, "{n}");
            // Three more to read; a use and its count to write.
            let expected = [count(5 + 3, 4), count(6 + 3, 5), count(36 + 5, 8)];
            assert_eq!([giving, checking_out, completing], expected);
            shop.settle().await;
        }
        // Without a code nothing is asked about codes: promotions are locked, and it is read who used them.
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let (checkout, checking_out) = price(shop, shop.checkout(&cart)).await;
        let (bought, completing) = price(shop, shop.complete(&checkout.checkout, "tok_ok")).await;
        bought.expect("it can be bought");
        assert_eq!([checking_out, completing], [count(6, 5), count(36 + 2, 8)]);
        shop.settle().await;
    }

    /// Goal: a purchase costs the same few statements on both databases, however many orders there are.
    async fn a_purchase_has_a_fixed_number_of_statements(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        // The first purchase reads what is remembered from then on, such as the channel.
        shop.buy(&[("MUG", 1)]).await;
        shop.settle().await;
        for _ in 0..2 {
            let cart = shop.engine.create_cart(&shop.ctx()).await.expect("a cart can be made").reply;
            let (cart, adding) = price(shop, shop.add(Some(&cart), "MUG", 1)).await;
            let cart = cart.expect("it is for sale");
            let (checkout, checking_out) = price(shop, shop.checkout(&cart)).await;
            let (bought, completing) = price(shop, shop.complete(&checkout.checkout, "tok_ok")).await;
            bought.expect("it can be bought");
            let expected = [count(6, 5), count(6, 5), count(36, 8)];
            assert_eq!([adding, checking_out, completing], expected);
            shop.settle().await;
        }
    }

    /// Goal: what programs say costs the same few statements, however much of it there is; an order with its
    /// story, and a hundred products, cost a few round trips.
    async fn what_programs_say_has_a_fixed_price(shop: TestShop) {
        let names: Vec<String> = (0..30).map(|n| format!("MUG-{n}")).collect();
        for name in &names {
            shop.product(name, 1_000, 100).await;
        }
        let items: Vec<(&str, i64)> = names.iter().map(|name| (name.as_str(), 2)).collect();
        let warm = shop.open(&items[..1]).await.checkout;
        shop.complete_open(warm.id, "tok_ok").await.expect("it is complete");
        shop.settle().await;
        for basket_of in [1, 30] {
            let (ctx, items) = (shop.agent(AGENT), &items[..basket_of]);
            let put = |cart_id| PutCart { cart_id, basket: basket(items), buyer: Buyer::default(), expected_version: None };
            let (made, putting) = price(shop, shop.engine.put_cart(&ctx, put(None))).await;
            let made = made.expect("a new cart").reply.cart;
            let (_, putting_again) = price(shop, shop.engine.put_cart(&ctx, put(Some(made.id)))).await;
            let (opened, opening) = price(shop, shop.open(items)).await;
            let again = replacing(&opened.checkout, items);
            let (_, replacing) = price(shop, shop.engine.replace_checkout(&ctx, again)).await;
            assert_eq!([putting, putting_again, opening, replacing], [count(5, 4), count(6, 5), count(6, 4), count(8, 5)]);
            let done = shop.complete_open(opened.checkout.id, "tok_ok").await.expect("it is complete");
            let (_, telling) = price(shop, shop.engine.order_story(&ctx, done.order.id, None)).await;
            let keys = names[..basket_of].iter().map(|name| name.parse().expect("a key")).collect();
            let (_, finding) = price(shop, shop.engine.lookup_products(&ctx, keys)).await;
            assert_eq!([telling, finding], [count(6, 3), count(10, 4)]);
            shop.settle().await;
        }
    }
}
