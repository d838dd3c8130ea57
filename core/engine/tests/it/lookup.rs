//! Many products at once, by whatever name a program has for them.

use handel_domain::{
    Code,
    catalog::{ProductInput, ProductStatus},
    id::{ProductId, VariantId},
};
use handel_engine::{CatalogKey, Engine, FoundKey, ListProducts, PriceFilter};
use handel_testkit::{TestShop, agents::AGENT, both_databases, fixtures::product_input};

use crate::code;

fn key(text: impl std::fmt::Display) -> CatalogKey {
    text.to_string().parse().expect("every text is a key")
}

both_databases! {
    /// Goal: a program finds what it names, by id, variant, SKU or slug, in one request; each product once.
    async fn products_are_found_by_any_name(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 3).await;
        let cup = shop.product("CUP", 2_000, 0).await;
        let keys = vec![
            key(cup.id),
            key("MUG"),
            key("mug"),
            key(mug.variants[0].id),
            key("NONE"),
            key("no such thing ¿"),
            key(ProductId::from_u128(9)),
            key(VariantId::from_u128(9)),
        ];
        let found = shop.engine.lookup_products(&shop.agent(AGENT), keys).await.expect("it is answered");
        let ids: Vec<_> = found.products.iter().map(|view| view.product.id).collect();
        assert_eq!(ids, [cup.id, mug.id]);
        let whole = |product_id| Some(FoundKey { product_id, variant_id: None });
        let part = Some(FoundKey { product_id: mug.id, variant_id: Some(mug.variants[0].id) });
        assert_eq!(found.found, [whole(cup.id), part, whole(mug.id), part, None, None, None, None]);
        let available: Vec<_> = found.products.iter().map(|view| view.availability[0].available).collect();
        assert_eq!(available, [Some(0), Some(3)]);
        let nothing = shop.engine.lookup_products(&shop.agent(AGENT), Vec::new()).await.expect("it is answered");
        assert_eq!((nothing.products.len(), nothing.found.len()), (0, 0));
        shop.settle().await;
    }

    /// Goal: nobody finds what is not for sale, and nobody asks for more than can be answered.
    async fn drafts_are_not_found_and_lookups_have_a_limit(shop: TestShop) {
        let draft = ProductInput { status: ProductStatus::Draft, ..product_input("SECRET", 1_000) };
        let draft = shop.create(draft, 0).await;
        let keys = || vec![key(draft.id), key("SECRET"), key("secret"), key(draft.variants[0].id)];
        let found = shop.engine.lookup_products(&shop.agent(AGENT), keys()).await.expect("it is answered");
        assert_eq!((found.products.len(), found.found), (0, vec![None; 4]));
        let staff = shop.engine.lookup_products(&shop.staff(), keys()).await.expect("it is answered");
        assert_eq!((staff.products.len(), staff.found.iter().flatten().count()), (1, 4));
        let most = || (0..Engine::LOOKUP_MAX).map(|n| key(format!("sku-{n}")));
        shop.engine.lookup_products(&shop.agent(AGENT), most().collect()).await.expect("the limit itself fits");
        let more = most().chain([key("one-more")]).collect();
        assert_eq!(code(shop.engine.lookup_products(&shop.agent(AGENT), more).await), Some(Code::TooLarge));
        shop.settle().await;
    }

    /// Goal: a search gives whole products, page by page, by words and price, each once.
    async fn a_search_gives_whole_products_page_by_page(shop: TestShop) {
        for n in 0..5 {
            shop.product(&format!("MUG-{n}"), 1_000 + n, 1).await;
        }
        shop.product("CUP", 5_000, 1).await;
        let mut list = ListProducts { query: "mUg".to_owned(), limit: 2, ..ListProducts::default() };
        let mut skus = Vec::new();
        loop {
            let page = shop.engine.search_products(&shop.agent(AGENT), list.clone()).await.expect("a page");
            assert!(page.items.len() <= 2);
            skus.extend(page.items.iter().map(|view| view.product.variants[0].sku.to_string()));
            match page.next_cursor {
                Some(cursor) => list.cursor = Some(cursor),
                None => break,
            }
        }
        skus.sort_unstable();
        assert_eq!(skus, ["MUG-0", "MUG-1", "MUG-2", "MUG-3", "MUG-4"]);
        let dear = PriceFilter { min_minor: Some(1_004), max_minor: Some(5_000) };
        let list = ListProducts { price: dear, limit: 10, ..ListProducts::default() };
        let page = shop.engine.search_products(&shop.agent(AGENT), list).await.expect("a page");
        assert_eq!(page.items.len(), 2);
        shop.settle().await;
    }
}
