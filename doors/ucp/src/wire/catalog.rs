//! Products.

use serde_json::{Value, json};

use super::Object;
use crate::neutral::product::{OptionValue, Product, ProductOption, Variant, supply_text};

/// A product with its variants.
pub(crate) fn product(product: &Product) -> Value {
    let price = |amount: i64| price(amount, &product.currency);
    let range = |(min, max): (i64, i64)| json!({ "min": price(min), "max": price(max) });
    let categories = product.categories.iter();
    let categories = categories.map(|value| json!({ "value": value, "taxonomy": "merchant" }));
    let media = product.media.iter().map(|(url, alt)| {
        let alt = Some(alt.as_str()).filter(|alt| !alt.is_empty());
        Object::new().with("type", "image").with("url", url.as_str()).with_some("alt_text", alt)
    });
    let selected = product.selected.as_ref().map(|pairs| options(pairs));
    Object::new()
        .with("id", product.id.as_str())
        .with("handle", product.handle.as_str())
        .with("title", product.title.as_str())
        .with("description", description(product))
        .with("url", product.url.as_str())
        .with_list("categories", categories.collect())
        .with("price_range", range(product.price_range))
        .with_some("list_price_range", product.list_price_range.map(range))
        .with_list("media", media.map(Value::from).collect())
        .with_list("options", product.options.iter().map(option).collect())
        .with_some("selected", selected)
        .with("variants", product.variants.iter().map(|v| variant(product, v)).collect::<Vec<_>>())
        .with_list("tags", product.tags.iter().map(|tag| json!(tag)).collect())
        .into()
}

fn description(product: &Product) -> Value {
    Object::new()
        .with("plain", product.plain.as_str())
        .with_some("html", product.html.as_deref())
        .into()
}

fn variant(product: &Product, variant: &Variant) -> Value {
    let price = |amount: i64| price(amount, &product.currency);
    let barcodes = variant.barcode.iter();
    let barcodes = barcodes.map(|(kind, value)| json!({ "type": kind, "value": value }));
    let inputs = variant.inputs.iter().map(|(id, fit)| json!({ "id": id, "match": fit }));
    Object::new()
        .with("id", variant.id.as_str())
        .with("sku", variant.sku.as_str())
        .with_list("barcodes", barcodes.collect())
        .with("title", variant.title.as_str())
        .with("description", json!({ "plain": variant.title }))
        .with("url", product.url.as_str())
        .with("price", price(variant.price_minor))
        .with_some("list_price", variant.list_price_minor.map(price))
        .with(
            "availability",
            json!({ "available": variant.supply.can_be_bought(), "status": supply_text(variant.supply) }),
        )
        .with_list("options", options(&variant.options))
        .with_list("inputs", inputs.collect())
        .into()
}

fn price(amount: i64, currency: &str) -> Value {
    json!({ "amount": amount, "currency": currency })
}

fn options(pairs: &[(String, String)]) -> Vec<Value> {
    pairs.iter().map(|(name, label)| json!({ "name": name, "label": label })).collect()
}

fn option(option: &ProductOption) -> Value {
    let value = |value: &OptionValue| {
        let signals = value.signals;
        Object::new()
            .with("label", value.label.as_str())
            .with_some("available", signals.map(|signals| signals.is_available))
            .with_some("exists", signals.map(|signals| signals.exists))
            .into()
    };
    let values: Vec<Value> = option.values.iter().map(value).collect();
    json!({ "name": option.name, "values": values })
}

/// Whether there is a next page (UCP, `pagination.json`).
pub(crate) fn pagination(next_cursor: Option<&str>) -> Value {
    Object::new()
        .with("has_next_page", next_cursor.is_some())
        .with_some("cursor", next_cursor)
        .into()
}
