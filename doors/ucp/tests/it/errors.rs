//! What strangers send that makes no sense: every answer has the form of the protocol.

use handel_testkit::both_databases;
use handel_ucp::{Operation, UcpSettings, Version};
use http::Method;
use serde_json::json;

use crate::support::{Shop, address, basket, paying, settings};

/// Bodies of the wrong form for every operation that takes one.
fn nonsense() -> Vec<Vec<u8>> {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let texts = [
        "",
        " ",
        "null",
        "[]",
        "\"x\"",
        "7",
        "{",
        "{\"line_items\":",
        "{}{}",
        "{'a': 1}",
        "{\"line_items\": 5, \"ids\": 5, \"query\": 5, \"id\": 5, \"payment\": 5}",
        "{\"line_items\": [null], \"ids\": [null], \"query\": [], \"id\": null, \"payment\": []}",
    ];
    let mut bodies: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.extend([deep.into_bytes(), b"\xff\xfe{}".to_vec(), vec![0; 100]]);
    bodies
}

both_databases! {
    async fn bodies_that_make_no_sense_are_refused_by_every_operation(shop: Shop) {
        let agent = shop.agent();
        for operation in Operation::ALL.into_iter().filter(|operation| operation.takes_body()) {
            let path = operation.path().replace("{id}", "chk_00000000000000000000000000");
            for body in nonsense() {
                let call = agent.call(operation.method(), &path).bytes(body.clone()).once("a-key");
                let reply = call.send().await;
                // What names nothing that exists may be told so first.
                if reply.status == 200 {
                    reply.outcome("not_found");
                } else {
                    assert_eq!(reply.status, 400, "{operation:?} {}: {reply}", String::from_utf8_lossy(&body));
                    let error = reply.json();
                    assert!(error["code"].is_string() && error["content"].is_string(), "{reply}");
                }
            }
        }
    }

    /// Who is turned away before anything is read is told so in the form of the protocol, and when to come back.
    async fn who_finds_no_room_is_told_in_the_form_of_the_protocol(shop: Shop) {
        let mcp = format!("{}/mcp", Version::ROOT.endpoint());
        let settings = UcpSettings { bindings: vec![(Version::ROOT, "mcp", mcp)], ..settings() };
        let full = shop.agent_among(0, settings);
        for operation in Operation::ALL {
            let path = operation.path().replace("{id}", "chk_00000000000000000000000000");
            let reply = full.call(operation.method(), &path).send().await;
            let told = reply.transport(503, "unavailable");
            assert_eq!(told["content"], "too many requests at once; come back shortly");
            assert_eq!([reply.header("retry-after"), reply.header("content-type")], ["1", "application/json"]);
            assert!(!reply.header("x-request-id").is_empty());
        }
        // What is spoken there has errors of its own.
        let other = full.call(Method::POST, "/mcp").send().await;
        assert_eq!(other.status, 503);
        assert_eq!(other.header("content-type"), "application/problem+json");
    }

    async fn too_large_bodies_are_not_read_to_their_end(shop: Shop) {
        let agent = shop.agent();
        let large = format!("{{\"line_items\": [], \"x\": \"{}\"}}", "x".repeat(1024 * 1024));
        let reply = agent.call(Method::POST, "/checkout-sessions").bytes(large).send().await;
        reply.transport(413, "request_too_large");
        let lines: Vec<_> = (0..201).map(|_| json!({ "item": { "id": "MUG" }, "quantity": 1 })).collect();
        shop.product("MUG", 1_200, 10).await;
        let many = agent.post("/checkout-sessions", &json!({ "line_items": lines })).send().await;
        many.outcome("invalid_input");
        let codes: Vec<_> = (0..50).map(|at| format!("CODE{at}")).collect();
        let mut body = basket("MUG", 1);
        body["discounts"] = json!({ "codes": codes });
        agent.post("/checkout-sessions", &body).send().await.outcome("invalid_input");
        body["discounts"] = json!({});
        body["line_items"][0]["quantity"] = json!(9_007_199_254_740_991i64);
        agent.post("/checkout-sessions", &body).send().await.outcome("invalid_input");
    }

    async fn other_media_types_are_refused(shop: Shop) {
        let agent = shop.agent();
        for kind in ["text/plain", "application/xml", "", "application/jsonx"] {
            let call = agent.post("/carts", &json!({ "line_items": [] })).header("content-type", kind);
            call.send().await.transport(415, "unsupported_media_type");
        }
        let call = agent.post("/carts", &json!({ "line_items": [] }));
        call.header("content-type", "Application/JSON; charset=utf-8").send().await.created();
    }

    async fn addresses_and_methods_that_do_not_exist_are_told_in_the_protocols_words(shop: Shop) {
        let agent = shop.agent();
        agent.get("/nothing").send().await.transport(404, "not_found");
        agent.get("/checkout-sessions").send().await.transport(405, "method_not_allowed");
        agent.call(Method::DELETE, "/carts/x").send().await.transport(405, "method_not_allowed");
        agent.call(Method::PUT, "/orders/x").send().await.transport(405, "method_not_allowed");
        agent.get("/carts/x/y/z").send().await.transport(404, "not_found");
    }

    async fn keys_have_a_form_and_buying_needs_one(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        let path = format!("{}/complete", address(&checkout));
        let bare = agent.post(&path, &paying("tok_ok")).send().await;
        bare.transport(400, "idempotency_key_required");
        for key in ["", " ", &"x".repeat(256)] {
            let reply = agent.post("/checkout-sessions", &basket("MUG", 1)).once(key).send().await;
            reply.transport(400, "invalid_request");
        }
        assert_eq!(agent.get(&address(&checkout)).send().await.ok()["status"], "ready_for_complete");
    }

    async fn a_shop_that_cannot_write_says_when_to_come_back(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        shop.database().close().await;
        let reply = agent.post("/checkout-sessions", &basket("MUG", 1)).send().await;
        assert!([500, 503].contains(&reply.status.as_u16()), "{reply}");
        let error = reply.json();
        assert!(error["code"].is_string() && error.get("ucp").is_none(), "{reply}");
        shop.restart().await;
        shop.agent().ready("MUG", 1).await;
    }

    async fn members_that_nobody_knows_do_no_harm(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let mut body = basket("MUG", 1);
        let strange = json!({ "ucp": { "ucp": {}, "future": [1] }, "__proto__": {}, "signals": {
            "dev.ucp.buyer_ip": "203.0.113.7" }, "context": { "eligibility": ["com.example.gold"], "x": 1 },
            "id": "chk_00000000000000000000000000", "status": "completed", "totals": [], "order": { "id": "mine" } });
        body.as_object_mut().expect("an object").extend(strange.as_object().expect("an object").clone());
        let made = shop.agent().post("/checkout-sessions", &body).send().await.created();
        assert_eq!(made["status"], "ready_for_complete");
        assert_ne!(made["id"], "chk_00000000000000000000000000");
        assert!(made.get("order").is_none());
        assert_eq!(made["ucp"]["version"], Version::ROOT.name());
    }
}
