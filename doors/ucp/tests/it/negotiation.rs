//! Who asks, in which version, and what both can do.

use std::{sync::Arc, time::Duration};

use handel_ports::WebError;
use handel_testkit::{TestDatabase, both_databases, meanwhile, together};
use handel_ucp::Version;
use http::HeaderMap;
use serde_json::{Value, json};

use crate::support::{AGENT, Agent, Shop, basket, platform, platform_with, settings, value};

both_databases! {
    async fn who_does_not_say_who_they_are_is_turned_away(shop: Shop) {
        let agent = shop.agent();
        let nobody = Agent { profile: None, ..agent.clone() };
        nobody.get("/carts/x").send().await.transport(400, "invalid_profile_url");
        for wrong in [
            "profile=https://agent.example/p", "https://agent.example/p", "profile=\"\"", "x=\"y\"",
            "profile=\"http://agent.example/p\"", "profile=\"https://user:pw@agent.example/p\"",
            "profile=\"http://localhost/p\"", "profile=\"file:///etc/passwd\"", "\u{ff}",
        ] {
            let call = nobody.get("/carts/x").header("ucp-agent", wrong);
            call.send().await.transport(400, "invalid_profile_url");
        }
    }

    async fn profiles_that_cannot_be_read_are_told_apart(shop: Shop) {
        let at = |url: &str| Agent { profile: Some(url.to_owned()), ..shop.agent() };
        let missing = at("https://missing.example/p").get("/carts/x").send().await;
        missing.transport(424, "profile_unreachable");
        for (url, body) in [
            ("https://a.example/p", "no json"),
            ("https://b.example/p", "{}"),
            ("https://c.example/p", r#"{"ucp": {"version": "latest"}}"#),
            ("https://d.example/p", &format!("{{\"x\": \"{}\"}}", "x".repeat(300_000))),
        ] {
            shop.web.publish(url, HeaderMap::new(), body.to_owned());
            at(url).get("/carts/x").send().await.transport(422, "profile_malformed");
        }
        shop.web.publish("https://old.example/p", HeaderMap::new(), r#"{"ucp": {"version": "2020-01-01"}}"#);
        at("https://old.example/p").get("/carts/x").send().await.transport(422, "version_unsupported");
    }

    async fn only_what_both_have_is_used(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let profile = platform_with(Version::ROOT, &["dev.ucp.shopping.cart", "dev.ucp.shopping.fulfillment"]);
        let agent = shop.agent_with("https://carts.example/p", &profile);
        let cart = agent.post("/carts", &json!({ "line_items": [] })).send().await.created();
        let active: Vec<_> = cart["ucp"]["capabilities"].as_object().expect("capabilities").keys().collect();
        assert_eq!(active, ["dev.ucp.shopping.cart"], "there is nothing for the extension to extend");
        let refused = agent.post("/checkout-sessions", &basket("MUG", 1)).send().await;
        let refused = refused.outcome("capabilities_incompatible");
        assert_eq!(refused["ucp"]["capabilities"], json!({}));
        assert_eq!(refused["continue_url"], "https://shop.example/");
        let nothing = shop.agent_with("https://none.example/p", &json!({ "ucp": { "version": "2026-08-25" } }));
        nothing.get("/carts/x").send().await.outcome("capabilities_incompatible");
        // A declaration of another version than the profile is as if it were not there.
        let mut stale = platform(Version::ROOT);
        stale["ucp"]["capabilities"]["dev.ucp.shopping.cart"][0]["version"] = json!("2026-04-08");
        let stale = shop.agent_with("https://stale.example/p", &stale);
        stale.get("/carts/x").send().await.outcome("capabilities_incompatible");
    }

    async fn answers_say_what_is_agreed_on_and_matters(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let names = |resource: &Value| -> Vec<String> {
            let all = resource["ucp"]["capabilities"].as_object().expect("capabilities");
            all.keys().map(|name| name.trim_start_matches("dev.ucp.shopping.").to_owned()).collect()
        };
        let bought = agent.buy("MUG", 1).await;
        assert_eq!(names(&bought), ["buyer_consent", "checkout", "discount", "fulfillment"]);
        let order = format!("/orders/{}", bought["order"]["id"].as_str().expect("an id"));
        assert_eq!(names(&agent.get(&order).send().await.ok()), ["order"]);
        let cart = agent.post("/carts", &json!({ "line_items": [] })).send().await.created();
        assert_eq!(names(&cart), ["buyer_consent", "cart", "discount"]);
        let found = agent.post("/catalog/search", &json!({ "query": "mug" })).send().await.ok();
        assert_eq!(names(&found), ["catalog.search"]);
    }

    async fn a_profile_is_read_once_for_a_while(shop: Shop) {
        let agent = shop.agent();
        let before = shop.web.fetches();
        let calls = (0..20).map(|_| { let agent = agent.clone(); async move { agent.get("/carts/x").send().await } });
        for reply in together(calls).await {
            reply.outcome("not_found");
        }
        assert_eq!(shop.web.fetches() - before, 1, "also by twenty at once");
        shop.clock.advance(Duration::from_secs(61));
        agent.get("/carts/x").send().await.outcome("not_found");
        assert_eq!(shop.web.fetches() - before, 2);
        // Its host may ask for longer.
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", value("public, max-age=600"));
        shop.web.publish("https://calm.example/p", headers, platform(Version::ROOT).to_string());
        let calm = Agent { profile: Some("https://calm.example/p".into()), ..agent };
        for _ in 0..3 {
            calm.get("/carts/x").send().await.outcome("not_found");
            shop.clock.advance(Duration::from_secs(200));
        }
        assert_eq!(shop.web.fetches() - before, 3);
    }

    async fn a_failure_is_remembered_for_a_moment(shop: Shop) {
        let agent = Agent { profile: Some("https://new.example/p".into()), ..shop.agent() };
        let before = shop.web.fetches();
        for _ in 0..5 {
            agent.get("/carts/x").send().await.transport(424, "profile_unreachable");
        }
        assert_eq!(shop.web.fetches() - before, 1);
        shop.web.publish("https://new.example/p", HeaderMap::new(), platform(Version::ROOT).to_string());
        shop.clock.advance(Duration::from_secs(11));
        agent.get("/carts/x").send().await.outcome("not_found");
    }

    async fn who_is_known_stays_known_if_the_profile_cannot_be_read(shop: Shop) {
        let agent = shop.agent();
        agent.get("/carts/x").send().await.outcome("not_found");
        shop.web.publish(AGENT, HeaderMap::new(), "out of order");
        for minute in 1..60 {
            shop.clock.advance(Duration::from_secs(60));
            let reply = agent.get("/carts/x").send().await;
            assert_eq!(reply.status, 200, "minute {minute}: {reply}");
        }
        // But not for ever: keys and addresses may have been given up.
        shop.clock.advance(Duration::from_secs(60));
        agent.get("/carts/x").send().await.transport(422, "profile_malformed");
        shop.web.publish(AGENT, HeaderMap::new(), platform(Version::ROOT).to_string());
        shop.clock.advance(Duration::from_secs(61));
        agent.get("/carts/x").send().await.outcome("not_found");
    }

    async fn who_is_known_stays_known_in_a_crowd(shop: Shop) {
        let agent = shop.agent();
        agent.get("/carts/x").send().await.outcome("not_found");
        let crowd = async |from: u32| {
            let mut at = from;
            let stranger = |at| Agent { profile: Some(format!("https://crowd.example/{at}")), ..shop.agent() };
            while stranger(at).get("/carts/x").send().await.status != 503 {
                at += 1;
            }
            at + 1
        };
        // More strangers than places for profiles, and none of them has one.
        let mut at = 0;
        while at < 1_200 {
            at = crowd(at).await;
            shop.clock.advance(Duration::from_secs(2));
        }
        // What is known of it is old by now, and the crowd takes all that may be read.
        shop.clock.advance(Duration::from_secs(61));
        crowd(at).await;
        let before = shop.web.fetches();
        agent.get("/carts/x").send().await.outcome("not_found");
        assert_eq!(shop.web.fetches(), before, "nothing more could be read");
    }

    async fn nobody_makes_the_shop_a_tool_against_others(shop: Shop) {
        let mut limited = None;
        for at in 0..200 {
            let agent = Agent { profile: Some(format!("https://victim.example/{at}")), ..shop.agent() };
            let reply = agent.get("/carts/x").send().await;
            if reply.status == 503 {
                assert_eq!(reply.header("retry-after"), "1");
                limited = Some(at);
                break;
            }
        }
        assert!(limited.is_some_and(|at| at <= 110), "{limited:?}");
        // Whom the shop knows is not kept waiting.
        shop.clock.advance(Duration::from_secs(1));
        shop.agent().get("/carts/x").send().await.outcome("not_found");
    }
}

/// One decision, and one spelling, for all addresses that a program names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_installation_decides_about_this_machine_and_names_are_normal() {
    let mut shop = Shop::start(TestDatabase::sqlite().await).await;
    let client = |allow_loopback| {
        let settings = handel_web::Settings { allow_loopback, user_agent: value("Handel") };
        Arc::new(handel_web::SafeWeb::new(settings, shop.system.clone()))
    };
    for url in ["http://127.0.0.1:1/p", "http://[::1]:1/p", "http://localhost:1/p"] {
        let on = |web| Agent { profile: Some(url.to_owned()), ..shop.agent_on(web) };
        let refused = on(client(false)).get("/carts/x").send().await;
        refused.transport(400, "invalid_profile_url");
        // It may be called, and nobody is there.
        on(client(true)).get("/carts/x").send().await.transport(424, "profile_unreachable");
    }
    let ucp =
        handel_ucp::Ucp::new(shop.door.clone(), Arc::new(Normal(shop.web.clone())), settings());
    let met = ucp.meet(Version::ROOT, Some("HTTPS://AGENT.example/profile.json")).await;
    assert_eq!(met.expect("it is known").agent(), AGENT);
    let long = format!("https://agent.example/{}", "x".repeat(1_024));
    let error = ucp.meet(Version::ROOT, Some(&long)).await.expect_err("it is too long");
    assert_eq!(error.code, "invalid_profile_url");
    shop.finish().await;
}

/// A Web that writes addresses as they are called.
struct Normal(Arc<handel_testkit::FakeWeb>);

#[async_trait::async_trait]
impl handel_ports::WebClient for Normal {
    fn check_url(&self, url: &str) -> Result<String, WebError> {
        Ok(url.to_lowercase())
    }

    async fn fetch(&self, fetch: handel_ports::Fetch) -> Result<handel_ports::WebAnswer, WebError> {
        self.0.fetch(fetch).await
    }

    async fn post(&self, post: handel_ports::Post) -> Result<handel_ports::WebAnswer, WebError> {
        self.0.post(post).await
    }
}

/// A Web that answers when it is told to.
#[derive(Default)]
struct Slow {
    asked: tokio::sync::Notify,
    under_way: std::sync::atomic::AtomicUsize,
    go: tokio::sync::Notify,
}

#[async_trait::async_trait]
impl handel_ports::WebClient for Slow {
    fn check_url(&self, url: &str) -> Result<String, WebError> {
        Ok(url.to_owned())
    }

    async fn fetch(&self, _: handel_ports::Fetch) -> Result<handel_ports::WebAnswer, WebError> {
        let go = self.go.notified();
        self.under_way.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.asked.notify_one();
        go.await;
        Err(WebError::Unreachable)
    }

    async fn post(&self, _: handel_ports::Post) -> Result<handel_ports::WebAnswer, WebError> {
        Err(WebError::Unreachable)
    }
}

/// Nobody waits behind hosts that are slow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_profiles_are_read_at_once_and_nobody_waits_for_a_place() {
    let mut shop = Shop::start(TestDatabase::sqlite().await).await;
    let web = Arc::new(Slow::default());
    let router = shop.agent_on(web.clone());
    let at = |host: usize| Agent {
        profile: Some(format!("https://slow{host}.example/p")),
        ..router.clone()
    };
    let reading: Vec<_> = (0..16)
        .map(|host| {
            let agent = at(host);
            meanwhile(async move { agent.get("/carts/x").send().await })
        })
        .collect();
    while web.under_way.load(std::sync::atomic::Ordering::SeqCst) < 16 {
        web.asked.notified().await;
    }
    let turned_away = at(16).get("/carts/x").send().await;
    turned_away.transport(503, "unavailable");
    assert_eq!(turned_away.header("retry-after"), "1");
    web.go.notify_waiters();
    for reply in reading {
        reply.await.expect("no panic").transport(424, "profile_unreachable");
    }
    shop.finish().await;
}

