//! Products with their variants.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Attribute, Variant, VariantInput};
use crate::{
    id::{CategoryId, ProductId, VariantId},
    money::Currency,
    refusal::{FieldErrors, Refusal},
    text::{self, Sku, Slug},
};

/// Whether shoppers see a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    /// Being prepared: only staff see it.
    Draft,
    /// For sale.
    #[default]
    Active,
    /// No longer for sale, kept for old orders.
    Archived,
}

impl ProductStatus {
    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

/// A property in which variants differ, such as `Size`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductOption {
    /// What shoppers read.
    pub name: String,
    /// The values in the order of display.
    pub values: Vec<String>,
}

/// A picture of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Where it is: an absolute `https:` or `http:` address, or a path of this shop.
    pub url: String,
    /// What it shows, for those who cannot see it.
    #[serde(default)]
    pub alt: String,
}

/// What search engines show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seo {
    /// Title of the page.
    #[serde(default)]
    pub title: String,
    /// Description of the page.
    #[serde(default)]
    pub description: String,
}

/// A product with everything that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Identity.
    pub id: ProductId,
    /// The name on the web, unique in the shop.
    pub slug: Slug,
    /// What shoppers read.
    pub title: String,
    /// Description as HTML from the merchant.
    pub description_html: String,
    /// Who makes it.
    pub vendor: String,
    /// The merchant's own kind of product.
    pub product_type: String,
    /// Whether shoppers see it.
    pub status: ProductStatus,
    /// The tax class of its variants.
    pub tax_class: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What variants differ in; at most three.
    pub options: Vec<ProductOption>,
    /// Typed properties.
    pub attributes: Vec<Attribute>,
    /// The categories it stands in.
    pub category_ids: Vec<CategoryId>,
    /// Pictures in the order of display.
    pub media: Vec<Media>,
    /// What search engines show.
    pub seo: Seo,
    /// The variants in the order of display; at least one.
    pub variants: Vec<Variant>,
    /// Grows with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What a merchant sends to create or replace a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductInput {
    /// The name on the web; made from the title if absent.
    #[serde(default)]
    pub slug: Option<Slug>,
    /// What shoppers read.
    pub title: String,
    /// Description as HTML.
    #[serde(default)]
    pub description_html: String,
    /// Who makes it.
    #[serde(default)]
    pub vendor: String,
    /// The merchant's own kind of product.
    #[serde(default)]
    pub product_type: String,
    /// Whether shoppers see it.
    #[serde(default)]
    pub status: ProductStatus,
    /// The tax class.
    #[serde(default = "standard")]
    pub tax_class: String,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What variants differ in.
    #[serde(default)]
    pub options: Vec<ProductOption>,
    /// Typed properties.
    #[serde(default)]
    pub attributes: Vec<Attribute>,
    /// The categories it stands in.
    #[serde(default)]
    pub category_ids: Vec<CategoryId>,
    /// Pictures.
    #[serde(default)]
    pub media: Vec<Media>,
    /// What search engines show.
    #[serde(default)]
    pub seo: Seo,
    /// The variants; at least one.
    pub variants: Vec<VariantInput>,
}

fn standard() -> String {
    "standard".to_owned()
}

impl Product {
    /// Most options of a product.
    pub const OPTIONS_MAX: usize = 3;
    /// Most variants of a product.
    pub const VARIANTS_MAX: usize = 250;
    const LIST_MAX: usize = 250;

