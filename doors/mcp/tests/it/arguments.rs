//! What callers get wrong, and what they are told.

use handel_testkit::both_databases;
use handel_ucp::UcpSettings;
use serde_json::{Value, json};

use crate::support::{AGENT, NEW, Shop, as_agent, call, post, with_meta};

both_databases! {
    async fn wrong_arguments_are_named(shop: Shop) {
        let key = json!({ "ucp-agent": { "profile": AGENT }, "idempotency-key": "a-key" });
        let number = json!({ "ucp-agent": { "profile": AGENT }, "idempotency-key": 7 });
        for (tool, arguments) in [
            ("complete_checkout", with_meta(json!({ "id": "x", "checkout": {} }))),
            ("cancel_checkout", with_meta(json!({ "id": "x" }))),
            ("cancel_cart", with_meta(json!({ "id": "x" }))),
            ("complete_checkout", json!({ "id": "x", "checkout": {}, "meta": number })),
            ("complete_checkout", json!({ "checkout": {}, "meta": key })),
            ("complete_checkout", json!({ "id": 7, "checkout": {}, "meta": key })),
            ("complete_checkout", json!({ "id": "x", "meta": key })),
            ("get_order", with_meta(json!({}))),
            ("search_catalog", with_meta(json!({}))),
            ("search_catalog", with_meta(json!({ "catalog": [] }))),
            ("create_checkout", with_meta(json!({ "checkout": "two mugs" }))),
            ("create_cart", with_meta(json!({ "cart": null }))),
        ] {
            let reply = shop.plain(tool, arguments.clone()).await;
            reply.error(400, -32602, "invalid_request");
        }
        for key in ["", " ", "a\nb", "a\u{0}", "schlüssel", &"k".repeat(256), &"k".repeat(1 << 16)] {
            let meta = json!({ "ucp-agent": { "profile": AGENT }, "idempotency-key": key });
            for tool in ["complete_checkout", "create_checkout"] {
                let arguments = json!({ "id": "x", "checkout": {}, "meta": meta });
                shop.plain(tool, arguments).await.error(400, -32602, "invalid_request");
            }
        }
        for arguments in [
            json!({ "checkout": { "line_items": "two mugs" } }),
            json!({ "checkout": { "line_items": [{ "item": { "id": "MUG" }, "quantity": "two" }] } }),
            json!({ "checkout": { "line_items": [{ "item": { "id": "MUG" }, "quantity": -1 }] } }),
        ] {
            let reply = shop.plain("create_checkout", with_meta(arguments)).await;
            assert_eq!(reply.body["error"]["code"], -32602, "{reply:?}");
        }
    }

    /// Goal: a character that only one of the databases can store makes no fault on either.
    async fn a_nul_makes_no_fault(shop: Shop) {
        for (tool, arguments) in [
            ("search_catalog", json!({ "catalog": { "query": "mug\u{0}" } })),
            ("lookup_catalog", json!({ "catalog": { "ids": ["mug\u{0}"] } })),
            ("create_cart", json!({ "cart": { "line_items": [{ "item": { "id": "A\u{0}" }, "quantity": 1 }] } })),
            ("create_checkout", json!({ "checkout": {
                "line_items": [{ "item": { "id": "MUG" }, "quantity": 1 }],
                "attribution": { "a": "\u{0}" }, "buyer": { "first_name": "\u{0}" },
            } })),
            ("get_cart", json!({ "id": "\u{0}" })),
        ] {
            let reply = shop.plain(tool, with_meta(arguments)).await;
            assert!(reply.status < 500, "{tool}: {reply:?}");
            assert_ne!(reply.body["error"]["code"], -32603, "{tool}: {reply:?}");
        }
    }

    async fn unknown_tools_prompts_and_resources_are_refused(shop: Shop) {
        let reply = shop.plain("rob_the_shop", with_meta(json!({}))).await;
        assert_eq!(reply.body["error"]["code"], -32602, "{reply:?}");
        for (method, params) in [
            ("tools/call", json!({ "arguments": {} })),
            ("tools/call", json!({ "name": "get_cart", "arguments": [1] })),
            ("tools/call", json!({ "name": 7 })),
            ("prompts/get", json!({ "name": "haggle" })),
            ("prompts/get", json!({ "name": "find_and_buy" })),
        ] {
            let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
            let reply = shop.post(&[], &message).await;
            assert_eq!(reply.body["error"]["code"], -32602, "{method} {params}: {reply:?}");
        }
        let read = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": { "uri": "shop://till" } });
        assert_eq!(shop.post(&[], &read).await.body["error"]["code"], -32002);
        let unknown = json!({ "jsonrpc": "2.0", "id": 1, "method": "shop/rob" });
        assert_eq!(shop.post(&[], &unknown).await.body["error"]["code"], -32601);
        // What the newest revision has removed is unknown in it.
        let removed = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "_meta": {
            "io.modelcontextprotocol/protocolVersion": NEW,
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
            "io.modelcontextprotocol/clientCapabilities": {},
        } } });
        let headers = [
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", NEW),
            ("mcp-method", "initialize"),
        ];
        let reply = shop.post(&headers, &removed).await;
        assert_eq!((reply.status, &reply.body["error"]["code"]), (404, &json!(-32601)), "{reply:?}");
    }

    async fn programs_have_to_introduce_themselves(shop: Shop) {
        let search = |meta: Value| json!({ "catalog": { "query": "mug" }, "meta": meta });
        let profile = |url: &str| json!({ "ucp-agent": { "profile": url } });
        for (meta, status, reason) in [
            (Value::Null, 400, "invalid_profile_url"),
            (json!({}), 400, "invalid_profile_url"),
            (profile("not an address"), 400, "invalid_profile_url"),
            (profile("https://nobody.example/p.json"), 424, "profile_unreachable"),
        ] {
            let reply = shop.plain("search_catalog", search(meta.clone())).await;
            reply.error(status, -32001, reason);
        }
        shop.web.publish("https://old.example/p", http::HeaderMap::new(), json!({ "ucp": {
            "version": "2020-01-01", "services": {}, "capabilities": {}, "payment_handlers": {},
        } }).to_string());
        let reply = shop.plain("search_catalog", search(profile("https://old.example/p"))).await;
        reply.error(422, -32001, "version_unsupported");
    }

    async fn a_shop_that_wants_signatures_wants_them_here_too(shop: Shop) {
        let settings = UcpSettings { require_signatures: true, ..UcpSettings::default() };
        let strict = shop.open(settings).await;
        let search = call("search_catalog", &with_meta(json!({ "catalog": { "query": "mug" } })));
        let reply = post(&strict, &[], &search).await;
        reply.error(401, -32000, "signature_missing");
        let forged = [
            ("signature", "sig1=:AAAA:"),
            ("signature-input", "sig1=(\"@method\" \"@authority\" \"@path\");keyid=\"x\""),
        ];
        for url in [&strict, &shop.url] {
            let reply = post(url, &forged, &search).await;
            assert_eq!((reply.status, &reply.body["error"]["code"]), (401, &json!(-32000)), "{reply:?}");
        }
        let digest = [("content-digest", "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:")];
        post(&shop.url, &digest, &search).await.error(400, -32600, "digest_mismatch");
    }

    async fn who_has_keys_proves_it_here_too(shop: Shop) {
        let mut profile = shop.get("/mcp/assistant.json").await;
        // The key of RFC 8037, appendix A.
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        profile["keys"] = json!([{ "kid": "one", "kty": "OKP", "crv": "Ed25519", "x": x }]);
        shop.web.publish("https://signer.example/p", http::HeaderMap::new(), profile.to_string());
        let as_signer = |arguments: Value| {
            let mut arguments = as_agent("https://signer.example/p", arguments);
            arguments["meta"]["idempotency-key"] = json!("a-key");
            arguments
        };
        shop.plain("search_catalog", as_signer(json!({ "catalog": { "query": "mug" } }))).await.content();
        for (tool, arguments) in [
            ("complete_checkout", json!({ "id": "x", "checkout": {} })),
            ("cancel_checkout", json!({ "id": "x" })),
            ("get_order", json!({ "id": "x" })),
        ] {
            let reply = shop.plain(tool, as_signer(arguments)).await;
            reply.error(401, -32000, "signature_missing");
        }
    }

    async fn pages_of_others_cannot_call_tools(shop: Shop) {
        let search = call("search_catalog", &with_meta(json!({ "catalog": { "query": "mug" } })));
        for header in [("host", "evil.example"), ("origin", "https://evil.example")] {
            let reply = shop.post(&[header], &search).await;
            assert_eq!((reply.status, &reply.body["error"]["code"]), (403, &json!(-32000)), "{reply:?}");
        }
        let large = json!({ "jsonrpc": "2.0", "id": 1, "method": "x".repeat(2 << 20) });
        let reply = shop.post(&[], &large).await;
        assert_eq!((reply.status, &reply.body["error"]["code"]), (413, &json!(-32600)));
    }
}
