//! The pages of a buyer, through the real router.

use axum::{Router, body::Body};
use handel_domain::payment::Report;
use handel_ports::PaymentProvider as _;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use crate::world::{World, captured, charge, key, order_of};

struct Page {
    response: Response<()>,
    text: String,
}

impl Page {
    fn header(&self, name: header::HeaderName) -> &str {
        self.response.headers()[name].to_str().unwrap()
    }
}

async fn send(router: Router, request: Request<Body>) -> Page {
    let (head, body) = router.oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    Page {
        response: Response::from_parts(head, ()),
        text: String::from_utf8(bytes.to_vec()).unwrap(),
    }
}

async fn get(world: &World, path: &str, accept: &str) -> Page {
    let request = Request::get(path).header(header::ACCEPT, accept).body(Body::empty()).unwrap();
    send(world.payments.pages(), request).await
}

async fn post(world: &World, path: &str, accept: &str, form: &'static str) -> Page {
    let request = Request::post(path)
        .header(header::ACCEPT, accept)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    send(world.payments.pages(), request).await
}

/// A world with a charge that waits for its buyer, and the path of its page.
async fn waiting(return_url: Option<&str>) -> (World, String) {
    let world = World::new();
    let mut charge = charge(key(1), "tok_action_required");
    charge.return_url = return_url.map(str::to_owned);
    world.payments.charge(charge).await;
    (world, format!("/test-payments/{}", key(1)))
}

const HTML: &str = "text/html";
const JSON: &str = "application/json";

#[tokio::test]
async fn the_page_shows_what_is_paid_and_asks() {
    let (world, path) = waiting(Some("https://other.example/done")).await;
    let page = get(&world, &path, HTML).await;
    assert_eq!(page.response.status(), StatusCode::OK);
    assert_eq!(page.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    for part in [
        order_of(key(1)).to_string().as_str(),
        "12.50 EUR",
        r#"<form method="post">"#,
        r#"value="approve""#,
        r#"value="decline""#,
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    assert!(matches!(world.find(key(1)).await, Report::ActionRequired { .. }), "looking is free");
}

#[tokio::test]
async fn the_page_loads_and_runs_nothing() {
    let (world, path) = waiting(Some("https://other.example/done")).await;
    let page = get(&world, &path, HTML).await;
    assert!(!page.text.contains("<script") && !page.text.contains("http"), "{}", page.text);
    let policy = page.header(header::CONTENT_SECURITY_POLICY);
    for directive in [
        "default-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        // Browsers check the redirect after the form, so the shop must be in it.
        "form-action 'self' https://other.example",
    ] {
        assert!(policy.contains(directive), "{directive} in {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let style = page.text.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    assert!(policy.contains(&format!("style-src 'sha256-{}'", sha256(style))), "{policy}");
    assert_eq!(page.header(header::CACHE_CONTROL), "no-store");
    assert_eq!(page.header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
}

fn sha256(text: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::Digest as _;
    STANDARD.encode(sha2::Sha256::digest(text))
}

#[tokio::test]
async fn a_decision_ends_the_charge_and_leads_back_to_the_shop() {
    for (form, is_taken) in [("decision=approve", true), ("decision=decline", false)] {
        let (world, path) = waiting(Some("https://other.example/done?a=1&b=2")).await;
        let page = post(&world, &path, HTML, form).await;
        assert_eq!(page.response.status(), StatusCode::SEE_OTHER);
        assert_eq!(page.header(header::LOCATION), "https://other.example/done?a=1&b=2");
        let report = world.find(key(1)).await;
        assert_eq!(report == captured(key(1), 1250), is_taken, "{report:?}");
        // The opposite comes too late, and the page no longer asks.
        post(&world, &path, HTML, if is_taken { "decision=decline" } else { "decision=approve" })
            .await;
        assert_eq!(world.find(key(1)).await, report);
        let page = get(&world, &path, HTML).await;
        assert!(!page.text.contains("<form"), "{}", page.text);
        assert!(page.text.contains(r#"href="https://other.example/done?a=1&amp;b=2""#));
    }
}

#[tokio::test]
async fn a_path_of_this_site_is_a_way_back() {
    let (world, path) = waiting(Some("/orders/1")).await;
    let page = post(&world, &path, HTML, "decision=approve").await;
    assert_eq!(page.header(header::LOCATION), "/orders/1");
}

#[tokio::test]
async fn without_a_safe_way_back_the_buyer_may_close_the_window() {
    for return_url in
        [None, Some("javascript:alert(1)"), Some("//evil.example"), Some("\"><script>")]
    {
        let (world, path) = waiting(return_url).await;
        let page = post(&world, &path, HTML, "decision=approve").await;
        assert_eq!(page.response.status(), StatusCode::OK);
        assert!(page.text.contains("You can close this window."), "{}", page.text);
        assert!(!page.text.contains("evil") && !page.text.contains("script>"), "{}", page.text);
        assert_eq!(world.find(key(1)).await, captured(key(1), 1250));
    }
}

#[tokio::test]
async fn what_goes_into_the_page_is_escaped() {
    let (world, path) = waiting(Some("/a'\"<b>&amp;")).await;
    post(&world, &path, HTML, "decision=approve").await;
    let page = get(&world, &path, HTML).await;
    assert!(page.text.contains(r#"href="/a&#39;&quot;&lt;b&gt;&amp;amp;""#), "{}", page.text);
}

#[tokio::test]
async fn an_unknown_payment_has_no_page() {
    let world = World::new();
    for path in [format!("/test-payments/{}", key(9)), "/test-payments/%3Cb%3E".to_owned()] {
        let page = get(&world, &path, HTML).await;
        assert_eq!(page.response.status(), StatusCode::NOT_FOUND);
        assert!(page.text.contains("There is no such test payment.") && !page.text.contains("<b>"));
        let page = post(&world, &path, HTML, "decision=approve").await;
        assert_eq!(page.response.status(), StatusCode::NOT_FOUND);
        assert_eq!(get(&world, &path, JSON).await.response.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn nothing_is_decided_without_a_decision() {
    let (world, path) = waiting(None).await;
    for form in ["", "decision=", "decision=maybe", "approve"] {
        let page = post(&world, &path, HTML, form).await;
        assert_eq!(page.response.status(), StatusCode::BAD_REQUEST, "{form}");
    }
    assert!(matches!(world.find(key(1)).await, Report::ActionRequired { .. }));
}

#[tokio::test]
async fn a_script_reads_and_decides_in_json() {
    let (world, path) = waiting(Some("/orders/1")).await;
    let page = get(&world, &path, JSON).await;
    assert_eq!(page.header(header::CONTENT_TYPE), "application/json");
    let json: serde_json::Value = serde_json::from_str(&page.text).unwrap();
    assert_eq!(
        (&json["status"], &json["amount_minor"], &json["currency"], &json["return_url"]),
        (&"action_required".into(), &1250.into(), &"EUR".into(), &"/orders/1".into())
    );
    let page = post(&world, &path, JSON, "decision=approve").await;
    assert_eq!(page.response.status(), StatusCode::OK);
    let json: serde_json::Value = serde_json::from_str(&page.text).unwrap();
    assert_eq!(json["status"], "captured");
    assert_eq!(world.find(key(1)).await, captured(key(1), 1250));
}
