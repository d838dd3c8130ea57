//! Product lists: complete, in order and stable, whatever is asked for.

use std::collections::{BTreeSet, HashSet};

use handel_domain::{
    Code,
    catalog::{
        Attribute, AttributeValue, CategoryInput, Product, ProductInput, ProductOption,
        ProductStatus,
    },
    id::ProductId,
};
use handel_engine::{ListProducts, Page, PriceFilter, ProductSort, ProductSummary};
use handel_ports::Random as _;
use handel_testkit::{
    SeededRandom, TestShop, both_databases,
    fixtures::{product_input, sku, slug},
};

use crate::code;

const SORTS: [ProductSort; 4] =
    [ProductSort::Newest, ProductSort::Price, ProductSort::PriceDown, ProductSort::Title];

fn draw(random: &SeededRandom, below: u8) -> u8 {
    let mut bytes = [0];
    random.fill(&mut bytes);
    bytes[0] % below
}

/// A product of few prices, titles and colors, so that many are alike.
fn random_input(random: &SeededRandom, n: usize) -> ProductInput {
    let titles = ["Zebra", "apple", "Apple", "Äpfel", "banana split", "Mug 100 %", "mug_2", ""];
    let colors = ["red", "green", "Blue"];
    let mut input = product_input(&format!("SKU_{n}"), i64::from(draw(random, 6)) * 100);
    input.slug = Some(slug(&format!("p-{n}")));
    input.title = format!("{} P", titles[usize::from(draw(random, 8))]);
    input.tags = if draw(random, 3) == 0 { vec!["sale".to_owned()] } else { Vec::new() };
    let choice = colors[usize::from(draw(random, 3))].to_owned();
    input.attributes = vec![
        Attribute { name: "color".to_owned(), value: AttributeValue::Choice(choice) },
        Attribute {
            name: "vegan".to_owned(),
            value: AttributeValue::Boolean(draw(random, 2) == 0),
        },
    ];
    input
}

struct Listed {
    product: Product,
    on_hand: i64,
}

/// Sixty products that shoppers see, and some that they do not.
async fn sixty(shop: &TestShop) -> Vec<Listed> {
    let mut listed = Vec::new();
    for n in 0..60 {
        let on_hand = i64::from(draw(shop.random(), 3));
        let product = shop.create(random_input(shop.random(), n), on_hand).await;
        listed.push(Listed { product, on_hand });
    }
    for n in 60..66 {
        let mut hidden = random_input(shop.random(), n);
        match n % 3 {
            0 => hidden.status = ProductStatus::Draft,
            1 => hidden.status = ProductStatus::Archived,
            _ => hidden.variants[0].prices.retain(|price| price.currency.code() != "EUR"),
        }
        shop.create(hidden, 1).await;
    }
    listed
}

async fn page(shop: &TestShop, list: ListProducts) -> Page<ProductSummary> {
    shop.engine.list_products(&shop.ctx(), list).await.expect("a page")
}

/// Every page of a list.
async fn all(shop: &TestShop, list: &ListProducts) -> Vec<ProductSummary> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let page = page(shop, ListProducts { cursor, ..list.clone() }).await;
        assert!(page.items.len() <= list.limit as usize);
        items.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return items;
        }
    }
}

fn is_in_order(
    sort: ProductSort,
    before: &ProductSummary,
    after: &ProductSummary,
    age: impl Fn(ProductId) -> usize,
) -> bool {
    match sort {
        ProductSort::Newest => age(before.id) > age(after.id),
        ProductSort::Price => before.price_min_minor <= after.price_min_minor,
        ProductSort::PriceDown => before.price_min_minor >= after.price_min_minor,
        ProductSort::Title => before.title.to_lowercase() <= after.title.to_lowercase(),
    }
}

