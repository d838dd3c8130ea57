//! The profile of the shop: what it says is so, and nothing else.

use handel_testkit::both_databases;
use handel_ucp::{Operation, UcpSettings, Version};
use http::Method;
use serde_json::{Value, json};

use crate::support::{Call, Reply, SHOP, Shop, settings};

async fn profile_at(shop: &Shop, path: &str) -> Reply {
    Call::new(shop.agent().router, Version::ROOT, Method::GET, path).send().await
}

both_databases! {
    async fn the_profile_is_what_the_router_does(shop: Shop) {
        for version in Version::ALL {
            let profile = profile_at(shop, &format!("/.well-known/ucp/{}", version.name())).await;
            let profile = profile.expect(200).json();
            assert_eq!(profile["ucp"]["version"], version.name());
            assert!(profile["ucp"].get("supported_versions").is_none(), "a leaf points to none");
            let rest = &profile["ucp"]["services"]["dev.ucp.shopping"][0];
            assert_eq!(rest["transport"], "rest");
            let endpoint = rest["endpoint"].as_str().expect("an address");
            let endpoint = endpoint.strip_prefix(SHOP).expect("at the shop").to_owned();
            let advertised = profile["ucp"]["capabilities"].as_object().expect("capabilities");
            for operation in Operation::ALL {
                let path = operation.path().replace("{id}", "x");
                let call = Call::new(shop.agent().router, version, operation.method(), &format!("{endpoint}{path}"));
                let reply = call.send().await;
                match advertised.contains_key(operation.capability()) {
                    // It is there, and wants to know who asks.
                    true => drop(reply.transport(400, "invalid_profile_url")),
                    false => assert!([404, 405].contains(&reply.status.as_u16()), "{reply}"),
                }
            }
        }
    }

    async fn the_root_profile_is_valid_and_can_be_kept(shop: Shop) {
        let reply = profile_at(shop, "/.well-known/ucp").await.expect(200);
        crate::support::validate(Version::ROOT, "profile", &reply.json());
        assert_eq!(reply.header("content-type"), "application/json");
        assert_eq!(reply.header("cache-control"), "public, max-age=300");
        let tag = reply.header("etag");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
            let call = Call::new(shop.agent().router, Version::ROOT, Method::GET, "/.well-known/ucp");
            let kept = call.header("if-none-match", &known).send().await.expect(304);
            assert!(kept.body.is_empty() && kept.header("etag") == tag);
        }
        let keys = reply.json()["keys"].clone();
        assert_eq!((&keys[0]["crv"], &keys[0]["alg"]), (&json!("P-256"), &json!("ES256")));
        assert!(keys[0].get("d").is_none(), "the private half stays");
        let others = reply.json()["ucp"]["supported_versions"].clone();
        let others: Vec<_> = others.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default();
        assert_eq!(others.len(), Version::ALL.len() - 1);
    }

    async fn every_name_is_governed_by_whoever_publishes_its_schema(shop: Shop) {
        let profile = profile_at(shop, "/.well-known/ucp").await.json();
        let capabilities = profile["ucp"]["capabilities"].as_object().expect("capabilities").clone();
        for (name, declared) in capabilities {
            let schema = declared[0]["schema"].as_str().expect("a schema");
            assert!(name.starts_with("dev.ucp.") && schema.starts_with("https://ucp.dev/2026-08-25/"), "{name}");
            assert_eq!(declared[0]["version"], "2026-08-25");
            for parent in declared[0]["extends"].as_array().unwrap_or(&Vec::new()) {
                assert!(profile["ucp"]["capabilities"].get(parent.as_str().expect("a name")).is_some());
            }
        }
    }

    async fn other_bindings_are_named_where_they_are_wired(shop: Shop) {
        let mcp = (Version::ROOT, "mcp", "/ucp/2026-08-25/mcp".to_owned());
        let agent = shop.agent_of(UcpSettings { bindings: vec![mcp], ..settings() });
        let call = Call::new(agent.router, Version::ROOT, Method::GET, "/.well-known/ucp");
        let profile: Value = call.send().await.expect(200).json();
        crate::support::validate(Version::ROOT, "profile", &profile);
        let bindings = &profile["ucp"]["services"]["dev.ucp.shopping"];
        assert_eq!(bindings[1]["transport"], "mcp");
        assert_eq!(bindings[1]["endpoint"], "https://shop.example/ucp/2026-08-25/mcp");
    }

    async fn versions_that_nobody_speaks_have_no_profile(shop: Shop) {
        for name in ["2020-01-01", "draft", "..", "2026-08-25/x"] {
            let reply = profile_at(shop, &format!("/.well-known/ucp/{name}")).await;
            assert_eq!(reply.status, 404, "{name}");
        }
    }
}
