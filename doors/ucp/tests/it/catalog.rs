//! Searches and look-ups.

use handel_domain::catalog::{CategoryInput, Price, ProductInput, ProductOption, VariantInput};
use handel_testkit::{
    both_databases,
    fixtures::{product_input, sku, slug},
};
use serde_json::json;

use crate::support::Shop;

/// A shirt in two colors and two sizes, of which red in L does not exist and blue in S is sold out.
fn shirt() -> ProductInput {
    let base = product_input("SHIRT", 2_000);
    let variant = |name: &str, color: &str, size: &str, price_minor| VariantInput {
        id: None,
        sku: sku(name),
        option_values: vec![color.into(), size.into()],
        prices: vec![Price {
            currency: "EUR".parse().expect("a currency"),
            amount_minor: price_minor,
            compare_at_minor: Some(2_500),
        }],
        ..base.variants[0].clone()
    };
    let option = |name: &str, values: [&str; 2]| ProductOption {
        name: name.into(),
        values: values.map(str::to_owned).to_vec(),
    };
    ProductInput {
        description_html: "<p>Soft &amp; warm</p>".into(),
        options: vec![option("Color", ["Blue", "Red"]), option("Size", ["S", "L"])],
        variants: vec![
            variant("BLUE-S", "Blue", "S", 2_000),
            variant("BLUE-L", "Blue", "L", 2_200),
            variant("RED-S", "Red", "S", 1_900),
        ],
        ..base.clone()
    }
}

