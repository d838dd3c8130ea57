//! From a basket to a paid order.

use handel_domain::order::Status;
use handel_engine::ListOrders;
use handel_testkit::{Fault, both_databases, meanwhile, together};
use serde_json::{Value, json};

use crate::support::{Shop, address, amount, basket, codes, id, lines, paying};

both_databases! {
    async fn a_program_that_knows_nothing_of_the_shop_buys(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let found = agent.post("/catalog/search", &json!({ "query": "mug" })).send().await.ok();
        let item = found["products"][0]["variants"][0]["id"].clone();
        let bare = json!({ "line_items": [{ "item": { "id": item }, "quantity": 2 }] });
        let checkout = agent.post("/checkout-sessions", &bare).send().await.created();
        assert_eq!(checkout["status"], "incomplete");
        assert_eq!(
            codes(&checkout, "error"),
            ["email_required", "destination_required", "option_required"],
        );
        let mut body = basket("MUG", 2);
        body["line_items"] = json!([{ "id": checkout["line_items"][0]["id"], "item": { "id": item }, "quantity": 2 }]);
        body["fulfillment"]["methods"][0]["groups"] = json!([]);
        let chosen = agent.put(&address(&checkout), &body).send().await.ok();
        assert_eq!(chosen["line_items"][0]["id"], checkout["line_items"][0]["id"]);
        let method = &chosen["fulfillment"]["methods"][0];
        assert_eq!(method["selected_destination_id"], "home");
        let option = method["groups"][0]["options"][0]["id"].clone();
        body["fulfillment"]["methods"][0]["groups"] = json!([{ "selected_option_id": option }]);
        let ready = agent.put(&address(&checkout), &body).send().await.ok();
        assert_eq!((&ready["status"], ready.get("messages")), (&json!("ready_for_complete"), None));
        assert_eq!((amount(&ready, "fulfillment"), amount(&ready, "total")), (Some(490), Some(2_890)));
        let bought = agent.complete(&ready, "tok_ok", "key-1").await.ok();
        assert_eq!(bought["status"], "completed");
        assert!(bought.get("continue_url").is_none(), "there is nothing to go on with");
        let order = shop.order(shop.order_id(&bought)).await.order;
        assert_eq!((order.status, order.total_minor), (Status::Paid, 2_890));
        assert_eq!(bought["order"]["label"], format!("#{}", order.number));
        let read = agent.get(&address(&bought)).send().await.ok();
        assert_eq!(read, bought);
    }

    async fn what_can_still_be_done_has_a_link_for_the_buyer(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let checkout = shop.agent().ready("MUG", 1).await;
        let url = checkout["continue_url"].as_str().expect("a link");
        let token = url.strip_prefix("https://shop.example/continue/").expect("to the shop");
        let cart_id = shop.engine.read_handoff_token(token).expect("made by the shop");
        let (buyer, checkout_id) = (shop.owner(cart_id), id(&checkout).parse().expect("an id"));
        let own = shop.engine.get_checkout(&buyer, checkout_id);
        assert_eq!(own.await.expect("the buyer's").checkout.cart_id, cart_id);
    }

    async fn a_repetition_is_answered_alike_and_buys_nothing_twice(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let (path, body) = ("/checkout-sessions", basket("MUG", 1));
        let first = agent.post(path, &body).once("open").send().await;
        let again = agent.post(path, &body).once("open").send().await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        let checkout = first.created();
        let first = agent.complete(&checkout, "tok_ok", "buy").await;
        let again = agent.complete(&checkout, "tok_ok", "buy").await;
        assert_eq!((again.status, &again.body), (first.status, &first.body));
        let kept = shop.kept_minor(shop.order_id(&first.json())).await;
        assert_eq!(kept, 1_690);
        // A byte that means nothing makes it another request.
        let other = format!(" {}", paying("tok_ok"));
        let path = format!("{}/complete", address(&checkout));
        let other = agent.call(http::Method::POST, &path).bytes(other).once("buy").send().await;
        other.transport(409, "idempotency_conflict");
        // Another program may use the same key.
        let profile = crate::support::platform(handel_ucp::Version::ROOT);
        let stranger = shop.agent_with("https://other.example/p", &profile);
        let opened = stranger.post("/checkout-sessions", &body).once("open").send().await.created();
        assert_ne!(opened["id"], checkout["id"]);
    }

    async fn what_was_bought_cannot_be_changed(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let bought = agent.buy("MUG", 1).await;
        let first = agent.complete(&bought, "tok_ok", "another-key").await;
        let repeated = agent.complete(&bought, "tok_ok", "another-key").await;
        assert_eq!(repeated.body, first.body, "a key is answered alike");
        let again = first.ok();
        assert_eq!((&again["status"], &again["order"]), (&json!("completed"), &bought["order"]));
        assert_eq!(codes(&again, "error"), ["already_closed"]);
        let changed = agent.put(&address(&bought), &basket("MUG", 5)).send().await.ok();
        assert_eq!((&changed["status"], &changed["line_items"]), (&json!("completed"), &bought["line_items"]));
        assert_eq!(codes(&changed, "error"), ["already_closed"]);
        let canceled = agent.post(&format!("{}/cancel", address(&bought)), &json!({})).once("c");
        let canceled = canceled.send().await.ok();
        assert_eq!((&canceled["status"], codes(&canceled, "error")), (&json!("completed"), vec!["already_closed".to_owned()]));
        assert_eq!(shop.kept_minor(shop.order_id(&bought)).await, 1_690);
    }

    async fn a_declined_payment_can_be_repeated_with_another_token(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        let declined = agent.complete(&checkout, "tok_declined", "key-1").await.ok();
        assert_eq!(declined["status"], "ready_for_complete");
        assert_eq!(codes(&declined, "error"), ["payment_failed"]);
        assert_eq!(declined["messages"][0]["severity"], "recoverable");
        assert!(declined.get("order").is_none());
        let bought = agent.complete(&checkout, "tok_ok", "key-2").await.ok();
        assert_eq!(bought["status"], "completed");
        // The first key still says what came of the first request.
        let again = agent.complete(&checkout, "tok_declined", "key-1").await.ok();
        assert_eq!(codes(&again, "error"), ["payment_failed"]);
    }

    async fn another_amount_than_was_asked_for_pays_nothing(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        for (at, more_minor) in [-5, 5].into_iter().enumerate() {
            let checkout = agent.ready("MUG", 1).await;
            shop.payments.fail_charge(Fault::OtherAmount(more_minor));
            let wrong = agent.complete(&checkout, "tok_ok", &format!("wrong-{at}")).await.ok();
            assert_eq!((&wrong["status"], codes(&wrong, "error")),
                (&json!("ready_for_complete"), vec!["payment_failed".to_owned()]));
            assert!(wrong.get("order").is_none(), "{wrong}");
            let waiting = agent.complete(&checkout, "tok_action_required", &format!("ask-{at}")).await.ok();
            assert_eq!(waiting["status"], "requires_escalation");
            let bought = agent.complete(&checkout, "tok_ok", &format!("right-{at}")).await.ok();
            assert_eq!(bought["status"], "completed");
            shop.settle().await;
            assert_eq!(shop.kept_minor(shop.order_id(&bought)).await, 1_690);
        }
    }

    async fn an_order_that_staff_cancel_while_it_is_paid_is_not_told_as_if_nothing_had_happened(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        let gate = shop.payments.hold_after_charge();
        let buying = meanwhile({
            let (agent, checkout) = (agent.clone(), checkout.clone());
            async move { agent.complete(&checkout, "tok_ok", "key-1").await.ok() }
        });
        gate.reached().await;
        let orders = ListOrders { limit: 1, ..ListOrders::default() };
        let orders = shop.engine.list_orders(&shop.staff(), orders).await.expect("they can be listed");
        shop.cancel(orders.items[0].id).await.expect("it can be canceled");
        gate.open();
        let canceled = buying.await.expect("no panic");
        assert_eq!((&canceled["status"], codes(&canceled, "error")),
            (&json!("ready_for_complete"), vec!["payment_failed".to_owned()]));
        assert!(canceled.get("order").is_none());
        shop.settle().await;
        assert_eq!(shop.kept_minor(orders.items[0].id).await, 0);
        let bought = agent.complete(&checkout, "tok_ok", "key-2").await.ok();
        assert_eq!(bought["status"], "completed");
    }

    async fn a_payment_that_the_buyer_must_confirm_is_escalated(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        let waiting = agent.complete(&checkout, "tok_action_required", "key-1").await.ok();
        assert_eq!(waiting["status"], "requires_escalation");
        assert_eq!(waiting["messages"][0]["severity"], "requires_buyer_review");
        assert!(waiting["continue_url"].is_string() && waiting.get("order").is_none());
        let canceled = agent.post(&format!("{}/cancel", address(&checkout)), &json!({}));
        assert_eq!(canceled.once("c").send().await.ok()["status"], "canceled");
        assert_eq!(agent.get(&address(&checkout)).send().await.ok()["status"], "canceled");
    }

    async fn a_payment_under_way_shows_no_order_and_cannot_be_disturbed(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        let waiting = agent.complete(&checkout, "tok_async_ok", "key-1").await.ok();
        assert_eq!(waiting["status"], "complete_in_progress");
        assert!(waiting.get("order").is_none() && waiting["expires_at"].is_string());
        let changed = agent.put(&address(&checkout), &basket("MUG", 3)).send().await.ok();
        assert_eq!(changed["status"], "complete_in_progress");
        assert_eq!(changed["line_items"][0]["quantity"], 1);
        assert_eq!(codes(&changed, "error").len(), 1, "{changed}");
        let again = agent.complete(&checkout, "tok_ok", "key-2").await.ok();
        assert_eq!((&again["status"], codes(&again, "error")),
            (&json!("complete_in_progress"), vec!["complete_in_progress".to_owned()]));
        shop.settle_after(60).await;
        assert_eq!(agent.get(&address(&checkout)).send().await.ok()["status"], "completed");
    }

    async fn money_is_taken_only_by_tokens_of_the_shops_handlers(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        assert_eq!(checkout["ucp"]["payment_handlers"]["example.handel.payments.test"][0]["id"], "test");
        let path = format!("{}/complete", address(&checkout));
        let instrument = |change: fn(&mut Value)| {
            let mut body = paying("tok_ok");
            change(&mut body["payment"]["instruments"]);
            body
        };
        let wrong = [
            instrument(|all| *all = json!([])),
            instrument(|all| *all = json!([all[0], all[0]])),
            instrument(|all| all[0]["handler_id"] = json!("stripe")),
            instrument(|all| all[0]["credential"] = json!({ "type": "token" })),
            instrument(|all| all[0]["credential"] = json!({ "type": "token", "token": "" })),
            instrument(|all| { all[0].as_object_mut().expect("an object").remove("credential"); }),
            instrument(|all| all[0]["credential"] =
                json!({ "type": "pan", "card_number_type": "fpan", "number": "4242424242424242" })),
            instrument(|all| all[0]["credential"]["token"] = json!("4242 4242 4242 4242")),
            instrument(|all| all[0]["credential"]["token"] = json!("tok_nonsense")),
        ];
        for (at, body) in wrong.iter().enumerate() {
            let reply = agent.post(&path, body).once(&format!("key-{at}")).send().await;
            assert!(!String::from_utf8_lossy(&reply.body).contains("4242"), "{reply}");
            let reply = reply.ok();
            assert_eq!(codes(&reply, "error"), ["payment_failed"], "{body}");
            assert_eq!(reply["status"], "ready_for_complete");
        }
        let bought = agent.post(&path, &paying("tok_ok")).once("good").send().await;
        assert!(!String::from_utf8_lossy(&bought.body).contains("tok_ok\",\"type"), "no credential comes back");
        assert_eq!(bought.ok()["status"], "completed");
    }

    async fn too_little_in_stock_is_said_and_nothing_is_bought(shop: Shop) {
        shop.product("MUG", 1_200, 3).await;
        let agent = shop.agent();
        let checkout = agent.post("/checkout-sessions", &basket("MUG", 5)).send().await.created();
        assert_eq!((&checkout["status"], codes(&checkout, "error")),
            (&json!("incomplete"), vec!["out_of_stock".to_owned()]));
        assert_eq!(checkout["messages"][0]["path"], "$.line_items[0]");
        let refused = agent.complete(&checkout, "tok_ok", "key-1").await.ok();
        assert_eq!((&refused["status"], codes(&refused, "error")),
            (&json!("incomplete"), vec!["out_of_stock".to_owned()]));
        let fewer = agent.put(&address(&checkout), &basket("MUG", 3)).send().await.ok();
        assert_eq!(fewer["status"], "ready_for_complete");
        shop.product("GONE", 500, 0).await;
        for path in ["/checkout-sessions", "/carts"] {
            let refused = agent.post(path, &basket("GONE", 1)).send().await;
            let refused = refused.outcome("out_of_stock");
            assert_eq!(refused["messages"][0]["content"], "1 are wanted, and 0 are left");
            assert_eq!(refused["messages"][0]["path"], "$.line_items[0]");
        }
        agent.post("/checkout-sessions", &basket("NONE", 1)).send().await.outcome("item_unavailable");
    }

    async fn an_update_that_is_refused_leaves_everything_as_it_was(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 2).await;
        type Spoil = fn(&mut Value);
        let wrong: [(Spoil, &str, &str); 6] = [
            (|body| body["line_items"][0]["item"]["id"] = json!("NONE"), "item_unavailable", "$.line_items[0]"),
            (|body| body["line_items"][0]["quantity"] = json!(100_000), "invalid_input", "$.line_items[0].quantity"),
            (|body| body["buyer"]["email"] = json!("nobody"), "invalid_input", "$.buyer.email"),
            (|body| body["fulfillment"]["methods"][0]["selected_destination_id"] = json!("mars"),
                "destination_unknown", "$.fulfillment.methods[0].selected_destination_id"),
            (|body| body["fulfillment"]["methods"][0]["groups"] = json!([{ "selected_option_id": "balloon" }]),
                "fulfillment_option_unavailable", "$.fulfillment.methods[0].groups[0].selected_option_id"),
            (|body| body["line_items"][0]["item"]["quantity_unit"] = json!({ "unit": "KGM", "display_text": "kg" }),
                "quantity_unit_mismatch", "$.line_items[0]"),
        ];
        for (change, code, path) in wrong {
            let mut body = basket("MUG", 2);
            change(&mut body);
            let refused = agent.put(&address(&checkout), &body).send().await.ok();
            assert_eq!(refused["messages"][0]["code"], code, "{refused}");
            assert_eq!(refused["messages"][0]["path"], path);
            assert_eq!(refused["messages"][0]["severity"], "recoverable");
            assert_eq!(refused["line_items"], checkout["line_items"]);
            assert_eq!(refused["fulfillment"], checkout["fulfillment"]);
        }
        let read = agent.get(&address(&checkout)).send().await.ok();
        assert_eq!(read["totals"], checkout["totals"]);
    }

    async fn what_is_not_sent_again_is_gone(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 2).await;
        let bare = json!({ "line_items": lines("MUG", 1) });
        let replaced = agent.put(&address(&checkout), &bare).send().await.ok();
        assert_eq!(replaced["status"], "incomplete");
        assert_eq!(replaced["line_items"][0]["quantity"], 1);
        assert!(replaced["buyer"].get("email").is_none());
        assert_eq!(replaced["fulfillment"]["methods"][0]["destinations"], json!([]));
    }

    async fn a_checkout_that_expired_is_canceled(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        shop.clock.advance(std::time::Duration::from_secs(7 * 3_600));
        let read = agent.get(&address(&checkout)).send().await.ok();
        assert_eq!(read["status"], "canceled");
        let refused = agent.complete(&checkout, "tok_ok", "late").await.ok();
        assert_eq!((&refused["status"], codes(&refused, "error")),
            (&json!("canceled"), vec!["already_closed".to_owned()]));
    }

    async fn programs_see_only_what_is_theirs(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let profile = crate::support::platform(handel_ucp::Version::ROOT);
        let stranger = shop.agent_with("https://other.example/p", &profile);
        let checkout = agent.ready("MUG", 1).await;
        let path = address(&checkout);
        stranger.get(&path).send().await.outcome("not_found");
        stranger.put(&path, &basket("MUG", 1)).send().await.outcome("not_found");
        stranger.complete(&checkout, "tok_ok", "k").await.outcome("not_found");
        stranger.post(&format!("{path}/cancel"), &json!({})).once("k").send().await.outcome("not_found");
        let bought = agent.complete(&checkout, "tok_ok", "k").await.ok();
        let order = format!("/orders/{}", bought["order"]["id"].as_str().expect("an id"));
        stranger.get(&order).send().await.outcome("not_found");
        agent.get(&order).send().await.ok();
        for id in ["chk_00000000000000000000000000", "nonsense", "%00", "..", "chk_"] {
            agent.get(&format!("/checkout-sessions/{id}")).send().await.outcome("not_found");
        }
    }

    async fn a_program_without_the_extension_sends_its_buyer_to_the_page(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let names = ["dev.ucp.shopping.checkout", "dev.ucp.shopping.discount"];
        let profile = crate::support::platform_with(handel_ucp::Version::ROOT, &names);
        let agent = shop.agent_with("https://simple.example/p", &profile);
        let checkout = agent.post("/checkout-sessions", &basket("MUG", 1)).send().await.created();
        assert_eq!(checkout["status"], "requires_escalation");
        assert!(checkout["continue_url"].is_string() && checkout.get("fulfillment").is_none());
        assert_eq!(checkout["messages"][0]["severity"], "requires_buyer_input");
        let active: Vec<_> = checkout["ucp"]["capabilities"].as_object().expect("capabilities").keys().collect();
        assert_eq!(active, ["dev.ucp.shopping.checkout", "dev.ucp.shopping.discount"]);
        assert!(checkout["buyer"].get("consent").is_none());
    }

    async fn what_a_buyer_consents_to_is_kept(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let marketing = "dev.ucp.consent.marketing";
        let checkout = agent.ready("MUG", 1).await;
        assert_eq!(checkout["buyer"]["consent"][marketing]["source"], "business");
        let mut body = basket("MUG", 1);
        body["buyer"]["consent"] = json!({ marketing: { "granted": true, "source": "platform" } });
        let said = agent.put(&address(&checkout), &body).send().await.ok();
        assert_eq!(said["buyer"]["consent"][marketing]["granted"], true);
        let silent = agent.put(&address(&checkout), &basket("MUG", 1)).send().await.ok();
        assert_eq!(silent["buyer"]["consent"][marketing]["granted"], true, "nothing was said of it");
        let mut last = paying("tok_ok");
        last["buyer"] = json!({ "consent": { marketing: { "granted": false, "source": "platform" } } });
        let path = format!("{}/complete", address(&checkout));
        let bought = agent.post(&path, &last).once("k").send().await.ok();
        assert_eq!(bought["status"], "completed");
        assert_eq!(bought["buyer"]["consent"][marketing]["granted"], false);
    }

    /// What is said with a payment that is refused was not said; what is said with one that is taken is in the order.
    async fn what_is_said_with_the_payment_counts_with_the_order(shop: Shop) {
        shop.product("MUG", 1_200, 1).await;
        let agent = shop.agent();
        let marketing = "dev.ucp.consent.marketing";
        let (checkout, other) = (agent.ready("MUG", 1).await, agent.ready("MUG", 1).await);
        let mut last = paying("tok_ok");
        last["buyer"] = json!({ "consent": { marketing: { "granted": true, "source": "platform" } } });
        last["payment"]["instruments"][0]["billing_address"] = json!({
            "street_address": "2 Side Street", "address_locality": "Wien", "postal_code": "1010", "address_country": "AT",
        });
        let complete = |checkout: &serde_json::Value, key: &str| {
            agent.post(&format!("{}/complete", address(checkout)), &last).once(key)
        };
        let bought = complete(&checkout, "first").send().await.ok();
        let order = shop.order(shop.order_id(&bought)).await.order;
        let billed = order.billing_address.expect("it was said");
        assert_eq!((billed.name.as_str(), billed.line1.as_str()), ("Ada Lovelace", "2 Side Street"));
        let refused = complete(&other, "second").send().await.ok();
        assert_eq!(codes(&refused, "error"), ["out_of_stock"]);
        assert_eq!(refused["buyer"]["consent"][marketing]["granted"], false);
        let seen = shop.engine.get_checkout(&shop.staff(), id(&other).parse().expect("an id")).await;
        assert_eq!(seen.expect("it is there").checkout.version, 1, "nothing was written");
    }

    async fn decisions_that_are_made_at_once_all_count(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let (marketing, analytics) = ("dev.ucp.consent.marketing", "dev.ucp.consent.analytics");
        let said = |purpose: &str, granted: bool| {
            let mut body = basket("MUG", 1);
            body["buyer"]["consent"] = json!({ purpose: { "granted": granted, "source": "platform" } });
            body
        };
        let checkout = agent.ready("MUG", 1).await;
        for _ in 0..5 {
            let granted = agent.put(&address(&checkout), &said(marketing, true)).send().await.ok();
            assert_eq!(granted["buyer"]["consent"][marketing]["granted"], true);
            let calls = [(marketing, false), (analytics, true)].map(|(purpose, granted)| {
                let call = agent.put(&address(&checkout), &said(purpose, granted));
                async move { call.send().await.ok() }
            });
            together(calls).await;
            let after = agent.get(&address(&checkout)).send().await.ok();
            let decided = |purpose: &str| after["buyer"]["consent"][purpose]["granted"].clone();
            assert_eq!((decided(marketing), decided(analytics)), (json!(false), json!(true)), "what was withdrawn stays so");
        }
    }

    async fn an_order_remembers_where_it_came_from(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let mut body = basket("MUG", 1);
        body["attribution"] = json!({ "utm_source": "chat", "broken": 7 });
        let agent = shop.agent();
        let checkout = agent.post("/checkout-sessions", &body).send().await.created();
        let bought = agent.complete(&checkout, "tok_ok", "k").await.ok();
        let order = shop.order(shop.order_id(&bought)).await.order;
        let origin = order.origin.expect("it has one");
        assert_eq!(origin.protocol.as_deref(), Some("ucp/2026-08-25"));
        assert_eq!(origin.agent.as_deref(), Some(crate::support::AGENT));
        assert_eq!(origin.webhook_url.as_deref(), Some(crate::support::NEWS));
        assert_eq!(order.source, handel_domain::order::Source::Ucp);
        assert_eq!(origin.attribution.get("utm_source").map(String::as_str), Some("chat"));
        assert_eq!(origin.attribution.len(), 1);
    }

    /// The money is taken and nobody has written it down: the same request finds it, and nothing is charged again.
    async fn a_purchase_survives_a_crash(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        let gate = shop.payments.hold_after_charge();
        let (buyer, held) = (agent.clone(), checkout.clone());
        let answer = meanwhile(async move { buyer.complete(&held, "tok_ok", "k").await });
        gate.reached().await;
        answer.abort();
        shop.restart().await;
        gate.open();
        // Another process would have to wait until the dead one cannot come back.
        shop.clock.advance(std::time::Duration::from_secs(31));
        let bought = shop.agent().complete(&checkout, "tok_ok", "k").await.ok();
        assert_eq!(bought["status"], "completed");
        assert_eq!(shop.kept_minor(shop.order_id(&bought)).await, 1_690);
        assert_eq!(shop.payments.calls().charges, 1);
    }
}
