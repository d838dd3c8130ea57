//! More orders than can be placed: those who wait are served, and those who come too late are told at once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use handel_domain::{Code, order::Status};
use handel_store::{StoreError, Transaction};
use handel_testkit::{TestDatabase, TestShop, meanwhile, until};

use crate::refusal;

/// Keeps the embedded database busy until the sender is dropped.
async fn busy(shop: &TestShop) -> mpsc::Sender<()> {
    let (release, released) = mpsc::channel();
    let (database, released) = (shop.database().clone(), Mutex::new(released));
    let begun = Arc::new(AtomicBool::new(false));
    let begins = begun.clone();
    drop(meanwhile(async move {
        let unit = async move |_: &mut Transaction<'_>| {
            begins.store(true, Ordering::Release);
            // The unit blocks its thread, as a slow disk does.
            let _ended = released.lock().expect("nobody else waits").recv();
            Ok::<_, StoreError>(())
        };
        database.write(unit).await
    }));
    until("a busy database", || begun.load(Ordering::Acquire)).await;
    release
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_would_wait_too_long_for_an_order_is_told_to_come_back() {
    let mut shop = TestShop::start(TestDatabase::sqlite().await).await;
    shop.product("MUG", 1_000, 10).await;
    let mut checkouts = Vec::new();
    for _ in 0..3 {
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        checkouts.push(shop.checkout(&cart).await.checkout);
    }
    let [first, second, third] = &checkouts[..] else { panic!() };
    let release = busy(&shop).await;
    let buy = |checkout: &handel_domain::checkout::Checkout, key: &'static str| {
        let (shop, checkout) = (shop.clone(), checkout.clone());
        meanwhile(async move { shop.complete_with_key(&checkout, "tok_ok", key).await })
    };
    let placing = buy(first, "first");
    until("an order under way", || shop.database().pool_status().waiting == 1).await;
    let waiting = buy(second, "second");
    shop.clock.advance(Duration::from_millis(1_001));

    let refused = refusal(shop.complete_with_key(third, "tok_ok", "third").await);
    assert_eq!(refused.code, Code::Overloaded);
    assert_eq!(refused.details.retry_after_ms, Some(1_000));

    drop(release);
    for answer in [placing, waiting] {
        let bought = answer.await.expect("it ends").expect("who waits is served");
        assert_eq!(bought.reply.order.status, Status::Paid);
    }
    let again =
        shop.complete_with_key(third, "tok_ok", "third").await.expect("there is room again");
    assert!(!again.replayed, "a refusal is not remembered");
    shop.settle().await;
    shop.finish().await;
}
