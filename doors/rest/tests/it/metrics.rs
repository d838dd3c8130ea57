//! What is counted, and that it cannot grow without end.

use std::time::Duration;

use handel_testkit::both_databases;
use http::Method;
use serde_json::json;

use super::support::{Shop, paying};

both_databases! {
    /// Goal: requests, refusals, events that wait and jobs are counted under the names that dashboards use.
    async fn requests_refusals_and_work_are_counted(shop: Shop) {
        shop.product("MUG", 1999, 5).await;
        shop.settle().await;
        let cart = shop.cart("MUG", 1).await;
        for _ in 0..2 {
            shop.get("/products/mug").send().await.expect(200);
            shop.post("/cart/items").json(&json!({ "sku": "NONE" })).send().await.expect(404);
        }
        let submit = shop.post("/checkout").cart(&cart.token).once("k").json(&paying("tok_async_ok"));
        submit.send().await.expect(202);
        shop.clock.advance(Duration::from_secs(60));
        let signed = shop.sign(&shop.due_webhooks().await[0]);
        let webhook = shop.post("/webhooks/test").headers(&signed.headers).body(signed.body);
        webhook.send().await.expect(200);
        let jobs = shop.engine.job_stats().await.expect("jobs can be counted").queued;
        let waiting = shop.engine.outbox_stats().await.expect("events can be counted").waiting;
        assert!(jobs > 0 && waiting > 0, "{jobs} jobs, {waiting} events");

        let reply = shop.get("/metrics").send().await.expect(200);
        assert!(reply.header("content-type").starts_with("application/openmetrics-text"));
        let text = String::from_utf8(reply.body.to_vec()).expect("text");
        for line in [
            "handel_http_requests_total{method=\"GET\",route=\"/api/v1/products/{key}\",status=\"200\"} 2",
            "handel_http_requests_total{method=\"POST\",route=\"/api/v1/checkout\",status=\"202\"} 1",
            "handel_http_request_seconds_count{method=\"GET\",route=\"/api/v1/products/{key}\"} 2",
            "handel_refusals_total{code=\"variant.unknown\"} 2",
            &format!("handel_outbox_waiting {waiting}"),
            &format!("handel_jobs_queued {jobs}"),
            "handel_jobs_dead 0",
            "handel_webhooks_waiting 0",
            "handel_webhooks_dead 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(text.contains("handel_outbox_lag_milliseconds ") && text.contains("handel_jobs_lag_milliseconds "));
        assert!(text.ends_with("# EOF\n"));
    }

    /// Goal: no client can make the metrics grow by what it invents: addresses, ids or methods.
    async fn labels_are_bounded(shop: Shop) {
        for number in 0..20 {
            shop.get(&format!("/nothing-{number}")).send().await.expect(404);
            shop.get(&format!("/products/thing-{number}")).send().await.expect(404);
            shop.get(&format!("/media/{number}.png")).send().await.expect(404);
            shop.get(&format!("/docs/{number}")).send().await;
            let method = Method::from_bytes(format!("BREW{number}").as_bytes()).expect("a method");
            shop.call(method, "/products").send().await.expect(405);
            let header = format!("unknown-{number}");
            shop.get("/products").header("handel-channel", &header).send().await.expect(404);
        }
        let text = shop.get("/metrics").send().await.expect(200).body;
        let text = String::from_utf8(text.to_vec()).expect("text");
        let series = text.lines().filter(|line| line.starts_with("handel_http_requests_total{")).count();
        assert!((1..=8).contains(&series), "{series} series:\n{text}");
        let unmatched = "handel_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 20";
        assert!(text.lines().any(|line| line == unmatched), "{text}");
        assert!(text.contains("method=\"other\"") && !text.contains("BREW"), "{text}");
    }
}
