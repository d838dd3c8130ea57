//! More orders than can be placed: those who wait are served, and those who come too late are told at once.

use std::time::Duration;

use handel_domain::{Code, order::Status};
use handel_testkit::{TestDatabase, TestShop, meanwhile, until};

use crate::refusal;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_would_wait_too_long_for_an_order_is_told_to_come_back() {
    let mut shop = TestShop::start(TestDatabase::sqlite().await).await;
    shop.product("MUG", 1_000, 10).await;
    let mut checkouts = Vec::new();
    for _ in 0..2 {
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        checkouts.push(shop.checkout(&cart).await.checkout);
    }
    let [first, second] = &checkouts[..] else { panic!() };
    let slow = shop.slow_disk().await;
    let placing = meanwhile({
        let (shop, checkout) = (shop.clone(), first.clone());
        async move { shop.complete_with_key(&checkout, "tok_ok", "first").await }
    });
    until("an order under way", || shop.database().pool_status().waiting == 1).await;
    shop.clock.advance(Duration::from_millis(1_001));

    let refused = refusal(shop.complete_with_key(second, "tok_ok", "second").await);
    assert_eq!(refused.code, Code::Overloaded);
    assert_eq!(refused.details.retry_after_ms, Some(1_000));

    drop(slow);
    let bought = placing.await.expect("it ends").expect("who waits is served");
    assert_eq!(bought.reply.order.status, Status::Paid);
    let again =
        shop.complete_with_key(second, "tok_ok", "second").await.expect("there is room again");
    assert!(!again.replayed, "a refusal is not remembered");
    shop.settle().await;
    shop.finish().await;
}
