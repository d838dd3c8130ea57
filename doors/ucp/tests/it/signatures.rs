//! Signed requests and signed answers.

use handel_signatures::{
    AGENT_HEADERS, KeySet, Message, Rules, Seal, SigningKey, Target, seal_request, verify,
};
use handel_testkit::both_databases;
use handel_ucp::{UcpSettings, Version};
use http::{HeaderMap, Method, StatusCode};
use serde_json::json;

use crate::support::{Agent, Call, SHOP, Shop, address, basket, paying, platform, settings, value};

const SIGNER: &str = "https://signer.example/p";

fn key() -> SigningKey {
    SigningKey::es256(&[7; 32])
}

/// A program that publishes its key.
fn signer(shop: &Shop, settings: UcpSettings) -> Agent {
    let mut profile = platform(Version::ROOT);
    profile["keys"] = json!([key().jwk()]);
    shop.web.publish(SIGNER, HeaderMap::new(), profile.to_string());
    Agent { profile: Some(SIGNER.to_owned()), ..shop.agent_of(settings) }
}

/// A signed request to make a cart.
fn signed(shop: &Shop, agent: &Agent, key: &SigningKey, body: &str) -> Call {
    signed_to(shop, agent, (Method::POST, "/carts"), key, body)
}

/// A signed request to an address below the endpoint.
fn signed_to(
    shop: &Shop,
    agent: &Agent,
    (method, path): (Method, &str),
    key: &SigningKey,
    body: &str,
) -> Call {
    let uri = format!("{SHOP}/ucp/2026-08-25{path}").parse().expect("an address");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", value("application/json"));
    headers.insert("ucp-agent", value(&format!("profile=\"{SIGNER}\"")));
    headers.insert("idempotency-key", value("a-key-of-its-own"));
    let seal = Seal {
        key,
        label: "sig1",
        created_s: Some(shop.now().as_second()),
        headers: AGENT_HEADERS,
    };
    let target = Target::of(&method, &uri).expect("absolute");
    seal_request(&seal, target, &mut headers, body.as_bytes()).expect("it can be signed");
    agent.call(method, path).bytes(body.to_owned()).headers(headers)
}

both_databases! {
    async fn a_signature_that_is_there_must_be_right(shop: Shop) {
        let agent = signer(shop, settings());
        let body = json!({ "line_items": [] }).to_string();
        signed(shop, &agent, &key(), &body).send().await.created();
        let other = signed(shop, &agent, &key(), &body).bytes(" {\"line_items\": []}");
        other.send().await.transport(400, "digest_mismatch");
        let stranger = SigningKey::es256(&[8; 32]);
        signed(shop, &agent, &stranger, &body).send().await.transport(401, "key_not_found");
        let moved = signed(shop, &agent, &key(), &body).header("idempotency-key", "another-key");
        moved.send().await.transport(401, "signature_invalid");
        let late = signed(shop, &agent, &key(), &body);
        shop.clock.advance(std::time::Duration::from_secs(301));
        late.send().await.transport(401, "signature_invalid");
        let half = agent.post("/carts", &json!({ "line_items": [] })).header("signature", "sig1=:AAAA:");
        half.send().await.transport(401, "signature_missing");
    }

    async fn an_installation_may_want_every_request_signed(shop: Shop) {
        let strict = UcpSettings { require_signatures: true, ..settings() };
        let agent = signer(shop, strict);
        let bare = agent.post("/carts", &json!({ "line_items": [] })).send().await;
        bare.transport(401, "signature_missing");
        agent.get("/carts/x").send().await.transport(401, "signature_missing");
        signed(shop, &agent, &key(), r#"{"line_items": []}"#).send().await.created();
    }

    async fn who_has_keys_proves_it_where_it_matters(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = signer(shop, settings());
        let checkout = agent.ready("MUG", 1).await;
        agent.complete(&checkout, "tok_ok", "stolen").await.transport(401, "signature_missing");
        let cancel = format!("{}/cancel", address(&checkout));
        let canceled = agent.call(Method::POST, &cancel).once("stolen").send().await;
        canceled.transport(401, "signature_missing");
        let complete = format!("{}/complete", address(&checkout));
        let bought = signed_to(shop, &agent, (Method::POST, &complete), &key(), &paying("tok_ok").to_string());
        let bought = bought.send().await.ok();
        let order = format!("/orders/{}", bought["order"]["id"].as_str().expect("an id"));
        agent.get(&order).send().await.transport(401, "signature_missing");
        signed_to(shop, &agent, (Method::GET, &order), &key(), "").send().await.ok();
        // Keys that nobody can check with prove nothing.
        let mut profile = platform(Version::ROOT);
        profile["keys"] = json!([{ "kid": "rsa", "kty": "RSA", "n": "AQAB", "e": "AQAB" }]);
        shop.agent_with("https://rsa.example/p", &profile).buy("MUG", 1).await;
    }

    async fn a_key_that_is_new_is_looked_for_once(shop: Shop) {
        let agent = signer(shop, settings());
        let body = r#"{"line_items": []}"#;
        signed(shop, &agent, &key(), body).send().await.created();
        let next = SigningKey::es256(&[9; 32]);
        let mut profile = platform(Version::ROOT);
        profile["keys"] = json!([key().jwk(), next.jwk()]);
        let mut headers = HeaderMap::new();
        headers.insert("cache-control", value("max-age=3600"));
        shop.web.publish(SIGNER, headers, profile.to_string());
        let before = shop.web.fetches();
        signed(shop, &agent, &next, body).send().await.transport(401, "key_not_found");
        assert_eq!(shop.web.fetches(), before, "it was read a moment ago");
        shop.clock.advance(std::time::Duration::from_secs(60));
        signed(shop, &agent, &next, body).send().await.created();
        for _ in 0..5 {
            let stranger = SigningKey::es256(&[1; 32]);
            signed(shop, &agent, &stranger, body).send().await.transport(401, "key_not_found");
        }
        assert_eq!(shop.web.fetches(), before + 1);
    }

    async fn what_money_hangs_on_is_signed(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let profile = Call::new(agent.router.clone(), Version::ROOT, Method::GET, "/.well-known/ucp");
        let keys = KeySet::read(&profile.send().await.json()["keys"]);
        let checkout = agent.post("/checkout-sessions", &basket("MUG", 1)).send().await.created();
        let bought = agent.complete(&checkout, "tok_ok", "k").await;
        let order = bought.json()["order"]["id"].as_str().expect("an id").to_owned();
        let order = agent.get(&format!("/orders/{order}")).send().await;
        for reply in [bought, order] {
            let message = Message::response(StatusCode::OK, &reply.headers, &reply.body);
            let rules = Rules { now_s: shop.now().as_second(), age_max_s: Some(60), headers: &[] };
            verify(&message, &keys, &rules).expect("signed by the shop");
        }
    }
}
