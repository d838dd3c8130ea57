//! What happens while somebody is checking out: two clicks, other windows, other buyers, and time.

use std::time::Duration;

use handel_domain::order::Status;
use handel_testkit::{both_databases, fixtures::sku};
use http::Method;

use super::support::{Browser, Shop};

/// Presses the button of the payment form, and returns where it leads.
async fn press_pay(mut browser: Browser) -> (u16, String) {
    let (address, pairs) = browser.page().form("/complete").fill(&[]);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let answer = browser.request(Method::POST, &address, Some(body)).await;
    (answer.status.as_u16(), answer.header("location").to_owned())
}

both_databases! {
    /// Goal: however often the button is pressed, there is one order and one charge, and everybody is led to it.
    async fn two_clicks_are_one_order(shop: Shop) {
        let product = shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        let clicks = futures_util::future::join_all((0..5).map(|_| press_pay(ada.clone()))).await;
        for (status, next) in &clicks {
            assert_eq!(*status, 303);
            let mut window = ada.clone();
            window.open(next).await.expect(200);
            assert_eq!(window.page().one("h1"), "Thank you for your order");
        }
        // Also when the page is sent again much later.
        ada.send("/complete", &[]).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        let order = shop.only_order().await;
        assert_eq!(shop.kept_minor(order.id).await, 2_489);
        assert_eq!(shop.stock(&product).await.allocated, 1);
    }

    /// Goal: two windows with a form each buy the cart once.
    async fn two_windows_are_one_order(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let ada = shop.at_payment("MUG", "1").await;
        let (mut one, mut two) = (ada.clone(), ada.clone());
        let address = two.page().path.clone();
        two.open(&address).await.expect(200);
        assert_ne!(one.page().value("/complete", "key"), two.page().value("/complete", "key"));
        one.send("/complete", &[]).await.expect(200);
        two.send("/complete", &[]).await.expect(200);
        assert_eq!(two.page().one("h1"), "Thank you for your order");
        let order = shop.only_order().await;
        assert_eq!(shop.kept_minor(order.id).await, 2_489);
    }

    /// Goal: what was sold out while somebody typed is said by name, nothing is charged, and the cart can be changed.
    async fn sold_out_meanwhile(shop: Shop) {
        shop.product("MUG", 1_999, 2).await;
        let mut ada = shop.at_payment("MUG", "2").await;
        shop.buy(&[("MUG", 1)]).await;
        ada.send("/complete", &[]).await.expect(409);
        assert!(ada.page().one(".wrong").contains("only 1 of Product MUG left"), "{}", ada.page());
        shop.buy(&[("MUG", 1)]).await;
        ada.send("/complete", &[]).await.expect(409);
        assert!(ada.page().one(".wrong").contains("Product MUG is sold out"), "{}", ada.page());
        ada.click("Edit the cart").await.expect(200);
        assert!(ada.page().one(".line .error").contains("sold out"), "{}", ada.page());
        let mut late = shop.browser();
        late.open("/products/mug").await.expect(200);
        assert!(!late.page().has("form[action='/cart/items']"), "nothing is left to buy");
    }

    /// Goal: a cart that was changed in another window is not bought as it was: the buyer sees it and agrees anew.
    async fn a_changed_cart_is_looked_at_again(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        let mut window = ada.clone();
        window.open("/cart").await;
        window.send("", &[("quantity", "2")]).await.expect(200);
        ada.send("/complete", &[]).await.expect(409);
        assert!(ada.page().one("[role=alert]").contains("Your cart has changed"), "{}", ada.page());
        assert!(ada.page().one(".whole").contains("44,88"), "{}", ada.page());
        ada.send("/complete", &[]).await.expect(200);
        let order = shop.only_order().await;
        assert_eq!((order.total_minor, order.status), (4_488, Status::Paid));
    }

    /// Goal: a price that changed is shown, and paid only after the buyer saw it.
    async fn a_changed_price_is_agreed_to_first(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        let prices = vec![handel_domain::catalog::Price {
            currency: "EUR".parse().expect("a currency"),
            amount_minor: 2_500,
            compare_at_minor: None,
        }];
        shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, None).await.expect("staff may");
        ada.send("/complete", &[]).await.expect(409);
        assert!(ada.page().one("[role=alert]").contains("it is now 29,90"), "{}", ada.page());
        ada.send("/complete", &[]).await.expect(200);
        assert_eq!(shop.only_order().await.total_minor, 2_990);
    }

    /// Goal: an order that waits for money is shown and paid at its own prices, whatever the catalog says by now.
    async fn an_order_keeps_its_prices(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("payment", "test/tok_declined")]).await.expect(200);
        let prices = vec![handel_domain::catalog::Price {
            currency: "EUR".parse().expect("a currency"),
            amount_minor: 9_999,
            compare_at_minor: None,
        }];
        shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, None).await.expect("staff may");
        let address = ada.page().path.clone();
        ada.open(&address).await.expect(200);
        assert!(ada.page().one(".total").contains("24,89"), "{}", ada.page());
        assert!(ada.page().one(".whole").contains("24,89"), "{}", ada.page());
        ada.send("/complete", &[("payment", "test/tok_ok")]).await.expect(200);
        assert_eq!(shop.only_order().await.total_minor, 2_489);
    }

    /// Goal: a checkout that has expired says so, and starts anew from the cart that is still there.
    async fn an_expired_checkout_starts_anew(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        let address = ada.page().path.clone();
        shop.clock.advance(Duration::from_secs(7 * 3_600));
        let mut window = ada.clone();
        window.open(&address).await.expect(410);
        assert_eq!(window.page().one("h1"), "This checkout has expired");
        ada.send("/complete", &[]).await.expect(410);
        shop.settle().await;
        // It was cleared away; the cart is there for longer.
        ada.open(&address).await.expect(404);
        assert_eq!(ada.page().one("h1"), "Checkout not found");
        ada.click("Go to cart").await.expect(200);
        window.send("/checkout", &[]).await.expect(200);
        assert_ne!(window.page().path, address);
        assert_eq!(window.page().one(".steps .current"), "Contact");
    }

    /// Goal: an order that nobody paid is called off, its page says so, and the cart can be bought again.
    async fn an_order_that_nobody_pays_is_called_off(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("payment", "test/tok_declined")]).await.expect(200);
        let order = shop.only_order().await;
        Box::pin(shop.settle_after(16 * 60)).await;
        ada.open(&format!("/orders/{}", order.id)).await.expect(200);
        assert_eq!(ada.page().one("h1"), "This order was canceled");
        ada.open("/cart").await.expect(200);
        ada.send("/checkout", &[]).await.expect(200);
        assert_eq!(ada.page().one(".steps .current"), "Review and pay");
    }
}
