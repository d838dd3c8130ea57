//! Agents that hand a buyer over.

use std::time::Duration;

use handel_domain::{
    address::Address,
    checkout::{Buyer, Destination},
    order::Status,
};
use handel_engine::{OpenCheckout, ReplaceCheckout};
use handel_testkit::{
    agents::{AGENT, opening, replacing},
    both_databases,
    fixtures::{address, buyer, slug},
};

use super::support::{ADA, Shop};

both_databases! {
    /// Goal: a buyer opens the link of an agent, sees what the agent filled in, and pays it; the order remembers the
    /// agent.
    async fn a_buyer_goes_on_where_an_agent_stopped(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let checkout = shop.open(&[("MUG", 2)]).await.checkout;
        let link = shop.handoff(checkout.cart_id, 3_600);
        let mut ada = shop.browser();
        ada.take_over(&link).await.expect(200);
        assert_eq!(ada.page().path, format!("/checkout/{}", checkout.id));
        assert_eq!(ada.page().one(".steps .current"), "Review and pay");
        assert!(ada.page().one(".whole").contains("44,88"), "{}", ada.page());
        // People open links twice.
        ada.open(&link).await.expect(200);
        ada.send("/complete", &[]).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        let order = shop.only_order().await;
        assert_eq!((order.status, order.agent()), (Status::Paid, Some(AGENT)));
        // Once more leads to the order.
        ada.open(&link).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
    }

    /// Goal: what an agent knows of its buyer stands in the form already, to be confirmed or changed.
    async fn what_an_agent_knows_need_not_be_typed(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let known = Buyer {
            first_name: Some("Ada".to_owned()),
            last_name: Some("Lovelace".to_owned()),
            phone: Some("+49 30 1234".to_owned()),
            ..Buyer::default()
        };
        let named = OpenCheckout { buyer: known.clone(), ..opening(&[("MUG", 1)]) };
        let home = Destination { id: "home".to_owned(), address: address("AT", "1010") };
        let placed = Buyer { destinations: vec![home], ..known };
        let placed = OpenCheckout { buyer: placed, ..opening(&[("MUG", 1)]) };
        for (open, field, value) in [
            (named, "name", "Ada Lovelace"),
            (placed.clone(), "postal_code", "1010"),
            (placed.clone(), "country", "AT"),
            (placed, "phone", "+49 30 1234"),
        ] {
            let opened = shop.engine.open_checkout(&shop.agent(AGENT), open).await;
            let cart_id = opened.expect("it is for sale").reply.checkout.cart_id;
            let mut ada = shop.browser();
            ada.take_over(&shop.handoff(cart_id, 60)).await.expect(200);
            assert_eq!(ada.page().value("/contact", field), value);
        }
    }

    /// Goal: a buyer whose agent knew no more than the country is asked for the rest of the address.
    async fn what_an_agent_did_not_know_is_asked_for(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let part = Address {
            name: String::new(),
            line1: String::new(),
            city: String::new(),
            postal_code: None,
            ..address("AT", "1010")
        };
        let said = Buyer {
            shipping_address: None,
            destinations: vec![Destination { id: "home".to_owned(), address: part }],
            selected_destination: Some("home".to_owned()),
            ..buyer()
        };
        let open = OpenCheckout { buyer: said, ..opening(&[("MUG", 1)]) };
        let opened = shop.engine.open_checkout(&shop.agent(AGENT), open).await;
        let cart_id = opened.expect("it is for sale").reply.checkout.cart_id;
        let mut ada = shop.browser();
        ada.take_over(&shop.handoff(cart_id, 60)).await.expect(200);
        assert_eq!(ada.page().one(".steps .current"), "Contact");
        assert_eq!(ada.page().value("/contact", "country"), "AT");
        ada.send("/contact", &ADA).await.expect(200);
        assert_ne!(ada.page().one(".steps .current"), "Contact");
    }

    /// Goal: a cart that an agent filled becomes a checkout when its buyer comes.
    async fn a_cart_becomes_a_checkout_when_its_buyer_comes(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let mut ada = shop.browser();
        ada.take_over(&shop.handoff(cart.view.cart.id, 60)).await.expect(200);
        assert_eq!(ada.page().one(".steps .current"), "Contact");
        ada.send("/contact", &ADA).await.expect(200);
        let empty = shop.cart_with(&[]).await;
        let mut ada = shop.browser();
        ada.take_over(&shop.handoff(empty.view.cart.id, 60)).await.expect(200);
        assert!(ada.page().has(".empty"), "{}", ada.page());
    }

    /// Goal: a cart of the buyer's own leaves the browser only when the buyer says so on our page.
    async fn a_cart_of_ones_own_is_given_up_only_when_asked(shop: Shop) {
        shop.product("MUG", 1_999, 9).await;
        shop.product("BOWL", 999, 9).await;
        let mut ada = shop.browser();
        ada.open("/products/bowl").await.expect(200);
        ada.send("/cart/items", &[("quantity", "3")]).await.expect(200);
        let own = ada.cookie().map(str::to_owned);
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let link = shop.handoff(cart.view.cart.id, 60);
        ada.open(&link).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Continue with this cart?");
        let text = ada.page().one("main");
        assert!(text.contains("a cart with 1 item") && text.contains("this browser has 3 items."), "{text}");
        assert_eq!(ada.cookie(), own.as_deref(), "only looking changes nothing");
        // Other sites cannot answer for the buyer.
        for (name, value) in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site")] {
            let mut foreign = ada.clone().says(name, value);
            foreign.post(&link, &[]).await.expect(403);
            assert_eq!(foreign.cookie(), own.as_deref());
        }
        let mut old = ada.clone().says("sec-fetch-site", "").says("origin", "https://evil.example");
        old.post(&link, &[]).await.expect(403);
        assert_eq!(old.cookie(), own.as_deref());
        let mut stays = ada.clone();
        stays.click("Back to my own cart").await.expect(200);
        assert!(stays.page().one(".line").contains("Product BOWL"), "{}", stays.page());
        // A link that expires while one thinks opens nothing.
        let short = shop.handoff(cart.view.cart.id, 30);
        shop.clock.advance(Duration::from_secs(31));
        stays.open(&short).await.expect(410);
        stays.post(&short, &[]).await.expect(410);
        assert_eq!(stays.cookie(), own.as_deref());
        ada.send(&link, &[]).await.expect(200);
        assert_eq!(ada.page().one(".steps .current"), "Contact");
        assert_ne!(ada.cookie(), own.as_deref());
        // From now on the link leads straight to it.
        ada.open(&link).await.expect(200);
        assert_eq!(ada.page().one(".steps .current"), "Contact");
    }

    /// Goal: a link alone puts no cart into a browser, and the page says that another can see what is typed.
    async fn a_cart_of_another_is_named_as_that_before_it_is_taken_over(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let checkout = shop.open(&[("MUG", 2)]).await.checkout;
        let link = shop.handoff(checkout.cart_id, 60);
        let mut ada = shop.browser();
        ada.open(&link).await.expect(200);
        assert_eq!((ada.page().one("h1").as_str(), ada.cookie()), ("Continue with this cart?", None));
        let text = ada.page().one("main");
        for part in ["a cart with 2 items", "your assistant or another device", "can see what you type"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let mut leaves = ada.clone();
        leaves.click("To the shop").await.expect(200);
        assert_eq!(leaves.cookie(), None);
        ada.send(&link, &[]).await.expect(200);
        assert!(ada.cookie().is_some());
        assert_eq!(ada.page().path, format!("/checkout/{}", checkout.id));
    }

    /// Goal: what another changes after the buyer reviewed it is not bought, and the page says what changed.
    async fn what_another_changes_meanwhile_is_reviewed_again(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        shop.product("CUP", 1_999, 5).await;
        let checkout = shop.open(&[("MUG", 1)]).await.checkout;
        let mut ada = shop.browser();
        ada.take_over(&shop.handoff(checkout.cart_id, 60)).await.expect(200);
        ada.open(&format!("/checkout/{}?step=contact", checkout.id)).await.expect(200);
        ada.send("/contact", &ADA).await.expect(200);
        ada.send("/delivery", &[]).await.expect(200);
        let thief = Buyer {
            email: Some("thief@evil.example".parse().expect("an e-mail address")),
            shipping_address: Some(Address { line1: "66 Thief St".into(), ..address("DE", "10115") }),
            ..Buyer::default()
        };
        let owner = shop.owner(checkout.cart_id);
        shop.engine.update_checkout(&owner, checkout.id, thief, None).await.expect("the token opens it");
        ada.send("/complete", &[]).await.expect(409);
        let notice = ada.page().one("[role=alert]");
        assert!(notice.contains("the e-mail address, the delivery address"), "{notice}");
        assert!(ada.page().one(".answers").contains("66 Thief St"), "it is shown: {}", ada.page());
        // The total is the same; the goods are others.
        let swapped = ReplaceCheckout {
            buyer: shop.engine.peek_checkout(&owner, checkout.id).await.expect("its own").checkout.buyer,
            ..replacing(&checkout, &[("CUP", 1)])
        };
        shop.engine.replace_checkout(&shop.agent(AGENT), swapped).await.expect("the agent may");
        ada.send("/complete", &[]).await.expect(409);
        let notice = ada.page().one("[role=alert]");
        assert!(notice.contains("the items") && !notice.contains("address"), "{notice}");
        assert_eq!(shop.payments.calls().charges, 0);
        // What is the same as before is no reason to look again.
        let same = Buyer { shipping_method: Some(slug("standard")), ..Buyer::default() };
        shop.engine.update_checkout(&owner, checkout.id, same, None).await.expect("its own");
        ada.send("/complete", &[]).await.expect(200);
        assert_eq!(shop.only_order().await.lines[0].sku.as_str(), "CUP");
    }

    /// Goal: a link that is over, or that nobody here made, says so and opens nothing.
    async fn a_link_that_is_over_opens_nothing(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let cart = shop.cart_with(&[("MUG", 1)]).await;
        let link = shop.handoff(cart.view.cart.id, 60);
        shop.clock.advance(Duration::from_secs(61));
        let mut ada = shop.browser();
        for link in [&*link, "/continue/nonsense", &format!("{link}x"), &format!("/continue/{}", cart.token)] {
            ada.open(link).await.expect(410);
            assert_eq!(ada.page().one("h1"), "This link has expired", "{link}");
            assert_eq!(ada.cookie(), None, "{link}");
        }
    }

    /// Goal: what the shop promises can be read, is linked from every page, and is nothing but text.
    async fn policies_can_be_read(shop: Shop) {
        let policy = serde_json::json!({
            "kind": "refund-policy", "title": "Returns", "text": "Within <b>30</b> days.\n\nJust send it."
        });
        let policy = serde_json::from_value(policy).expect("a policy");
        shop.change_channel(|settings| settings.policies = vec![policy]).await;
        let mut ada = shop.browser();
        ada.open("/").await.expect(200);
        ada.click("Returns").await.expect(200);
        assert_eq!(ada.page().path, "/policies/refund-policy");
        assert_eq!(ada.page().all(".prose p"), ["Within <b>30</b> days.", "Just send it."]);
        ada.open("/policies/faq").await.expect(404);
        shop.product("MUG", 1_999, 5).await;
        let ada = shop.at_payment("MUG", "1").await;
        assert!(ada.page().has("form a[href='/policies/refund-policy']"), "{}", ada.page());
    }
}
