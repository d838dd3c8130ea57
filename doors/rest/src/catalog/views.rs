//! Products, categories and channels as shoppers see them.

use handel_domain::catalog::{Attribute, AttributeValue, Category, Variant};
use handel_engine as engine;
use serde::Serialize;
use utoipa::ToSchema;

/// A product in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProductSummaryView {
    /// Identity.
    id: String,
    /// The name on the web.
    slug: String,
    /// What shoppers read.
    title: String,
    /// Who makes it.
    vendor: String,
    /// The first picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    /// What the picture shows.
    image_alt: String,
    /// ISO 4217 currency of the prices.
    currency: String,
    /// The lowest price of a variant, in minor units.
    price_min_minor: i64,
    /// The highest price of a variant, in minor units.
    price_max_minor: i64,
    /// With a price filter: the lowest price of a variant in that range, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    matching_price_min_minor: Option<i64>,
    /// With a price filter: the highest price of a variant in that range, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    matching_price_max_minor: Option<i64>,
    /// The price to strike through, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    compare_at_minor: Option<i64>,
    /// Whether something of it can be bought now.
    in_stock: bool,
    /// How many variants it has.
    variants: usize,
}

/// A product with its variants.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProductView {
    /// Identity.
    id: String,
    /// The name on the web.
    slug: String,
    /// What shoppers read.
    title: String,
    /// Description as HTML from the merchant. Clean it before you show it.
    description_html: String,
    /// Who makes it.
    vendor: String,
    /// The merchant's own kind of product.
    product_type: String,
    /// Words to find it by.
    tags: Vec<String>,
    /// What variants differ in.
    options: Vec<OptionView>,
    /// Typed properties.
    attributes: Vec<AttributeView>,
    /// The categories it stands in.
    categories: Vec<CategoryView>,
    /// Pictures in the order of display.
    media: Vec<MediaView>,
    /// The variants in the order of display.
    variants: Vec<VariantView>,
    /// Grows with every change of the product; stock does not count.
    version: i64,
    /// When it last changed.
    updated_at: String,
}

/// A property in which variants differ.
#[derive(Serialize, ToSchema)]
struct OptionView {
    /// What shoppers read.
    name: String,
    /// The values in the order of display.
    values: Vec<String>,
}

/// A typed property.
#[derive(Serialize, ToSchema)]
struct AttributeView {
    /// The name, as filters use it.
    name: String,
    /// `text`, `number`, `boolean`, `choice`, `choices` or `date`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The values as text; one, except for `choices`.
    values: Vec<String>,
}

/// A category.
#[derive(Serialize, ToSchema)]
pub(crate) struct CategoryView {
    /// Identity.
    id: String,
    /// The name on the web, as filters use it.
    slug: String,
    /// What shoppers read.
    name: String,
    /// What it is about.
    description: String,
}

/// A category with those below it.
#[derive(Serialize, ToSchema)]
pub(crate) struct CategoryTree {
    #[serde(flatten)]
    category: CategoryView,
    /// Those below it.
    #[schema(no_recursion)]
    children: Vec<CategoryTree>,
}

/// A picture.
#[derive(Serialize, ToSchema)]
struct MediaView {
    /// Where it is.
    url: String,
    /// What it shows.
    alt: String,
}

/// What can be bought.
#[derive(Serialize, ToSchema)]
struct VariantView {
    /// Identity.
    id: String,
    /// The merchant's own name of it.
    sku: String,
    /// What tells it from the others.
    title: String,
    /// One value for each option.
    option_values: Vec<String>,
    /// ISO 4217 currency of the price.
    currency: String,
    /// The price, in minor units; absent where it is not for sale in this channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    price_minor: Option<i64>,
    /// The price to strike through, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    compare_at_minor: Option<i64>,
    /// Whether it can be bought now.
    in_stock: bool,
    /// How many can be bought; absent where that has no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
    /// Barcode.
    #[serde(skip_serializing_if = "Option::is_none")]
    barcode: Option<String>,
    /// Weight in grams.
    weight_grams: i64,
    /// Whether it is sent by post.
    requires_shipping: bool,
}

/// A sales channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelView {
    /// What to send as `Handel-Channel`.
    code: String,
    /// What staff call it.
    name: String,
    /// ISO 4217 currency.
    currency: String,
    /// BCP 47 language tag.
    locale: String,
    /// The countries it sells to; empty for all.
    countries: Vec<String>,
    /// Whether prices contain the tax.
    prices_include_tax: bool,
}

