//! Products: made, replaced, priced and taken out of the shop.

use handel_domain::{
    Code,
    catalog::{Media, Price, Product, ProductInput, ProductOption, ProductStatus, VariantInput},
};
use handel_engine::{Caller, Context, Error, ListProducts, ProductKey, Scope};
use handel_store::{StoreError, Transaction, statements, values};
use handel_testkit::{
    TestShop, both_databases,
    fixtures::{product_input, sku, slug},
    together,
};

use crate::{code, refusal};

statements! {
    PRICE_HISTORY = "
        select amount_minor from price_history
         where variant_id = $1 and currency = 'EUR' order by changed_at";
}

/// A product with a variant for each of the sizes.
fn sized(name: &str, sizes: &[&str]) -> ProductInput {
    let mut input = product_input(name, 1_000);
    let variant = input.variants.remove(0);
    let values = sizes.iter().map(|size| (*size).to_owned()).collect();
    input.options = vec![ProductOption { name: "Size".to_owned(), values }];
    input.variants = sizes
        .iter()
        .map(|size| VariantInput {
            id: None,
            sku: sku(&format!("{name}-{size}")),
            option_values: vec![(*size).to_owned()],
            ..variant.clone()
        })
        .collect();
    input
}

async fn replace(shop: &TestShop, product: &Product, input: ProductInput) -> Product {
    let replaced = shop.engine.replace_product(&shop.staff(), product.id, input, None).await;
    replaced.expect("it is valid").reply
}

async fn get(shop: &TestShop, product: &Product) -> Product {
    let key = ProductKey::Id(product.id);
    shop.engine.get_product(&shop.staff(), key).await.expect("staff see it")
}

/// The first field that was refused.
fn refusal_of<T>(outcome: Result<T, Error>) -> Option<String> {
    let errors = outcome.err()?.refusal.details.errors;
    errors.first().map(|error| error.pointer.clone())
}

