//! Where goods go, and how.

use handel_domain::promotion::Class;
use handel_testkit::{
    both_databases,
    fixtures::{percent, promotion_rules, tax_california},
};
use serde_json::{Value, json};

use crate::support::{Shop, address, amount, basket, codes, home};

fn to(destinations: &Value, selected: &Value) -> Value {
    let mut body = basket("MUG", 1);
    let method = &mut body["fulfillment"]["methods"][0];
    method["destinations"] = destinations.clone();
    method["selected_destination_id"] = selected.clone();
    method["groups"] = json!([]);
    body
}

both_databases! {
    async fn an_option_costs_what_promotions_leave_of_it(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        shop.promotion(promotion_rules(Class::Shipping, percent(100)), &["SHIPFREE"]).await;
        let agent = shop.agent();
        let price = |checkout: &Value| {
            let options = checkout["fulfillment"]["methods"][0]["groups"][0]["options"].as_array().cloned();
            let options = options.expect("options");
            options.iter().map(|option| option["totals"][0]["amount"].clone()).collect::<Vec<_>>()
        };
        let mut body = to(&json!([home()]), &json!(home()["id"]));
        let paid = agent.post("/checkout-sessions", &body).send().await.created();
        assert!(price(&paid).iter().all(|amount| *amount != json!(0)), "{paid}");
        body["discounts"] = json!({ "codes": ["SHIPFREE"] });
        let free = agent.put(&address(&paid), &body).send().await.ok();
        assert!(price(&free).iter().all(|amount| *amount == json!(0)), "{free}");
    }

    async fn an_address_without_an_id_gets_one_that_stays(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let mut bare = home();
        bare.as_object_mut().expect("an object").remove("id");
        let body = to(&json!([bare]), &Value::Null);
        let first = agent.post("/checkout-sessions", &body).send().await.created();
        let second = agent.post("/checkout-sessions", &body).send().await.created();
        let id = |checkout: &Value| checkout["fulfillment"]["methods"][0]["destinations"][0]["id"].clone();
        assert_eq!(id(&first), id(&second));
        assert_eq!(first["fulfillment"]["methods"][0]["selected_destination_id"], id(&first), "the only one");
        assert_eq!(first["fulfillment"]["methods"][0]["destinations"][0]["last_name"], "Lovelace", "the buyer's");
        // It can be chosen by its id alone afterwards.
        let mut chosen = to(&json!([]), &id(&first));
        chosen["fulfillment"]["methods"][0]["groups"] = json!([{ "selected_option_id": "courier" }]);
        let chosen = agent.put(&address(&first), &chosen).send().await.ok();
        assert_eq!((&chosen["status"], amount(&chosen, "fulfillment")), (&json!("ready_for_complete"), Some(990)));
    }

    async fn one_of_several_addresses_is_chosen_and_never_another(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let vienna = json!({ "id": "work", "street_address": "Ring 1", "address_locality": "Wien",
            "postal_code": "1010", "address_country": "AT" });
        let both = json!([home(), vienna]);
        let open = agent.post("/checkout-sessions", &to(&both, &Value::Null)).send().await.created();
        let method = &open["fulfillment"]["methods"][0];
        assert_eq!((&method["selected_destination_id"], codes(&open, "error")),
            (&Value::Null, vec!["destination_required".to_owned(), "option_required".to_owned()]));
        let chosen = agent.put(&address(&open), &to(&both, &json!("work"))).send().await.ok();
        let method = &chosen["fulfillment"]["methods"][0];
        assert_eq!(method["selected_destination_id"], "work");
        let options: Vec<_> = method["groups"][0]["options"].as_array().expect("options").iter()
            .map(|option| option["id"].clone()).collect();
        assert_eq!(options, ["standard"], "couriers do not go to Austria");
        // A choice that does not go there is refused, and the address stays.
        let mut courier = to(&both, &json!("work"));
        courier["fulfillment"]["methods"][0]["groups"] = json!([{ "selected_option_id": "courier" }]);
        let refused = agent.put(&address(&open), &courier).send().await.ok();
        assert_eq!(refused["messages"][0]["code"], "fulfillment_option_unavailable");
        assert_eq!(refused["fulfillment"]["methods"][0]["selected_destination_id"], "work");
    }

    /// A country is enough to see what sending there costs; before it is bought, the rest is asked for.
    async fn a_country_alone_tells_what_sending_there_costs(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let vague = |country: &str| json!({ "id": "to", "address_country": country });
        let mut body = to(&json!([vague("AT")]), &json!("to"));
        body["buyer"] = json!({ "email": "ada@example.com" });
        let options = |checkout: &Value| -> Vec<_> {
            let options = checkout["fulfillment"]["methods"][0]["groups"][0]["options"].as_array().cloned();
            options.expect("options").iter().map(|option| option["id"].clone()).collect()
        };
        let made = agent.post("/checkout-sessions", &body).send().await.created();
        assert_eq!(options(&made), ["standard"], "couriers do not go to Austria");
        assert_eq!(made["fulfillment"]["methods"][0]["destinations"][0]["address_country"], "AT");
        assert!(made["fulfillment"]["methods"][0]["destinations"][0].get("street_address").is_none());
        body = to(&json!([vague("DE")]), &json!("to"));
        body["buyer"] = json!({ "email": "ada@example.com" });
        body["fulfillment"]["methods"][0]["groups"] = json!([{ "selected_option_id": "courier" }]);
        let asked = agent.put(&address(&made), &body).send().await.ok();
        assert_eq!((options(&asked).len(), amount(&asked, "fulfillment"), &asked["status"]), (2, Some(990), &json!("incomplete")));
        let messages = asked["messages"].as_array().cloned().expect("messages");
        let paths: Vec<_> = messages.iter().map(|message| message["path"].as_str().expect("a path")).collect();
        let members = ["last_name", "street_address", "address_locality", "postal_code"];
        assert_eq!(paths, members.map(|member| format!("$.fulfillment.methods[0].destinations[0].{member}")));
        assert!(messages.iter().all(|message| message["code"] == "address_incomplete"), "{messages:?}");
        let refused = agent.complete(&asked, "tok_ok", "early").await.ok();
        assert_eq!((&refused["status"], codes(&refused, "error").len()), (&json!("incomplete"), 4));
        let whole = basket("MUG", 1);
        let ready = agent.put(&address(&made), &whole).send().await.ok();
        assert_eq!((&ready["status"], amount(&ready, "total")), (&json!("ready_for_complete"), Some(1_690)));
        agent.complete(&ready, "tok_ok", "late").await.ok();
    }

    async fn addresses_that_cannot_be_reached_are_named_member_by_member(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let vague = json!({ "id": "x", "address_country": "DE", "postal_code": "1" });
        let made = agent.post("/checkout-sessions", &to(&json!([vague]), &json!("x"))).send().await.created();
        assert_eq!(made["status"], "incomplete", "the checkout is there, to be completed");
        let paths: Vec<_> = made["messages"].as_array().expect("messages").iter()
            .filter(|message| message["code"] == "address_undeliverable")
            .map(|message| message["path"].as_str().expect("a path").rsplit('.').next().expect("a member").to_owned())
            .collect();
        assert_eq!(paths, ["postal_code"], "what is not there is no mistake yet");
        for (change, member) in [
            (json!({ "address_country": "US", "address_region": "NY", "postal_code": "10001" }), "address_country"),
            (json!({ "address_country": "Atlantis" }), "address_country"),
            (json!({ "address_country": null }), "address_country"),
            (json!({ "street_address": "4242 4242 4242 4242" }), "street_address"),
        ] {
            let mut there = home();
            there.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
            let refused = agent.put(&address(&made), &to(&json!([there]), &json!("home"))).send().await;
            assert!(!String::from_utf8_lossy(&refused.body).contains("4242 4242"), "{refused}");
            let refused = refused.ok();
            assert_eq!(refused["messages"][0]["code"], "address_undeliverable", "{change}");
            let path = format!("$.fulfillment.methods[0].destinations[0].{member}");
            assert_eq!(refused["messages"][0]["path"], path);
        }
        let twice = agent.put(&address(&made), &to(&json!([home(), home()]), &json!("home"))).send().await.ok();
        assert_eq!(twice["messages"][0]["code"], "destination_repeated");
        let many: Vec<_> = (0..21).map(|at| { let mut there = home(); there["id"] = json!(at.to_string()); there }).collect();
        let many = agent.put(&address(&made), &to(&json!(many), &json!("1"))).send().await.ok();
        assert_eq!(many["messages"][0]["code"], "too_many_destinations");
    }

    async fn a_state_in_words_pays_its_tax_and_what_is_no_state_is_asked_about(shop: Shop) {
        shop.product("MUG", 10_000, 10).await;
        shop.change_channel(tax_california).await;
        let agent = shop.agent();
        let there = |region: &str| json!([{ "id": "la", "street_address": "1 Main St", "address_locality": "Los Angeles",
            "address_region": region, "postal_code": "90001", "address_country": "USA" }]);
        let made = agent.post("/checkout-sessions", &to(&there("California"), &json!("la"))).send().await.created();
        assert_eq!(amount(&made, "tax"), Some(725), "{made}");
        assert_eq!(made["fulfillment"]["methods"][0]["destinations"][0]["address_region"], "CA");
        assert_eq!(made["fulfillment"]["methods"][0]["destinations"][0]["address_country"], "US");
        let asked = agent.put(&address(&made), &to(&there("Californa"), &json!("la"))).send().await.ok();
        let message = &asked["messages"][0];
        assert_eq!(message["path"], "$.fulfillment.methods[0].destinations[0].address_region");
        let content = message["content"].as_str().expect("a text");
        assert!(content.contains("is not a state of the United States; did you mean California?"), "{content}");
    }

    async fn an_option_that_is_not_there_does_not_stand_in_the_way_of_a_checkout(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let mut body = basket("MUG", 1);
        body["fulfillment"]["methods"][0]["groups"] = json!([{ "selected_option_id": "balloon" }]);
        let made = shop.agent().post("/checkout-sessions", &body).once("k").send().await.created();
        assert_eq!(codes(&made, "error"), ["fulfillment_option_unavailable"]);
        let method = &made["fulfillment"]["methods"][0];
        assert_eq!(method["selected_destination_id"], "home", "the rest was taken over");
        assert_eq!(method["groups"][0]["selected_option_id"], Value::Null);
    }

    async fn a_way_that_the_shop_does_not_have_is_refused(shop: Shop) {
        shop.product("MUG", 1_200, 10).await;
        let agent = shop.agent();
        let checkout = agent.ready("MUG", 1).await;
        let pickup = json!({ "line_items": checkout["line_items"], "fulfillment": { "methods": [{ "type": "pickup" }] } });
        let refused = agent.put(&address(&checkout), &pickup).send().await.ok();
        assert_eq!(refused["messages"][0]["code"], "fulfillment_method_unavailable");
        assert_eq!(refused["status"], "incomplete", "it is not what was asked for");
        assert_eq!(agent.get(&address(&checkout)).send().await.ok()["status"], "ready_for_complete", "nothing changed");
    }
}
