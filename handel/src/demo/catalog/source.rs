//! Reads the embedded tables. That they are right is for the tests to say, so mistakes panic.

use handel_domain::{
    Currency,
    catalog::{
        Attribute, AttributeValue, Backorder, Price, ProductInput, ProductOption, ProductStatus,
        Seo, VariantInput,
    },
    text::{self, Sku, Slug},
};
use serde::Deserialize;

use super::{
    DemoCategory, DemoProduct,
    picture::{self, Sketch},
};

const CATEGORIES: &str = include_str!("data/categories.toml");

const SHELVES: [&str; 8] = [
    include_str!("data/kitchen.toml"),
    include_str!("data/coffee.toml"),
    include_str!("data/home.toml"),
    include_str!("data/stationery.toml"),
    include_str!("data/outdoor.toml"),
    include_str!("data/apparel.toml"),
    include_str!("data/bath.toml"),
    include_str!("data/garden.toml"),
];

/// Attributes that are free text; other texts are one of a set of words.
const FREE_TEXT: [&str; 4] = ["battery", "care", "scent", "size_cm"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    category: Vec<CategoryRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryRow {
    slug: Slug,
    name: String,
    parent: Option<Slug>,
    background: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shelf {
    product: Vec<ProductRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductRow {
    title: String,
    category: Slug,
    vendor: String,
    r#type: String,
    /// What the SKUs of the variants start with.
    sku: String,
    #[serde(default)]
    grams: i64,
    tags: Vec<String>,
    attributes: toml::Table,
    picture: Sketch,
    description: String,
    #[serde(default)]
    options: Vec<String>,
    #[serde(flatten)]
    prices: PriceRow,
    /// Sold as a download: nothing is counted or sent.
    #[serde(default)]
    digital: bool,
    /// Can always be ordered, whatever is on hand.
    #[serde(default)]
    made_to_order: bool,
    variants: Vec<VariantRow>,
}

/// Prices as decimal amounts; a variant without one takes that of its product.
#[derive(Deserialize)]
struct PriceRow {
    usd: Option<String>,
    eur: Option<String>,
    was_usd: Option<String>,
    was_eur: Option<String>,
}

#[derive(Deserialize)]
struct VariantRow {
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    sku: String,
    grams: Option<i64>,
    #[serde(default)]
    stock: i64,
    /// How many more than on hand may be sold.
    #[serde(default)]
    backorder: u32,
    #[serde(flatten)]
    prices: PriceRow,
}

pub(super) fn categories() -> Vec<DemoCategory> {
    let rows = tree().category.into_iter();
    rows.map(|CategoryRow { slug, name, parent, .. }| DemoCategory { slug, name, parent }).collect()
}

pub(super) fn products() -> Vec<DemoProduct> {
    let tree = tree();
    let shelves = SHELVES.iter().flat_map(|text| parse::<Shelf>(text).product);
    shelves.map(|row| product(row, &tree)).collect()
}

fn tree() -> Tree {
    parse(CATEGORIES)
}

fn parse<T: for<'de> Deserialize<'de>>(text: &str) -> T {
    toml::from_str(text).expect("the embedded tables fit their types")
}

impl Tree {
    /// The background of the pictures of a category: its own or that of the nearest above.
    fn background(&self, slug: &Slug) -> &str {
        let row = self.category.iter().find(|row| row.slug == *slug);
        let row = row.expect("every category that is named is in the tree");
        match (&row.background, &row.parent) {
            (Some(color), _) => color,
            (None, Some(parent)) => self.background(parent),
            (None, None) => panic!("the category {slug} has no background"),
        }
    }
}

fn product(row: ProductRow, tree: &Tree) -> DemoProduct {
    let slug = text::slugify(&row.title).parse().expect("titles have letters");
    let variants: Vec<_> = row.variants.iter().map(|variant| row.variant(variant)).collect();
    let tracked = variants.iter().zip(&row.variants).filter(|(variant, _)| variant.tracked);
    let stock = tracked.map(|(variant, from)| (variant.sku.clone(), from.stock)).collect();
    let input = ProductInput {
        slug: Some(slug),
        description_html: row.description.trim().to_owned(),
        product_type: row.r#type.clone(),
        status: ProductStatus::Active,
        tax_class: "standard".to_owned(),
        options: row.options(),
        attributes: row.attributes.iter().map(attribute).collect(),
        category_ids: Vec::new(),
        media: Vec::new(),
        seo: Seo::default(),
        variants,
        title: row.title,
        vendor: row.vendor,
        tags: row.tags,
    };
    let picture = picture::draw(&row.picture, tree.background(&row.category));
    DemoProduct { input, category: row.category, stock, picture }
}

impl ProductRow {
    fn options(&self) -> Vec<ProductOption> {
        let option = |(at, name): (usize, &String)| {
            let mut values: Vec<String> = Vec::new();
            for variant in &self.variants {
                if !values.contains(&variant.values[at]) {
                    values.push(variant.values[at].clone());
                }
            }
            ProductOption { name: name.clone(), values }
        };
        self.options.iter().enumerate().map(option).collect()
    }

    fn variant(&self, row: &VariantRow) -> VariantInput {
        let hyphen = if row.sku.is_empty() { "" } else { "-" };
        let sku: Sku = format!("{}{hyphen}{}", self.sku, row.sku).parse().expect("ASCII letters");
        let backorder = match (self.made_to_order, row.backorder) {
            (true, _) => Backorder::Allow,
            (false, 0) => Backorder::Deny,
            (false, limit) => Backorder::UpTo(limit),
        };
        VariantInput {
            id: None,
            sku,
            option_values: row.values.clone(),
            barcode: None,
            weight_grams: row.grams.unwrap_or(self.grams),
            requires_shipping: !self.digital,
            tracked: !self.digital,
            backorder,
            prices: prices(&self.prices, &row.prices),
        }
    }
}

fn prices(product: &PriceRow, variant: &PriceRow) -> Vec<Price> {
    let usd = (variant.usd.as_ref().or(product.usd.as_ref()), &product.was_usd);
    let eur = (variant.eur.as_ref().or(product.eur.as_ref()), &product.was_eur);
    [("USD", usd), ("EUR", eur)]
        .map(|(code, (amount, compare_at))| {
            let currency: Currency = code.parse().expect("a known currency");
            let minor = |text: &String| currency.parse_amount(text).expect("a decimal amount");
            Price {
                currency,
                amount_minor: minor(amount.expect("every variant has a price")),
                compare_at_minor: compare_at.as_ref().map(minor),
            }
        })
        .to_vec()
}

fn attribute((name, value): (&String, &toml::Value)) -> Attribute {
    let value = match value {
        toml::Value::Boolean(flag) => AttributeValue::Boolean(*flag),
        toml::Value::Integer(number) => AttributeValue::Number((*number).into()),
        toml::Value::Float(number) => {
            AttributeValue::Number(number.to_string().parse().expect("a short decimal"))
        }
        toml::Value::Datetime(day) => {
            AttributeValue::Date(day.to_string().parse().expect("a day of the calendar"))
        }
        toml::Value::String(text) if FREE_TEXT.contains(&name.as_str()) => {
            AttributeValue::Text(text.clone())
        }
        toml::Value::String(word) => AttributeValue::Choice(word.clone()),
        toml::Value::Array(words) => {
            let words = words.iter().filter_map(toml::Value::as_str);
            AttributeValue::Choices(words.map(str::to_owned).collect())
        }
        toml::Value::Table(_) => panic!("the attribute {name} has a table"),
    };
    Attribute { name: name.clone(), value }
}
