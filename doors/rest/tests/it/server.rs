//! The server itself, over real sockets.

use std::time::Duration;

use axum::{Router, body::Body};
use handel_kit::{DoorSettings, ServerSettings};
use handel_testkit::{TestDatabase, meanwhile, until};
use http::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;

use super::support::{
    Cart, Shop, paying,
    wire::{Running, get, in_time},
};

async fn shop() -> Shop {
    Shop::start(TestDatabase::sqlite().await).await
}

const LIVE: &str = "/health/live";
const QUIET: Duration = Duration::from_secs(5);

fn settings() -> ServerSettings {
    ServerSettings { header_timeout: QUIET, ..ServerSettings::default() }
}

/// Lets quiet connections end until something is there.
async fn while_time_passes<T>(shop: &Shop, awaited: impl Future<Output = T>) -> T {
    let passing = async {
        loop {
            shop.clock.advance(QUIET);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        there = awaited => there,
        () = passing => unreachable!("time passes for ever"),
    }
}

/// A request that pays for a cart.
fn pay(cart: &Cart) -> String {
    let body = paying("tok_ok").to_string();
    let head =
        "POST /api/v1/checkout HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/json";
    let (token, length) = (&cart.token, body.len());
    format!(
        "{head}\r\nHandel-Channel: eur\r\nCart-Token: {token}\r\nIdempotency-Key: k\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_on_which_nothing_happens_are_closed() {
    let shop = shop().await;
    let server = Running::start(&shop, &shop.front, settings()).await;
    let mut quiet = Vec::new();
    // Nothing at all, a part of the first word of HTTP/2, and heads of requests that never end.
    for begun in
        ["", "PRI * HTT", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "G", "GET / HTTP/1.1\r\nX-A: b\r\n"]
    {
        let mut client = server.connect().await;
        client.send(begun).await;
        quiet.push(client);
    }
    let mut idle = server.connect().await;
    assert!(idle.get(LIVE).await.starts_with("HTTP/1.1 200"));
    until("a timer for each of them", || shop.clock.sleepers() >= 6).await;
    shop.clock.advance(QUIET / 2);
    assert!(idle.get(LIVE).await.starts_with("HTTP/1.1 200"));
    shop.clock.advance(QUIET / 2);
    for mut client in quiet {
        let said = client.closed().await;
        assert!(!said.contains("200"), "{said}");
    }
    // It was used in between, so it has some time left, and then none.
    assert!(idle.get(LIVE).await.starts_with("HTTP/1.1 200"));
    assert_eq!(while_time_passes(&shop, idle.closed()).await, "");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_sends_a_byte_now_and_then_is_cut_off_too() {
    let shop = shop().await;
    let server = Running::start(&shop, &shop.front, settings()).await;
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\n").await;
    until("its timer", || shop.clock.sleepers() >= 1).await;
    for _ in 0..4 {
        shop.clock.advance(QUIET / 5);
        client.send("X-A: b\r\n").await;
    }
    assert!(client.is_waiting(), "it has some time left");
    shop.clock.advance(QUIET / 5);
    assert_eq!(client.closed().await, "");
    server.stop().await;
}

/// The empty settings of HTTP/2, and a ping.
const PREFACE: &str = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0";
const PING: &str = "\0\0\u{8}\u{6}\0\0\0\0\0handel??";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_on_which_only_pings_are_answered_is_closed() {
    let shop = shop().await;
    let server = Running::start(&shop, &shop.front, settings()).await;
    let mut client = server.connect().await;
    client.send(&format!("{PREFACE}{PING}")).await;
    // Whatever the server says first, it ends with the answer to the ping.
    client.read_until(b"handel??").await;
    for _ in 0..4 {
        shop.clock.advance(QUIET / 5);
        client.send(PING).await;
        client.read_until(b"handel??").await;
    }
    until("its timer", || shop.clock.sleepers() >= 1).await;
    shop.clock.advance(QUIET / 5);
    client.closed().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_may_take_longer_than_a_quiet_connection() {
    let shop = shop().await;
    shop.product("MUG", 1999, 5).await;
    let cart = shop.cart("MUG", 1).await;
    let server = Running::start(&shop, &shop.front, settings()).await;
    let gate = shop.payments.hold_before_charge();
    let mut client = server.connect().await;
    client.send(&pay(&cart)).await;
    gate.reached().await;
    shop.clock.advance(QUIET + QUIET / 2);
    gate.open();
    let answer = client.answer().await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_more_than_the_limit_waits_until_another_ends() {
    let shop = shop().await;
    let limits = ServerSettings { connections_max: 2, ..settings() };
    let server = Running::start(&shop, &shop.front, limits).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    for client in [&mut first, &mut second] {
        assert!(client.get(LIVE).await.starts_with("HTTP/1.1 200"));
    }
    let mut third = server.connect().await;
    third.send(&get(LIVE)).await;
    // Both are served again and again, and the third one is not.
    for _ in 0..20 {
        first.get(LIVE).await;
        second.get(LIVE).await;
    }
    assert!(third.is_waiting());
    drop(first);
    assert!(third.answer().await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_half_open_connections_do_not_stop_others() {
    let shop = shop().await;
    let limits = ServerSettings { connections_max: 401, ..settings() };
    let server = Running::start(&shop, &shop.front, limits).await;
    let mut slow = Vec::new();
    for _ in 0..400 {
        let mut client = server.connect().await;
        client.send("GET / HTTP/1.1\r\nX-A").await;
        slow.push(client);
    }
    assert!(server.connect().await.get(LIVE).await.starts_with("HTTP/1.1 200"));
    // There is room for one more: whoever comes then is served when the slow ones have been cut off.
    slow.push(server.connect().await);
    until("all places are taken", || shop.clock.sleepers() >= 401).await;
    let mut late = server.connect().await;
    late.send(&get(LIVE)).await;
    assert!(late.is_waiting());
    let answer = while_time_passes(&shop, late.answer()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(slow);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_that_are_too_large_are_refused_and_the_server_lives() {
    let shop = shop().await;
    let server = Running::start(&shop, &shop.front, settings()).await;
    let many = "X-A: b\r\n".repeat(200);
    let long = format!("X-A: {}\r\n", "b".repeat(100_000));
    let address = format!("GET /{} HTTP/1.1\r\nHost: a\r\n", "a".repeat(100_000));
    let rest = format!("GET {LIVE} HTTP/1.1\r\nHost: a\r\n");
    for head in [format!("{rest}{many}"), format!("{rest}{long}"), address] {
        let mut client = server.connect().await;
        let sending = format!("{head}\r\n");
        // The server may close before it has read all of it.
        let _refused = client.try_send(&sending).await;
        let said = client.closed().await;
        let is_refused = said.starts_with("HTTP/1.1 431") || said.starts_with("HTTP/1.1 414");
        assert!(is_refused || said.is_empty(), "{said}");
    }
    for nonsense in ["NONSENSE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\u{0}\u{1}\u{2}\r\n\r\n"] {
        let mut client = server.connect().await;
        client.send(nonsense).await;
        assert!(!client.closed().await.contains("200"));
    }
    assert!(server.connect().await.get(LIVE).await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_a_row_are_answered_in_their_order() {
    let shop = shop().await;
    let server = Running::start(&shop, &shop.front, settings()).await;
    let mut client = server.connect().await;
    client.send(&[get(LIVE), get("/nothing"), get("/api/v1/channels")].concat()).await;
    for (status, part) in [("200", "ok"), ("404", "not_found"), ("200", "EUR")] {
        let answer = client.answer().await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(part),
            "{answer}"
        );
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_is_spoken_by_prior_knowledge() {
    let shop = shop().await;
    shop.product("MUG", 1999, 5).await;
    let cart = shop.cart("MUG", 1).await;
    let server = Running::start(&shop, &shop.front, settings()).await;
    let stream = tokio::net::TcpStream::connect(server.address).await.expect("it listens");
    let (client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    let ended = meanwhile(connection);
    let ask = |origin: &str| {
        let request = Request::post("http://shop.example/api/v1/cart/items")
            .header("origin", origin)
            .header("cookie", format!("handel_cart={}", cart.token))
            .header("content-type", "application/json")
            .body(Body::from("{\"sku\":\"MUG\"}"));
        let mut client = client.clone();
        async move { client.send_request(request.expect("a request")).await.expect("an answer") }
    };
    let (ours, theirs) = (ask("http://shop.example").await, ask("http://evil.example").await);
    assert_eq!((ours.status(), theirs.status()), (StatusCode::OK, StatusCode::FORBIDDEN));
    // However it says so, it has ended.
    let _ended = while_time_passes(&shop, in_time(ended)).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_lets_a_purchase_end_and_nothing_begin() {
    let shop = shop().await;
    shop.product("MUG", 1999, 5).await;
    let cart = shop.cart("MUG", 1).await;
    let server = Running::start(&shop, &shop.front, settings()).await;
    let (mut silent, mut idle, mut buyer) =
        (server.connect().await, server.connect().await, server.connect().await);
    idle.get(LIVE).await;
    let gate = shop.payments.hold_before_charge();
    buyer.send(&pay(&cart)).await;
    gate.reached().await;
    server.signal_stop();
    assert_eq!((idle.closed().await, silent.closed().await), (String::new(), String::new()));
    in_time(async { while server.is_open().await {} }).await;
    assert!(buyer.is_waiting());
    gate.open();
    let answer = buyer.answer().await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["order"]["status"], "paid");
    assert_eq!(buyer.closed().await, "");
    server.ended().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_does_not_wait_for_ever() {
    let shop = shop().await;
    shop.product("MUG", 1999, 5).await;
    let cart = shop.cart("MUG", 1).await;
    let limits = ServerSettings { shutdown_grace: Duration::from_secs(1), ..settings() };
    let server = Running::start(&shop, &shop.front, limits).await;
    let gate = shop.payments.hold_before_charge();
    let mut buyer = server.connect().await;
    buyer.send(&pay(&cart)).await;
    gate.reached().await;
    let before = shop.clock.sleepers();
    server.signal_stop();
    until("the grace begins", || shop.clock.sleepers() > before).await;
    shop.clock.advance(Duration::from_secs(1));
    server.ended().await;
    gate.open();
    shop.idle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_body_is_cut_off_by_the_time_limit_of_bodies() {
    let shop = shop().await;
    let limits = DoorSettings { body_timeout: Duration::from_secs(3), ..DoorSettings::default() };
    let server = Running::start(&shop, &shop.front(limits, Router::new()), settings()).await;
    let mut client = server.connect().await;
    client
        .send("POST /api/v1/cart HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        .await;
    // One sleeps for the connection, one for the request.
    until("the request has begun", || shop.clock.sleepers() >= 2).await;
    shop.clock.advance(Duration::from_secs(3));
    let answer = client.answer().await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request.timeout"), "{answer}");
    server.stop().await;
}
