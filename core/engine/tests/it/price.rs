//! What use cases cost in statements and round trips. A change that makes one dearer must say so here.

use handel_store::{StatementCount, StoreError, Transaction, statements, values};
use handel_testkit::{TestDatabase, TestShop, both_databases};

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
}
