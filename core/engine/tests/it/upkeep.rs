//! What a shop does on its own, alone and beside other processes.

use std::time::Duration;

use handel_domain::{Code, order::Status};
use handel_testkit::{TestDatabase, TestShop, both_databases, together, until};
use tokio::sync::watch;

use crate::code;

/// Lets time pass until something holds.
async fn in_time(shop: &TestShop, what: &str, holds: impl Fn() -> bool) {
    until(what, || {
        shop.clock.advance(Duration::from_millis(100));
        holds()
    })
    .await;
}

both_databases! {
    /// Goal: with its loops running a shop needs nobody: it delivers, refunds, expires, and stops when told.
    async fn the_loops_do_all_that_is_due_and_stop(shop: TestShop) {
        let before = shop.running_tasks();
        let (stop, stopped) = watch::channel(false);
        shop.engine.start_upkeep(stopped);
        let mug = shop.product("MUG", 1_000, 10).await;
        let bought = shop.buy(&[("MUG", 1)]).await.order.id;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let unpaid = shop.submit(&cart, "tok_declined", "k").await.expect("placed").reply.order.id;
        let told = |id: handel_domain::id::OrderId, name: &str| shop.events.names_of(&id.to_string()).contains(&name);
        in_time(shop, "the order's events", || told(bought, "order_paid")).await;
        shop.cancel(bought).await.expect("it has not shipped");
        in_time(shop, "the refund", || told(bought, "payment_refunded")).await;
        shop.clock.advance(Duration::from_secs(15 * 60));
        in_time(shop, "the end of the reservation", || told(unpaid, "order_canceled")).await;
        assert_eq!(shop.stock(&mug).await.allocated, 0);
        stop.send(true).expect("they listen");
        in_time(shop, "the end of the loops", || shop.running_tasks() == before).await;
        shop.settle().await;
    }

    /// Goal: a shop whose database is gone says that it is not ready, and nothing is charged meanwhile.
    async fn a_shop_without_its_database_is_not_ready(shop: TestShop) {
        shop.product("MUG", 1_000, 10).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let checkout = shop.checkout(&cart).await.checkout;
        shop.settle().await;
        shop.engine.check_ready().await.expect("it is ready");
        shop.engine.close().await;
        assert_eq!(code(shop.engine.check_ready().await), Some(Code::StorageUnavailable));
        assert_eq!(code(shop.complete(&checkout, "tok_ok").await), Some(Code::StorageUnavailable));
        assert_eq!(shop.payments.calls().charges, 0);
        shop.restart().await;
        shop.complete(&checkout, "tok_ok").await.expect("it goes on");
        shop.settle_after(20).await;
    }
}

/// Goal: many processes share the jobs, and each is done by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_the_jobs() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let mut shop = TestShop::start(database).await;
    let processes = [shop.clone(), shop.second_process().await, shop.second_process().await];
    shop.product("MUG", 1_000, 100).await;
    let mut orders = Vec::new();
    for _ in 0..20 {
        orders.push(shop.buy(&[("MUG", 1)]).await.order.id);
    }
    for id in &orders {
        shop.cancel(*id).await.expect("it has not shipped");
    }
    let settling = processes.clone().map(|shop| async move { shop.settle().await });
    together(settling).await;
    shop.settle().await;
    assert_eq!(shop.payments.calls().refunds, 20);
    for id in orders {
        assert_eq!(shop.kept_minor(id).await, 0);
    }
    shop.finish().await;
}

/// Goal: one process leads; when it resigns or dies, another one does its work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_leads_and_another_takes_over() {
    let Some(database) = TestDatabase::postgres().await else { return };
    let mut shop = TestShop::start(database).await;
    let other = shop.second_process().await;
    shop.product("MUG", 1_000, 10).await;
    let expiring = async || {
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let key = shop.fresh_key();
        let id = shop.submit(&cart, "tok_declined", &key).await.expect("placed").reply.order.id;
        shop.clock.advance(Duration::from_secs(15 * 60 - 5));
        shop.settle().await;
        shop.clock.advance(Duration::from_secs(10));
        id
    };
    // The first process leads, so the other leaves the order to it.
    let id = expiring().await;
    other.settle().await;
    assert_eq!(shop.order(id).await.order.status, Status::Reserved);
    shop.settle().await;
    assert_eq!(shop.order(id).await.order.status, Status::Canceled);
    // It resigns.
    let id = expiring().await;
    shop.engine.resign().await.expect("it can");
    other.settle().await;
    assert_eq!(shop.order(id).await.order.status, Status::Canceled);
    // The other one leads now, and says nothing for a while.
    let cart = shop.cart_with(&[("MUG", 1)]).await;
    let id = shop.submit(&cart, "tok_declined", "k").await.expect("placed").reply.order.id;
    shop.settle_after(15 * 60 + 1).await;
    assert_eq!(shop.order(id).await.order.status, Status::Canceled);
    shop.finish().await;
}
