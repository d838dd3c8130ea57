//! News of orders, as programs receive them.

use handel_signatures::{AGENT_HEADERS, KeySet, Message, Rules, Target, holds_digest, verify};
use handel_testkit::both_databases;
use handel_ucp::Version;
use http::Method;

use crate::support::{Call, NEWS, SHOP, Shop, validate};

both_databases! {
    async fn every_step_is_told_whole_and_signed(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let bought = agent.buy("MUG", 2).await;
        shop.settle().await;
        let id = shop.order_id(&bought);
        shop.engine.pack_order(&shop.staff(), id, None).await.expect("it can be packed");
        shop.engine.ship_order(&shop.staff(), id, handel_engine::Parcel::default(), None).await.expect("it ships");
        shop.settle().await;
        let sent = shop.web.sent();
        assert!(sent.len() >= 3, "paid, packed and shipped: {}", sent.len());
        let profile = Call::new(agent.router.clone(), Version::ROOT, Method::GET, "/.well-known/ucp");
        let keys = KeySet::read(&profile.send().await.json()["keys"]);
        let mut ids = std::collections::HashSet::new();
        for message in &sent {
            assert_eq!(message.url, NEWS);
            let order = message.json();
            validate(Version::ROOT, "order", &order);
            assert_eq!((&order["checkout_id"], &order["permalink_url"]), (&bought["id"], &bought["order"]["permalink_url"]));
            let text = |name: &str| message.headers[name].to_str().expect("a text").to_owned();
            assert_eq!(text("ucp-agent"), format!("profile=\"{SHOP}/.well-known/ucp\""));
            assert!(ids.insert(text("webhook-id")), "an id of its own");
            assert_eq!(text("idempotency-key"), text("webhook-id"));
            text("webhook-timestamp").parse::<i64>().expect("seconds");
            assert!(holds_digest(&message.headers, &message.body));
            let uri = NEWS.parse().expect("an address");
            let target = Target::of(&Method::POST, &uri).expect("absolute");
            let request = Message::request(target, &message.headers, &message.body);
            let headers = [AGENT_HEADERS, &["webhook-id", "webhook-timestamp"]].concat();
            let rules = Rules { now_s: shop.now().as_second(), age_max_s: None, headers: &headers };
            verify(&request, &keys, &rules).expect("signed with a key of the profile");
        }
        let last = sent.last().expect("a message").json();
        assert_eq!(last["line_items"][0]["status"], "fulfilled");
        assert_eq!(agent.get(&format!("/orders/{id}")).send().await.ok()["fulfillment"], last["fulfillment"]);
    }

    async fn a_message_that_is_sent_again_is_the_same(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        shop.web.plan("agent.example", handel_testkit::Reaction::Answers(500));
        shop.agent().buy("MUG", 1).await;
        shop.settle().await;
        shop.settle_after(3_600).await;
        let sent = shop.web.sent();
        assert!(sent.len() >= 2, "{}", sent.len());
        assert_eq!((&sent[0].headers, &sent[0].body), (&sent[1].headers, &sent[1].body));
    }

    async fn an_order_that_was_never_paid_is_no_news(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        agent.complete(&checkout, "tok_declined", "k").await.ok();
        shop.settle_after(3_600).await;
        assert_eq!(shop.web.sent(), []);
    }
}
