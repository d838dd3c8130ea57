//! What staff and shoppers see of programs that buy, of parcels, and of policies.

use handel_domain::policy::Policy;
use handel_engine::Scope;
use handel_testkit::{
    PlainNews,
    agents::{AGENT, opening},
    both_databases,
    fixtures::slug,
};
use serde_json::{Value, json};

use super::support::Shop;

both_databases! {
    /// Goal: staff see which program an order came through; its buyer does not, and nobody sees the address that
    /// its news go to, which may hold a secret.
    async fn staff_see_where_an_order_came_from(shop: Shop) {
        shop.product("MUG", 1_000, 3).await;
        let mut open = opening(&[("MUG", 1)]);
        open.origin.webhook_url = Some("https://agent.example/news?secret=s3cr3t".to_owned());
        open.origin.attribution.insert("utm_source".to_owned(), "chat".to_owned());
        let opened = Box::pin(shop.engine.open_checkout(&shop.agent(AGENT), open)).await.expect("opened").reply;
        let done = Box::pin(shop.complete_open(opened.checkout.id, "tok_ok")).await.expect("it is complete");
        let path = format!("/orders/{}", done.order.id);
        let seen = shop.get(&path).header("order-token", &done.order_token).send().await.expect(200);
        assert_eq!((&seen.json()["source"], &seen.json()["origin"]), (&json!("ucp"), &Value::Null));
        let key = shop.key(&[Scope::OrdersRead]).await;
        let staff = shop.get(&format!("/admin{path}")).bearer(&key).send().await.expect(200);
        let origin = json!({
            "source": "ucp", "agent": AGENT, "protocol": PlainNews::NAME, "attribution": { "utm_source": "chat" }
        });
        assert_eq!(staff.json()["origin"], origin);
        let history = shop.get(&format!("/admin{path}/history")).bearer(&key).send().await.expect(200);
        assert_eq!(history.json()["items"].as_array().and_then(|items| items.last()).map(|first| &first["actor"]),
            Some(&json!(format!("agent:{AGENT}"))));
        for reply in [&seen, &staff, &history] {
            assert!(!String::from_utf8_lossy(&reply.body).contains("s3cr3t"));
        }
    }

    /// Goal: a parcel is shipped with its number, which the history keeps; no script becomes a link.
    async fn a_parcel_has_a_number(shop: Shop) {
        shop.product("MUG", 1_000, 3).await;
        let id = shop.buy(&[("MUG", 1)]).await.order.id;
        let key = shop.key(&[Scope::OrdersRead, Scope::OrdersWrite]).await;
        shop.post(&format!("/admin/orders/{id}/pack")).bearer(&key).send().await.expect(200);
        let ship = |body: Value| shop.post(&format!("/admin/orders/{id}/ship")).bearer(&key).json(&body);
        let wrong = ship(json!({ "tracking_url": "javascript:alert(1)" })).send().await;
        wrong.field("/tracking_url");
        let parcel = json!({ "carrier": "DHL", "tracking_number": "1Z", "tracking_url": "https://carrier.example/1Z" });
        ship(parcel).send().await.expect(200);
        let history = shop.get(&format!("/admin/orders/{id}/history")).bearer(&key).send().await.expect(200).json();
        let detail = &history["items"][0]["detail"];
        let expected = json!({ "carrier": "DHL", "number": "1Z", "url": "https://carrier.example/1Z" });
        assert_eq!((&detail["kind"], &detail["tracking"]), (&json!("shipped"), &expected));
        assert_eq!(detail["lines"].as_array().map(Vec::len), Some(1));
    }

    /// Goal: what a merchant promises can be read by anybody, and only what is well formed gets in.
    async fn policies_are_there_for_everybody(shop: Shop) {
        let none = shop.get("/policies").send().await.expect(200).json();
        assert_eq!(none["items"], json!([]));
        let policy = Policy { kind: slug("refund-policy"), title: "Returns".to_owned(), text: "Within 30 days.".to_owned() };
        shop.change_channel(|settings| settings.policies = vec![policy]).await;
        let list = shop.get("/policies").send().await.expect(200);
        assert_eq!(list.json()["items"], json!([{ "kind": "refund-policy", "title": "Returns" }]));
        shop.get("/policies").header("if-none-match", &list.header("etag")).send().await.expect(304);
        let one = shop.get("/policies/refund-policy").send().await.expect(200).json();
        assert_eq!(one, json!({ "kind": "refund-policy", "title": "Returns", "text": "Within 30 days." }));
        shop.get("/policies/faq").send().await.problem(404, "not_found");
        shop.get("/policies/No%20Slug").send().await.problem(404, "not_found");
        shop.get("/policies").header("handel-channel", "none").send().await.problem(404, "channel.unknown");
        let key = shop.key(&[Scope::ChannelsWrite]).await;
        let channel = shop.get("/admin/channels/eur").bearer(&key).send().await.expect(200).json();
        let put = |policies: Value| {
            let mut settings = channel["settings"].clone();
            settings["policies"] = policies;
            shop.call(http::Method::PUT, "/admin/channels/eur").bearer(&key).header("if-match", "*").json(&settings)
        };
        let long = "x".repeat(100_001);
        for (policies, pointer) in [
            (json!([{ "kind": "Not A Slug", "title": "x", "text": "" }]), "/policies/0/kind"),
            (json!([{ "kind": "faq", "title": " ", "text": "" }]), "/policies/0/title"),
            (json!([{ "kind": "faq", "title": "x", "text": long }]), "/policies/0/text"),
        ] {
            put(policies).send().await.field(pointer);
        }
        put(json!([{ "kind": "faq", "title": "Questions", "text": "None." }])).send().await.expect(200);
        shop.get("/policies/faq").send().await.expect(200);
        shop.get("/policies/refund-policy").send().await.problem(404, "not_found");
    }
}
