//! Looking around.

use handel_domain::catalog::{CategoryInput, Media, ProductOption, VariantInput};
use handel_testkit::{
    both_databases,
    fixtures::{product_input, sku, slug},
};

use super::support::{ADA, Page, Shop};

#[track_caller]
fn assert_is_called(page: &Page) {
    assert_eq!(page.one(".brand"), "Ada & Söhne", "{page}");
    assert!(page.one("title").ends_with("Ada & Söhne"), "{page}");
}

both_databases! {
    /// Goal: the list is searched, filtered, sorted and paged by links and forms, and every page of it once.
    async fn the_list_is_searched_filtered_and_paged(shop: Shop) {
        for number in 0..30 {
            shop.product(&format!("CUP-{number:02}"), 1_000 + number * 100, 1).await;
        }
        shop.product("TEAPOT", 9_900, 0).await;
        let mut ada = shop.browser();
        ada.open("/?sort=price").await.expect(200);
        let first = ada.page().all(".card-title");
        assert_eq!((first.len(), first[0].as_str()), (24, "Product CUP-00"));
        ada.click("Next page").await.expect(200);
        let second = ada.page().all(".card-title");
        assert_eq!((second.len(), second[0].as_str()), (7, "Product CUP-24"));
        assert_eq!(ada.page().all(".badge"), ["Sold out"]);
        ada.click("Back to the start").await.expect(200);
        assert_eq!(ada.page().all(".card-title"), first);

        let found = ada.open("/?q=teapot").await.expect(200);
        assert_eq!((found.all(".card-title").len(), found.one("h1").as_str()), (1, "Results for “teapot”"));
        assert_eq!(ada.open("/?q=teapot&in_stock=1").await.expect(200).all(".card-title").len(), 0);
        assert!(ada.page().has(".empty"));
        let some = ada.open("/?min=10,00&max=11.00&sort=-price").await.expect(200);
        assert_eq!(some.all(".card-title"), ["Product CUP-01", "Product CUP-00"]);
        assert_eq!(some.attribute("#price-min", "value"), "10,00");
        for wrong in ["/?min=cheap", "/?min=20&max=10", "/?max=-1"] {
            let page = ada.open(wrong).await.expect(422);
            assert!(page.has(".wrong a[href='#price-min']") || page.has(".wrong a[href='#price-max']"), "{page}");
        }
    }

    /// Goal: categories lead down and up again.
    async fn categories_lead_down_and_up(shop: Shop) {
        let category = |name: &str, parent_id| CategoryInput {
            parent_id, slug: None, name: name.to_owned(), description: format!("All {name}"), position: 0,
        };
        let make = async |name, parent| {
            let made = shop.engine.create_category(&shop.staff(), category(name, parent)).await;
            made.expect("the category is valid").reply.id
        };
        let kitchen = make("Kitchen", None).await;
        let mugs = make("Mugs", Some(kitchen)).await;
        let mut input = product_input("MUG", 1_999);
        input.category_ids = vec![mugs];
        shop.create(input, 1).await;
        shop.product("BOOK", 999, 1).await;
        let mut ada = shop.browser();
        ada.open("/").await.expect(200);
        ada.click("Kitchen").await.expect(200);
        assert_eq!(ada.page().all(".card-title"), ["Product MUG"]);
        ada.click("Mugs").await.expect(200);
        assert_eq!((ada.page().one("h1").as_str(), ada.page().one(".lead").as_str()), ("Mugs", "All Mugs"));
        assert_eq!(ada.page().attribute("link[rel=canonical]", "href"), "https://shop.example/?category=mugs");
        assert_eq!(ada.page().all(".crumbs li"), ["All products", "Kitchen"]);
        ada.click("Product MUG").await.expect(200);
        assert_eq!(ada.page().all(".crumbs li"), ["All products", "Mugs"]);
    }

    /// Goal: a product's page says for people and programs alike what it costs and what can be bought, of each variant.
    async fn a_product_is_shown_with_its_variants(shop: Shop) {
        let mut input = product_input("SHIRT-S", 2_500);
        input.slug = Some(slug("shirt"));
        input.description_html = "<p>Soft <b>linen</b>.</p>".to_owned();
        input.media = vec![Media { url: "/media/shirt.png".into(), alt: "A shirt".into() }];
        input.options = vec![ProductOption { name: "Size".into(), values: vec!["S".into(), "L".into()] }];
        input.variants[0].option_values = vec!["S".into()];
        let mut large: VariantInput = input.variants[0].clone();
        large.sku = sku("SHIRT-L");
        large.option_values = vec!["L".into()];
        large.prices.iter_mut().for_each(|price| {
            price.amount_minor = 2_000;
            price.compare_at_minor = Some(3_000);
        });
        input.variants.push(large);
        let product = shop.create(input, 0).await;
        shop.receive_stock("SHIRT-L", 3).await;

        let mut ada = shop.browser();
        ada.open(&format!("/products/{}", product.id)).await.expect(200);
        assert_eq!(ada.page().path, "/products/shirt", "there is one address for it");
        let page = ada.page();
        assert!(page.one(".product-price").starts_with("from 20,00"), "{page}");
        assert_eq!(page.all(".choice-label"), ["S", "L"]);
        assert!(page.one(".choice.off").contains("Sold out"), "{page}");
        assert!(page.one("fieldset").contains("Only 3 left"), "{page}");
        assert_eq!(page.one("legend"), "Size");
        assert_eq!(page.one(".prose"), "Soft linen.");
        assert!(page.text.contains("Including tax, plus shipping"));
        let json: serde_json::Value =
            serde_json::from_str(&page.one("script[type='application/ld+json']")).expect("JSON");
        assert_eq!((&json["@type"], &json["name"]), (&"Product".into(), &"Product SHIRT-S".into()));
        assert_eq!(json["image"][0], "https://shop.example/media/shirt.png");
        let offers = json["offers"].as_array().expect("offers");
        let said: Vec<_> = offers.iter().map(|offer| (&offer["price"], &offer["availability"])).collect();
        assert_eq!(said, [
            (&"25.00".into(), &"https://schema.org/OutOfStock".into()),
            (&"20.00".into(), &"https://schema.org/InStock".into()),
        ]);
        // The one that can be bought is chosen already.
        ada.send("/cart/items", &[]).await.expect(200);
        assert!(ada.page().one(".line").contains("20,00"), "{}", ada.page());
    }

    /// Goal: the name that the operator gave the shop stands on every page.
    async fn the_shop_is_called_what_its_operator_says(shop: Shop) {
        let policy = serde_json::json!({ "kind": "refund-policy", "title": "Returns", "text": "Just send it." });
        let policy = serde_json::from_value(policy).expect("a policy");
        shop.change_channel(|settings| settings.policies = vec![policy]).await;
        shop.product("MUG", 1_999, 5).await;
        let mut ada = shop.browser_of("Ada & Söhne");
        for (address, status) in
            [("/", 200), ("/products/mug", 200), ("/cart", 200), ("/policies/refund-policy", 200), ("/nothing", 404)]
        {
            ada.open(address).await.expect(status);
            assert_is_called(ada.page());
        }
        ada.open("/products/mug").await.expect(200);
        for (form, values) in [
            ("/cart/items", &[][..]), ("/checkout", &[]), ("/contact", &ADA), ("/delivery", &[]), ("/complete", &[]),
        ] {
            ada.send(form, values).await.expect(200);
            assert_is_called(ada.page());
        }
        assert_eq!(ada.page().one("h1"), "Thank you for your order");
        let channel = shop.engine.get_channel(&shop.ctx()).await.expect("the fixture has one");
        assert_eq!(shop.browser().open("/").await.one(".brand"), channel.settings.name, "without a name");
    }

    /// Goal: the style sheet has a name of its own for each content, is kept for good, and every page names it.
    async fn the_look_is_kept_for_good(shop: Shop) {
        let mut ada = shop.browser();
        let href = ada.open("/").await.attribute("link[rel=stylesheet]", "href");
        let style = ada.open(&href).await.expect(200);
        assert_eq!(style.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
        let icon = ada.open("/").await.attribute("link[rel=icon]", "href");
        assert_eq!(ada.open(&icon).await.expect(200).header("content-type"), "image/svg+xml");
    }
}
