//! Products as staff send them. Parts that are shown as they are sent are named for the way in.

use std::collections::BTreeMap;

use handel_domain::{
    Currency, Refusal,
    catalog::{self, Backorder, Media, Price, ProductInput, ProductOption, Seo, VariantInput},
    id::{CategoryId, ProductId, VariantId},
    text::{Sku, Slug},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    super::document::{ReadOnly, check_id},
    attribute::AttributeBody,
};

/// A whole product.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProductBody {
    /// Given by the shop. A product that is changed may carry its own.
    #[serde(default)]
    #[schema(read_only, value_type = Option<String>)]
    pub(super) id: Option<ProductId>,
    /// The name on the web, unique in the shop: lowercase letters and digits with single hyphens. Made from
    /// the title if absent; a product that is replaced keeps its own.
    #[schema(value_type = Option<String>, example = "ocean-blue-shirt")]
    slug: Option<Slug>,
    /// What shoppers read.
    #[schema(example = "Ocean Blue Shirt")]
    title: String,
    /// Description as HTML.
    #[serde(default)]
    description_html: String,
    /// Who makes it.
    #[serde(default)]
    vendor: String,
    /// The merchant's own kind of product.
    #[serde(default)]
    product_type: String,
    /// Whether shoppers see it; `active` if absent.
    #[serde(default = "active")]
    status: ProductStatusBody,
    /// The tax class of its variants; `standard` if absent.
    #[serde(default = "standard")]
    tax_class: String,
    /// Words to find it by.
    #[serde(default)]
    tags: Vec<String>,
    /// What variants differ in; at most 3.
    #[serde(default)]
    options: Vec<OptionBody>,
    /// Typed properties that shoppers filter by; at most 100.
    #[serde(default)]
    attributes: Vec<AttributeBody>,
    /// The categories it stands in.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    category_ids: Vec<CategoryId>,
    /// Pictures in the order of display.
    #[serde(default)]
    media: Vec<MediaBody>,
    /// What search engines show.
    #[serde(default)]
    seo: SeoBody,
    /// The variants in the order of display; 1 to 250.
    variants: Vec<VariantBody>,
    /// Kept by the shop.
    #[serde(default)]
    #[schema(read_only, value_type = i64)]
    version: ReadOnly,
    /// Kept by the shop.
    #[serde(default)]
    #[schema(read_only, value_type = String, format = DateTime)]
    created_at: ReadOnly,
    /// Kept by the shop.
    #[serde(default)]
    #[schema(read_only, value_type = String, format = DateTime)]
    updated_at: ReadOnly,
}

fn active() -> ProductStatusBody {
    ProductStatusBody::Active
}

fn standard() -> String {
    "standard".to_owned()
}

wire_enum! {
    /// Whether shoppers see a product.
    ProductStatusBody = catalog::ProductStatus {
        /// Being prepared: only staff see it.
        Draft,
        /// For sale.
        Active,
        /// No longer for sale, kept for old orders.
        Archived,
    }
}

/// A property in which variants differ.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OptionBody {
    /// What shoppers read.
    #[schema(example = "Size")]
    pub(super) name: String,
    /// The values in the order of display; 1 to 250.
    #[schema(example = json!(["Small", "Large"]))]
    pub(super) values: Vec<String>,
}

/// A picture.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MediaBody {
    /// Where it is: an `http` or `https` address, or a path of this shop.
    #[schema(example = "https://cdn.example/shirt.jpg")]
    pub(super) url: String,
    /// What it shows, for those who cannot see it.
    #[serde(default)]
    pub(super) alt: String,
}

/// What search engines show.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeoBody {
    /// Title of the page.
    #[serde(default)]
    pub(super) title: String,
    /// Description of the page.
    #[serde(default)]
    pub(super) description: String,
}

/// A variant: what is priced, stocked and bought.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct VariantBody {
    /// The variant of the product that is meant; absent where the SKU says it, or a variant is new.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    id: Option<VariantId>,
    /// Made by the shop from the option values.
    #[serde(default)]
    #[schema(read_only, value_type = String)]
    title: ReadOnly,
    /// The merchant's own name of it, unique in the shop; 1 to 64 printable ASCII characters.
    #[schema(value_type = String, example = "SHIRT-BLUE-L")]
    sku: Sku,
    /// One value for each option of the product.
    #[serde(default)]
    option_values: Vec<String>,
    /// Barcode (EAN, UPC, ISBN).
    barcode: Option<String>,
    /// Weight in grams.
    #[serde(default)]
    weight_grams: i64,
    /// Whether it is sent by post; yes if absent.
    #[serde(default = "yes")]
    requires_shipping: bool,
    /// Whether its stock is counted; yes if absent. What is not counted can always be bought.
    #[serde(default = "yes")]
    tracked: bool,
    /// Whether more may be sold than is on hand; `deny` if absent.
    #[serde(default)]
    backorder: BackorderBody,
    /// Prices, one for each currency.
    #[serde(default)]
    prices: Vec<PriceBody>,
}

