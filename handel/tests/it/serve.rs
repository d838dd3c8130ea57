//! A server from its start to its end.

use std::{fs, os::unix::fs::PermissionsExt as _};

use reqwest::Method;
use rustix::process::Signal;

use super::support::{Place, answer, eventually, sample};

#[tokio::test]
async fn a_server_says_what_it_is_made_of_and_answers() {
    let place = Place::new();
    let served = place.serve();
    for part in ["SQLite in ./handel-data, durable", "test provider (no real money)", &served.url] {
        assert!(served.said.contains(part), "{}", served.said);
    }
    assert_eq!(served.get("/health/live").await["status"], "ok");
    assert_eq!(served.get("/health/ready").await["status"], "ok");
    assert_eq!(served.get("/openapi.json").await["info"]["title"], "Handel");
    assert_eq!(served.get("/api/v1/channels").await["items"][0]["code"], "default");
    let (_, metrics) = answer(served.request(Method::GET, "/metrics")).await;
    assert!(metrics.as_str().unwrap().contains("handel_http_requests_total"), "{metrics}");
    let secret = fs::metadata(place.path("handel-data/test-payments.secret")).unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
    served.stop().await;
}

#[tokio::test]
async fn one_directory_belongs_to_one_server() {
    let place = Place::new();
    let served = place.serve();
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["key", "list"]] {
        let complaint = place.fail(arguments);
        assert!(complaint.contains("a server uses this data directory"), "{complaint}");
    }
    served.stop().await;
    place.succeed(&["key", "list"]);
}

#[tokio::test]
async fn an_address_in_use_is_told() {
    let place = Place::new();
    let served = place.serve();
    let address = served.url.strip_prefix("http://").unwrap();
    let complaint = place.fail(&["serve", "--data-dir", "other", "--listen", address]);
    assert!(complaint.contains(&format!("cannot listen on {address}")), "{complaint}");
    assert!(!place.path("other").exists(), "nothing is made where the start fails");
    served.stop().await;
}

/// Goal: a result that comes later reaches the shop over its own webhook.
#[tokio::test]
async fn a_payment_that_takes_a_while_is_completed_by_its_webhook() {
    let place = Place::new();
    place.succeed(&["import", "products", &sample()]);
    let served = place.serve();
    let token = served.cart_with("MUG-BLUE", 1).await;
    let (status, body) = answer(served.buy(&token, "tok_async_ok")).await;
    assert_eq!(status, 202, "{body}");
    eventually("the order is paid", async || {
        let orders = served.request(Method::GET, "/api/v1/orders").header("Cart-Token", &token);
        let (_, orders) = answer(orders).await;
        orders["items"][0]["status"] == "paid"
    })
    .await;
    served.stop().await;
}

/// Goal: what is under way when the server is told to stop is answered, and nothing new is taken.
#[tokio::test]
async fn a_server_that_is_told_to_stop_lets_payments_end() {
    let place = Place::new();
    place.succeed(&["import", "products", &sample()]);
    let mut served = place.serve_with(&["serve"], &[("HANDEL__PAYMENTS__TEST__HANG_MS", "1500")]);
    let token = served.cart_with("MUG-BLUE", 2).await;
    let buy = served.buy(&token, "tok_timeout_after_charge");
    let bought = tokio::join!(answer(buy), async {
        eventually("the order is placed", async || {
            let orders = served.request(Method::GET, "/api/v1/orders").header("Cart-Token", &token);
            let (_, orders) = answer(orders).await;
            orders["items"].as_array().is_some_and(|orders| !orders.is_empty())
        })
        .await;
        served.terminate();
        eventually("no more connections are taken", async || {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            client.get(format!("{}/health/live", served.url)).send().await.is_err()
        })
        .await;
    });
    let (status, body) = bought.0;
    assert_eq!(status, 202, "{body}");
    assert_eq!(served.ended().await, Some(0), "{}", served.log_text());

    // The next process finds out what became of the charge.
    let served = place.serve();
    eventually("the order is paid", async || {
        let orders = served.request(Method::GET, "/api/v1/orders").header("Cart-Token", &token);
        let (_, orders) = answer(orders).await;
        orders["items"][0]["status"] == "paid"
    })
    .await;
    served.stop().await;
}

#[tokio::test]
async fn a_second_signal_ends_a_server_at_once() {
    let place = Place::new();
    place.succeed(&["import", "products", &sample()]);
    let variables = [
        ("HANDEL__PAYMENTS__TEST__HANG_MS", "60000"),
        ("HANDEL__LIMITS__PROVIDER_TIMEOUT_MS", "60000"),
        ("HANDEL__SERVER__REQUEST_TIMEOUT_MS", "60000"),
    ];
    let mut served = place.serve_with(&["serve"], &variables);
    let token = served.cart_with("MUG-BLUE", 1).await;
    let buy = served.buy(&token, "tok_timeout_before_charge").send();
    let (_broken_off, ended) = tokio::join!(buy, async {
        eventually("the order is placed", async || {
            let orders = served.request(Method::GET, "/api/v1/orders").header("Cart-Token", &token);
            let (_, orders) = answer(orders).await;
            orders["items"].as_array().is_some_and(|orders| !orders.is_empty())
        })
        .await;
        served.signal(Signal::INT);
        eventually("the first signal is seen", async || served.log_text().contains("told to stop"))
            .await;
        served.terminate();
        served.ended().await
    });
    assert_eq!(ended, Some(1));
}
