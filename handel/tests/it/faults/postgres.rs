//! A PostgreSQL that goes away, does not answer, is slow, or has no connection left.

use std::{sync::atomic::AtomicBool, time::Duration};

use futures_util::{StreamExt as _, future::join_all, stream::FuturesUnordered};
use handel_store::{DatabaseConfig, StoreError, Transaction};
use handel_testkit::TestDatabase;
use reqwest::{Method, Url};
use serde_json::json;

use super::{
    proxy::{Network, Proxy},
    shopper::{Memory, Outcome, is_unavailable, new_cart, staff_key, try_answer},
};
use crate::support::{Place, Served, answer, eventually, sample};

/// A shop that reaches its database through a network of ours.
struct Remote {
    database: TestDatabase,
    network: Proxy,
    place: Place,
    key: String,
}

impl Remote {
    async fn start() -> Option<Self> {
        let database = TestDatabase::postgres().await?;
        let DatabaseConfig::Postgres { url, .. } = database.config() else { panic!("it is one") };
        let mut url = Url::parse(url).expect("an address");
        let port = url.port().unwrap_or(5432);
        let host = format!("{}:{port}", url.host_str().expect("a host"));
        let target = tokio::net::lookup_host(host).await.expect("a known host").next();
        let network = Proxy::to(target.expect("an address")).await;
        url.set_ip_host(network.address.ip()).expect("an address has a host");
        url.set_port(Some(network.address.port())).expect("an address has a port");
        let place = Place::with(&[("DATABASE_URL", url.as_str())]);
        place.succeed(&["import", "products", &sample()]);
        let key = staff_key(&place);
        Some(Self { database, network, place, key })
    }

    /// Ends every connection of the shop, as a restart of the database does.
    async fn end_connections(&self) {
        let end = async |tx: &mut Transaction<'_>| {
            tx.batch(
                "select pg_terminate_backend(pid) from pg_stat_activity
                  where datname = current_database() and pid <> pg_backend_pid()",
            )
            .await
        };
        let ended: Result<(), StoreError> = self.database.database().read(end).await;
        ended.expect("the test may do that");
    }
}

async fn is_ready(served: &Served) -> bool {
    let ready = try_answer(served.request(Method::GET, "/health/ready")).await;
    ready.is_some_and(|(status, _)| status == 200)
}

fn add(served: &Served) -> reqwest::RequestBuilder {
    served.request(Method::POST, "/api/v1/cart/items").json(&json!({ "sku": "MAP-1" }))
}

/// The work that nobody asks for goes on: a payment that ends by a webhook is settled by a job.
async fn upkeep_works(served: &Served) {
    let cart = new_cart(served).await.expect("a cart");
    let (status, body) = answer(served.buy_with_key(&cart, "tok_async_ok", "async")).await;
    assert_eq!(status, 202, "{body}");
    eventually("a job settles the payment", async || {
        let orders = served.request(Method::GET, "/api/v1/orders").header("Cart-Token", &cart);
        try_answer(orders).await.is_some_and(|(_, orders)| orders["items"][0]["status"] == "paid")
    })
    .await;
}

/// Goal: while the database cannot be reached the shop says so, and it goes on by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_out_of_reach_is_told_and_comes_back() {
    let Some(remote) = Remote::start().await else { return };
    let (memory, served) = (Memory::default(), remote.place.serve());
    let cart = new_cart(&served).await.expect("a cart");
    assert!(matches!(memory.try_to_buy(&served, &cart, "first").await, Outcome::Paid));
    let open = new_cart(&served).await.expect("a cart");
    remote.network.set(Network::Cut);
    is_unavailable(add(&served), "storage.unavailable").await;
    is_unavailable(served.request(Method::GET, "/health/ready"), "storage.unavailable").await;
    is_unavailable(served.buy_with_key(&open, "tok_ok", "first"), "storage.unavailable").await;
    assert_eq!(served.get("/health/live").await["status"], "ok");
    remote.network.set(Network::Up);
    eventually("the shop is ready again", async || is_ready(&served).await).await;
    memory.remember(open);
    memory.finish(&served).await;
    memory.check(&remote.place, &served, &remote.key).await;
    upkeep_works(&served).await;
    served.stop().await;
}

