//! Races for the last units: sold once, and every loser told.

use std::collections::HashSet;

use handel_domain::{Code, order::Status};
use handel_engine::OwnedCart;
use handel_testkit::{TestDatabase, TestShop, both_databases, together};

use crate::refusal;

/// Several processes of one shop: as many as the database allows.
async fn processes(shop: &TestShop) -> Vec<TestShop> {
    let mut processes = vec![shop.clone()];
    if shop.database().backend() == handel_store::Backend::Postgres {
        processes.push(shop.second_process().await);
        processes.push(shop.second_process().await);
    }
    processes
}

async fn carts(shop: &TestShop, count: usize, items: &[(&str, i64)]) -> Vec<OwnedCart> {
    let mut carts = Vec::new();
    for _ in 0..count {
        carts.push(shop.cart_with(items).await);
    }
    carts
}

/// Everybody buys at once, spread over the processes. Returns how many got an order.
async fn rush(processes: &[TestShop], carts: Vec<OwnedCart>) -> usize {
    let buyers = carts.into_iter().enumerate().map(|(n, cart)| {
        let shop = processes[n % processes.len()].clone();
        async move { shop.submit(&cart, "tok_ok", &format!("buyer-{n}")).await }
    });
    let mut numbers = HashSet::new();
    for outcome in together(buyers).await {
        match outcome {
            Ok(once) => {
                assert_eq!(once.reply.order.status, Status::Paid);
                assert!(numbers.insert(once.reply.order.number), "an order number was given twice");
            }
            Err(error) => {
                let refused = refusal::<()>(Err(error));
                assert_eq!(refused.code, Code::StockShort, "every loser is told why");
                let shortage = refused.details.shortages[0];
                assert!(shortage.available < shortage.requested, "{shortage:?}");
            }
        }
    }
    numbers.len()
}

async fn end(processes: Vec<TestShop>) {
    for process in &processes {
        process.idle().await;
    }
    processes[0].settle().await;
}

both_databases! {
    /// Goal: of two hundred who want one of ten, exactly ten get one.
    async fn ten_units_are_sold_ten_times(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 10).await;
        let processes = processes(shop).await;
        let carts = carts(shop, 200, &[("MUG", 1)]).await;
        assert_eq!(rush(&processes, carts).await, 10);
        let level = shop.stock(&mug).await;
        assert_eq!((level.on_hand, level.allocated, level.available()), (10, 10, 0));
        assert_eq!(shop.payments.calls().charges, 10, "losers are never charged");
        end(processes).await;
    }

    /// Goal: whoever asks for several gets all of them or none, and what is left goes to smaller orders.
    async fn twenty_buyers_of_five_share_twenty_three(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 23).await;
        let processes = processes(shop).await;
        let carts = carts(shop, 20, &[("MUG", 5)]).await;
        assert_eq!(rush(&processes, carts).await, 4);
        assert_eq!(shop.stock(&mug).await.allocated, 20);
        shop.buy(&[("MUG", 3)]).await;
        end(processes).await;
    }

    /// Goal: a hot item, items that meet in many orders in any order of lines, and items of their own: no
    /// deadlock loses an order, and nothing is sold twice.
    async fn hot_and_disjoint_items_are_sold_at_once(shop: TestShop) {
        let hot = shop.product("HOT", 1_000, 25).await;
        let mut own = Vec::new();
        for n in 0..10 {
            own.push(shop.product(&format!("OWN-{n}"), 1_000, 3).await);
        }
        let processes = processes(shop).await;
        let mut carts = Vec::new();
        for n in 0..60 {
            let (left, right) = (format!("OWN-{}", n % 10), format!("OWN-{}", (n + 1 + n / 10) % 10));
            let items = match n % 3 {
                0 => vec![("HOT", 1), (left.as_str(), 1)],
                1 => vec![(right.as_str(), 1), (left.as_str(), 1)],
                _ => vec![(left.as_str(), 1), ("HOT", 1), (right.as_str(), 1)],
            };
            carts.push(shop.cart_with(&items).await);
        }
        let sold = rush(&processes, carts).await;
        let mut allocated = 0;
        for product in &own {
            let level = shop.stock(product).await;
            assert!(level.allocated <= 3);
            allocated += level.allocated;
        }
        assert!(shop.stock(&hot).await.allocated <= 25);
        assert!(sold >= 10 && allocated > 20, "{sold} orders with {allocated} units");
        end(processes).await;
    }

    /// Goal: stock that comes back while others buy is sold, and again only once.
    async fn canceled_units_are_sold_again_once(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 5).await;
        let processes = processes(shop).await;
        let mut orders = Vec::new();
        for _ in 0..5 {
            orders.push(shop.buy(&[("MUG", 1)]).await.order.id);
        }
        shop.receive_stock("MUG", 40).await;
        let carts = carts(shop, 40, &[("MUG", 1)]).await;
        shop.engine.adjust_stock(&shop.staff(), handel_testkit::fixtures::adjustment("MUG", -40)).await.expect("gone again");
        let cancels = meanwhile_cancel(shop, orders);
        let sold = rush(&processes, carts).await;
        cancels.await.expect("no panic");
        assert!(sold <= 5);
        assert_eq!(shop.stock(&mug).await.allocated, i64::try_from(sold).expect("few"));
        end(processes).await;
    }
}

fn meanwhile_cancel(
    shop: &TestShop,
    orders: Vec<handel_domain::id::OrderId>,
) -> tokio::task::JoinHandle<()> {
    let shop = shop.clone();
    handel_testkit::meanwhile(async move {
        for id in orders {
            shop.cancel(id).await.expect("it has not shipped");
        }
    })
}

/// Goal: one cart in three processes at once is bought once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_buy_one_cart_once() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let mut shop = TestShop::start(database).await;
    let mug = shop.product("MUG", 1_000, 10).await;
    let processes = processes(&shop).await;
    let cart = shop.cart_with(&[("MUG", 1)]).await;
    let outcomes = together((0..24).map(|n| {
        let (shop, cart) = (processes[n % 3].clone(), cart.clone());
        // Eight keys, each in three processes.
        async move { shop.submit(&cart, "tok_ok", &format!("key-{}", n / 3)).await }
    }))
    .await;
    let mut orders = HashSet::new();
    for outcome in outcomes {
        match outcome {
            Ok(once) => drop(orders.insert(once.reply.order.id)),
            Err(error) => assert!(
                matches!(error.code(), Code::PaymentInProgress | Code::IdempotencyInFlight),
                "{error:?}"
            ),
        }
    }
    assert_eq!((orders.len(), shop.payments.calls().charges), (1, 1));
    assert_eq!(shop.stock(&mug).await.allocated, 1);
    end(processes).await;
    shop.finish().await;
}