both_databases! {
    /// Goal: in every order and with every size of page, a list has every product once.
    async fn a_list_has_every_product_once_in_every_order(shop: TestShop) {
        let listed = sixty(shop).await;
        let ids: Vec<ProductId> = listed.iter().map(|listed| listed.product.id).collect();
        let age = |id| ids.iter().position(|known| *known == id).expect("only these are seen");
        for sort in SORTS {
            for limit in [1, 7, 59, 60, 61, 100] {
                let items = all(shop, &ListProducts { sort, limit, ..ListProducts::default() }).await;
                let found: HashSet<_> = items.iter().map(|item| item.id).collect();
                assert_eq!((items.len(), found.len()), (60, 60), "{sort:?} by {limit}");
                assert!(items.iter().all(|item| ids.contains(&item.id)));
                assert!(items.is_sorted_by(|before, after| is_in_order(sort, before, after, age)), "{sort:?} by {limit}");
            }
        }
        shop.settle().await;
    }

    /// Goal: every filter, alone and with others, finds exactly what it should.
    async fn filters_find_exactly_what_fits(shop: TestShop) {
        let listed = sixty(shop).await;
        for round in 0..40 {
            let mut list = ListProducts { limit: 9, sort: SORTS[round % 4], ..ListProducts::default() };
            if draw(shop.random(), 2) == 0 {
                let min = i64::from(draw(shop.random(), 6)) * 100;
                list.price = PriceFilter { min_minor: Some(min), max_minor: Some(min + 200) };
            }
            if draw(shop.random(), 2) == 0 {
                list.attributes.push(("color".to_owned(), ["RED", "green", "blue"][round % 3].to_owned()));
            }
            if draw(shop.random(), 3) == 0 {
                list.attributes.push(("vegan".to_owned(), "true".to_owned()));
            }
            list.in_stock = draw(shop.random(), 3) == 0;
            list.query = ["", "", "apple", "P sale", "handel APPLE", "nothing", "sku_1", "100 %", "mug_2"][round % 9].to_owned();
            let fits = |listed: &&Listed| {
                let product = &listed.product;
                let price = product.variants[0].prices[0].amount_minor;
                let has = |(name, value): &(String, String)| {
                    let of_name = product.attributes.iter().filter(|attribute| attribute.name == *name);
                    of_name.flat_map(Attribute::filter_values).any(|found| found == value.to_lowercase())
                };
                let text = product.search_text();
                list.price.min_minor.is_none_or(|min| price >= min)
                    && list.price.max_minor.is_none_or(|max| price <= max)
                    && list.attributes.iter().all(has)
                    && (!list.in_stock || listed.on_hand > 0)
                    && list.query.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
            };
            let expected: BTreeSet<_> = listed.iter().filter(fits).map(|listed| listed.product.id).collect();
            let found: BTreeSet<_> = all(shop, &list).await.into_iter().map(|item| item.id).collect();
            assert_eq!(found, expected, "{list:?}");
        }
        shop.settle().await;
    }

    /// Goal: with a price filter, a product is found by a variant in the range, shown with the prices in the range, and
    /// sorted by the lowest of them, on every page.
    async fn a_filtered_list_follows_the_variants_that_match(shop: TestShop) {
        for (name, prices) in [
            ("WIDE", &[990, 2_400, 3_000][..]), ("GAP", &[500, 9_900]), ("PLAIN", &[2_200]), ("HIGH", &[2_500, 4_000]),
            ("LOW", &[100, 200]),
        ] {
            let mut input = product_input(name, 0);
            let values: Vec<_> = prices.iter().map(ToString::to_string).collect();
            input.options = vec![ProductOption { name: "Size".to_owned(), values: values.clone() }];
            let first = input.variants.remove(0);
            for (price, value) in prices.iter().zip(values) {
                let mut variant = first.clone();
                variant.sku = sku(&format!("{name}-{value}"));
                variant.option_values = vec![value];
                variant.prices.iter_mut().for_each(|own| own.amount_minor = *price);
                input.variants.push(variant);
            }
            shop.create(input, 1).await;
        }
        let found = async |sort, min_minor, max_minor, limit| {
            let price = PriceFilter { min_minor, max_minor };
            let items = all(shop, &ListProducts { sort, price, limit, ..ListProducts::default() }).await;
            let seen = |item: ProductSummary| {
                let name = item.slug.to_string().to_uppercase();
                (name, item.matching_min_minor, item.matching_max_minor)
            };
            items.into_iter().map(seen).collect::<Vec<_>>()
        };
        let expected = |rows: &[(&str, i64, i64)]| -> Vec<_> {
            rows.iter().map(|(name, min, max)| ((*name).to_owned(), Some(*min), Some(*max))).collect()
        };
        for limit in [1, 2, 100] {
            let up = found(ProductSort::Price, Some(2_000), Some(5_000), limit).await;
            let rows = [("PLAIN", 2_200, 2_200), ("WIDE", 2_400, 3_000), ("HIGH", 2_500, 4_000)];
            assert_eq!(up, expected(&rows), "by {limit}");
            let down = found(ProductSort::PriceDown, Some(2_450), None, limit).await;
            let rows = [("GAP", 9_900, 9_900), ("WIDE", 3_000, 3_000), ("HIGH", 2_500, 4_000)];
            assert_eq!(down, expected(&rows), "by {limit}");
            let cheap = found(ProductSort::Price, None, Some(600), limit).await;
            assert_eq!(cheap, expected(&[("LOW", 100, 200), ("GAP", 500, 500)]), "by {limit}");
        }
        let unfiltered = found(ProductSort::Price, None, None, 100).await;
        assert!(unfiltered.iter().all(|(_, min, max)| min.is_none() && max.is_none()), "{unfiltered:?}");
        shop.settle().await;
    }

    /// Goal: who pages through a list while it changes misses nothing that stayed and sees nothing twice.
    async fn a_list_that_changes_meanwhile_skips_and_repeats_nothing(shop: TestShop) {
        let listed = sixty(shop).await;
        for (n, sort) in SORTS.into_iter().enumerate() {
            let list = ListProducts { sort, limit: 10, ..ListProducts::default() };
            let first = page(shop, list.clone()).await;
            let (mut seen, mut cursor) = (first.items.clone(), first.next_cursor.clone());
            // New ones come, at the beginning and at the end, and one that was seen goes.
            for m in 0..4 {
                let mut input = random_input(shop.random(), 100 + n * 10 + m);
                input.title = if m % 2 == 0 { "000".to_owned() } else { "zzz".to_owned() };
                shop.create(input, 1).await;
            }
            shop.engine.archive_product(&shop.staff(), first.items[9].id, None).await.expect("it goes");
            while let Some(next) = cursor {
                let page = page(shop, ListProducts { cursor: Some(next), ..list.clone() }).await;
                seen.extend(page.items);
                cursor = page.next_cursor;
            }
            let ids: HashSet<_> = seen.iter().map(|item| item.id).collect();
            assert_eq!(ids.len(), seen.len(), "{sort:?}: nothing twice");
            let archived = |id: ProductId| seen.iter().take(10).any(|item| item.id == id);
            let stayed = all(shop, &ListProducts { sort, limit: 100, ..ListProducts::default() }).await;
            let old: Vec<_> = listed.iter().map(|listed| listed.product.id).filter(|id| stayed.iter().any(|item| item.id == *id)).collect();
            assert!(old.iter().all(|id| ids.contains(id) || archived(*id)), "{sort:?}: nothing missed");
        }
        shop.settle().await;
    }

    /// Goal: a category lists its whole branch, in every order; several list what is in any of them, once.
    async fn a_category_lists_its_branch(shop: TestShop) {
        let category = async |name: &str, parent_id| {
            let input = CategoryInput { parent_id, slug: Some(slug(name)), name: name.to_owned(), description: String::new(), position: 0 };
            shop.engine.create_category(&shop.staff(), input).await.expect("it is valid").reply.id
        };
        let top = category("top", None).await;
        let (left, right) = (category("left", Some(top)).await, category("right", Some(top)).await);
        for n in 0..20 {
            let mut input = random_input(shop.random(), n);
            input.category_ids = [vec![left], vec![right], vec![left, right], vec![]][n % 4].clone();
            shop.create(input, 1).await;
        }
        for sort in SORTS {
            let lists: [(&[&str], usize); 6] = [
                (&["top"], 15), (&["left"], 10), (&["right"], 10),
                (&["left", "right"], 15), (&["left", "nowhere"], 10), (&["nowhere", "right", "top"], 15),
            ];
            for (names, count) in lists {
                let categories = names.iter().map(|name| slug(name)).collect();
                let items = all(shop, &ListProducts { categories, sort, limit: 4, ..ListProducts::default() }).await;
                let ids: HashSet<_> = items.iter().map(|item| item.id).collect();
                assert_eq!((items.len(), ids.len()), (count, count), "{names:?}: each is listed once");
            }
        }
        for (categories, refused) in [
            (vec![slug("nowhere"), slug("no-such")], Code::CategoryUnknown),
            (vec![slug("top"); 11], Code::InputInvalid),
        ] {
            let list = ListProducts { categories, limit: 4, ..ListProducts::default() };
            assert_eq!(code(shop.engine.list_products(&shop.ctx(), list).await), Some(refused));
        }
        shop.settle().await;
    }

    /// Goal: a cursor is worth something only unchanged and for the list that it came from.
    async fn a_cursor_that_was_tampered_with_is_refused(shop: TestShop) {
        for n in 0..3 {
            shop.create(random_input(shop.random(), n), 1).await;
        }
        let list = ListProducts { limit: 1, ..ListProducts::default() };
        let cursor = page(shop, list.clone()).await.next_cursor.expect("there is more");
        let ask = async |list: ListProducts| code(shop.engine.list_products(&shop.ctx(), list).await);
        for at in (0..cursor.len()).step_by(3) {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let cursor = String::from_utf8(changed).ok();
            assert_eq!(ask(ListProducts { cursor, ..list.clone() }).await, Some(Code::CursorInvalid), "{at}");
        }
        for wrong in ["", ".", "..", "1..", "1.AA.AA", "\u{0}", "é.é.é"] {
            assert_eq!(ask(ListProducts { cursor: Some(wrong.to_owned()), ..list.clone() }).await, Some(Code::CursorInvalid));
        }
        let cursor = Some(cursor);
        let others = [
            ListProducts { sort: ProductSort::Price, cursor: cursor.clone(), ..list.clone() },
            ListProducts { in_stock: true, cursor: cursor.clone(), ..list.clone() },
            ListProducts { query: "p".to_owned(), cursor: cursor.clone(), ..list.clone() },
        ];
        for other in others {
            assert_eq!(ask(other).await, Some(Code::CursorInvalid));
        }
        let mut dollars = shop.ctx();
        dollars.channel = None;
        let elsewhere = shop.engine.list_products(&dollars, ListProducts { cursor: cursor.clone(), ..list.clone() }).await;
        assert_eq!(code(elsewhere), Some(Code::CursorInvalid));
        let orders = handel_engine::ListOrders { cursor: cursor.clone(), limit: 1, ..Default::default() };
        assert_eq!(code(shop.engine.list_orders(&shop.staff(), orders).await), Some(Code::CursorInvalid));
        assert_eq!(page(shop, ListProducts { cursor, ..list }).await.items.len(), 1, "its own list takes it");
        shop.settle().await;
    }

    /// Goal: a list has limits, and says so.
    async fn a_list_that_asks_for_too_much_is_refused(shop: TestShop) {
        let list = ListProducts { limit: 10, ..ListProducts::default() };
        let attribute = || ("color".to_owned(), "red".to_owned());
        let wrong = [
            ListProducts { limit: 0, ..list.clone() },
            ListProducts { limit: 101, ..list.clone() },
            ListProducts { limit: u32::MAX, ..list.clone() },
            ListProducts { attributes: vec![attribute(), attribute(), attribute(), attribute()], ..list.clone() },
            ListProducts { query: "x".repeat(201), ..list.clone() },
            ListProducts { price: PriceFilter { min_minor: Some(-1), max_minor: None }, ..list.clone() },
            ListProducts { price: PriceFilter { min_minor: Some(2), max_minor: Some(1) }, ..list.clone() },
        ];
        for list in wrong {
            assert_eq!(code(shop.engine.list_products(&shop.ctx(), list.clone()).await), Some(Code::InputInvalid), "{list:?}");
        }
        shop.settle().await;
    }

    /// Goal: a list says at once what staff changed, and each channel sees its own currency only.
    async fn a_list_follows_the_catalog_at_once(shop: TestShop) {
        let mug = shop.product("MUG", 1_000, 1).await;
        let list = ListProducts { limit: 10, ..ListProducts::default() };
        let seen = async || page(shop, list.clone()).await.items;
        assert_eq!((seen().await[0].price_min_minor, seen().await[0].in_stock), (1_000, true));
        let mut prices = mug.variants[0].prices.clone();
        prices[0].amount_minor = 800;
        shop.engine.set_prices(&shop.staff(), sku("MUG"), prices, None).await.expect("a price");
        assert_eq!((seen().await[0].price_min_minor, seen().await[0].currency.code()), (800, "EUR"));
        let mut dollars = shop.ctx();
        dollars.channel = None;
        let there = shop.engine.list_products(&dollars, list.clone()).await.expect("a page").items;
        assert_eq!((there[0].price_min_minor, there[0].currency.code()), (1_000, "USD"));
        shop.buy(&[("MUG", 1)]).await;
        // What is left may be said a little late, but not for long.
        shop.clock.advance(std::time::Duration::from_secs(61));
        assert!(!seen().await[0].in_stock);
        shop.receive_stock("MUG", 1).await;
        assert!(seen().await[0].in_stock);
        shop.engine.archive_product(&shop.staff(), mug.id, None).await.expect("it goes");
        assert!(seen().await.is_empty());
        shop.settle().await;
    }
}
