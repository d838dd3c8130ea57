//! What the shop offers an assistant: tools, resources, prompts, and how long each may be kept.

use handel_domain::policy::Policy;
use handel_testkit::both_databases;
use handel_ucp::{Operation, Version};
use rmcp::model::{
    CacheScope, GetPromptRequestParams, ReadResourceRequestParams, RequestMetaObject,
};
use serde_json::{Value, json};

use crate::support::{AGENT, NEW, OLD, STRANGER, Shop};

both_databases! {
    async fn every_revision_finds_the_same_tools(shop: Shop) {
        let expected: Vec<_> = Operation::ALL.iter().map(|operation| operation.name()).collect();
        for revision in [OLD, NEW] {
            let assistant = shop.assistant(revision).await;
            let names = assistant.names();
            assert!(expected.iter().all(|name| names.contains(name)), "{names:?}");
            assert_eq!(names.len(), expected.len(), "{names:?}");
            let info = assistant.client.peer_info().expect("who the shop is");
            assert!(info.instructions.as_ref().is_some_and(|text| text.contains("create_checkout")));
        }
    }

    async fn the_profile_names_where_tools_are(shop: Shop) {
        let profile = shop.get("/.well-known/ucp").await;
        let services = profile["ucp"]["services"]["dev.ucp.shopping"].as_array().expect("services");
        let binding = services.iter().find(|service| service["transport"] == "mcp").expect("this binding");
        let endpoint = binding["endpoint"].as_str().expect("an address");
        assert_eq!(endpoint, format!("{}{}", shop.url, handel_mcp::path(Version::ROOT)));
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
        let answer = reqwest::Client::new().post(endpoint).json(&list).send().await.expect("an answer");
        let answer: Value = answer.json().await.expect("JSON");
        assert_eq!(answer["result"]["tools"].as_array().map(Vec::len), Some(13));
    }

    async fn the_profile_and_own_orders_can_be_read(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let assistant = shop.assistant(NEW).await;
        let listed = assistant.client.list_resources(None).await.expect("resources");
        assert_eq!((listed.ttl_ms, listed.cache_scope), (Some(300_000), Some(CacheScope::Public)));
        let uris: Vec<_> = listed.resources.iter().map(|resource| resource.uri.as_str()).collect();
        assert!(uris.contains(&"shop://profile"), "{uris:?}");
        let read = async |uri: &str, profile: &str| {
            let mut meta = RequestMetaObject::new();
            meta.0.insert("ucp-agent".to_owned(), json!({ "profile": profile }));
            let params = ReadResourceRequestParams::new(uri).with_meta(meta);
            let result = assistant.client.read_resource(params).await?;
            let contents = json!(result.contents);
            let text = contents[0]["text"].as_str().expect("a text").to_owned();
            Ok::<Value, rmcp::ServiceError>(serde_json::from_str(&text).expect("JSON"))
        };
        let profile = read("shop://profile", AGENT).await.expect("the profile");
        assert_eq!(profile, shop.get("/.well-known/ucp").await);
        let bought = assistant.buy("mug", 1, "to-be-read").await;
        let uri = format!("shop://orders/{}", bought["order"]["id"].as_str().expect("an id"));
        assert_eq!(read(&uri, AGENT).await.expect("the order")["checkout_id"], bought["id"]);
        assert!(read(&uri, STRANGER).await.is_err());
    }

    async fn policies_of_the_channel_can_be_read(shop: Shop) {
        let kind = "refund-policy".parse().expect("a slug");
        let refund = Policy { kind, title: "Returns".to_owned(), text: "Within 30 days.".to_owned() };
        shop.change_channel(|settings| settings.policies = vec![refund]).await;
        let ask = async |channel: &str, method: &str, params: Value| {
            let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
            shop.post(&[("handel-channel", channel)], &message).await.body
        };
        let listed = ask("eur", "resources/list", json!({})).await;
        let policy = &listed["result"]["resources"][1];
        assert_eq!((&policy["name"], &policy["title"]), (&json!("refund-policy"), &json!("Returns")));
        let read = json!({ "uri": policy["uri"] });
        let text = ask("eur", "resources/read", read.clone()).await;
        assert_eq!(text["result"]["contents"][0]["text"], "Returns\n\nWithin 30 days.");
        for (channel, params) in [("default", read), ("eur", json!({ "uri": "shop://policies/faq" }))] {
            let answer = ask(channel, "resources/read", params).await;
            assert_eq!(answer["error"]["code"], -32002, "{answer}");
        }
    }

    async fn prompts_lead_to_the_tools(shop: Shop) {
        let assistant = shop.assistant(OLD).await;
        let prompts = assistant.client.list_prompts(None).await.expect("prompts").prompts;
        let names: Vec<_> = prompts.iter().map(|prompt| prompt.name.as_str()).collect();
        assert_eq!(names, ["find_and_buy", "track_order"]);
        let Value::Object(arguments) = json!({ "order_id": "ord_1" }) else { unreachable!("an object") };
        let params = GetPromptRequestParams::new("track_order").with_arguments(arguments);
        let prompt = json!(assistant.client.get_prompt(params).await.expect("a prompt"));
        let text = prompt["messages"][0]["content"]["text"].as_str().expect("a text");
        assert!(text.contains("ord_1") && text.contains("get_order"), "{text}");
    }

    async fn lists_say_how_long_they_may_be_kept(shop: Shop) {
        for (method, scope) in [
            ("tools/list", "private"),
            ("prompts/list", "public"),
            ("resources/list", "public"),
            ("resources/templates/list", "public"),
        ] {
            let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "_meta": {
                "io.modelcontextprotocol/protocolVersion": NEW,
                "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            } } });
            let headers = [("mcp-protocol-version", NEW), ("mcp-method", method)];
            let reply = shop.post(&headers, &message).await;
            assert_eq!(reply.body["result"]["ttlMs"], 300_000, "{reply:?}");
            assert_eq!(reply.body["result"]["cacheScope"], scope, "{reply:?}");
        }
    }
}
