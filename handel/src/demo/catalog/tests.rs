//! Goal: the demo shop is one that somebody would buy from, and that the domain accepts.

use std::collections::{BTreeSet, HashMap, HashSet};

use handel_domain::{
    catalog::{AttributeValue, Backorder, Category, CategoryInput, Product},
    id::{CategoryId, ProductId, VariantId},
};
use jiff::Timestamp;

use super::{DemoProduct, SHOP_NAME, categories, products};
use crate::catalog_csv::{ExportedProduct, Item, Reader, Writer};

const PICTURE_BYTES_MAX: usize = 6_000;

fn created(product: &DemoProduct) -> Product {
    let mut next = 0;
    let mint = || {
        next += 1;
        VariantId::from_u128(next)
    };
    let (id, now) = (ProductId::from_u128(1), Timestamp::UNIX_EPOCH);
    Product::create(id, product.input.clone(), &HashMap::new(), mint, now)
        .unwrap_or_else(|refusal| panic!("{}: {refusal:?}", product.input.title))
}

#[test]
fn every_product_is_one_that_a_shop_takes() {
    let slugs: HashSet<_> = categories().into_iter().map(|category| category.slug).collect();
    for product in products() {
        let created = created(&product);
        assert!(slugs.contains(&product.category), "{}", product.category);
        assert_eq!(created.currencies().len(), 2);
        assert!(
            !created.tags.is_empty()
                && !created.attributes.is_empty()
                && !created.vendor.is_empty()
        );
    }
}

#[test]
fn slugs_skus_and_texts_are_never_used_twice() {
    let products = products();
    let mut seen = HashSet::new();
    for product in &products {
        let input = &product.input;
        assert!(seen.insert(input.title.clone()), "{}", input.title);
        assert!(seen.insert(input.slug.as_ref().expect("a slug").to_string()));
        for sentence in input.description_html.split(". ") {
            assert!(seen.insert(sentence.to_owned()), "{sentence}");
        }
        for variant in &input.variants {
            assert!(seen.insert(variant.sku.to_string()), "{}", variant.sku);
        }
        assert!(seen.insert(product.picture.clone()), "two pictures of {}", input.title);
    }
}

#[test]
fn the_shop_is_large_and_mixed_enough() {
    let products = products();
    let categories = categories();
    let with_options = products.iter().filter(|product| !product.input.options.is_empty()).count();
    let most_options = products.iter().map(|product| product.input.options.len()).max();
    let tops = categories.iter().filter(|category| category.parent.is_none()).count();
    let parents: HashSet<_> =
        categories.iter().filter_map(|category| category.parent.as_ref()).collect();
    assert!(products.len() >= 64 && with_options >= 20, "{} {with_options}", products.len());
    assert!(tops >= 7 && parents.len() >= 2, "{tops} {}", parents.len());
    assert_eq!(most_options, Some(3));
    assert!(products.iter().any(|product| product.input.vendor == SHOP_NAME));
    let attributes = products.iter().flat_map(|product| &product.input.attributes);
    let kinds: BTreeSet<_> = attributes
        .map(|attribute| match &attribute.value {
            AttributeValue::Text(_) => "text",
            AttributeValue::Number(_) => "number",
            AttributeValue::Boolean(_) => "boolean",
            AttributeValue::Choice(_) => "choice",
            AttributeValue::Choices(_) => "choices",
            AttributeValue::Date(_) => "date",
        })
        .collect();
    assert_eq!(kinds.len(), 6);
}

#[test]
fn stock_is_plenty_low_gone_and_on_order() {
    let products = products();
    let counts =
        || products.iter().flat_map(|product| product.stock.iter().map(|(_, count)| *count));
    assert!(counts().filter(|count| (1..=3).contains(count)).count() >= 10);
    let variants = || products.iter().flat_map(|product| &product.input.variants);
    assert!(variants().filter(|variant| variant.backorder != Backorder::Deny).count() >= 3);
    let is_sold_out = |product: &&DemoProduct| {
        let denies =
            product.input.variants.iter().all(|variant| variant.backorder == Backorder::Deny);
        !product.stock.is_empty() && denies && product.stock.iter().all(|(_, count)| *count == 0)
    };
    assert_eq!(products.iter().filter(is_sold_out).count(), 2);
    let tracked = variants().filter(|variant| variant.tracked).count();
    assert_eq!(counts().count(), tracked);
}