/// A Web in which one thing always happens.
struct Always(Result<u16, WebError>);

#[async_trait::async_trait]
impl handel_ports::WebClient for Always {
    fn check_url(&self, url: &str) -> Result<String, WebError> {
        Ok(url.to_owned())
    }

    async fn fetch(&self, _: handel_ports::Fetch) -> Result<handel_ports::WebAnswer, WebError> {
        let status = self.0?;
        let status = http::StatusCode::from_u16(status).expect("a status");
        Ok(handel_ports::WebAnswer { status, headers: HeaderMap::new(), body: bytes::Bytes::new() })
    }

    async fn post(&self, _: handel_ports::Post) -> Result<handel_ports::WebAnswer, WebError> {
        Err(WebError::Unreachable)
    }
}

/// What the client does not do, such as following a redirect into a private network, is told without saying what
/// is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_to_a_profile_is_told() {
    let mut shop = Shop::start(TestDatabase::sqlite().await).await;
    for (happens, status, code) in [
        (Err(WebError::Address), 400, "invalid_profile_url"),
        (Err(WebError::Redirect), 424, "profile_unreachable"),
        (Err(WebError::Timeout), 424, "profile_unreachable"),
        (Err(WebError::Tls), 424, "profile_unreachable"),
        (Err(WebError::Unreachable), 424, "profile_unreachable"),
        (Err(WebError::TooLarge), 422, "profile_malformed"),
        (Ok(404), 424, "profile_unreachable"),
        (Ok(500), 424, "profile_unreachable"),
        (Ok(204), 424, "profile_unreachable"),
        (Ok(200), 422, "profile_malformed"),
    ] {
        let agent = shop.agent_on(Arc::new(Always(happens)));
        let reply = agent.get("/carts/x").send().await;
        reply.transport(status, code);
        assert!(
            !String::from_utf8_lossy(&reply.body).contains("agent.example"),
            "{AGENT}: {reply}"
        );
    }
    shop.finish().await;
}

/// The client that the program uses goes to nothing inside, whatever a profile says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn profiles_inside_a_private_network_are_never_called() {
    let mut shop = Shop::start(TestDatabase::sqlite().await).await;
    let settings = handel_web::Settings { allow_loopback: false, user_agent: value("Handel") };
    let web = Arc::new(handel_web::SafeWeb::new(settings, shop.system.clone()));
    for url in [
        "https://127.0.0.1/p",
        "https://[::1]/p",
        "https://10.0.0.7/p",
        "https://192.168.1.1/p",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00::1]/p",
        "https://[::ffff:10.0.0.7]/p",
        "https://0.0.0.0/p",
        "https://2130706433/p",
        "https://0x7f.1/p",
    ] {
        let agent = Agent { profile: Some(url.to_owned()), ..shop.agent_on(web.clone()) };
        agent.get("/carts/x").send().await.transport(400, "invalid_profile_url");
    }
    shop.finish().await;
}
