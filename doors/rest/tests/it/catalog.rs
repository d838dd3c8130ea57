//! What is for sale, and its pictures.

use bytes::Bytes;
use handel_ports::BlobStore;
use handel_testkit::{TestDatabase, both_databases, fixtures::product_input};
use serde_json::{Value, json};

use super::support::{Reply, Shop};

/// Three products: a cheap shirt, a dear mug that is sold out, and a hat in between.
async fn stocked(shop: &Shop) {
    let key = shop.key(handel_engine::Scope::ALL).await;
    let category = json!({ "name": "Kitchen" });
    let made =
        shop.post("/admin/categories").bearer(&key).json(&category).send().await.expect(201).json();
    for (sku, title, minor, stock, color) in [
        ("SHIRT", "Ant shirt", 500, 3, "red"),
        ("MUG", "Bee mug", 2500, 0, "blue"),
        ("HAT", "Cat hat", 1500, 1, "red"),
    ] {
        let mut input = product_input(sku, minor);
        input.title = title.to_owned();
        let mut body = serde_json::to_value(&input).expect("JSON");
        body["attributes"] = json!([{ "type": "choice", "name": "color", "value": color }]);
        if sku == "MUG" {
            body["category_ids"] = json!([made["id"]]);
        }
        shop.post("/admin/products").bearer(&key).json(&body).send().await.expect(201);
        if stock > 0 {
            shop.receive_stock(sku, stock).await;
        }
        shop.clock.advance(std::time::Duration::from_secs(1));
    }
    shop.settle().await;
}

fn slugs(reply: &Reply) -> Vec<String> {
    let items = reply.json()["items"].as_array().expect("a list").clone();
    items.iter().map(|item| item["slug"].as_str().expect("a slug").to_owned()).collect()
}

