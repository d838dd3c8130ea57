//! Writes products in the format that [`Reader`](super::Reader) reads.

use std::io::{self, Write};

use handel_domain::{
    Currency,
    catalog::{Backorder, Price, Product, ProductInput, ProductStatus, Variant, VariantInput},
    text::{Sku, Slug},
};

use super::{
    column::{Column, OPTION_NAMES, OPTION_VALUES, compare_at_name, price_name},
    formula::{Content, guarded},
};

/// A product as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportedProduct {
    /// Its slug, whatever `input` says.
    pub handle: Slug,
    /// The product; its `category_ids` are not written.
    pub input: ProductInput,
    /// Paths of its categories such as `Kitchen > Knives`.
    pub category_names: Vec<String>,
    /// How many are on hand, for the variants whose stock is tracked.
    pub stock: Vec<(Sku, i64)>,
}

impl ExportedProduct {
    /// Takes a product of the shop.
    pub fn new(product: Product, category_names: Vec<String>, stock: Vec<(Sku, i64)>) -> Self {
        let input = ProductInput {
            slug: Some(product.slug.clone()),
            title: product.title,
            description_html: product.description_html,
            vendor: product.vendor,
            product_type: product.product_type,
            status: product.status,
            tax_class: product.tax_class,
            tags: product.tags,
            options: product.options,
            attributes: product.attributes,
            category_ids: product.category_ids,
            media: product.media,
            seo: product.seo,
            variants: product.variants.into_iter().map(variant_input).collect(),
        };
        Self { handle: product.slug, input, category_names, stock }
    }
}

fn variant_input(variant: Variant) -> VariantInput {
    VariantInput {
        id: None,
        sku: variant.sku,
        option_values: variant.option_values,
        barcode: variant.barcode,
        weight_grams: variant.weight_grams,
        requires_shipping: variant.requires_shipping,
        tracked: variant.tracked,
        backorder: variant.backorder,
        prices: variant.prices,
    }
}

/// Writes products one after the other; only the one at hand is in memory.
///
/// What is written reads back as the same input, with these exceptions: option values come back in
/// the order of the variants, tags with a comma come back as several, a price to strike through
/// that is not above the price is lost, and so are prices in a currency that was not announced. A
/// variant without any price is refused by the reader.
pub struct Writer<W: Write> {
    rows: csv::Writer<W>,
    currency: Currency,
    other_currencies: Vec<Currency>,
}

impl<W: Write> Writer<W> {
    /// Writes the header. `currency` is that of `Variant Price`; each of the others gets columns of
    /// its own.
    pub fn new(output: W, currency: Currency, others: &[Currency]) -> io::Result<Self> {
        let mut other_currencies: Vec<Currency> = Vec::new();
        for other in others {
            if *other != currency && !other_currencies.contains(other) {
                other_currencies.push(*other);
            }
        }
        let mut names: Vec<String> =
            Column::ALL.iter().map(|column| column.name().to_owned()).collect();
        for other in &other_currencies {
            names.extend([price_name(*other), compare_at_name(*other)]);
        }
        let mut rows = csv::Writer::from_writer(output);
        rows.write_record(&names)?;
        Ok(Self { rows, currency, other_currencies })
    }

    /// Writes a product: one row for each variant, and more where it has more pictures.
    pub fn write(&mut self, product: &ExportedProduct) -> io::Result<()> {
        let ProductInput { variants, media, .. } = &product.input;
        for at in 0..variants.len().max(media.len()).max(1) {
            let mut cells = Cells::new(Column::ALL.len() + 2 * self.other_currencies.len());
            cells.set(Column::Handle, product.handle.as_str());
            if at == 0 {
                write_product(&mut cells, product);
            }
            if let Some(variant) = variants.get(at) {
                self.write_variant(&mut cells, product, variant);
            }
            if let Some(picture) = media.get(at) {
                cells.set(Column::ImageSrc, &picture.url);
                cells.set(Column::ImagePosition, &(at + 1).to_string());
                cells.set(Column::ImageAlt, &picture.alt);
            }
            self.rows.write_record(&cells.0)?;
        }
        Ok(())
    }

