//! A product for search engines and other programs, in the words of schema.org.

use handel_domain::catalog::Variant;
use handel_engine::{ProductView, Supply, VariantAvailability};
use serde_json::{Value, json};

use super::product::absolute;
use crate::{format::Format, markup};

/// JSON-LD that can stand in a `script` element: nothing in it ends the element.
pub(super) fn of(view: &ProductView, public_url: &str, format: &Format) -> String {
    let product = &view.product;
    let url = format!("{public_url}/products/{}", product.slug);
    let images: Vec<_> =
        product.media.iter().map(|media| absolute(&media.url, public_url)).collect();
    let offers: Vec<_> = product
        .variants
        .iter()
        .zip(&view.availability)
        .filter_map(|(variant, stock)| offer(variant, *stock, &url, format))
        .collect();
    let mut value = json!({
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product.title,
        "url": url,
        "description": markup::words(&product.description_html, 5_000),
        "image": images,
        "offers": offers,
    });
    if let [only] = &product.variants[..] {
        value["sku"] = only.sku.as_str().into();
    }
    if !product.vendor.is_empty() {
        value["brand"] = json!({ "@type": "Brand", "name": product.vendor });
    }
    value.to_string().replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

fn offer(
    variant: &Variant,
    stock: VariantAvailability,
    url: &str,
    format: &Format,
) -> Option<Value> {
    let price = variant.prices.iter().find(|price| price.currency == format.currency())?;
    let availability = match stock.supply {
        Supply::SoldOut => "https://schema.org/OutOfStock",
        Supply::OnOrder => "https://schema.org/BackOrder",
        Supply::InStock => "https://schema.org/InStock",
    };
    Some(json!({
        "@type": "Offer",
        "sku": variant.sku.as_str(),
        "name": variant.title,
        "price": format.plain(price.amount_minor),
        "priceCurrency": price.currency.code(),
        "availability": availability,
        "url": url,
    }))
}
