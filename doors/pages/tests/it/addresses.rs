//! Forms for addresses as each country has them, and addresses as each country writes them.

use handel_testkit::{both_databases, fixtures::tax_california};

use super::support::{ADA, Browser, Shop};

/// A buyer who has chosen a country and pressed the button beside it.
async fn in_country(shop: &Shop, country: &str) -> Browser {
    let mut browser = shop.at_checkout("MUG", "1").await;
    let typed = [("email", "ada@example.com"), ("line1", "1 Main Street"), ("country", country)];
    browser.press_with("/contact", &typed, ("update", "country")).await.expect(200);
    browser
}

both_databases! {
    /// Goal: the form asks for what the country has, in its words, and says what is needed.
    async fn the_form_follows_the_country(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        shop.change_channel(tax_california).await;
        for (country, labels) in [
            ("US", &["City", "State", "ZIP code"][..]),
            ("DE", &["Postal code", "City"]),
            ("GB", &["Town", "Postcode"]),
            ("JP", &["City (optional)", "Prefecture", "Postal code"]),
            ("HK", &["District (optional)", "Area"]),
            ("SG", &["Postal code"]),
        ] {
            let ada = in_country(shop, country).await;
            let page = ada.page();
            let of_country = [&["Country", "Full name", "Street and number",
                "Apartment, floor, company (optional)"], labels, &["Phone (optional)"]].concat();
            let found = page.all("fieldset:not(.billing) .field label");
            assert_eq!(found, of_country, "{country}");
            assert!(!page.one(".step").contains("(if any)"), "{page}");
            assert_eq!(page.value("/contact", "line1"), "1 Main Street", "what was typed stays");
            assert_eq!(page.value("/contact", "email"), "ada@example.com");
            assert_eq!(page.value("/contact", "country"), country);
            assert!(!page.has(".wrong"), "nothing was sent yet: {page}");
        }
        let japan = in_country(shop, "JP").await;
        assert!(japan.page().all("#region option").contains(&"Tokyo (東京都)".to_owned()), "{}", japan.page());
        let america = in_country(shop, "US").await;
        assert_eq!(america.page().all("#region option")[..2], ["Choose", "Alabama"]);
        assert_eq!(america.page().attribute("#region", "aria-required"), "true");
    }

    /// Goal: what an American types, in the form that the browser shows, is taxed where it goes.
    async fn a_state_that_was_chosen_is_taxed(shop: Shop) {
        shop.product("MUG", 10_000, 5).await;
        shop.change_channel(tax_california).await;
        let mut ada = in_country(shop, "US").await;
        let typed = [("name", "Ada Lovelace"), ("city", "Los Angeles"), ("postal_code", "900011234")];
        let other = [&typed[..], &[("region", "OR")]].concat();
        ada.send("/contact", &other).await.expect(422);
        let error = ada.page().one("#region-error");
        assert!(error.contains("State is Oregon, but the ZIP code 90001-1234 is in California"), "{error}");
        ada.send("/contact", &[&typed[..], &[("region", "CA")]].concat()).await.expect(200);
        ada.send("/delivery", &[]).await.expect(200);
        assert!(ada.page().one(".answers").contains("Los Angeles, CA 90001-1234"), "{}", ada.page());
        ada.send("/complete", &[]).await.expect(200);
        let order = shop.only_order().await;
        let address = order.shipping_address.expect("goods are sent");
        assert_eq!((address.region.as_deref(), order.tax_minor), (Some("CA"), 725));
    }

    /// Goal: a country that was changed without the button beside it keeps no region of another country.
    async fn a_region_of_another_country_is_dropped(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        shop.change_channel(tax_california).await;
        let mut ada = in_country(shop, "US").await;
        let typed = [&ADA[..], &[("region", "CA")]].concat();
        ada.send("/contact", &typed).await.expect(200);
        ada.send("/delivery", &[]).await.expect(200);
        assert!(ada.page().one(".answers").contains("10115 Berlin"), "{}", ada.page());
        ada.send("/complete", &[]).await.expect(200);
        let address = shop.only_order().await.shipping_address.expect("goods are sent");
        assert_eq!(address.region, None);
    }

    /// Goal: what is missing is named in words.
    async fn an_empty_form_says_what_it_needs(shop: Shop) {
        shop.product("MUG", 1_999, 5).await;
        shop.change_channel(tax_california).await;
        let mut ada = in_country(shop, "US").await;
        ada.send("/contact", &[("email", ""), ("postal_code", "x")]).await.expect(422);
        let wrong = ada.page().one(".wrong");
        for text in [
            "E-mail is needed.",
            "State is needed for addresses in the United States: the name or code of the state",
            "ZIP code must be a ZIP code of the United States, such as 10001.",
        ] {
            assert!(wrong.contains(text), "{text}: {wrong}");
        }
    }
}