both_databases! {
    /// Goal: a variant is the same one as long as its SKU is; one that goes frees its SKU and stays in old orders.
    async fn variants_keep_their_identity_by_sku(shop: TestShop) {
        let shirt = shop.create(sized("SHIRT", &["S", "M"]), 5).await;
        assert_eq!(get(shop, &shirt).await, shirt);
        let order = shop.buy(&[("SHIRT-S", 1)]).await.order;
        let changed = replace(shop, &shirt, sized("SHIRT", &["M", "L"])).await;
        assert_eq!((changed.variants[0].id, changed.version), (shirt.variants[1].id, 2));
        assert!(shirt.variants.iter().all(|old| old.id != changed.variants[1].id));
        assert_eq!(code(shop.add(None, "SHIRT-S", 1).await), Some(Code::VariantUnknown));
        assert_eq!(shop.order(order.id).await.order.lines[0].sku, sku("SHIRT-S"));
        let mut other = product_input("OTHER", 1_000);
        other.variants[0].sku = sku("SHIRT-S");
        shop.create(other, 1).await;
        assert_eq!(get(shop, &shirt).await, changed);
        // The order of the old variant can still go its way.
        shop.cancel(order.id).await.expect("it has not shipped");
        shop.settle().await;
    }

    /// Goal: a name that is taken is refused, and nothing of the request is kept.
    async fn a_slug_or_sku_that_is_taken_is_refused(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 0).await;
        let mut same_slug = product_input("POT", 1_000);
        same_slug.slug = Some(slug("mug"));
        let mut same_sku = product_input("MUG", 1_000);
        same_sku.slug = Some(slug("another"));
        let create = async |input: &ProductInput| code(shop.engine.create_product(&shop.staff(), input.clone()).await);
        assert_eq!(create(&same_slug).await, Some(Code::SlugTaken));
        assert_eq!(create(&same_sku).await, Some(Code::SkuTaken));
        let pot = shop.product("POT", 1_000, 0).await;
        let replace = async |input: ProductInput| code(shop.engine.replace_product(&shop.staff(), pot.id, input, None).await);
        assert_eq!(replace(same_slug).await, Some(Code::SlugTaken));
        assert_eq!(replace(same_sku).await, Some(Code::SkuTaken));
        assert_eq!((get(shop, &mug).await, get(shop, &pot).await), (mug, pot));
        shop.settle().await;
    }

    /// Goal: of many who take a name at once, one gets it and the others are told that it is taken.
    async fn a_slug_or_sku_is_taken_once(shop: TestShop) {
        for round in 0..10 {
            let same_slug = together((0..4).map(|n| {
                let shop = shop.clone();
                async move {
                    let mut input = product_input(&format!("SLUG-{round}-{n}"), 1_000);
                    input.slug = Some(slug(&format!("same-{round}")));
                    shop.engine.create_product(&shop.staff(), input).await
                }
            }));
            let outcomes = same_slug.await;
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
            assert!(outcomes.into_iter().filter(Result::is_err).all(|outcome| code(outcome) == Some(Code::SlugTaken)));
            let same_sku = together((0..4).map(|n| {
                let shop = shop.clone();
                async move {
                    let mut input = product_input(&format!("SKU-{round}"), 1_000);
                    input.slug = Some(slug(&format!("sku-{round}-{n}")));
                    shop.engine.create_product(&shop.staff(), input).await
                }
            }));
            let outcomes = same_sku.await;
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
            assert!(outcomes.into_iter().filter(Result::is_err).all(|outcome| code(outcome) == Some(Code::SkuTaken)));
        }
        shop.settle().await;
    }

    /// Goal: nobody overwrites what they have not seen.
    async fn a_change_of_an_old_version_is_refused(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 0).await;
        let outcomes = together((0..8).map(|n| {
            let (shop, id) = (shop.clone(), mug.id);
            async move {
                let input = product_input("MUG", 1_000 + n);
                shop.engine.replace_product(&shop.staff(), id, input, Some(1)).await
            }
        }))
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        for outcome in outcomes.into_iter().filter(Result::is_err) {
            let refused = refusal(outcome);
            assert_eq!((refused.code, refused.details.version), (Code::VersionConflict, Some(2)));
        }
        let prices = mug.variants[0].prices.clone();
        assert_eq!(code(shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, Some(1)).await), Some(Code::VersionConflict));
        assert_eq!(code(shop.engine.archive_product(&shop.staff(), mug.id, Some(1)).await), Some(Code::VersionConflict));
        assert_eq!(get(shop, &mug).await.version, 2);
        shop.settle().await;
    }

    /// Goal: what is not for sale is not seen, not found and not bought by shoppers.
    async fn drafts_and_archived_products_are_hidden(shop: TestShop) {
        let mut draft = product_input("DRAFT", 1_000);
        draft.status = ProductStatus::Draft;
        let draft = shop.create(draft, 5).await;
        let gone = shop.product("GONE", 1_000, 5).await;
        shop.engine.archive_product(&shop.staff(), gone.id, None).await.expect("it goes");
        let reader = Context {
            caller: Caller::ApiKey { id: handel_domain::id::ApiKeyId::from_u128(1), scopes: vec![Scope::CatalogRead] },
            ..shop.ctx()
        };
        for (product, text) in [(&draft, "DRAFT"), (&gone, "GONE")] {
            for key in [ProductKey::Id(product.id), ProductKey::Slug(product.slug.clone())] {
                assert_eq!(code(shop.engine.view_product(&shop.ctx(), key.clone()).await), Some(Code::ProductUnknown));
                assert_eq!(shop.engine.view_product(&reader, key).await.expect("staff see it").product.id, product.id);
            }
            assert_eq!(code(shop.add(None, text, 1).await), Some(Code::NotPriced));
        }
        let list = ListProducts { limit: 10, ..ListProducts::default() };
        assert!(shop.engine.list_products(&shop.ctx(), list.clone()).await.expect("a page").items.is_empty());
        let published = replace(shop, &draft, product_input("DRAFT", 1_000)).await;
        let items = shop.engine.list_products(&shop.ctx(), list).await.expect("a page").items;
        assert_eq!(items.iter().map(|item| item.id).collect::<Vec<_>>(), [published.id]);
        shop.buy(&[("DRAFT", 1)]).await;
        shop.settle().await;
    }

    /// Goal: a price holds from the moment on at which it is set, and what it was is remembered.
    async fn prices_are_replaced_and_remembered(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 5).await;
        let euro = |amount_minor| Price { currency: "EUR".parse().expect("a currency"), amount_minor, compare_at_minor: None };
        let set = async |prices: Vec<Price>| shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, None).await;
        set(vec![euro(1_200)]).await.expect("a price");
        set(vec![]).await.expect("no price");
        assert_eq!(code(shop.add(None, "MUG", 1).await), Some(Code::NotPriced));
        set(vec![euro(900)]).await.expect("a price");
        assert_eq!(shop.buy(&[("MUG", 1)]).await.order.total_minor, 1_390);
        for prices in [vec![euro(-1)], vec![euro(1), euro(2)], vec![euro(i64::MAX)]] {
            assert_eq!(code(set(prices).await), Some(Code::InputInvalid));
        }
        assert_eq!(code(shop.engine.set_prices(&shop.staff(), sku("NOPE"), vec![], None).await), Some(Code::VariantUnknown));
        let id = mug.variants[0].id;
        let history = shop.database().read(async move |tx: &mut Transaction<'_>| {
            let rows = tx.rows(PRICE_HISTORY.bind(values![id])).await?;
            rows.iter().map(|row| row.get::<Option<i64>>(0)).collect::<Result<Vec<_>, StoreError>>()
        });
        assert_eq!(history.await.expect("a history"), [Some(1_000), Some(1_200), None, Some(900)]);
        shop.settle().await;
    }

    /// Goal: an import makes or replaces, and sets what is on hand, however often it runs.
    async fn an_import_can_be_repeated(shop: TestShop) {
        let import = async |price_minor: i64, on_hand: i64| {
            let imported = shop.engine.import_product(&shop.staff(), slug("mug"), product_input("MUG", price_minor), vec![(sku("MUG"), on_hand)]).await;
            imported.expect("it is valid")
        };
        let (mug, is_new) = import(1_000, 7).await;
        assert!(is_new);
        shop.buy(&[("MUG", 3)]).await;
        let (again, is_new) = import(1_100, 5).await;
        assert_eq!((again.id, is_new), (mug.id, false));
        let level = shop.stock(&mug).await;
        assert_eq!((level.on_hand, level.allocated), (5, 3));
        let below = shop.engine.import_product(&shop.staff(), slug("mug"), product_input("MUG", 1), vec![(sku("MUG"), 2)]).await;
        assert_eq!(code(below), Some(Code::StockBelowAllocated));
        assert_eq!(get(shop, &mug).await.variants[0].prices[0].amount_minor, 1_100, "it is refused as a whole");
        shop.settle().await;
    }

    /// Goal: only those who may change the catalog do, and a wrong product names every wrong field.
    async fn a_picture_is_on_the_web_or_in_this_shop(shop: TestShop) {
        let make = async |url: &str| {
            let media = vec![Media { url: url.to_owned(), alt: String::new() }];
            let input = ProductInput { media, ..product_input("MUG", 1_000) };
            refusal_of(shop.engine.create_product(&shop.staff(), input).await)
        };
        for elsewhere in [r"/\evil.example/a.png", "//evil.example/a.png", r"\\evil.example", "a.png", r"https:\\a"] {
            assert_eq!(make(elsewhere).await, Some("/media/0/url".to_owned()), "{elsewhere}");
        }
        assert_eq!(make("/media/a.png").await, None);
        shop.settle().await;
    }

    async fn a_wrong_product_or_caller_is_refused(shop: TestShop) {
        assert_eq!(code(shop.engine.create_product(&shop.ctx(), product_input("MUG", 1)).await), Some(Code::Unauthenticated));
        let mut wrong = sized("SHIRT", &["S", "S"]);
        wrong.title = " ".to_owned();
        wrong.variants[1].weight_grams = -1;
        wrong.category_ids = vec![handel_domain::id::CategoryId::from_u128(404)];
        let refused = refusal(shop.engine.create_product(&shop.staff(), wrong.clone()).await);
        let mut pointers: Vec<_> = refused.details.errors.iter().map(|error| error.pointer.as_str()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["/title", "/variants/1/option_values", "/variants/1/sku", "/variants/1/weight_grams"]);
        let mut nowhere = product_input("MUG", 1_000);
        nowhere.category_ids = wrong.category_ids;
        assert_eq!(code(shop.engine.create_product(&shop.staff(), nowhere).await), Some(Code::CategoryUnknown));
        shop.settle().await;
    }
}
