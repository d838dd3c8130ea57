//! The page of a product.

use askama::Template;
use axum::{extract::State, response::Response};
use handel_domain::catalog::{Attribute, AttributeValue, Category, Media, Product, Variant};
use handel_engine::{ProductKey, ProductView, Supply, VariantAvailability};
use handel_kit::{Door, PathParams, Problem};
use http::StatusCode;

use super::{json_ld, list::in_category};
use crate::{
    field::{Choice, Complaint},
    format::Format,
    markup,
    page::{Frame, Link, Privacy, Shop, see, show},
    visit::Visit,
    words::{ENGLISH, Words},
};

#[derive(Template)]
#[template(path = "product.html")]
struct ProductPage {
    w: &'static Words,
    frame: Frame,
    slug: String,
    title: String,
    vendor: String,
    categories: Vec<Link>,
    pictures: Vec<Picture>,
    /// Clean HTML.
    description: String,
    properties: Vec<(String, String)>,
    price: String,
    is_from: bool,
    compare_at: Option<String>,
    tax_note: &'static str,
    variants: Vec<Choice>,
    /// What the variants differ in.
    variants_label: String,
    availability: String,
    can_be_bought: bool,
    quantity: String,
    complaints: Vec<Complaint>,
    /// JSON in which nothing ends the element that it stands in.
    json_ld: String,
}

struct Picture {
    url: String,
    alt: String,
}

/// What went wrong when something was to be put into the cart, with what was chosen.
#[derive(Default)]
pub(crate) struct Problems {
    pub(crate) complaints: Vec<Complaint>,
    pub(crate) variant: String,
    pub(crate) quantity: String,
    pub(crate) status: Option<StatusCode>,
}

/// Few are left if there are at most this many.
const FEW: i64 = 5;

pub(super) async fn show_product(
    State(door): State<Door>,
    PathParams(key): PathParams<String>,
    visit: Visit,
) -> Result<Response, Problem> {
    product_page(&door, &visit, &key, Problems::default()).await
}

/// The page of a product, perhaps with what went wrong.
pub(crate) async fn product_page(
    door: &Door,
    visit: &Visit,
    key: &str,
    problems: Problems,
) -> Result<Response, Problem> {
    let parsed: ProductKey = key.parse()?;
    let shop = Shop::of(door, visit).await?;
    let view = door.engine().view_product(&visit.ctx, parsed).await?;
    if view.product.slug.as_str() != key && problems.status.is_none() {
        // It was found by its id: there is one address for it.
        return Ok(see(&format!("/products/{}", view.product.slug)));
    }
    let status = problems.status.unwrap_or(StatusCode::OK);
    let page = page(door, &shop, &view, problems);
    Ok(show(door, status, Privacy::Public, &page))
}

fn page(door: &Door, shop: &Shop, view: &ProductView, problems: Problems) -> ProductPage {
    let (format, product) = (&shop.format, &view.product);
    let offers = offers(view, format);
    let range = product.price_range_minor(format.currency());
    let cheapest = range.map(|(lowest, _)| lowest);
    let compare_at = offers.iter().filter(|offer| offer.price_minor == cheapest);
    let compare_at = compare_at.filter_map(|offer| offer.compare_at_minor).max();
    let names: Vec<_> = product.options.iter().map(|option| option.name.as_str()).collect();
    let category = |category: &Category| Link {
        href: in_category(category.slug.as_str()),
        text: category.name.clone(),
        is_current: false,
    };
    let picture = |media: &Media| Picture { url: media.url.clone(), alt: media.alt.clone() };
    ProductPage {
        w: &ENGLISH,
        frame: frame(door, shop, product),
        slug: product.slug.to_string(),
        title: product.title.clone(),
        vendor: product.vendor.clone(),
        categories: view.categories.iter().map(category).collect(),
        pictures: product.media.iter().map(picture).collect(),
        description: markup::clean(&product.description_html),
        properties: product.attributes.iter().map(property).collect(),
        price: cheapest.map_or_else(String::new, |amount| format.money(amount)),
        is_from: range.is_some_and(|(lowest, highest)| lowest < highest),
        compare_at: compare_at.map(|amount| format.money(amount)),
        tax_note: ENGLISH.tax_note(view.channel.settings.tax.prices_include_tax),
        availability: availability(&offers),
        variants: choices(&offers, &problems.variant, format),
        variants_label: if names.is_empty() { ENGLISH.variant.into() } else { names.join(", ") },
        can_be_bought: offers.iter().any(Offer::can_be_bought),
        quantity: if problems.quantity.is_empty() { "1".into() } else { problems.quantity },
        complaints: problems.complaints,
        json_ld: json_ld::of(view, &door.settings().public_url, format),
    }
}

