//! Buying with nothing but links and forms.

use handel_domain::order::{LineQuantity, Source, Status, Tracking};
use handel_engine::Parcel;
use handel_testkit::both_databases;

use super::support::{ADA, Shop};

both_databases! {
    /// Goal: a cart and what is bought from it stay in the channel in which the cart began, whichever the browser is in
    /// later.
    async fn a_cart_stays_in_its_channel(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.browser();
        ada.open("/products/mug").await.expect(200);
        ada.send("/cart/items", &[]).await.expect(200);
        let mut ada = ada.says("handel-channel", "default");
        ada.open("/products/mug").await.expect(200);
        assert!(ada.page().one(".product-price").contains('$'), "{}", ada.page());
        ada.send("/cart/items", &[]).await.expect(200);
        assert!(ada.page().one(".total").contains('€'), "{}", ada.page());
        ada.send("/checkout", &[]).await.expect(200);
        ada.send("/contact", &ADA).await.expect(200);
        assert_eq!(ada.page().all(".choice-label"), ["Paket", "Kurier"], "only its own channel has them");
        ada.send("/delivery", &[]).await.expect(200);
        ada.send("/complete", &[]).await.expect(200);
        let order = shop.only_order().await;
        let eur = shop.engine.get_channel(&shop.ctx()).await.expect("the fixture has one");
        assert_eq!((order.channel_id, order.currency.code(), order.total_minor), (eur.id, "EUR", 4_488));
    }

    /// Goal: somebody without scripts goes from the list to a paid order by links and forms alone, sees the same total
    /// at every step, and pays exactly that.
    async fn somebody_buys_with_forms_alone(shop: Shop) {
        let product = shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.browser();
        ada.open("/").await.expect(200);
        assert_eq!(ada.page().one(".card-title"), "Product MUG");
        ada.click("Product MUG").await.expect(200);
        ada.send("/cart/items", &[("quantity", "2")]).await.expect(200);
        assert_eq!(ada.page().path, "/cart?added");
        assert!(ada.page().one(".total").contains("39,98"), "{}", ada.page());

        ada.send("/checkout", &[]).await.expect(200);
        ada.send("/contact", &ADA).await.expect(200);
        assert_eq!(ada.page().all(".choice-label"), ["Paket", "Kurier"]);
        ada.send("/delivery", &[("method", "courier")]).await.expect(200);
        assert!(ada.page().one(".total").contains("49,88"), "{}", ada.page());
        assert!(ada.page().one(".whole").contains("49,88"), "the button says what is paid");

        ada.send("/complete", &[]).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        assert!(ada.page().path.starts_with("/orders/ord_"), "{}", ada.page());
        assert!(ada.page().one(".total").contains("49,88"), "{}", ada.page());
        let order = shop.only_order().await;
        assert_eq!((order.status, order.total_minor, order.source), (Status::Paid, 4_988, Source::Page));
        assert_eq!(order.email.as_str(), "ada@example.com");
        assert_eq!(shop.stock(&product).await.allocated, 2);

        // Whoever has the address has the order, and nobody else.
        let address = ada.page().path.clone();
        shop.browser().open(&address).await.expect(200);
        shop.browser().open(address.split('?').next().expect("a path")).await.expect(404);
        // The cart was bought; the next thing goes into a new one.
        ada.open("/cart").await.expect(200);
        assert!(ada.page().has(".empty"), "{}", ada.page());
        ada.open("/products/mug").await;
        ada.send("/cart/items", &[]).await.expect(200);
        assert_eq!(ada.page().all(".line").len(), 1);
    }

    /// Goal: a checkout can be left at any point; another window goes on where it stands, with what was typed.
    async fn a_checkout_is_resumed_where_it_was_left(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_checkout("MUG", "1").await;
        let address = ada.page().path.clone();
        assert!(ada.page().has(".steps .current"), "{}", ada.page());
        ada.send("/contact", &ADA).await.expect(200);

        let mut window = ada.clone();
        window.open(&address).await.expect(200);
        assert_eq!(window.page().one(".steps .current"), "Delivery");
        // What is said can be changed, and is there to be changed.
        window.click("Change").await.expect(200);
        assert_eq!(window.page().value("/contact", "line1"), "1 Main Street");
        window.send("/contact", &[("city", "Potsdam"), ("country", "AT"), ("postal_code", "1010")]).await.expect(200);
        assert_eq!(window.page().all(".choice-label"), ["Paket"], "the courier does not go to Austria");
        // Nobody gets past what is missing.
        window.open(&format!("{address}?step=review")).await.expect(200);
        assert_eq!(window.page().one(".steps .current"), "Delivery");
        // Going to the checkout again goes on with the same one.
        window.open("/cart").await;
        window.send("/checkout", &[]).await.expect(200);
        assert_eq!(window.page().path, address);
        window.send("/delivery", &[]).await.expect(200);
        // An address to which the chosen method does not go takes the one that does.
        window.open(&format!("{address}?step=delivery")).await;
        assert_eq!(window.page().value("/delivery", "method"), "standard");
    }

    /// Goal: a declined card leaves the order waiting, and another card pays it: one order, one charge.
    async fn another_card_pays_the_same_order(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("payment", "test/tok_declined")]).await.expect(200);
        assert!(ada.page().one(".wrong").contains("The payment was declined"), "{}", ada.page());
        let order = shop.only_order().await;
        assert_eq!(order.status, Status::Reserved);
        // The cart page and the order page both lead back to paying.
        let mut window = ada.clone();
        window.open("/cart").await.expect(200);
        window.click("Continue to payment").await.expect(200);
        ada.send("/complete", &[("payment", "test/tok_ok")]).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        let order = shop.only_order().await;
        assert_eq!((order.status, shop.kept_minor(order.id).await), (Status::Paid, 2_489));
        // The window that is late is shown the order.
        window.send("/complete", &[("payment", "test/tok_ok")]).await.expect(200);
        assert_eq!(window.page().one("h1"), "Thank you for your order");
        assert_eq!(shop.kept_minor(order.id).await, 2_489);
    }

    /// Goal: a payment that needs the buyer leads to the provider's page and back, and the page that waits for the
    /// provider's word goes on by itself.
    async fn the_buyer_approves_at_the_provider(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("payment", "test/tok_action_required")]).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Please approve the payment");
        ada.click("Go to the payment page").await.expect(200);
        assert_eq!(ada.page().one("h1"), "Approve this test payment?");
        ada.press("", ("decision", "approve")).await.expect(200);
        assert!(ada.page().path.ends_with("?returned"), "{}", ada.page());
        assert_eq!(ada.page().one("h1"), "We are checking your payment");
        assert!(ada.page().has("meta[http-equiv=refresh]"), "it looks again by itself");
        let address = ada.page().path.clone();
        shop.clock.advance(std::time::Duration::from_secs(1));
        shop.deliver_webhooks().await;
        ada.open(&address).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        assert_eq!(shop.only_order().await.status, Status::Paid);
    }

    /// Goal: a payment that takes a while is waited for on the page of the order.
    async fn a_slow_payment_is_waited_for(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("payment", "test/tok_async_ok")]).await.expect(200);
        assert_eq!(ada.page().one("h1"), "We are checking your payment");
        assert!(ada.page().has("meta[http-equiv=refresh]"), "it looks again by itself");
        let address = ada.page().path.clone();
        shop.clock.advance(std::time::Duration::from_secs(1));
        shop.deliver_webhooks().await;
        ada.open(&address).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        assert!(!ada.page().has("meta[http-equiv=refresh]"), "there is nothing to wait for");
    }

    /// Goal: the page of an order follows it on its way.
    async fn an_order_is_followed_to_the_door(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "2").await;
        ada.send("/complete", &[]).await.expect(200);
        let address = ada.page().path.clone();
        let order = shop.only_order().await;
        let staff = shop.staff();
        shop.engine.pack_order(&staff, order.id, None).await.expect("it is paid");
        ada.open(&address).await.expect(200);
        assert_eq!(ada.page().one(".progress [aria-current]"), "Packing");
        let parcel = Parcel {
            units: vec![LineQuantity { line_id: order.lines[0].id, quantity: 1 }],
            tracking: Tracking {
                carrier: Some("Post".into()),
                number: Some("<b>1Z</b>".into()),
                url: Some("https://post.example/?id=1Z&x=\"".into()),
            },
        };
        shop.engine.ship_order(&staff, order.id, parcel, None).await.expect("it is packed");
        ada.open(&address).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Part of your order is on its way");
        assert_eq!(ada.page().one(".tag"), "1 of 2 sent");
        let parcel = ada.page().one(".parcel");
        for part in ["Parcel 1", "Post", "1 × Product MUG", "<b>1Z</b>"] {
            assert!(parcel.contains(part), "{parcel}");
        }
        let track = ada.page().attribute(".parcel a", "href");
        assert_eq!(track, "https://post.example/?id=1Z&x=\"");
        shop.engine.ship_order(&staff, order.id, Parcel::default(), None).await.expect("the rest");
        shop.engine.deliver_order(&staff, order.id, None).await.expect("it was sent");
        ada.open(&address).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Your order has arrived");
        assert_eq!(ada.page().all(".parcel").len(), 2);
    }

    /// Goal: the page of a canceled order says what happens with the money.
    async fn a_refund_is_seen(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[]).await.expect(200);
        let address = ada.page().path.clone();
        shop.cancel(shop.only_order().await.id).await.expect("it has not shipped");
        ada.open(&address).await.expect(200);
        assert!(ada.page().text.contains("goes back to you"), "{}", ada.page());
        shop.settle().await;
        ada.open(&address).await.expect(200);
        assert_eq!(ada.page().one("h1"), "This order was canceled");
        assert!(ada.page().text.contains("went back to you on"), "{}", ada.page());
    }
}