both_databases! {
    async fn searches_read_page_by_page(shop: Shop) {
        for at in 0..12 {
            shop.product(&format!("MUG-{at}"), 1_000 + at, 1).await;
        }
        let agent = shop.agent();
        let search = |body| { let agent = agent.clone(); async move { agent.post("/catalog/search", &body).send().await } };
        let first = search(json!({ "query": "please find me a mug" })).await.ok();
        assert_eq!(first["products"].as_array().expect("a page").len(), 10, "the usual size");
        assert_eq!(first["pagination"]["has_next_page"], true);
        let cursor = first["pagination"]["cursor"].clone();
        let next = json!({ "query": "please find me a mug", "pagination": { "cursor": cursor } });
        let second = search(next).await.ok();
        assert_eq!(second["products"].as_array().expect("a page").len(), 2);
        assert_eq!(second["pagination"], json!({ "has_next_page": false }));
        let few = search(json!({ "query": "mug", "pagination": { "limit": 3 } })).await.ok();
        assert_eq!(few["products"].as_array().expect("a page").len(), 3);
        let none = search(json!({ "query": "unicorn" })).await.ok();
        assert_eq!((&none["products"], none.get("messages")), (&json!([]), None));
        let price = json!({ "filters": { "price": { "max": 1_002 } }, "context": { "currency": "EUR" } });
        assert_eq!(search(price).await.ok()["products"].as_array().expect("a page").len(), 3);
        let foreign = json!({ "filters": { "price": { "max": 1 } }, "context": { "currency": "JPY" } });
        let foreign = search(foreign).await.ok();
        assert_eq!(foreign["messages"][0]["code"], "filter_ignored");
        let nowhere = search(json!({ "filters": { "categories": ["no-such"] } })).await.ok();
        assert_eq!(nowhere["products"], json!([]));
    }

    /// Of several categories, any will do.
    async fn what_is_in_any_of_the_categories_is_found(shop: Shop) {
        for name in ["cups", "plates"] {
            let input = CategoryInput {
                parent_id: None, slug: Some(slug(name)), name: name.to_owned(), description: String::new(), position: 0,
            };
            let made = shop.engine.create_category(&shop.staff(), input).await.expect("it is valid").reply;
            let input = ProductInput { category_ids: vec![made.id], ..product_input(name, 1_000) };
            shop.create(input, 1).await;
        }
        shop.product("MUG", 1_000, 1).await;
        let agent = shop.agent();
        for (categories, count) in [
            (json!(["cups"]), 1),
            (json!(["cups", "plates"]), 2),
            (json!(["no-such", "plates"]), 1),
            (json!(["no-such", "No Slug!"]), 0),
        ] {
            let body = json!({ "filters": { "categories": categories } });
            let found = agent.post("/catalog/search", &body).send().await.ok();
            assert_eq!(found["products"].as_array().map(Vec::len), Some(count), "{categories}");
            assert_eq!(found.get("messages"), None);
        }
        let many: Vec<_> = (0..11).map(|at| format!("c-{at}")).collect();
        let many = agent.post("/catalog/search", &json!({ "filters": { "categories": many } })).send().await;
        many.transport(400, "request_too_large");
    }

    async fn a_search_for_nothing_is_a_mistake(shop: Shop) {
        let agent = shop.agent();
        for nothing in [
            json!({}),
            json!({ "query": " " }),
            json!({ "filters": {} }),
            json!({ "context": { "currency": "EUR" } }),
            json!({ "query": "mug", "pagination": { "limit": 0 } }),
            json!({ "query": "mug", "pagination": { "limit": -1 } }),
        ] {
            agent.post("/catalog/search", &nothing).send().await.transport(400, "invalid_request");
        }
        let cursor = json!({ "query": "mug", "pagination": { "cursor": "made up" } });
        agent.post("/catalog/search", &cursor).send().await.transport(400, "invalid_cursor");
    }

    async fn look_ups_say_what_each_id_found(shop: Shop) {
        let shirt = shop.create(shirt(), 0).await;
        shop.receive_stock("BLUE-L", 5).await;
        let mug = shop.product("MUG", 1_200, 3).await;
        let agent = shop.agent();
        let (product, variant) = (shirt.id.to_string(), shirt.variants[2].id.to_string());
        let ids = json!({ "ids": [variant, product, "BLUE-L", "mug", "MUG", product, "nothing"] });
        let found = agent.post("/catalog/lookup", &ids).send().await.ok();
        let products = found["products"].as_array().expect("products");
        assert_eq!(products.len(), 2, "each once");
        let inputs = |product: &serde_json::Value| -> Vec<_> {
            let variants = product["variants"].as_array().expect("variants").clone();
            variants.iter().map(|v| (v["sku"].clone(), v["inputs"].clone())).collect()
        };
        assert_eq!(inputs(&products[0]), [
            (json!("BLUE-L"), json!([
                { "id": product, "match": "featured" }, { "id": "BLUE-L", "match": "exact" }])),
            (json!("RED-S"), json!([{ "id": variant, "match": "exact" }])),
        ]);
        assert_eq!(products[1]["id"], mug.id.to_string());
        assert_eq!(found["messages"][0]["code"], "not_found");
        assert_eq!(found["messages"].as_array().expect("messages").len(), 1);
        let many: Vec<_> = (0..51).map(|at| at.to_string()).collect();
        let many = agent.post("/catalog/lookup", &json!({ "ids": many })).send().await;
        many.transport(400, "request_too_large");
        let none = agent.post("/catalog/lookup", &json!({ "ids": [] })).send().await;
        none.transport(400, "invalid_request");
        let unknown = agent.post("/catalog/lookup", &json!({ "ids": ["nothing"] })).send().await.ok();
        assert_eq!(unknown["products"], json!([]));
    }

    async fn a_product_is_narrowed_by_its_options(shop: Shop) {
        let shirt = shop.create(shirt(), 0).await;
        shop.receive_stock("BLUE-L", 5).await;
        shop.receive_stock("RED-S", 5).await;
        let agent = shop.agent();
        let look = |body| { let agent = agent.clone(); async move { agent.post("/catalog/product", &body).send().await } };
        let whole = look(json!({ "id": shirt.id })).await.ok();
        let product = &whole["product"];
        assert_eq!(product["variants"].as_array().expect("variants").len(), 3);
        assert_eq!(product["variants"][0]["sku"], "BLUE-L", "what can be bought is featured");
        assert_eq!(product["selected"][0], json!({ "name": "Color", "label": "Blue" }));
        assert_eq!(product["price_range"]["min"], json!({ "amount": 1_900, "currency": "EUR" }));
        assert_eq!(product["description"]["plain"], "Soft & warm");
        assert_eq!(product["url"], "https://shop.example/products/shirt");
        let asked = look(json!({ "id": shirt.variants[0].id })).await.ok();
        assert_eq!(asked["product"]["variants"][0]["sku"], "BLUE-S");
        assert_eq!(asked["product"]["variants"][0]["availability"]["status"], "out_of_stock");
        let red = look(json!({ "id": shirt.id, "selected": [{ "name": "Color", "label": "Red" },
            { "name": "Size", "label": "L" }], "preferences": ["Color", "Size"] })).await.ok();
        assert_eq!(red["product"]["selected"], json!([{ "name": "Color", "label": "Red" }]));
        assert_eq!(red["product"]["variants"].as_array().expect("variants").len(), 1);
        let sizes = &red["product"]["options"][1]["values"];
        assert_eq!(sizes[1], json!({ "label": "L", "available": false, "exists": false }));
        look(json!({ "id": "nothing" })).await.outcome("not_found");
        let twice = json!({ "id": shirt.id, "selected": [{ "name": "Color", "label": "Red" },
            { "name": "color", "label": "Blue" }] });
        look(twice).await.transport(400, "invalid_request");
    }

    async fn drafts_are_nobodys_business(shop: Shop) {
        let draft = ProductInput {
            status: handel_domain::catalog::ProductStatus::Draft,
            ..product_input("SECRET", 100)
        };
        let draft = shop.create(draft, 5).await;
        let agent = shop.agent();
        agent.post("/catalog/product", &json!({ "id": draft.id })).send().await.outcome("not_found");
        let found = agent.post("/catalog/lookup", &json!({ "ids": ["SECRET"] })).send().await.ok();
        assert_eq!(found["products"], json!([]));
    }

    async fn programs_buy_where_it_suits_the_buyer(shop: Shop) {
        shop.product("MUG", 1_200, 5).await;
        let agent = shop.agent_of(handel_ucp::UcpSettings::default());
        let currency = |context| { let agent = agent.clone(); async move {
            let body = json!({ "query": "mug", "context": context });
            let found = agent.post("/catalog/search", &body).send().await.ok();
            found["products"][0]["price_range"]["min"]["currency"].clone()
        } };
        assert_eq!(currency(json!({ "currency": "EUR" })).await, "EUR");
        assert_eq!(currency(json!({ "currency": "USD" })).await, "USD");
        assert_eq!(currency(json!({ "address_country": "DE" })).await, "EUR");
        assert_eq!(currency(json!({ "currency": "XXX", "intent": "a gift" })).await, "USD", "the shop's own");
    }
}