/// The frame with what search engines and those who link to the page want to know.
fn frame(door: &Door, shop: &Shop, product: &Product) -> Frame {
    let public_url = &door.settings().public_url;
    let seo = product.seo.description.trim();
    let summary = match seo.is_empty() {
        true => markup::words(&product.description_html, 160),
        false => seo.to_owned(),
    };
    Frame {
        canonical: Some(format!("{public_url}/products/{}", product.slug)),
        description: Some(summary).filter(|text| !text.is_empty()),
        picture: product.media.first().map(|media| absolute(&media.url, public_url)),
        ..shop.frame(door, &*product.title)
    }
}

/// A variant in this channel.
struct Offer<'v> {
    variant: &'v Variant,
    price_minor: Option<i64>,
    compare_at_minor: Option<i64>,
    stock: VariantAvailability,
}

impl Offer<'_> {
    fn can_be_bought(&self) -> bool {
        self.price_minor.is_some() && self.stock.supply.can_be_bought()
    }
}

fn offers<'v>(view: &'v ProductView, format: &Format) -> Vec<Offer<'v>> {
    let offer = |(variant, stock): (&'v Variant, &VariantAvailability)| {
        let price = variant.prices.iter().find(|price| price.currency == format.currency());
        Offer {
            variant,
            price_minor: price.map(|price| price.amount_minor),
            compare_at_minor: price.and_then(|price| price.compare_at_minor),
            stock: *stock,
        }
    };
    view.product.variants.iter().zip(&view.availability).map(offer).collect()
}

fn choices(offers: &[Offer<'_>], asked: &str, format: &Format) -> Vec<Choice> {
    let first = offers.iter().position(Offer::can_be_bought);
    let asked = offers.iter().position(|offer| offer.variant.id.to_string() == asked).or(first);
    let choice = |(at, offer): (usize, &Offer<'_>)| {
        let label = if offer.variant.title.is_empty() {
            offer.variant.sku.to_string()
        } else {
            offer.variant.title.clone()
        };
        let price = offer.price_minor.map_or_else(String::new, |amount| format.money(amount));
        Choice::new(offer.variant.id.to_string(), label)
            .note(stock_text(offer))
            .aside(price)
            .chosen(Some(at) == asked)
            .disabled(!offer.can_be_bought())
    };
    offers.iter().enumerate().map(choice).collect()
}

fn stock_text(offer: &Offer<'_>) -> String {
    if offer.price_minor.is_none() {
        return ENGLISH.not_for_sale.to_owned();
    }
    match (offer.stock.supply, offer.stock.available) {
        (Supply::SoldOut, _) => ENGLISH.sold_out.to_owned(),
        (Supply::OnOrder, _) => ENGLISH.on_order.to_owned(),
        (Supply::InStock, Some(count)) if count <= FEW => ENGLISH.only_left(count),
        (Supply::InStock, _) => String::new(),
    }
}

/// What is said of the whole product.
fn availability(offers: &[Offer<'_>]) -> String {
    match offers {
        [only] => match stock_text(only) {
            text if text.is_empty() => ENGLISH.in_stock.to_owned(),
            text => text,
        },
        all if all.iter().any(Offer::can_be_bought) => ENGLISH.in_stock.to_owned(),
        _ => ENGLISH.sold_out.to_owned(),
    }
}

fn property(attribute: &Attribute) -> (String, String) {
    let value = match &attribute.value {
        AttributeValue::Text(text) | AttributeValue::Choice(text) => text.clone(),
        AttributeValue::Number(number) => number.to_string(),
        AttributeValue::Boolean(true) => ENGLISH.yes.to_owned(),
        AttributeValue::Boolean(false) => ENGLISH.no.to_owned(),
        AttributeValue::Choices(words) => words.join(", "),
        AttributeValue::Date(day) => day.to_string(),
    };
    let name = attribute.name.replace(['_', '-'], " ");
    (ENGLISH.capitalized(&name), value)
}

/// An address that can be used elsewhere.
pub(super) fn absolute(url: &str, public_url: &str) -> String {
    if url.starts_with('/') { format!("{public_url}{url}") } else { url.to_owned() }
}
