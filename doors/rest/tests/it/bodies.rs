//! Bodies on their way, and what each client has of its own, over real sockets.

use std::time::Duration;

use axum::Router;
use handel_engine::Scope;
use handel_kit::{DoorSettings, ServerSettings};
use handel_testkit::{TestDatabase, until};

use super::support::{
    Front, Shop,
    wire::{Running, get, in_time},
};

const PRODUCTS: &str = "/api/v1/products";

async fn shop() -> Shop {
    Shop::start(TestDatabase::sqlite().await).await
}

/// Every test client is told apart by its address, as clients without a proxy are.
fn direct() -> (DoorSettings, ServerSettings) {
    let door = DoorSettings { trusted_proxies: Vec::new(), ..DoorSettings::default() };
    (door, ServerSettings { trusted_proxies: Vec::new(), ..ServerSettings::default() })
}

async fn start(shop: &Shop, front: &Front) -> Running {
    Running::start(shop, front, ServerSettings::default()).await
}

/// The head of a request with a body of so many bytes, for a client behind a proxy.
fn head(client: &str, length: usize) -> String {
    format!(
        "POST /api/v1/cart/items HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\nHandel-Channel: eur\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    )
}

/// A whole request that makes a cart.
fn fill(client: &str) -> String {
    let body = r#"{"sku":"MUG"}"#;
    format!("{}{body}", head(client, body.len()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_never_come_take_no_place_of_others() {
    let shop = shop().await;
    let limits = DoorSettings { requests_max: 100, ..DoorSettings::default() };
    let server = start(&shop, &shop.front(limits, Router::new())).await;
    let mut waiting = Vec::new();
    for _ in 0..300 {
        let mut client = server.connect().await;
        client.send(&format!("{}{{", head("192.0.2.1", 1_000))).await;
        waiting.push(client);
    }
    // Of one client, only so many are waited for; the others are turned away at once.
    let turned_away = || waiting.iter().filter(|client| !client.is_waiting()).count();
    until("the others know", || turned_away() >= 250).await;
    assert_eq!(turned_away(), 250);
    let mut other = server.connect().await;
    for _ in 0..3 {
        assert!(other.get(PRODUCTS).await.starts_with("HTTP/1.1 200"));
        other.send(&head("192.0.2.2", 2)).await;
        other.send("{}").await;
        let answer = other.answer().await;
        assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
    }
    // A server that stops waits for what is under way.
    drop((waiting, other));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_connection_waits_for_a_few_bodies_only() {
    use hyper_util::rt::{TokioExecutor, TokioIo};
    let shop = shop().await;
    let server = start(&shop, &shop.front).await;
    let stream = tokio::net::TcpStream::connect(server.address).await.expect("it listens");
    let (client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("HTTP/2");
    let ended = handel_testkit::meanwhile(connection);
    let ask = || {
        let never = axum::body::Body::from_stream(futures_util::stream::pending::<
            Result<bytes::Bytes, std::io::Error>,
        >());
        let request = http::Request::post("http://shop.example/api/v1/cart/items").body(never);
        let mut client = client.clone();
        handel_testkit::meanwhile(async move {
            client.send_request(request.expect("a request")).await.map(|answer| answer.status())
        })
    };
    let mut asked: Vec<_> = (0..40).map(|_| ask()).collect();
    in_time(async {
        while asked.iter().filter(|asked| asked.is_finished()).count() < 8 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let (answered, waiting): (Vec<_>, Vec<_>) =
        asked.drain(..).partition(tokio::task::JoinHandle::is_finished);
    assert_eq!((answered.len(), waiting.len()), (8, 32));
    for answered in answered {
        let status = answered.await.expect("no panic").expect("an answer");
        assert_eq!(status, http::StatusCode::SERVICE_UNAVAILABLE);
    }
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    ended.abort();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_drips_is_cut_off() {
    let shop = shop().await;
    let server = start(&shop, &shop.front).await;
    let mut client = server.connect().await;
    client.send(&head("192.0.2.1", 1_000)).await;
    until("it is waited for", || shop.clock.sleepers() >= 2).await;
    for _ in 0..5 {
        client.send("x").await;
        shop.clock.advance(Duration::from_secs(1));
    }
    let answer = client.answer().await;
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("request.timeout"), "{answer}");
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(client.closed().await, "");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_may_change_so_much_in_a_minute() {
    let shop = shop().await;
    shop.product("MUG", 1999, 50).await;
    let limits = DoorSettings { writes_per_minute: 3, ..DoorSettings::default() };
    let server = start(&shop, &shop.front(limits, Router::new())).await;
    let mut client = server.connect().await;
    let mut ask = async |request: &str| {
        client.send(request).await;
        client.answer().await
    };
    for _ in 0..3 {
        assert!(ask(&fill("192.0.2.1")).await.starts_with("HTTP/1.1 201"));
    }
    let refused = ask(&fill("192.0.2.1")).await;
    assert!(refused.starts_with("HTTP/1.1 429") && refused.contains("rate_limited"), "{refused}");
    assert!(refused.contains("retry-after: 20"), "{refused}");
    assert!(ask(&get(PRODUCTS)).await.starts_with("HTTP/1.1 200"), "reading is free");
    // Another client, staff, and who is at the machine itself are not concerned.
    assert!(ask(&fill("192.0.2.2")).await.starts_with("HTTP/1.1 201"));
    let key = shop.key(&[Scope::CatalogWrite]).await;
    let staff =
        fill("192.0.2.1").replace("Host: a", &format!("Host: a\r\nAuthorization: Bearer {key}"));
    for _ in 0..5 {
        assert!(!ask(&staff).await.starts_with("HTTP/1.1 429"));
        assert!(
            ask(&fill("").replace("X-Forwarded-For: \r\n", "")).await.starts_with("HTTP/1.1 201")
        );
    }
    // A wrong key makes nobody staff.
    let wrong = staff.replace(&key, "hk_wrong");
    assert!(ask(&wrong).await.starts_with("HTTP/1.1 401"));
    shop.clock.advance(Duration::from_secs(20));
    // The connection was quiet for too long meanwhile.
    let mut client = server.connect().await;
    for status in ["201", "429"] {
        client.send(&fill("192.0.2.1")).await;
        let answer = client.answer().await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_gets_an_eighth_of_all_connections() {
    let shop = shop().await;
    let (door, server) = direct();
    let limits = ServerSettings { connections_max: 16, ..server };
    let server = Running::start(&shop, &shop.front(door, Router::new()), limits).await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    for client in [&mut first, &mut second] {
        assert!(client.get(PRODUCTS).await.starts_with("HTTP/1.1 200"));
    }
    let mut third = server.connect().await;
    assert_eq!(third.closed().await, "");
    drop(first);
    in_time(async {
        loop {
            let mut again = server.connect().await;
            let _closed = again.try_send(&get(PRODUCTS)).await;
            if again.said_first(b'H').await {
                break;
            }
        }
    })
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_servers_could_read_differently_is_refused() {
    let shop = shop().await;
    let server = start(&shop, &shop.front).await;
    let chunked = "1\r\n{\r\n0\r\n\r\n";
    for (request, status) in [
        (format!("GET {PRODUCTS} HTTP/1.1\r\n\r\n"), "400"),
        (format!("GET {PRODUCTS} HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), "400"),
        (format!("GET {PRODUCTS} HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), "400"),
        (
            format!(
                "POST {PRODUCTS} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}"
            ),
            "501",
        ),
        (
            format!(
                "POST {PRODUCTS} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n{chunked}"
            ),
            "501",
        ),
        (format!("GET {PRODUCTS} HTTP/1.0\r\n\r\n"), "200"),
        (format!("GET {PRODUCTS} HTTP/1.1\r\nHost: a\r\n\r\n"), "200"),
        (
            format!(
                "POST {PRODUCTS} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n{chunked}"
            ),
            "405",
        ),
    ] {
        let mut client = server.connect().await;
        client.send(&request).await;
        let answer = client.answer().await;
        let line = answer.lines().next().unwrap_or_default();
        assert!(line.contains(status), "{request}: {answer}");
        if matches!(status, "400" | "501") {
            assert_eq!(client.closed().await, "", "nothing else is read on this connection");
        }
    }
    server.stop().await;
}

#[tokio::test]
async fn a_body_has_no_more_values_than_its_size_needs() {
    let shop = shop().await;
    let dense = format!(r#"{{"sku":"MUG","x":[{}]}}"#, vec![r#"{"":0}"#; 30_000].join(","));
    let refused = shop.post("/cart/items").text(&dense).send().await;
    refused.problem(413, "request.too_large");
    // Much text is no reason.
    let long = format!(r#"{{"sku":"{}"}}"#, ",".repeat(30_000));
    assert_eq!(shop.post("/cart/items").text(&long).send().await.status, 422);
    let agents = DoorSettings {
        agent_paths: vec!["/api/v1/cart"],
        agent_body_max: 10_000,
        ..DoorSettings::default()
    };
    let front = shop.front(agents, Router::new());
    front.post("/cart/items").text(&long).send().await.problem(413, "request.too_large");
}

#[tokio::test]
async fn no_page_is_without_a_policy() {
    let shop = shop().await;
    let reply = shop.get("/docs/").send().await.expect(200);
    let policy = reply.header("content-security-policy");
    for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert_eq!(reply.header("x-frame-options"), "DENY");
    let bare = Router::new()
        .route("/api/v1/bare", axum::routing::get(async || axum::response::Html("<p>")));
    let reply = shop.front(DoorSettings::default(), bare).get("/bare").send().await.expect(200);
    assert!(reply.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(reply.header("x-frame-options"), "DENY");
}