impl From<engine::ProductView> for ProductView {
    fn from(view: engine::ProductView) -> Self {
        let engine::ProductView { product, categories, channel, availability } = view;
        let currency = channel.settings.currency;
        let variants = product.variants.iter().zip(availability);
        Self {
            id: product.id.to_string(),
            slug: product.slug.to_string(),
            variants: variants
                .map(|(variant, available)| VariantView::new(variant, available, currency))
                .collect(),
            title: product.title,
            description_html: product.description_html,
            vendor: product.vendor,
            product_type: product.product_type,
            tags: product.tags,
            options: product
                .options
                .into_iter()
                .map(|o| OptionView { name: o.name, values: o.values })
                .collect(),
            attributes: product.attributes.iter().map(AttributeView::from).collect(),
            categories: categories.iter().map(CategoryView::from).collect(),
            media: product
                .media
                .into_iter()
                .map(|m| MediaView { url: m.url, alt: m.alt })
                .collect(),
            version: product.version,
            updated_at: product.updated_at.to_string(),
        }
    }
}

impl VariantView {
    fn new(
        variant: &Variant,
        stock: engine::VariantAvailability,
        currency: handel_domain::Currency,
    ) -> Self {
        let price = variant.prices.iter().find(|price| price.currency == currency);
        let in_stock = price.is_some() && stock.supply.can_be_bought();
        Self {
            id: variant.id.to_string(),
            sku: variant.sku.to_string(),
            title: variant.title.clone(),
            option_values: variant.option_values.clone(),
            currency: currency.to_string(),
            price_minor: price.map(|price| price.amount_minor),
            compare_at_minor: price.and_then(|price| price.compare_at_minor),
            in_stock,
            available: stock.available,
            barcode: variant.barcode.clone(),
            weight_grams: variant.weight_grams,
            requires_shipping: variant.requires_shipping,
        }
    }
}

impl From<&Attribute> for AttributeView {
    fn from(attribute: &Attribute) -> Self {
        let (kind, values) = match &attribute.value {
            AttributeValue::Text(text) => ("text", vec![text.clone()]),
            AttributeValue::Number(number) => ("number", vec![number.to_string()]),
            AttributeValue::Boolean(flag) => ("boolean", vec![flag.to_string()]),
            AttributeValue::Choice(word) => ("choice", vec![word.clone()]),
            AttributeValue::Choices(words) => ("choices", words.clone()),
            AttributeValue::Date(day) => ("date", vec![day.to_string()]),
        };
        Self { name: attribute.name.clone(), kind, values }
    }
}

impl From<&Category> for CategoryView {
    fn from(category: &Category) -> Self {
        Self {
            id: category.id.to_string(),
            slug: category.slug.to_string(),
            name: category.name.clone(),
            description: category.description.clone(),
        }
    }
}

impl From<engine::CategoryNode> for CategoryTree {
    fn from(node: engine::CategoryNode) -> Self {
        Self {
            category: CategoryView::from(&node.category),
            children: node.children.into_iter().map(Self::from).collect(),
        }
    }
}

impl From<handel_domain::channel::Channel> for ChannelView {
    fn from(channel: handel_domain::channel::Channel) -> Self {
        let settings = channel.settings;
        Self {
            code: channel.code.to_string(),
            name: settings.name,
            currency: settings.currency.to_string(),
            locale: settings.locale,
            countries: settings.countries.iter().map(ToString::to_string).collect(),
            prices_include_tax: settings.tax.prices_include_tax,
        }
    }
}

impl From<engine::ProductSummary> for ProductSummaryView {
    fn from(product: engine::ProductSummary) -> Self {
        Self {
            id: product.id.to_string(),
            slug: product.slug.to_string(),
            title: product.title,
            vendor: product.vendor,
            image_url: product.image_url,
            image_alt: product.image_alt,
            currency: product.currency.to_string(),
            price_min_minor: product.price_min_minor,
            price_max_minor: product.price_max_minor,
            matching_price_min_minor: product.matching_min_minor,
            matching_price_max_minor: product.matching_max_minor,
            compare_at_minor: product.compare_at_minor,
            in_stock: product.in_stock,
            variants: product.variants,
        }
    }
}