#[test]
fn prices_look_like_prices() {
    let mut struck = 0;
    for product in products() {
        for variant in &product.input.variants {
            let [usd, eur] = variant.prices.as_slice() else { panic!("two currencies") };
            assert!(usd.amount_minor > eur.amount_minor, "{}", variant.sku);
            for price in [usd, eur] {
                assert!(matches!(price.amount_minor % 100, 50 | 90 | 95), "{}", variant.sku);
                assert!(price.compare_at_minor.is_none_or(|other| other > price.amount_minor));
            }
            struck += usize::from(usd.compare_at_minor.is_some());
        }
    }
    assert!(struck >= 8);
}

#[test]
fn categories_form_a_tree_of_two_levels() {
    let mut depths = HashMap::new();
    for (at, category) in categories().into_iter().enumerate() {
        let depth = category.parent.as_ref().map_or(0, |parent| depths[parent] + 1);
        assert!(depth < 2);
        let input = CategoryInput {
            parent_id: None,
            slug: Some(category.slug.clone()),
            name: category.name,
            description: String::new(),
            position: 0,
        };
        let id = CategoryId::from_u128(at as u128);
        assert!(Category::create(id, input, &[], Timestamp::UNIX_EPOCH).is_ok());
        assert_eq!(depths.insert(category.slug, depth), None);
    }
}

#[test]
fn pictures_are_small_well_formed_and_self_contained() {
    for product in products() {
        let (title, picture) = (&product.input.title, &product.picture);
        assert!(picture.len() < PICTURE_BYTES_MAX, "{title}: {}", picture.len());
        assert!(picture.starts_with("<svg xmlns="), "{title}");
        for word in
            ["<script", "<text", "<image", "<style", "href", "data:", "javascript", "{", "}"]
        {
            assert!(!picture.contains(word), "{title} has {word}");
        }
        assert_eq!(picture.matches("http").count(), 1, "only the namespace names an address");
        check_tags(picture).unwrap_or_else(|problem| panic!("{title}: {problem}"));
    }
}

/// Checks that tags close in order and attributes are quoted.
fn check_tags(xml: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    for part in xml.split('<').skip(1) {
        let (tag, text) = part.split_once('>').ok_or("a tag without an end")?;
        if !text.trim().is_empty() {
            return Err(format!("text between tags: {text}"));
        }
        if !tag.matches('"').count().is_multiple_of(2) {
            return Err(format!("an open quote: {tag}"));
        }
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap_or_default();
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return Err(format!("{name} closes nothing"));
            }
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{open:?} stay open")) }
}

#[test]
fn descriptions_are_plain_html_of_a_few_sentences() {
    for product in products() {
        let html = &product.input.description_html;
        let sentences = html.matches(['.', '?', '!']).count();
        assert!(html.starts_with("<p>") && (2..=9).contains(&sentences), "{html}");
        let mut tags = html.split('<').skip(1).filter_map(|part| part.split('>').next());
        assert!(tags.all(|tag| matches!(tag.trim_start_matches('/'), "p" | "ul" | "li")), "{html}");
    }
}

#[test]
fn the_catalog_survives_an_export() {
    let [usd, eur] = ["USD", "EUR"].map(|code| code.parse().expect("a known currency"));
    let mut writer = Writer::new(Vec::new(), usd, &[eur]).expect("memory can be written");
    let products = products();
    for product in &products {
        let categories = vec![product.category.to_string()];
        let exported = ExportedProduct::new(created(product), categories, product.stock.clone());
        writer.write(&exported).expect("memory can be written");
    }
    let file = writer.finish().expect("memory can be written");
    let read: Vec<_> = Reader::new(file.as_slice(), usd)
        .expect("our own header")
        .map(|item| match item {
            Ok(Item::Product(product)) => (product.input, product.stock),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected: Vec<_> =
        products.into_iter().map(|product| (product.input, product.stock)).collect();
    assert_eq!(read, expected);
}