    /// Makes a product from what a merchant sent. `known` maps the SKUs that the product already has to
    /// their variants; `mint` makes ids for the others.
    pub fn create(
        id: ProductId,
        input: ProductInput,
        known: &HashMap<Sku, VariantId>,
        mint: impl FnMut() -> VariantId,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let mut errors = FieldErrors::default();
        let mut line = |pointer: &str, text: &str, max| {
            errors.take(text::optional_line(pointer, text, max)).unwrap_or_default()
        };
        let vendor = line("/vendor", &input.vendor, text::NAME_MAX);
        let product_type = line("/product_type", &input.product_type, text::NAME_MAX);
        let seo = Seo {
            title: line("/seo/title", &input.seo.title, 300),
            description: line("/seo/description", &input.seo.description, 1_000),
        };
        let title =
            errors.take(text::line("/title", &input.title, text::NAME_MAX)).unwrap_or_default();
        let tax_class =
            errors.take(text::line("/tax_class", &input.tax_class, 50)).unwrap_or_default();
        let description_html = errors.take(text::block(
            "/description_html",
            &input.description_html,
            text::DESCRIPTION_MAX,
        ));
        let slug = match input.slug {
            Some(slug) => Some(slug),
            None => errors.take(Slug::parse("/slug", &text::slugify(&title))),
        };
        check_lists(&input.tags, &input.media, &input.category_ids, &mut errors);
        let attributes = check_attributes(input.attributes, &mut errors);
        let variants = read_variants(input.variants, known, mint, &mut errors);
        check_variants(&input.options, &variants, &mut errors);
        errors.finish()?;
        let mut category_ids = input.category_ids;
        category_ids.sort_unstable();
        category_ids.dedup();
        Ok(Self {
            id,
            slug: slug.expect("checked above"),
            title,
            description_html: description_html.unwrap_or_default(),
            vendor,
            product_type,
            status: input.status,
            tax_class,
            tags: input.tags,
            options: input.options,
            attributes,
            category_ids,
            media: input.media,
            seo,
            variants,
            version: 1,
            created_at: now,
            updated_at: now,
        })
    }

    /// Replaces everything that a merchant may change. Variants keep their identity by id, else by SKU.
    pub fn replace(
        self,
        input: ProductInput,
        mint: impl FnMut() -> VariantId,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let known = self.variants.iter().map(|variant| (variant.sku.clone(), variant.id)).collect();
        let slug = input.slug.or_else(|| Some(self.slug.clone()));
        let next = Self::create(self.id, ProductInput { slug, ..input }, &known, mint, now)?;
        Ok(Self { version: self.version, created_at: self.created_at, ..next })
    }

    /// The lowest and highest price in a currency; none where nothing is priced in it.
    pub fn price_range_minor(&self, currency: Currency) -> Option<(i64, i64)> {
        let amounts = || {
            let prices = self.variants.iter().flat_map(|variant| &variant.prices);
            prices.filter(|price| price.currency == currency).map(|price| price.amount_minor)
        };
        Some((amounts().min()?, amounts().max()?))
    }

    /// The currencies that at least one variant is priced in.
    pub fn currencies(&self) -> Vec<Currency> {
        let mut seen = Vec::new();
        for price in self.variants.iter().flat_map(|variant| &variant.prices) {
            if !seen.contains(&price.currency) {
                seen.push(price.currency);
            }
        }
        seen
    }

    /// Everything that a shopper may type to find it, in lowercase.
    pub fn search_text(&self) -> String {
        let skus = self.variants.iter().map(|variant| variant.sku.as_str());
        let words = [self.title.as_str(), &self.vendor, &self.product_type]
            .into_iter()
            .chain(self.tags.iter().map(String::as_str))
            .chain(skus);
        words.collect::<Vec<_>>().join(" ").to_lowercase()
    }
}

fn check_lists(
    tags: &[String],
    media: &[Media],
    categories: &[CategoryId],
    errors: &mut FieldErrors,
) {
    let most = format!("must not have more than {} entries", Product::LIST_MAX);
    errors.check(tags.len() <= Product::LIST_MAX, "/tags", &*most);
    errors.check(media.len() <= Product::LIST_MAX, "/media", &*most);
    errors.check(categories.len() <= Product::LIST_MAX, "/category_ids", &*most);
    for (at, tag) in tags.iter().enumerate() {
        errors.take(text::line(&format!("/tags/{at}"), tag, 255));
    }
    for (at, picture) in media.iter().enumerate() {
        let url = &picture.url;
        let addressed = url.starts_with("https://")
            || url.starts_with("http://")
            || (url.starts_with('/') && !url.starts_with("//"));
        // Browsers read a backslash as a slash, and `/\` would lead to another host.
        let clean = url.len() <= 2_000
            && !url.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"\\".contains(c));
        errors.check(
            addressed && clean,
            format!("/media/{at}/url"),
            "must be an http or https address, or a path of this shop",
        );
        errors.take(text::optional_line(&format!("/media/{at}/alt"), &picture.alt, 500));
    }
}

