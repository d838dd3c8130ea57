//! `flower-shop`: the goods, prices and promotions that the UCP conformance suite buys, in a shop that runs.
//!
//! The data are the suite's; nothing of them is in the product.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::http::Staff;

/// Where the flower shop sends its flowers.
const COUNTRIES: [&str; 14] =
    ["US", "CA", "MX", "GB", "IE", "DE", "FR", "ES", "IT", "NL", "CH", "AU", "NZ", "JP"];
/// What a rate of shipping says that holds wherever no other does.
const ELSEWHERE: &str = "default";

#[derive(Debug, Args)]
pub struct Options {
    /// Directory with the CSV files of the suite, `test_data/flower_shop`.
    #[arg(long)]
    pub data: PathBuf,
    /// Where the shop is, such as http://127.0.0.1:8080.
    #[arg(long)]
    pub url: String,
    /// An API key that may do everything.
    #[arg(long)]
    pub key: String,
}

#[derive(Deserialize)]
struct Product {
    id: String,
    title: String,
    price: i64,
    image_url: String,
}

#[derive(Deserialize)]
struct Stock {
    product_id: String,
    quantity: i64,
}

#[derive(Clone, Deserialize)]
struct ShippingRate {
    id: String,
    country_code: String,
    service_level: String,
    price: i64,
    title: String,
}

#[derive(Deserialize)]
struct Discount {
    code: String,
    #[serde(rename = "type")]
    kind: String,
    value: i64,
    description: String,
}

#[derive(Deserialize)]
struct Promotion {
    id: String,
    min_subtotal: Option<i64>,
    eligible_item_ids: String,
    description: String,
}

/// Fills a fresh shop.
pub fn run(options: &Options) -> Result<()> {
    let staff = Staff { url: &options.url, key: &options.key };
    let rates: Vec<ShippingRate> = rows(&options.data, "shipping_rates.csv")?;
    staff.send("PUT", "/channels/default", &channel(&rates))?;
    let mut variants = BTreeMap::new();
    let products: Vec<Product> = rows(&options.data, "products.csv")?;
    for product in &products {
        let made = staff.send("POST", "/products", &product_body(product))?;
        let id = made["variants"][0]["id"].as_str().context("a product has a variant")?;
        variants.insert(product.id.clone(), id.to_owned());
    }
    let stock: Vec<Stock> = rows(&options.data, "inventory.csv")?;
    for stock in stock.iter().filter(|stock| stock.quantity > 0) {
        let body =
            json!({ "sku": stock.product_id, "delta": stock.quantity, "reason": "flower shop" });
        staff.send("POST", "/stock/adjustments", &body)?;
    }
    let discounts: Vec<Discount> = rows(&options.data, "discounts.csv")?;
    for discount in &discounts {
        staff.send("POST", "/promotions", &discount_body(discount))?;
    }
    let promotions: Vec<Promotion> = rows(&options.data, "promotions.csv")?;
    for promotion in &promotions {
        staff.send("POST", "/promotions", &free_shipping(promotion, &rates, &variants)?)?;
    }
    println!(
        "The flower shop sells {} products with {} promotions.",
        products.len(),
        discounts.len() + promotions.len()
    );
    Ok(())
}

fn rows<T: DeserializeOwned>(directory: &Path, name: &str) -> Result<Vec<T>> {
    let path = directory.join(name);
    let read = || csv::Reader::from_path(&path)?.deserialize().collect();
    let rows: Result<Vec<T>, csv::Error> = read();
    rows.with_context(|| format!("cannot read {}", path.display()))
}

fn channel(rates: &[ShippingRate]) -> Value {
    let methods = rates.iter().map(|rate| {
        json!({
            "code": rate.id,
            "name": rate.title,
            "countries": countries(rate, rates),
            "amount_minor": rate.price,
            "tax_class": "standard",
        })
    });
    json!({
        "name": "Flower shop",
        "currency": "USD",
        "locale": "en-US",
        "countries": COUNTRIES,
        "default_country": "US",
        "tax": { "prices_include_tax": false },
        "shipping_methods": methods.collect::<Vec<_>>(),
        // What is too much for the shelf is to be refused for that, and not for being many.
        "line_quantity_max": 100_000,
    })
}

