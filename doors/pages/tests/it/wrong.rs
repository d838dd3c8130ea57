//! What people mistype.

use handel_testkit::both_databases;

use super::support::{ADA, Page, Shop};

/// What is said about a field: in the list at the top, as a link to the field, and beside the field itself.
#[track_caller]
fn assert_complains(page: &Page, field: &str, text: &str) {
    let link = page.one(&format!(".wrong a[href='#{field}']"));
    assert!(link.contains(text), "{link}");
    assert!(page.one(&format!("#{field}-error")).contains(text), "{page}");
    assert_eq!(page.attribute(&format!("#{field}"), "aria-invalid"), "true");
    let described = page.attribute(&format!("#{field}"), "aria-describedby");
    assert!(described.contains(&format!("{field}-error")), "{described}");
}

both_databases! {
    /// Goal: every wrong field is named at the top and beside itself, all at once, and nothing that was typed is lost.
    async fn wrong_fields_are_named_and_what_was_typed_stays(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_checkout("MUG", "1").await;
        let mut typed = ADA;
        typed[0].1 = "ada at example";
        typed[4].1 = "1011";
        ada.send("/contact", &typed).await.expect(422);
        let page = ada.page();
        assert_complains(page, "email", "must be an e-mail address");
        assert_complains(page, "postal_code", "must be a postal code of Germany");
        assert_eq!(page.value("/contact", "email"), "ada at example");
        assert_eq!(page.value("/contact", "name"), "Ada Lovelace");
        assert!(page.one("title").starts_with("Please check"), "heard before anything else");

        let mut typed = ADA;
        typed[1].1 = " ";
        typed[4].1 = "1011";
        ada.send("/contact", &typed).await.expect(422);
        assert_complains(ada.page(), "name", "must not be empty");
        assert_complains(ada.page(), "postal_code", "must be a postal code of Germany");
        assert_eq!(ada.page().value("/contact", "postal_code"), "1011");
        assert_eq!(ada.page().value("/contact", "country"), "DE");

        ada.send("/contact", &ADA).await.expect(200);
        assert_eq!(ada.page().one(".steps .current"), "Delivery");
    }

    /// Goal: another billing address is taken, judged by itself, and can be taken back.
    async fn a_bill_can_go_elsewhere(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_checkout("MUG", "1").await;
        let mut typed = ADA.to_vec();
        typed.push(("billing", "other"));
        ada.send("/contact", &typed).await.expect(422);
        assert_complains(ada.page(), "billing-name", "must not be empty");
        typed.extend([
            ("billing-name", "Analytical Engines Ltd"),
            ("billing-line1", "5 Low Lane"),
            ("billing-city", "Dublin"),
            ("billing-country", "IE"),
        ]);
        ada.send("/contact", &typed).await.expect(200);
        ada.send("/delivery", &[]).await.expect(200);
        assert!(ada.page().one(".answers").contains("Analytical Engines Ltd"), "{}", ada.page());
        ada.click("Change").await;
        assert_eq!(ada.page().value("/contact", "billing"), "other");
        ada.send("/contact", &[("billing", "same")]).await.expect(200);
        ada.send("/delivery", &[]).await.expect(200);
        assert!(!ada.page().one(".answers").contains("Analytical Engines Ltd"), "{}", ada.page());
        ada.send("/complete", &[]).await.expect(200);
        let order = shop.only_order().await;
        assert_eq!(order.billing_address, order.shipping_address);
    }

    /// Goal: a card number in any field is refused and never shown again by the summary of what is wrong.
    async fn card_numbers_are_refused(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_checkout("MUG", "1").await;
        let mut typed = ADA;
        typed[2].1 = "4242 4242 4242 4242";
        ada.send("/contact", &typed).await.expect(422);
        assert_complains(ada.page(), "line1", "looks like a card number");
        let mut ada = shop.at_payment("MUG", "1").await;
        ada.send("/complete", &[("token", "4242424242424242")]).await.expect(422);
        assert!(!ada.page().text.contains("4242"), "it is not sent back: {}", ada.page());
        ada.send("/complete", &[("token", "tok_nonsense")]).await.expect(422);
        assert_complains(ada.page(), "token", "The test provider takes one of");
        ada.send("/complete", &[("token", "tok_ok:mine")]).await.expect(200);
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
    }

    /// Goal: quantities that cannot be are refused where they were typed.
    async fn quantities_are_judged_where_they_are_typed(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.browser();
        ada.open("/products/mug").await;
        for (typed, status, text) in [
            ("6", 409, "Only 5 available; you asked for 6"),
            ("0", 422, "must be at least 1"),
            ("-1", 422, "must be at least 1"),
            ("1.5", 422, "must be a whole number"),
            ("99999999999999999999", 422, "must be a whole number"),
            ("", 422, "must be a whole number"),
        ] {
            ada.send("/cart/items", &[("quantity", typed)]).await.expect(status);
            assert!(ada.page().one(".wrong a[href='#quantity']").contains(text), "{typed}: {}", ada.page());
        }
        ada.send("/cart/items", &[("quantity", "2")]).await.expect(200);
        for (typed, status, text) in [("6", 409, "Only 5 available; you asked for 6"), ("x", 422, "must be a whole number")] {
            ada.send("", &[("quantity", typed)]).await.expect(status);
            assert!(ada.page().one(".wrong").contains(text), "{typed}: {}", ada.page());
            assert_eq!(ada.page().attribute(".line input[name=quantity]", "value"), "2", "nothing was changed");
        }
        ada.send("", &[("quantity", "3")]).await.expect(200);
        assert_eq!(ada.page().attribute(".line input[name=quantity]", "value"), "3");
        ada.press("", ("remove", "1")).await.expect(200);
        assert!(ada.page().has(".empty"), "{}", ada.page());
    }

    /// Goal: a shop that does not sell to a country says so beside the country, also to a forged form.
    async fn a_country_that_is_not_sold_to_is_refused(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.at_checkout("MUG", "1").await;
        let countries = ada.page().all("#country option");
        assert_eq!(countries, ["Austria", "France", "Germany"]);
        let mut typed = ADA.to_vec();
        typed[5].1 = "US";
        ada.send("/contact", &typed).await.expect(422);
        assert!(ada.page().one("#country-error").contains("does not sell to the United States"), "{}", ada.page());
        typed[5].1 = "<script>";
        ada.send("/contact", &typed).await.expect(422);
        assert_complains(ada.page(), "country", "is not a country");
    }
}
