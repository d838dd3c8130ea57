//! Discount codes.

use handel_domain::promotion::{Class, CombinesWith, Rules};
use handel_testkit::{
    both_databases,
    fixtures::{percent, promotion_rules},
};

use super::support::{ADA, Shop};

async fn promote(shop: &Shop, rules: Rules, codes: &[&str]) {
    let codes = codes.iter().map(|code| (*code).to_owned()).collect();
    shop.engine.create_promotion(&shop.staff(), rules, codes).await.expect("staff may");
}

both_databases! {
    /// Goal: a code is typed, shown, paid with and remembered; one that does nothing says why, and can be taken away.
    async fn a_code_takes_something_off_up_to_the_order(shop: Shop) {
        shop.product("MUG", 2_000, 5).await;
        promote(shop, promotion_rules(Class::Order, percent(10)), &["TEN"]).await;
        let mut ada = shop.browser();
        ada.open("/products/mug").await;
        ada.send("/cart/items", &[]).await.expect(200);
        ada.send("/cart/codes", &[("code", "")]).await.expect(422);
        assert!(ada.page().one("#code-error").contains("Enter a discount code"), "{}", ada.page());
        ada.send("/cart/codes", &[("code", "4242 4242 4242 4242")]).await.expect(422);
        assert!(!ada.page().text.contains("4242"), "{}", ada.page());
        // A code that does nothing does not stay, and there is one message about it.
        ada.send("/cart/codes", &[("code", "<b>none</b>")]).await.expect(422);
        assert_eq!(ada.page().one("#code-error"), "This code does not exist.");
        assert_eq!(ada.page().value("/cart/codes", "code"), "<b>none</b>");
        assert!(!ada.page().has(".done") && !ada.page().has(".codes"), "{}", ada.page());
        ada.open("/cart").await.expect(200);
        assert!(!ada.page().text.contains("none"), "{}", ada.page());
        ada.send("/cart/codes", &[("code", "ten")]).await.expect(200);
        assert_eq!(ada.page().one(".done"), "Cart updated.");
        ada.send("/cart/codes", &[("code", "TEN")]).await.expect(422);
        assert_eq!(ada.page().one("#code-error"), "This code is already applied.");
        ada.send("/cart/codes", &[("code", "NOPE")]).await.expect(422);
        assert_eq!(ada.page().all(".codes li").len(), 1, "the good one stays: {}", ada.page());
        assert!(ada.page().one(".less").contains("2,00"), "{}", ada.page());
        assert!(ada.page().one(".total").contains("18,00"), "{}", ada.page());
        ada.send("/checkout", &[]).await.expect(200);
        ada.send("/contact", &ADA).await.expect(200);
        ada.send("/delivery", &[]).await.expect(200);
        assert!(ada.page().one(".less").contains("2,00"), "{}", ada.page());
        ada.send("/complete", &[]).await.expect(200);
        assert!(ada.page().one(".less").contains("2,00"), "{}", ada.page());
        let order = shop.only_order().await;
        assert_eq!((order.total_minor, order.discount_minor), (1_800 + 490, 200));
    }

    /// Goal: the method that is chosen already is the one that costs least after promotions.
    async fn the_cheapest_method_after_promotions_is_chosen_already(shop: Shop) {
        shop.product("MUG", 8_000, 5).await;
        // The one that takes off more holds: free shipping only where it is dear.
        for (class, part) in [(Class::Order, 10), (Class::Shipping, 100)] {
            let rules = promotion_rules(class, percent(part));
            promote(shop, Rules { combines_with: CombinesWith::default(), ..rules }, &[]).await;
        }
        let mut ada = shop.at_checkout("MUG", "1").await;
        ada.send("/contact", &ADA).await.expect(200);
        assert_eq!(ada.page().value("/delivery", "method"), "courier");
    }

    /// Goal: a code that somebody else used up meanwhile is said before anything is paid.
    async fn a_code_that_was_used_up_is_said(shop: Shop) {
        shop.product("MUG", 2_000, 5).await;
        promote(shop, Rules { usage_limit: Some(1), ..promotion_rules(Class::Order, percent(10)) }, &["ONCE"]).await;
        let at_payment = async || {
            let mut browser = shop.browser();
            browser.open("/products/mug").await;
            browser.send("/cart/items", &[]).await.expect(200);
            browser.send("/cart/codes", &[("code", "ONCE")]).await.expect(200);
            browser.send("/checkout", &[]).await.expect(200);
            browser.send("/contact", &ADA).await.expect(200);
            browser.send("/delivery", &[]).await.expect(200);
            browser
        };
        let (mut ada, mut eve) = (at_payment().await, at_payment().await);
        ada.send("/complete", &[]).await.expect(200);
        eve.send("/complete", &[]).await.expect(409);
        assert!(eve.page().one(".wrong").contains("ONCE was used as often as it may be"), "{}", eve.page());
        eve.click("Edit the cart").await.expect(200);
        let removal = vec![("remove".to_owned(), "ONCE".to_owned())];
        eve.post("/cart/codes", &removal).await.expect(200);
        eve.send("/checkout", &[]).await.expect(200);
        assert!(eve.page().one(".whole").contains("24,90"), "{}", eve.page());
    }
}
