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
        assert!(ada.page().path.starts_with("/cart?added="), "{}", ada.page());
        assert_eq!(ada.page().one(".done"), "Added to your cart: Product MUG");
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

    /// Goal: what is marked in the form counts already: the delivery step shows the total that is paid, and the step
    /// before says what is still to come.
    async fn totals_have_the_marked_shipping_from_the_first_view_on(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_checkout("MUG", "1").await;
        assert!(ada.page().text.contains("Shipping is added in the next step."), "{}", ada.page());
        assert!(ada.page().one("summary").contains("+ shipping"), "also where the summary is folded");
        ada.send("/contact", &ADA).await.expect(200);
        assert_eq!(ada.page().value("/delivery", "method"), "standard");
        assert!(ada.page().one(".sums .total").contains("24,89"), "{}", ada.page());
        assert!(ada.page().one(".summary-total").ends_with("24,89 €"), "{}", ada.page());
        ada.send("/delivery", &[]).await.expect(200);
        assert!(ada.page().one(".sums .total").contains("24,89"), "{}", ada.page());
    }

    /// Goal: no page promises a message that is never sent, and the order says how one comes back to it.
    async fn nothing_is_promised_that_is_not_sent(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_checkout("MUG", "1").await;
        assert_eq!(ada.page().one("#email-hint"), "For questions about your order.");
        ada.send("/contact", &ADA).await.expect(200);
        ada.send("/delivery", &[]).await.expect(200);
        ada.send("/complete", &[]).await.expect(200);
        assert!(ada.page().one(".keep").contains("Keep this address"), "{}", ada.page());
        assert_eq!(ada.page().attribute(".keep a", "href"), ada.page().path);
        for promise in ["receipt", "News", "we will e-mail", "confirmation e-mail"] {
            assert!(!ada.page().text.contains(promise), "{promise}: {}", ada.page());
        }
    }

    /// Goal: a shop without a payment provider says so on every page, and no checkout begins that could never end.
    async fn nothing_is_sold_where_nobody_can_pay(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let ada = shop.at_payment("MUG", "1").await;
        assert_eq!(ada.page().one(".band"), "Test shop: no money moves.");
        let checkout = ada.page().path.clone();
        shop.without_payments().await;
        let mut eve = shop.browser();
        eve.open("/products/mug").await.expect(200);
        assert!(eve.page().one(".band").contains("does not take payments"), "{}", eve.page());
        eve.send("/cart/items", &[]).await.expect(200);
        assert!(eve.page().one(".warn").contains("You cannot check out at the moment"), "{}", eve.page());
        eve.post("/checkout", &[]).await.expect(200);
        assert_eq!(eve.page().path, "/cart", "no checkout begins");
        // One that was begun before has no button that does nothing.
        let mut window = shop.browser().with_cookie_of(&ada);
        window.open(&checkout).await.expect(200);
        assert!(window.page().one(".warn").contains("does not take payments"), "{}", window.page());
        assert!(!window.page().has("form[action$='/complete']"), "{}", window.page());
    }

    /// Goal: a declined card leaves the order waiting, and another card pays it: one order, one charge.
    async fn another_card_pays_the_same_order(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("payment", "test/tok_declined")]).await.expect(200);
        // The decline comes first, then what waits; nothing is marked that was just refused or that "works".
        assert_eq!(ada.page().one("h1"), "Payment not completed");
        assert!(ada.page().one(".wrong").contains("The payment was declined"), "{}", ada.page());
        let (wrong, kept) = (ada.page().text.find("notice wrong"), ada.page().text.find("notice warn"));
        assert!(wrong < kept && ada.page().text.find("<h1>") < wrong, "{}", ada.page());
        assert!(ada.page().one(".warn").contains("is reserved for you until"), "{}", ada.page());
        assert!(!ada.page().has("input[type=radio][checked]"), "{}", ada.page());
        assert!(ada.page().has(".summary-below"), "the items come after it on a phone");
        ada.send("/complete", &[]).await.expect(422);
        assert!(ada.page().text.contains("Choose a payment method."), "{}", ada.page());
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

    /// Goal: after a decline the buyer may also change the checkout: the order that waits is called off for it.
    async fn after_a_decline_the_checkout_can_be_changed(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("payment", "test/tok_declined")]).await.expect(200);
        let declined = shop.only_order().await;
        assert!(ada.page().one(".notice.warn").contains("or change it below"), "{}", ada.page());
        ada.click("Change Shipping method").await.expect(200);
        ada.send("/delivery", &[("method", "courier")]).await.expect(200);
        assert_eq!(ada.page().one(".steps .current"), "Review and pay");
        assert!(ada.page().one(".whole").contains("29,89"), "{}", ada.page());
        assert_eq!(shop.order(declined.id).await.order.status, Status::Canceled);
        ada.send("/complete", &[]).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        assert_eq!(shop.payments.calls().charges, 2);
    }

    /// Goal: a payment that needs the buyer leads to the provider's page and back; the shop asks the provider at once, so
    /// no buyer waits for its webhook.
    async fn the_buyer_approves_at_the_provider(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("payment", "test/tok_action_required")]).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Approve the payment");
        ada.click("Go to the payment page").await.expect(200);
        assert_eq!(ada.page().one("h1"), "Approve this test payment?");
        ada.press("", ("decision", "approve")).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        let order = shop.only_order().await;
        assert_eq!((order.status, shop.kept_minor(order.id).await), (Status::Paid, 2_489));
        // The webhook that comes later changes nothing.
        shop.clock.advance(std::time::Duration::from_secs(1));
        shop.deliver_webhooks().await;
        assert_eq!(shop.kept_minor(order.id).await, 2_489);
    }

    /// Goal: while the provider says nothing, the page that waits for it looks again by itself, never hastily, says so,
    /// and can be stopped.
    async fn a_page_that_waits_looks_again_without_haste(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("payment", "test/tok_action_required")]).await.expect(200);
        ada.click("Go to the payment page").await.expect(200);
        shop.payments.set_down(true);
        ada.press("", ("decision", "approve")).await.expect(200);
        assert_eq!(ada.page().one("h1"), "We are checking your payment");
        assert!(ada.page().one("title").starts_with("We are checking your payment"), "{}", ada.page());
        assert!(ada.page().text.contains("checks again by itself in 20 seconds"), "{}", ada.page());
        let (seconds, next) = ada.reload().expect("it looks again by itself");
        assert_eq!(seconds, 20);
        assert!(!ada.page().has("meta[http-equiv=refresh]"));
        let mut window = ada.clone();
        window.click("Stop checking").await.expect(200);
        assert!(window.reload().is_none() && !window.page().text.contains("by itself in"), "{}", window.page());
        shop.payments.set_down(false);
        ada.open(&next).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        assert!(ada.reload().is_none());
        // Nobody else is shown or told anything.
        shop.browser().open(&next).await.expect(404);
    }

    /// Goal: a payment that takes a while is waited for on the page of the order.
    async fn a_slow_payment_is_waited_for(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("payment", "test/tok_async_ok")]).await.expect(200);
        assert_eq!(ada.page().one("h1"), "We are checking your payment");
        assert!(ada.reload().is_some_and(|(seconds, _)| seconds >= 20), "it looks again by itself");
        let address = ada.page().path.clone();
        shop.clock.advance(std::time::Duration::from_secs(1));
        shop.deliver_webhooks().await;
        ada.open(&address).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        assert!(ada.reload().is_none(), "there is nothing to wait for");
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
        assert_eq!(ada.page().one(".tag"), "1 of 2 shipped");
        let parcel = ada.page().one(".parcel");
        for part in ["Shipment 1", "Post", "1 × Product MUG", "<b>1Z</b>"] {
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
        assert!(ada.page().text.contains("is on its way"), "{}", ada.page());
        shop.settle().await;
        ada.open(&address).await.expect(200);
        assert_eq!(ada.page().one("h1"), "This order was canceled");
        assert!(ada.page().has(".news.ended"), "it does not look like good news");
        assert!(ada.page().text.contains("refunded on"), "{}", ada.page());
    }
}
