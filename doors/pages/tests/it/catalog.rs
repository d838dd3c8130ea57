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
        ada.click("First page").await.expect(200);
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
        // The one that can be bought is chosen already.
        assert!(page.one(".product-price").starts_with("20,00"), "{page}");
        assert!(page.one(".product-price").contains("30,00"), "{page}");
        assert_eq!(page.all(".option-name"), ["Size: L"]);
        assert_eq!(page.all(".option-value"), ["S, sold out", "L"]);
        assert_eq!(page.one(".option-value[aria-current]"), "L");
        assert_eq!(page.one(".option-value.off"), "S, sold out");
        assert_eq!(page.one(".stock.good"), "Only 3 left");
        assert_eq!(page.one(".prose"), "Soft linen.");
        assert!(page.text.contains("Tax included. Shipping is calculated at checkout."));
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
        // What is sold out is shown, and cannot be put into the cart.
        let mut window = ada.clone();
        window.click("S, sold out").await.expect(200);
        assert_eq!((window.page().one(".stock").as_str(), window.page().has(".buy")), ("Sold out", false));
        assert!(window.page().one(".product-price").starts_with("25,00"), "{}", window.page());
        ada.send("/cart/items", &[]).await.expect(200);
        assert!(ada.page().one(".line").contains("20,00"), "{}", ada.page());
    }

    /// Goal: each option is chosen by itself, with links alone; what does not go together is seen and leads on.
    async fn options_are_chosen_one_by_one(shop: Shop) {
        let mut input = product_input("TEE-S-SAGE", 2_500);
        input.slug = Some(slug("tee"));
        let option = |name: &str, values: &[&str]| ProductOption {
            name: name.into(), values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        input.options = vec![option("Size", &["S", "M", "L"]), option("Color", &["Sage", "Chalk", "Ink"])];
        let first = input.variants.remove(0);
        for (size, color) in [("S", "Sage"), ("S", "Chalk"), ("M", "Sage"), ("L", "Chalk")] {
            let name = format!("TEE-{size}-{}", color.to_uppercase());
            let values = vec![size.to_owned(), color.to_owned()];
            input.variants.push(VariantInput { sku: sku(&name), option_values: values, ..first.clone() });
        }
        shop.create(input, 0).await;
        for name in ["TEE-S-SAGE", "TEE-M-SAGE", "TEE-L-CHALK"] {
            shop.receive_stock(name, 9).await;
        }
        let mut ada = shop.browser();
        ada.open("/products/tee").await.expect(200);
        assert_eq!(ada.page().all(".option-name"), ["Size: S", "Color: Sage"]);
        assert_eq!(ada.page().all(".option-value"), [
            "S", "M", "L, in another combination", "Sage", "Chalk, sold out", "Ink, not available",
        ]);
        ada.click("M").await.expect(200);
        assert_eq!(ada.page().all(".option-name"), ["Size: M", "Color: Sage"]);
        assert_eq!(ada.page().attribute("link[rel=canonical]", "href"), "https://shop.example/products/tee");
        ada.click("L, in another combination").await.expect(200);
        assert_eq!(ada.page().all(".option-name"), ["Size: L", "Color: Chalk"]);
        // A quantity that is refused leaves the choice as it is.
        ada.send("/cart/items", &[("quantity", "10")]).await.expect(409);
        assert_eq!(ada.page().all(".option-name"), ["Size: L", "Color: Chalk"]);
        assert!(ada.page().attribute("a.option-value", "href").starts_with("/products/tee?variant="), "{}", ada.page());
        ada.send("/cart/items", &[("quantity", "2")]).await.expect(200);
        assert!(ada.page().one(".line").contains("L / Chalk"), "{}", ada.page());
        // A variant that does not exist chooses none.
        ada.open("/products/tee?variant=var_nonsense").await.expect(200);
        assert_eq!(ada.page().all(".option-name"), ["Size: S", "Color: Sage"]);
        shop.product("MUG", 1_000, 1).await;
        assert!(!ada.open("/products/mug").await.expect(200).has(".option"), "one variant is no choice");
    }

    /// Goal: every picture can be seen large, the first at once; where there is none, something stands in its place.
    async fn pictures_open_and_are_replaced_where_there_is_none(shop: Shop) {
        let mut input = product_input("MUG", 1_999);
        let media = |n: usize| Media { url: format!("/media/mug-{n}.png"), alt: String::new() };
        input.media = (1..=3).map(media).collect();
        shop.create(input, 5).await;
        shop.product("ZUBER", 999, 5).await;
        let mut ada = shop.browser();
        let page = ada.open("/products/mug").await.expect(200);
        assert_eq!(page.all(".pictures .picture").len(), 3);
        assert_eq!(page.attribute("#picture-2 a", "href"), "/media/mug-2.png");
        assert_eq!(page.attribute("#picture-2 img", "alt"), "Product MUG");
        assert_eq!(page.all(".thumbs .unseen"), ["Picture 1 of 3", "Picture 2 of 3", "Picture 3 of 3"]);
        assert_eq!(page.attribute(".thumbs li:nth-child(2) a", "href"), "#picture-2");
        assert_eq!(page.attribute(".pictures img", "fetchpriority"), "high");
        assert_eq!(ada.open("/products/zuber").await.expect(200).one(".gallery .blank"), "P");
        let list = ada.open("/?sort=title").await.expect(200);
        assert_eq!(list.attribute(".card img", "alt"), "", "its title stands beside it");
        assert!(!list.has(".card:first-child img[loading=lazy]"), "{list}");
        assert_eq!(list.attribute(".card img", "data-initial"), "P", "where it cannot be loaded");
        assert_eq!(list.all(".card .blank"), ["P"]);
    }

    /// Goal: with a price filter, products are shown with what they cost in that range, and sorted by it.
    async fn filtered_prices_are_the_ones_that_match(shop: Shop) {
        let many = |name: &str, prices: &[i64]| {
            let mut input = product_input(name, 0);
            let values: Vec<_> = prices.iter().map(ToString::to_string).collect();
            input.options = vec![ProductOption { name: "Size".into(), values: values.clone() }];
            let first = input.variants.remove(0);
            for (price, value) in prices.iter().zip(values) {
                let mut variant = VariantInput {
                    sku: sku(&format!("{name}-{value}")), option_values: vec![value], ..first.clone()
                };
                variant.prices.iter_mut().for_each(|own| own.amount_minor = *price);
                input.variants.push(variant);
            }
            input
        };
        shop.create(many("WIDE", &[990, 2_400, 3_000]), 1).await;
        shop.create(many("GAP", &[500, 9_900]), 1).await;
        shop.product("PLAIN", 2_200, 1).await;
        let mut ada = shop.browser();
        let found = ada.open("/?min=20&max=50&sort=price").await.expect(200);
        assert_eq!(found.all(".card-title"), ["Product PLAIN", "Product WIDE"], "no variant of GAP costs that");
        let prices = found.all(".price");
        assert!(prices[0].starts_with("22,00") && prices[1].starts_with("from 24,00"), "{prices:?}");
        let found = ada.open("/?min=20&sort=-price").await.expect(200);
        assert_eq!(found.all(".card-title"), ["Product GAP", "Product WIDE", "Product PLAIN"]);
        assert!(found.all(".price")[0].starts_with("99,00"), "{found}");
    }

    /// Goal: search engines learn what the lists are, and find what stands on later pages.
    async fn search_engines_find_every_page(shop: Shop) {
        for number in 0..25 {
            shop.product(&format!("CUP-{number:02}"), 1_000, 1).await;
        }
        let mut ada = shop.browser();
        let page = ada.open("/").await.expect(200);
        assert!(page.attribute("meta[name=description]", "content").starts_with("All products of "), "{page}");
        ada.click("Next page").await.expect(200);
        assert!(!ada.page().has("meta[name=robots]"), "{}", ada.page());
        let canonical = ada.page().attribute("link[rel=canonical]", "href");
        assert_eq!(canonical, format!("https://shop.example{}", ada.page().path));
        assert!(ada.open("/?q=cup").await.has("meta[name=robots]"));
        let icon = shop.browser().says("accept", "image/*").request(http::Method::GET, "/favicon.ico", None).await;
        assert_eq!((icon.status.as_u16(), icon.header("content-type")), (200, "image/x-icon"));
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
