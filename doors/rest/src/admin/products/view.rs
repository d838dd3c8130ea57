//! Products as staff see them: in every currency, in every status, with their versions.

use handel_domain::catalog::{Backorder, Media, Product, ProductOption, Seo, Variant};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    attribute::AttributeBody,
    body::{BackorderBody, MediaBody, OptionBody, PriceBody, ProductStatusBody, SeoBody},
};

/// A product as staff see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct StaffProductView {
    /// Identity.
    #[schema(example = "prod_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// The name on the web.
    slug: String,
    /// What shoppers read.
    title: String,
    /// Description as HTML.
    description_html: String,
    /// Who makes it.
    vendor: String,
    /// The merchant's own kind of product.
    product_type: String,
    /// Whether shoppers see it.
    status: ProductStatusBody,
    /// The tax class of its variants.
    tax_class: String,
    /// Words to find it by.
    tags: Vec<String>,
    /// What variants differ in.
    options: Vec<OptionBody>,
    /// Typed properties.
    attributes: Vec<AttributeBody>,
    /// The categories it stands in.
    category_ids: Vec<String>,
    /// Pictures in the order of display.
    media: Vec<MediaBody>,
    /// What search engines show.
    seo: SeoBody,
    /// The variants in the order of display.
    variants: Vec<StaffVariantView>,
    /// Grows with every change; the ETag.
    version: i64,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// A variant as staff see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct StaffVariantView {
    /// Identity.
    #[schema(example = "var_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// The merchant's own name of it.
    sku: String,
    /// What tells it from its siblings; `Default` where there are none.
    title: String,
    /// One value for each option of the product.
    option_values: Vec<String>,
    /// Barcode (EAN, UPC, ISBN).
    #[serde(skip_serializing_if = "Option::is_none")]
    barcode: Option<String>,
    /// Weight in grams.
    weight_grams: i64,
    /// Whether it is sent by post.
    requires_shipping: bool,
    /// Whether its stock is counted.
    tracked: bool,
    /// Whether more may be sold than is on hand.
    backorder: BackorderBody,
    /// Prices, one for each currency.
    prices: Vec<PriceBody>,
}

impl From<Product> for StaffProductView {
    fn from(product: Product) -> Self {
        let option = |ProductOption { name, values }| OptionBody { name, values };
        let media = |Media { url, alt }| MediaBody { url, alt };
        let Seo { title, description } = product.seo;
        Self {
            id: product.id.to_string(),
            slug: product.slug.to_string(),
            title: product.title,
            description_html: product.description_html,
            vendor: product.vendor,
            product_type: product.product_type,
            status: product.status.into(),
            tax_class: product.tax_class,
            tags: product.tags,
            options: product.options.into_iter().map(option).collect(),
            attributes: product.attributes.into_iter().map(AttributeBody::from).collect(),
            category_ids: product.category_ids.iter().map(ToString::to_string).collect(),
            media: product.media.into_iter().map(media).collect(),
            seo: SeoBody { title, description },
            variants: product.variants.into_iter().map(StaffVariantView::from).collect(),
            version: product.version,
            created_at: product.created_at.to_string(),
            updated_at: product.updated_at.to_string(),
        }
    }
}

impl From<Variant> for StaffVariantView {
    fn from(variant: Variant) -> Self {
        Self {
            id: variant.id.to_string(),
            sku: variant.sku.to_string(),
            title: variant.title,
            option_values: variant.option_values,
            barcode: variant.barcode,
            weight_grams: variant.weight_grams,
            requires_shipping: variant.requires_shipping,
            tracked: variant.tracked,
            backorder: variant.backorder.into(),
            prices: variant.prices.into_iter().map(PriceBody::from).collect(),
        }
    }
}

impl From<Backorder> for BackorderBody {
    fn from(backorder: Backorder) -> Self {
        match backorder {
            Backorder::Deny => Self::Deny,
            Backorder::Allow => Self::Allow,
            Backorder::UpTo(limit) => Self::UpTo(limit),
        }
    }
}
