//! Panics, overload and time limits.

use std::time::Duration;

use axum::{Router, routing::get};
use handel_kit::DoorSettings;
use handel_testkit::{TestDatabase, both_databases, meanwhile, until};

use super::support::{Shop, paying};

#[tokio::test]
async fn a_panic_is_a_problem_and_the_server_lives() {
    let shop = Shop::start(TestDatabase::sqlite().await).await;
    let panics =
        Router::new().route("/api/v1/panic", get(async || -> String { panic!("a secret") }));
    let front = shop.front(DoorSettings { requests_max: 1, ..DoorSettings::default() }, panics);
    for _ in 0..3 {
        // Were its place not given back, the second request would find none.
        let reply = front.get("/panic").send().await;
        reply.problem(500, "internal");
        assert!(!reply.to_string().contains("a secret"), "{reply}");
    }
    front.get("/products").send().await.expect(200);
}

/// Goal: when the disk cannot keep up, requests are turned away before they stand in a long queue; those that
/// stand there are served, and the process is not taken for a dead one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_joins_a_long_queue_for_the_database() {
    let mut shop = Shop::start(TestDatabase::sqlite().await).await;
    let settings = DoorSettings { queue_max: 2, ..DoorSettings::default() };
    let front = shop.front(settings, Router::new());
    let slow = shop.slow_disk().await;
    let mut waiting = Vec::new();
    for count in 1..=3 {
        waiting.push(meanwhile(front.post("/cart").send()));
        until("a request in the queue", || shop.engine.waiting() == count).await;
    }
    for call in [front.post("/cart"), front.get("/products")] {
        let refused = call.send().await;
        refused.problem(503, "request.overloaded");
        assert_eq!(refused.header("retry-after"), "1");
    }
    front.get("/health/live").send().await.expect(200);
    drop(slow);
    for served in waiting {
        served.await.expect("it ends").expect(201);
    }
    front.post("/cart").send().await.expect(201);
    front.get("/health/ready").send().await.expect(200);
    shop.finish().await;
}

both_databases! {
    /// Goal: a shop that is full says so at once, and still answers whoever watches over it.
    async fn overload_is_told_at_once_and_health_is_not_part_of_it(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        let cart = shop.cart("MUG", 1).await;
        let front = shop.front(DoorSettings { requests_max: 1, ..DoorSettings::default() }, Router::new());
        let gate = shop.payments.hold_before_charge();
        let submit = || front.post("/checkout").cart(&cart.token).once("k").json(&paying("tok_ok"));
        let held = meanwhile(submit().send());
        gate.reached().await;
        for _ in 0..3 {
            let refused = front.get("/products").send().await;
            refused.problem(503, "request.overloaded");
            assert_eq!(refused.header("retry-after"), "1");
        }
        for path in ["/health/live", "/health/ready", "/metrics"] {
            front.get(path).send().await.expect(200);
        }
        gate.open();
        held.await.expect("it ends").expect(201);
        front.get("/products").send().await.expect(200);
    }

    /// Goal: a request that takes too long is ended, what it began is not, and its repetition gets the order.
    async fn what_a_request_began_goes_on_when_its_time_is_over(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        let cart = shop.cart("MUG", 1).await;
        let settings = DoorSettings { request_timeout: Duration::from_secs(2), ..DoorSettings::default() };
        let front = shop.front(settings, Router::new());
        let gate = shop.payments.hold_before_charge();
        let submit = || front.post("/checkout").cart(&cart.token).once("k").json(&paying("tok_ok"));
        let slow = meanwhile(submit().send());
        gate.reached().await;
        shop.clock.advance(Duration::from_secs(3));
        let ended = slow.await.expect("it ends");
        ended.problem(503, "request.timeout");
        assert_eq!(ended.header("retry-after"), "1");
        gate.open();
        shop.idle().await;
        let bought = submit().send().await.expect(201);
        assert!(bought.is_replayed());
        assert_eq!(bought.json()["order"]["status"], "paid");
        assert_eq!(shop.payments.calls().charges, 1);
    }

    /// Goal: a client that goes away in the middle of paying finds its order when it comes back.
    async fn a_client_that_goes_away_finds_its_order(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        let cart = shop.cart("MUG", 1).await;
        let gate = shop.payments.hold_after_charge();
        let submit = || shop.post("/checkout").cart(&cart.token).once("k").json(&paying("tok_ok"));
        let gone = meanwhile(submit().send());
        gate.reached().await;
        gone.abort();
        until("an end of the request", || gone.is_finished()).await;
        gate.open();
        shop.idle().await;
        let bought = submit().send().await.expect(201);
        assert!(bought.is_replayed());
        assert_eq!(shop.payments.calls().charges, 1);
    }

    /// Goal: whatever is asked, an answer says nothing of what runs here, and may not be kept or reinterpreted.
    async fn every_answer_has_the_headers_of_a_careful_server(shop: Shop) {
        for path in ["/products", "/nothing", "/health/live", "/orders/x", "/openapi.json"] {
            let reply = shop.get(path).send().await;
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
            // What everybody may see may be kept, if it is asked for again each time.
            let kept = if path == "/products" { "no-cache" } else { "no-store" };
            assert_eq!(reply.header("cache-control"), kept, "{path}");
            assert_eq!(reply.header("referrer-policy"), "same-origin", "{path}");
            assert!(reply.header("x-request-id").starts_with("req_"), "{path}");
            assert!(!reply.headers.contains_key("server"), "{path}");
        }
        let long = "x".repeat(8000);
        let reply = shop.get("/products").header("x-request-id", &long).send().await.expect(200);
        assert!(reply.header("x-request-id").len() < 64, "what a client sends is not taken over");
    }
}