both_databases! {
    /// Goal: filters and sorts mean over HTTP what they say, alone and together.
    async fn products_are_filtered_and_sorted(shop: Shop) {
        stocked(shop).await;
        for (query, expected) in [
            ("", vec!["hat", "mug", "shirt"]),
            ("sort=newest", vec!["hat", "mug", "shirt"]),
            ("sort=price", vec!["shirt", "hat", "mug"]),
            ("sort=-price", vec!["mug", "hat", "shirt"]),
            ("sort=title", vec!["shirt", "mug", "hat"]),
            ("category=kitchen", vec!["mug"]),
            ("price_min=1500&sort=price", vec!["hat", "mug"]),
            ("price_max=1500&sort=price", vec!["shirt", "hat"]),
            ("price_min=501&price_max=1500", vec!["hat"]),
            ("in_stock=true&sort=price", vec!["shirt", "hat"]),
            ("in_stock=false&sort=price", vec!["shirt", "hat", "mug"]),
            ("attr.color=red&sort=price", vec!["shirt", "hat"]),
            ("attr[color]=red&sort=price", vec!["shirt", "hat"]),
            ("attr%5Bcolor%5D=blue", vec!["mug"]),
            ("attr.color=red&in_stock=true&price_min=600", vec!["hat"]),
            ("q=bee", vec!["mug"]),
            ("q=CAT%20hat", vec!["hat"]),
            ("q=nothing", vec![]),
        ] {
            let reply = shop.get(&format!("/products?{query}")).send().await.expect(200);
            assert_eq!(slugs(&reply), expected, "{query}");
        }
        shop.get("/products?category=none").send().await.problem(404, "category.unknown");
        let dollars = shop.get("/products").header("handel-channel", "default").send().await.expect(200);
        assert_eq!(dollars.json()["items"][0]["currency"], "USD");
        let tree = shop.get("/categories").send().await.expect(200).json();
        assert_eq!(tree["items"][0]["slug"], "kitchen");
        let channels = shop.get("/channels").send().await.expect(200).json();
        assert_eq!(channels["items"].as_array().map(Vec::len), Some(2));
    }

    /// Goal: pages hold every product once, in every order, and the last one says that it is the last.
    async fn pages_hold_every_product_once(shop: Shop) {
        for number in 0..7 {
            // Equal prices: the id decides.
            shop.product(&format!("P{number}"), 1000 + number % 2, 1).await;
        }
        for sort in ["newest", "price", "-price", "title"] {
            let whole = slugs(&shop.get(&format!("/products?sort={sort}")).send().await.expect(200));
            assert_eq!(whole.len(), 7);
            let (mut paged, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
            loop {
                let path = format!("/products?sort={sort}&limit=2{cursor}");
                let page = shop.get(&path).send().await.expect(200);
                paged.extend(slugs(&page));
                pages += 1;
                let Value::String(next) = &page.json()["next_cursor"] else { break };
                cursor = format!("&cursor={next}");
            }
            assert_eq!((paged, pages), (whole, 4), "{sort}");
        }
    }

    /// Goal: a product that did not change is not sent again; one whose stock, price or title changed is.
    async fn a_known_product_is_sent_again_only_when_it_changed(shop: Shop) {
        let product = shop.product("MUG", 1999, 2).await;
        let ask = |tag: &str| shop.get("/products/mug").header("if-none-match", tag);
        let first = shop.get("/products/mug").send().await.expect(200);
        let tag = first.header("etag");
        let known = ask(&tag).send().await.expect(304);
        assert!(known.body.is_empty());
        assert_eq!(known.header("etag"), tag);
        shop.get(&format!("/products/{}", product.id)).header("if-none-match", &tag).send().await.expect(304);
        ask("\"1\"").send().await.expect(200);
        for tags in [format!("\"1\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
            ask(&tags).send().await.expect(304);
        }
        assert_eq!(first.header("cache-control"), "no-cache", "who keeps it must ask");
        assert_eq!(known.header("cache-control"), "no-cache");
        assert_eq!(first.header("vary"), "handel-channel, authorization");

        shop.buy(&[("MUG", 1)]).await;
        let fewer = ask(&tag).send().await.expect(200);
        assert_ne!(fewer.header("etag"), tag, "the stock is another");
        assert_eq!(fewer.json()["variants"][0]["available"], 1);
        let key = shop.key(&[handel_engine::Scope::CatalogWrite]).await;
        let prices = json!({ "prices": [{ "currency": "EUR", "amount_minor": 1 }] });
        let call = shop.call(http::Method::PUT, "/admin/variants/MUG/prices").bearer(&key).json(&prices);
        call.header("if-match", "*").send().await.expect(200);
        let cheaper = ask(&fewer.header("etag")).send().await.expect(200);
        assert_eq!(cheaper.json()["variants"][0]["price_minor"], 1);
    }
}

both_databases! {
    /// Goal: a list or a tree that did not change is not sent again; one that did is, and each page, order and
    /// channel has a tag of its own.
    async fn a_known_list_is_sent_again_only_when_it_changed(shop: Shop) {
        stocked(shop).await;
        for path in ["/products?sort=price", "/categories", "/channels"] {
            let first = shop.get(path).send().await.expect(200);
            let tag = first.header("etag");
            let known = shop.get(path).header("if-none-match", &tag).send().await.expect(304);
            assert!(known.body.is_empty(), "{path}");
            assert_eq!(known.header("etag"), tag, "{path}");
            assert_eq!(first.header("cache-control"), "no-cache", "{path}");
        }
        let tag = shop.get("/products?sort=price").send().await.expect(200).header("etag");
        let ask = |path: &str| shop.get(path).header("if-none-match", &tag);
        ask("/products?sort=-price").send().await.expect(200);
        ask("/products?sort=price&limit=1").send().await.expect(200);
        ask("/products?sort=price").header("handel-channel", "default").send().await.expect(200);
        shop.product("POT", 700, 1).await;
        ask("/products?sort=price").send().await.expect(200);
    }
}

#[tokio::test]
async fn pictures_are_shown_and_do_nothing_else() {
    let shop = Shop::start(TestDatabase::sqlite().await).await;
    let svg = Bytes::from_static(
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
    );
    shop.blobs.put("media/mugs/mug-1.svg", svg.clone()).await.expect("it is stored");
    shop.blobs.put("secret.txt", Bytes::from_static(b"secret")).await.expect("it is stored");
    let found = shop.get("/media/mugs/mug-1.svg").send().await.expect(200);
    assert_eq!((found.header("content-type"), &found.body), ("image/svg+xml".to_owned(), &svg));
    let policy = found.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("sandbox"), "{policy}");
    assert!(!policy.contains("script"), "{policy}");
    assert_eq!(found.header("x-content-type-options"), "nosniff");
    assert!(found.header("cache-control").contains("max-age"));
    for key in [
        "none.png",
        "../secret.txt",
        "%2e%2e/secret.txt",
        "..%2fsecret.txt",
        "mugs/../../secret.txt",
        "%2Fetc%2Fpasswd",
        "/etc/passwd",
        "mugs//mug-1.svg",
        "mugs",
        "mugs/",
        ".hidden",
        "a%00b",
        "a%0Ab",
        "..%5csecret.txt",
        "%FF",
        "MUGS/mug-1.svg",
        &"a/".repeat(400),
    ] {
        let reply = shop.get(&format!("/media/{key}")).send().await;
        reply.problem(404, "not_found");
        assert!(!reply.to_string().contains("secret"), "{key}: {reply}");
    }
}