    /// Writes out what is buffered and gives the output back.
    pub fn finish(self) -> io::Result<W> {
        self.rows.into_inner().map_err(csv::IntoInnerError::into_error)
    }

    fn write_variant(&self, cells: &mut Cells, product: &ExportedProduct, variant: &VariantInput) {
        cells.set(Column::Sku, variant.sku.as_str());
        if product.input.options.is_empty() {
            cells.set(Column::Option1Value, "Default Title");
        }
        for (column, value) in OPTION_VALUES.into_iter().zip(&variant.option_values) {
            cells.set(column, value);
        }
        cells.set(Column::Grams, &variant.weight_grams.to_string());
        cells.set(Column::WeightUnit, "g");
        if variant.tracked {
            cells.set(Column::Tracker, "shopify");
            let stock = product.stock.iter().find(|(sku, _)| *sku == variant.sku);
            let quantity = stock.map(|(_, quantity)| quantity.to_string()).unwrap_or_default();
            cells.set(Column::Quantity, &quantity);
        }
        let (policy, limit) = match variant.backorder {
            Backorder::Deny => ("deny", String::new()),
            Backorder::Allow => ("continue", String::new()),
            Backorder::UpTo(limit) => ("continue", limit.to_string()),
        };
        cells.set(Column::Policy, policy);
        cells.set(Column::BackorderLimit, &limit);
        cells.set(Column::Fulfillment, "manual");
        cells.set(Column::RequiresShipping, flag(variant.requires_shipping));
        cells.set(Column::Taxable, flag(product.input.tax_class != "none"));
        cells.set(Column::Barcode, variant.barcode.as_deref().unwrap_or_default());
        self.write_prices(cells, &variant.prices);
    }

    fn write_prices(&self, cells: &mut Cells, prices: &[Price]) {
        let currencies = [self.currency].into_iter().chain(self.other_currencies.iter().copied());
        for (at, currency) in currencies.enumerate() {
            let (price, compare_at) = match at.checked_sub(1) {
                None => (Column::Price as usize, Column::CompareAt as usize),
                Some(other) => {
                    let start = Column::ALL.len() + 2 * other;
                    (start, start + 1)
                }
            };
            if let Some(found) = prices.iter().find(|price| price.currency == currency) {
                cells.0[price] = currency.format_amount(found.amount_minor);
                let text = found.compare_at_minor.map(|minor| currency.format_amount(minor));
                cells.0[compare_at] = text.unwrap_or_default();
            }
        }
    }
}

fn write_product(cells: &mut Cells, product: &ExportedProduct) {
    let input = &product.input;
    cells.set(Column::Title, &input.title);
    cells.set(Column::Body, &input.description_html);
    cells.set(Column::Vendor, &input.vendor);
    let category = product.category_names.first().map(String::as_str).unwrap_or_default();
    cells.set(Column::ProductCategory, category);
    cells.set(Column::Categories, &product.category_names.join("\n"));
    cells.set(Column::Type, &input.product_type);
    cells.set(Column::Tags, &input.tags.join(", "));
    cells.set(Column::Published, flag(input.status == ProductStatus::Active));
    cells.set(Column::Status, input.status.as_str());
    if input.options.is_empty() {
        cells.set(Column::Option1Name, "Title");
    }
    for (column, option) in OPTION_NAMES.into_iter().zip(&input.options) {
        cells.set(column, &option.name);
    }
    cells.set(Column::GiftCard, "false");
    cells.set(Column::SeoTitle, &input.seo.title);
    cells.set(Column::SeoDescription, &input.seo.description);
    if !matches!(input.tax_class.as_str(), "standard" | "none") {
        cells.set(Column::TaxClass, &input.tax_class);
    }
    if !input.attributes.is_empty() {
        let json = serde_json::to_string(&input.attributes);
        cells.set(Column::Attributes, &json.expect("attributes are texts, numbers and lists"));
    }
}

fn flag(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

/// The cells of one row.
struct Cells(Vec<String>);

impl Cells {
    fn new(width: usize) -> Self {
        Self(vec![String::new(); width])
    }

    fn set(&mut self, column: Column, text: &str) {
        let content = match column {
            Column::Sku | Column::Barcode => Content::Code,
            _ => Content::Text,
        };
        self.0[column as usize] = guarded(text, content);
    }
}