/// Goal: a database that ends connections in the middle of purchases costs nobody money or an order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_end_in_the_middle_lose_nothing() {
    let Some(remote) = Remote::start().await else { return };
    let (memory, served) = (Memory::default(), remote.place.serve());
    let stop = AtomicBool::new(false);
    let ending = async {
        for round in 1..=10 {
            eventually("some are told", async || memory.told() >= 3 * round).await;
            remote.end_connections().await;
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    // Who meets a broken connection comes again.
    let shoppers = join_all((0..6).map(|_| async {
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            memory.shop(&served, &stop).await;
        }
    }));
    tokio::join!(shoppers, ending);
    eventually("the shop is ready again", async || is_ready(&served).await).await;
    memory.finish(&served).await;
    memory.check(&remote.place, &served, &remote.key).await;
    upkeep_works(&served).await;
    served.stop().await;
}

/// Goal: a network that swallows everything hangs neither a request nor the work in the background for good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_swallows_everything_is_given_up() {
    let Some(mut remote) = Remote::start().await else { return };
    remote.place.set("HANDEL__DATABASE__STATEMENT_TIMEOUT_MS", "500");
    let served = remote.place.serve();
    let cart = new_cart(&served).await.expect("a cart");
    remote.network.set(Network::Swallowing);
    is_unavailable(add(&served), "storage.unavailable").await;
    is_unavailable(served.request(Method::GET, "/health/ready"), "storage.unavailable").await;
    remote.network.set(Network::Up);
    eventually("the shop is ready again", async || is_ready(&served).await).await;
    let (status, body) = answer(served.buy(&cart, "tok_ok")).await;
    assert_eq!(status, 201, "{body}");
    upkeep_works(&served).await;
    served.stop().await;
}

/// Goal: a slow database makes a slow shop, not a broken one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_database_is_only_slow() {
    let Some(remote) = Remote::start().await else { return };
    let (memory, served) = (Memory::default(), remote.place.serve());
    remote.network.set(Network::Slow(Duration::from_millis(20)));
    let buy = async || {
        let cart = new_cart(&served).await.expect("a cart");
        assert!(matches!(memory.try_to_buy(&served, &cart, "first").await, Outcome::Paid));
    };
    join_all((0..4).map(|_| buy())).await;
    assert!(is_ready(&served).await);
    memory.check(&remote.place, &served, &remote.key).await;
    served.stop().await;
}

/// Goal: where every connection is taken, who comes too late is told when to come back instead of waiting forever,
/// and who has a connection is served when the database goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_no_connection_is_told_to_come_back() {
    let Some(mut remote) = Remote::start().await else { return };
    remote.place.set("HANDEL__DATABASE__CONNECTIONS", "2");
    let served = remote.place.serve();
    new_cart(&served).await.expect("a cart");
    let (release, released) = tokio::sync::oneshot::channel::<()>();
    let held = std::sync::Mutex::new(Some(released));
    let (locked, is_locked) = tokio::sync::oneshot::channel::<()>();
    let locked = std::sync::Mutex::new(Some(locked));
    let hold = remote.database.database().write(async move |tx: &mut Transaction<'_>| {
        tx.batch("lock table carts in access exclusive mode").await?;
        let (locked, released) =
            (locked.lock().expect("sound").take(), held.lock().expect("sound").take());
        locked.expect("it runs once").send(()).expect("the test waits");
        released.expect("it runs once").await.map_err(|_| StoreError::Unavailable(String::new()))
    });
    let requests = async {
        is_locked.await.expect("the table is locked");
        let mut answers: FuturesUnordered<_> = (0..6).map(|_| add(&served).send()).collect();
        // The shop's own work may have one of the connections, and the database gives up a lock about when the shop
        // gives up waiting for a connection: so it is three that must be refused, and one that must be served.
        for _ in 0..3 {
            let refused = answers.next().await.expect("six were sent").expect("an answer");
            assert_eq!(refused.status().as_u16(), 503);
            assert!(refused.headers().contains_key("retry-after"));
        }
        release.send(()).expect("the lock is held");
        let mut served = 0;
        while let Some(answer) = answers.next().await {
            let answer = answer.expect("an answer");
            match answer.status().as_u16() {
                201 => served += 1,
                503 => assert!(answer.headers().contains_key("retry-after")),
                other => panic!("{other}"),
            }
        }
        assert!(served > 0, "nobody was served");
    };
    let (held, ()) = tokio::join!(hold, requests);
    held.expect("the lock was held until the end");
    eventually("the shop is ready again", async || is_ready(&served).await).await;
    served.stop().await;
}