fn yes() -> bool {
    true
}

/// Whether more may be sold than is on hand.
#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BackorderBody {
    /// Never.
    #[default]
    Deny,
    /// Without limit.
    Allow,
    /// Up to this many more at each location.
    UpTo(u32),
}

/// The price of a variant in one currency.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceBody {
    /// ISO 4217 code.
    #[schema(value_type = String, example = "USD")]
    currency: Currency,
    /// The price of one, in minor units.
    #[schema(minimum = 0, example = 2499)]
    amount_minor: i64,
    /// The price to strike through beside it, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0)]
    compare_at_minor: Option<i64>,
}

/// The price in one currency, where the currency stands before it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AmountBody {
    amount_minor: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    compare_at_minor: Option<i64>,
}

/// The prices of a variant by currency: the form in which one of them can be changed.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct PricesByCurrency(BTreeMap<String, AmountBody>);

impl From<&[Price]> for PricesByCurrency {
    fn from(prices: &[Price]) -> Self {
        let amount = |price: &Price| AmountBody {
            amount_minor: price.amount_minor,
            compare_at_minor: price.compare_at_minor,
        };
        Self(prices.iter().map(|price| (price.currency.to_string(), amount(price))).collect())
    }
}

impl PricesByCurrency {
    /// The prices; a currency that is none is named by its pointer.
    pub(super) fn read(self) -> Result<Vec<Price>, Refusal> {
        let price = |(code, body): (String, AmountBody)| {
            let currency = code.parse().map_err(|_| {
                Refusal::field(format!("/{code}"), "must be an ISO 4217 code such as EUR")
            })?;
            let AmountBody { amount_minor, compare_at_minor } = body;
            Ok(Price { currency, amount_minor, compare_at_minor })
        };
        self.0.into_iter().map(price).collect()
    }
}

/// The prices of a variant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PricesBody {
    /// Prices, one for each currency.
    pub(super) prices: Vec<PriceBody>,
}

impl ProductBody {
    /// What it says of a product; `id` is none where one is made.
    pub(super) fn input(self, id: Option<ProductId>) -> Result<ProductInput, Refusal> {
        let body = self;
        check_id(body.id, id)?;
        let [ReadOnly, ReadOnly, ReadOnly] = [body.version, body.created_at, body.updated_at];
        let attributes = body.attributes.into_iter().enumerate();
        let attributes =
            attributes.map(|(at, attribute)| attribute.read(at)).collect::<Result<_, _>>()?;
        let option = |OptionBody { name, values }| ProductOption { name, values };
        let media = |MediaBody { url, alt }| Media { url, alt };
        Ok(ProductInput {
            slug: body.slug,
            title: body.title,
            description_html: body.description_html,
            vendor: body.vendor,
            product_type: body.product_type,
            status: body.status.into(),
            tax_class: body.tax_class,
            tags: body.tags,
            options: body.options.into_iter().map(option).collect(),
            attributes,
            category_ids: body.category_ids,
            media: body.media.into_iter().map(media).collect(),
            seo: Seo { title: body.seo.title, description: body.seo.description },
            variants: body.variants.into_iter().map(VariantInput::from).collect(),
        })
    }
}

impl From<VariantBody> for VariantInput {
    fn from(body: VariantBody) -> Self {
        let ReadOnly = body.title;
        Self {
            id: body.id,
            sku: body.sku,
            option_values: body.option_values,
            barcode: body.barcode,
            weight_grams: body.weight_grams,
            requires_shipping: body.requires_shipping,
            tracked: body.tracked,
            backorder: body.backorder.into(),
            prices: body.prices.into_iter().map(Price::from).collect(),
        }
    }
}

impl From<BackorderBody> for Backorder {
    fn from(body: BackorderBody) -> Self {
        match body {
            BackorderBody::Deny => Self::Deny,
            BackorderBody::Allow => Self::Allow,
            BackorderBody::UpTo(limit) => Self::UpTo(limit),
        }
    }
}

impl From<PriceBody> for Price {
    fn from(PriceBody { currency, amount_minor, compare_at_minor }: PriceBody) -> Self {
        Self { currency, amount_minor, compare_at_minor }
    }
}

impl From<Price> for PriceBody {
    fn from(Price { currency, amount_minor, compare_at_minor }: Price) -> Self {
        Self { currency, amount_minor, compare_at_minor }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_left_out_means_the_same_as_in_the_domain() {
        let least = json!({ "title": "Mug", "variants": [{ "sku": "MUG" }] });
        let body: ProductBody = serde_json::from_value(least.clone()).expect("the least is enough");
        let input: ProductInput = serde_json::from_value(least).expect("the least is enough");
        assert_eq!(body.input(None), Ok(input));
    }
}
