//! The page of a product.

use askama::Template;
use axum::{extract::State, response::Response};
use handel_domain::catalog::{Attribute, AttributeValue, Category, Media, Product};
use handel_engine::{ProductKey, ProductView};
use handel_kit::{Door, PathParams, Problem};
use http::{StatusCode, Uri};

use super::{
    json_ld,
    list::in_category,
    offers::{Chooser, Offer, availability, chooser, offers},
};
use crate::{
    field::Complaint,
    markup,
    page::{Frame, Link, Privacy, Shop, see, show},
    visit::{Fields, Visit},
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
    /// Stands where there is no picture.
    initial: String,
    /// Clean HTML.
    description: String,
    properties: Vec<(String, String)>,
    price: String,
    compare_at: Option<String>,
    tax_note: &'static str,
    /// The variant that is chosen.
    variant: String,
    /// The options in which variants differ.
    choosers: Vec<Chooser>,
    availability: String,
    can_be_bought: bool,
    quantity: String,
    complaints: Vec<Complaint>,
    /// JSON in which nothing ends the element that it stands in.
    json_ld: String,
}

struct Picture {
    id: String,
    url: String,
    /// What it shows.
    alt: String,
    /// Its place among all.
    label: String,
}

/// What went wrong when something was to be put into the cart, with what was chosen.
#[derive(Default)]
pub(crate) struct Problems {
    pub(crate) complaints: Vec<Complaint>,
    pub(crate) variant: String,
    pub(crate) quantity: String,
    pub(crate) status: Option<StatusCode>,
}

pub(super) async fn show_product(
    State(door): State<Door>,
    PathParams(key): PathParams<String>,
    uri: Uri,
    visit: Visit,
) -> Result<Response, Problem> {
    let variant = Fields::of_query(&uri).get(VARIANT).to_owned();
    let chosen = Problems { variant, ..Problems::default() };
    product_page(&door, &visit, &key, chosen).await
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
        let chosen = view.product.variants.iter().find(|v| v.id.to_string() == problems.variant);
        let query = chosen.map(|variant| format!("?{VARIANT}={}", variant.id));
        return Ok(see(&format!("/products/{}{}", view.product.slug, query.unwrap_or_default())));
    }
    let status = problems.status.unwrap_or(StatusCode::OK);
    let page = page(door, &shop, &view, problems);
    Ok(show(door, status, Privacy::Public, &page))
}

fn page(door: &Door, shop: &Shop, view: &ProductView, problems: Problems) -> ProductPage {
    let (format, product) = (&shop.format, &view.product);
    let offers = offers(view, format);
    let asked = offers.iter().position(|offer| offer.variant.id.to_string() == problems.variant);
    let first = || offers.iter().position(Offer::can_be_bought);
    let at = asked.or_else(first).unwrap_or_default();
    let chosen = &offers[at];
    let category = |category: &Category| Link {
        href: in_category(category.slug.as_str()),
        text: category.name.clone(),
        is_current: false,
    };
    let all = product.media.len();
    let picture = |(at, media): (usize, &Media)| Picture {
        id: format!("picture-{}", at + 1),
        url: media.url.clone(),
        alt: if media.alt.is_empty() { product.title.clone() } else { media.alt.clone() },
        label: ENGLISH.picture(at + 1, all),
    };
    ProductPage {
        w: &ENGLISH,
        frame: frame(door, shop, product),
        slug: product.slug.to_string(),
        title: product.title.clone(),
        vendor: product.vendor.clone(),
        categories: view.categories.iter().map(category).collect(),
        pictures: product.media.iter().enumerate().map(picture).collect(),
        description: markup::clean(&product.description_html),
        properties: product.attributes.iter().map(property).collect(),
        initial: initial(&product.title),
        price: chosen.price_minor.map_or_else(String::new, |amount| format.money(amount)),
        compare_at: chosen.compare_at_minor.map(|amount| format.money(amount)),
        tax_note: ENGLISH.tax_note(view.channel.settings.tax.prices_include_tax),
        availability: availability(chosen),
        variant: chosen.variant.id.to_string(),
        choosers: chooser(product, &offers, at),
        can_be_bought: chosen.can_be_bought(),
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

/// What names the chosen variant in an address.
pub(super) const VARIANT: &str = "variant";

/// The first letter of a title, to stand where there is no picture.
pub(crate) fn initial(title: &str) -> String {
    let letter = title.chars().find(|c| c.is_alphanumeric());
    letter.map_or_else(String::new, |c| c.to_uppercase().to_string())
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