/// Where a rate holds: in its country, or in all that have none of the same service.
fn countries(rate: &ShippingRate, rates: &[ShippingRate]) -> Vec<String> {
    if rate.country_code != ELSEWHERE {
        return vec![rate.country_code.clone()];
    }
    let has_own = |country: &str| {
        let mut same = rates.iter().filter(|other| other.service_level == rate.service_level);
        same.any(|other| other.country_code == country)
    };
    COUNTRIES
        .iter()
        .filter(|country| !has_own(country))
        .map(|&country| country.to_owned())
        .collect()
}

fn product_body(product: &Product) -> Value {
    json!({
        "slug": product.id.replace('_', "-"),
        "title": product.title,
        "media": [{ "url": product.image_url, "alt": product.title }],
        "variants": [{
            "sku": product.id,
            "prices": [{ "currency": "USD", "amount_minor": product.price }],
        }],
    })
}

/// A code. All of them may be used together, one after another.
fn discount_body(discount: &Discount) -> Value {
    let action = match discount.kind.as_str() {
        "percentage" => json!({ "kind": "percentage", "rate_millionths": discount.value * 10_000 }),
        _ => json!({ "kind": "fixed", "amount_minor": discount.value }),
    };
    json!({
        "title": discount.description,
        "class": "order",
        "action": action,
        "currency": "USD",
        "codes": [discount.code],
        "combines_with": { "product": true, "order": true, "shipping": true },
    })
}

/// What the standard way costs comes off shipping, for large orders or for some goods. So it costs nothing.
fn free_shipping(
    promotion: &Promotion,
    rates: &[ShippingRate],
    variants: &BTreeMap<String, String>,
) -> Result<Value> {
    let skus: Vec<String> = match promotion.eligible_item_ids.trim() {
        "" => Vec::new(),
        list => {
            serde_json::from_str(list).with_context(|| format!("promotion {}", promotion.id))?
        }
    };
    let ids: Option<Vec<&String>> = skus.iter().map(|sku| variants.get(sku)).collect();
    let ids = ids.with_context(|| format!("promotion {} is for unknown goods", promotion.id))?;
    let standard = rates.iter().filter(|rate| rate.service_level == "standard");
    let amount_minor = standard.map(|rate| rate.price).max();
    let amount_minor = amount_minor.context("there is no standard shipping to be free")?;
    let mut conditions = json!({ "variant_ids": ids });
    if let Some(least) = promotion.min_subtotal {
        // The suite wants more than that, not as much.
        conditions["minimum_subtotal_minor"] = json!(least + 1);
    }
    Ok(json!({
        "title": promotion.description,
        "class": "shipping",
        "action": { "kind": "fixed", "amount_minor": amount_minor },
        "currency": "USD",
        "conditions": conditions,
        // Not with another of its kind: an order is sent for nothing once.
        "combines_with": { "product": true, "order": true },
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(id: &str, country: &str, level: &str) -> ShippingRate {
        ShippingRate {
            id: id.into(),
            country_code: country.into(),
            service_level: level.into(),
            price: 1,
            title: id.into(),
        }
    }

    #[test]
    fn a_rate_of_a_country_takes_the_place_of_the_one_for_all() {
        let rates = [
            rate("std", ELSEWHERE, "standard"),
            rate("us", "US", "express"),
            rate("intl", ELSEWHERE, "express"),
        ];
        assert_eq!(countries(&rates[0], &rates).len(), COUNTRIES.len());
        assert_eq!(countries(&rates[1], &rates), ["US"]);
        let elsewhere = countries(&rates[2], &rates);
        assert_eq!(elsewhere.len(), COUNTRIES.len() - 1);
        assert!(elsewhere.iter().any(|country| country == "CA"));
    }

    #[test]
    fn goods_that_nobody_sells_are_a_mistake() {
        let promotion = Promotion {
            id: "promo_2".into(),
            min_subtotal: None,
            eligible_item_ids: r#"["roses"]"#.into(),
            description: "Free".into(),
        };
        let rates = [rate("std", ELSEWHERE, "standard")];
        assert!(free_shipping(&promotion, &rates, &BTreeMap::new()).is_err());
        let known = BTreeMap::from([("roses".to_owned(), "var_1".to_owned())]);
        let body = free_shipping(&promotion, &rates, &known).unwrap();
        assert_eq!(body["conditions"], json!({ "variant_ids": ["var_1"] }));
        assert_eq!(body["action"]["amount_minor"], 1);
    }
}
