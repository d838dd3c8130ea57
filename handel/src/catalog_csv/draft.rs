//! A product while its rows are being read.

use std::collections::BTreeMap;

use handel_domain::{
    Currency,
    catalog::{Media, Product},
};

use super::{
    column::{Column, OPTION_NAMES, OPTION_VALUES},
    problems::{Problems, RowError},
    row::Row,
    variant::VariantRow,
};

/// Cells that belong to the product; the first row that fills one in decides.
const PRODUCT_CELLS: [Column; 15] = [
    Column::Title,
    Column::Body,
    Column::Vendor,
    Column::ProductCategory,
    Column::GoogleCategory,
    Column::Type,
    Column::Tags,
    Column::Published,
    Column::Status,
    Column::GiftCard,
    Column::SeoTitle,
    Column::SeoDescription,
    Column::TaxClass,
    Column::Categories,
    Column::Attributes,
];

/// Most pictures of a product.
const PICTURES_MAX: usize = 250;

/// A picture with the place where the file has it.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub(super) line: u64,
    pub(super) position: u64,
    pub(super) media: Media,
}

/// A product whose rows are not all read yet.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) line: u64,
    /// The handle as the file writes it.
    pub(super) handle: String,
    pub(super) option_names: [String; 3],
    pub(super) variants: Vec<VariantRow>,
    pub(super) pictures: Vec<Picture>,
    pub(super) rejected: Problems,
    pub(super) warnings: Problems,
    /// Whether the file had the handle before; then all rows are rejected.
    pub(super) is_repeated: bool,
    cells: BTreeMap<Column, (u64, String)>,
}

impl Draft {
    /// Starts a product; `is_repeated` if the file had its handle before.
    pub(super) fn new(line: u64, handle: &str, is_repeated: bool) -> Self {
        Self {
            line,
            handle: handle.to_owned(),
            option_names: Default::default(),
            variants: Vec::new(),
            pictures: Vec::new(),
            rejected: Problems::default(),
            warnings: Problems::default(),
            is_repeated,
            cells: BTreeMap::new(),
        }
    }

    /// The text of a product's cell, and the line that has it.
    pub(super) fn cell(&self, column: Column) -> (u64, &str) {
        match self.cells.get(&column) {
            Some((line, text)) => (*line, text),
            None => (self.line, ""),
        }
    }

    /// Adds a row of this product.
    pub(super) fn add(&mut self, row: &Row<'_>, currency: Currency) {
        if self.is_repeated {
            let reason = "the handle appears again after other products";
            self.rejected.push(row.error(Column::Handle, reason));
            return;
        }
        for column in PRODUCT_CELLS {
            let text = row.text(column);
            if !text.is_empty() {
                self.cells.entry(column).or_insert_with(|| (row.line, text.to_owned()));
            }
        }
        let has_picture = self.add_picture(row);
        if row.has_variant() {
            match self.variant(row, currency) {
                Ok(variant) => self.variants.push(variant),
                Err(error) => self.rejected.push(error),
            }
        } else if !has_picture && row.text(Column::Title).is_empty() {
            let reason = "the row has neither a variant nor a picture".to_owned();
            self.rejected.push(RowError { line: row.line, column: None, reason });
        }
    }

    fn variant(&mut self, row: &Row<'_>, currency: Currency) -> Result<VariantRow, RowError> {
        self.take_option_names(row)?;
        let variant = VariantRow::parse(row, currency, &mut self.warnings)?;
        if self.variants.len() >= Product::VARIANTS_MAX {
            let reason = format!("a product has at most {} variants", Product::VARIANTS_MAX);
            return Err(RowError { line: row.line, column: None, reason });
        }
        Ok(variant)
    }

    /// Takes the names of options from the first row that has them; later rows must agree.
    fn take_option_names(&mut self, row: &Row<'_>) -> Result<(), RowError> {
        for (at, (name, value)) in OPTION_NAMES.into_iter().zip(OPTION_VALUES).enumerate() {
            let text = row.short(name)?;
            let known = &mut self.option_names[at];
            let is_first = self.variants.is_empty();
            if known.is_empty() && is_first {
                text.clone_into(known);
            }
            if !text.is_empty() && text != known.as_str() {
                let reason = format!("the product has no option named {text}");
                return Err(row.error(name, reason));
            }
            if known.is_empty() && !row.text(value).is_empty() {
                return Err(row.error(value, "the product has no option here"));
            }
        }
        Ok(())
    }

    /// Adds the picture of a row; `false` if the row has none.
    fn add_picture(&mut self, row: &Row<'_>) -> bool {
        let url = row.text(Column::ImageSrc);
        if url.is_empty() {
            return false;
        }
        if self.pictures.len() >= PICTURES_MAX {
            let reason = format!("is left out, as a product has at most {PICTURES_MAX} pictures");
            self.warnings.push(row.error(Column::ImageSrc, reason));
            return true;
        }
        let alt = row.short(Column::ImageAlt);
        let (url, alt) = match (row.short(Column::ImageSrc), alt) {
            (Ok(url), Ok(alt)) => (url, alt),
            (Err(error), _) | (_, Err(error)) => {
                self.warnings.push(error);
                return true;
            }
        };
        if self.pictures.iter().any(|other| other.media.url == url) {
            return true;
        }
        let text = row.text(Column::ImagePosition);
        let position = text.parse().unwrap_or(u64::MAX);
        if position == u64::MAX && !text.is_empty() {
            self.warnings.push(row.error(Column::ImagePosition, "is not a number; shown last"));
        }
        let media = Media { url: url.to_owned(), alt: alt.to_owned() };
        self.pictures.push(Picture { line: row.line, position, media });
        true
    }
}