fn check_attributes(attributes: Vec<Attribute>, errors: &mut FieldErrors) -> Vec<Attribute> {
    errors.check(attributes.len() <= 100, "/attributes", "must not have more than 100 entries");
    let mut names = HashSet::new();
    let mut checked = Vec::with_capacity(attributes.len());
    for (at, attribute) in attributes.into_iter().enumerate() {
        let pointer = format!("/attributes/{at}");
        errors.check(
            names.insert(attribute.name.clone()),
            format!("{pointer}/name"),
            "must not appear twice",
        );
        checked.extend(errors.take(attribute.checked(&pointer)));
    }
    checked
}

/// The variants of a product. One that names its id, else one whose SKU is known, keeps its identity.
fn read_variants(
    inputs: Vec<VariantInput>,
    known: &HashMap<Sku, VariantId>,
    mut mint: impl FnMut() -> VariantId,
    errors: &mut FieldErrors,
) -> Vec<Variant> {
    let named: HashSet<VariantId> = inputs.iter().filter_map(|variant| variant.id).collect();
    let mut seen = HashSet::new();
    let inputs = inputs.into_iter().take(Product::VARIANTS_MAX + 1).enumerate();
    inputs
        .map(|(at, variant)| {
            let is_known = |id: &VariantId| known.values().any(|known| known == id);
            errors.check(
                variant.id.as_ref().is_none_or(is_known),
                format!("/variants/{at}/id"),
                "is no variant of this product; leave it out to make one",
            );
            let is_first = variant.id.is_none_or(|id| seen.insert(id));
            errors.check(is_first, format!("/variants/{at}/id"), "must not appear twice");
            let by_sku = || known.get(&variant.sku).copied().filter(|id| !named.contains(id));
            let id = variant.id.or_else(by_sku).unwrap_or_else(&mut mint);
            variant.into_variant(id, &format!("/variants/{at}"), errors)
        })
        .collect()
}

fn check_variants(options: &[ProductOption], variants: &[Variant], errors: &mut FieldErrors) {
    errors.check(
        options.len() <= Product::OPTIONS_MAX,
        "/options",
        "must not have more than 3 entries",
    );
    for (at, option) in options.iter().enumerate() {
        errors.take(text::line(&format!("/options/{at}/name"), &option.name, 100));
        errors.check(
            (1..=Product::VARIANTS_MAX).contains(&option.values.len()),
            format!("/options/{at}/values"),
            "must have 1 to 250 entries",
        );
    }
    errors.check(
        (1..=Product::VARIANTS_MAX).contains(&variants.len()),
        "/variants",
        "must have 1 to 250 entries",
    );
    let (mut skus, mut combinations) = (HashSet::new(), HashSet::new());
    for (at, variant) in variants.iter().enumerate() {
        errors.check(
            skus.insert(&variant.sku),
            format!("/variants/{at}/sku"),
            "must not appear twice",
        );
        let fits = variant.option_values.len() == options.len()
            && variant
                .option_values
                .iter()
                .zip(options)
                .all(|(value, option)| option.values.contains(value));
        let pointer = format!("/variants/{at}/option_values");
        errors.check(fits, &*pointer, "must have one of the values of each option");
        errors.check(
            combinations.insert(&variant.option_values),
            pointer,
            "must not be those of another variant",
        );
    }
}
