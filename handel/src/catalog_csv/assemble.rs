//! Makes a product of its rows.

use std::collections::HashSet;

use handel_domain::{
    catalog::{Attribute, ProductInput, ProductOption, ProductStatus, Seo},
    text::{self, Sku, Slug},
};

use super::{
    column::Column,
    draft::Draft,
    mend::{judge, mend},
    problems::RowError,
    read::{ImportedProduct, Item},
    sku::{self, Seen},
    variant::{VariantRow, parse_flag},
};

const TITLE_OPTION: &str = "Title";
const DEFAULT_VALUE: &str = "Default Title";

/// Makes the product of a draft whose rows are all read. `skus` are those of the file so far.
///
/// What it returns passes `Product::create`: the rules of the shop are asked, not repeated here.
pub(super) fn assemble(mut draft: Draft, skus: &mut Seen) -> Item {
    if draft.is_repeated {
        return reject(draft);
    }
    let Some(slug) = slug(&mut draft) else { return reject(draft) };
    let Some(attributes) = attributes(&mut draft) else { return reject(draft) };
    draft.pictures.sort_by_key(|picture| picture.position);
    let options = Options::of(&draft);
    let mut rows = settle_skus(&mut draft, &slug, &options, skus);
    let (status, seo) = (status(&mut draft), seo(&draft));
    let mut input = ProductInput {
        slug: Some(slug.clone()),
        title: draft.cell(Column::Title).1.to_owned(),
        description_html: draft.cell(Column::Body).1.to_owned(),
        vendor: draft.cell(Column::Vendor).1.to_owned(),
        product_type: draft.cell(Column::Type).1.to_owned(),
        status,
        tax_class: tax_class(&draft, &rows),
        tags: tags(draft.cell(Column::Tags).1),
        options: Vec::new(),
        attributes,
        category_ids: Vec::new(),
        media: Vec::new(),
        seo,
        variants: Vec::new(),
    };
    loop {
        if rows.is_empty() {
            let reason = "the product has no usable variant".to_owned();
            draft.rejected.push(RowError { line: draft.line, column: None, reason });
            return reject(draft);
        }
        options.fill(&mut input, &rows);
        input.media = draft.pictures.iter().map(|picture| picture.media.clone()).collect();
        let Err(refusal) = judge(input.clone()) else { break };
        if !mend(&mut draft, &mut input, &mut rows, refusal) {
            return reject(draft);
        }
    }
    finish(draft, slug, input, rows)
}

fn finish(draft: Draft, handle: Slug, input: ProductInput, rows: Vec<(Sku, VariantRow)>) -> Item {
    let stock = rows.into_iter().filter_map(|(sku, row)| Some((sku, row.stock?))).collect();
    Item::Product(Box::new(ImportedProduct {
        line: draft.line,
        handle,
        input,
        category_names: category_names(&draft),
        stock,
        rejected: draft.rejected.into_vec(),
        warnings: draft.warnings.into_vec(),
    }))
}

fn reject(draft: Draft) -> Item {
    Item::Rejected(draft.rejected.into_vec())
}

/// The handle as a slug. Shopify allows handles that are none; these are brought into shape.
fn slug(draft: &mut Draft) -> Option<Slug> {
    if let Ok(slug) = draft.handle.parse() {
        return Some(slug);
    }
    let column = Some(Column::Handle.name().to_owned());
    let line = draft.line;
    match text::slugify(&draft.handle).parse::<Slug>() {
        Ok(slug) => {
            let reason = format!("is changed to {slug}, as it has other than a-z, 0-9 and hyphens");
            draft.warnings.push(RowError { line, column, reason });
            Some(slug)
        }
        Err(_) => {
            let reason = "must have letters or digits".to_owned();
            draft.rejected.push(RowError { line, column, reason });
            None
        }
    }
}

fn attributes(draft: &mut Draft) -> Option<Vec<Attribute>> {
    let (line, text) = draft.cell(Column::Attributes);
    if text.is_empty() {
        return Some(Vec::new());
    }
    let parsed = serde_json::from_str(text);
    parsed
        .map_err(|error| {
            let column = Some(Column::Attributes.name().to_owned());
            draft.rejected.push(RowError { line, column, reason: error.to_string() });
        })
        .ok()
}

/// The status: what `Status` says, and a draft where the product is not published.
fn status(draft: &mut Draft) -> ProductStatus {
    let (line, text) = draft.cell(Column::Status);
    let known = [ProductStatus::Active, ProductStatus::Draft, ProductStatus::Archived]
        .into_iter()
        .find(|status| status.as_str().eq_ignore_ascii_case(text));
    let is_published = match draft.cell(Column::Published).1 {
        "" => true,
        text => parse_flag(text).unwrap_or(false),
    };
    let status = match known {
        Some(status) => status,
        None if text.is_empty() => ProductStatus::Active,
        None => {
            let column = Some(Column::Status.name().to_owned());
            let reason = "is taken as draft, as it is not active, draft or archived".to_owned();
            draft.warnings.push(RowError { line, column, reason });
            ProductStatus::Draft
        }
    };
    if status == ProductStatus::Active && !is_published { ProductStatus::Draft } else { status }
}

fn seo(draft: &Draft) -> Seo {
    let text = |column| draft.cell(column).1.to_owned();
    Seo { title: text(Column::SeoTitle), description: text(Column::SeoDescription) }
}

fn tags(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
}

/// Our own column says it exactly; Shopify only knows whether a variant is taxable.
fn tax_class(draft: &Draft, rows: &[(Sku, VariantRow)]) -> String {
    let text = draft.cell(Column::TaxClass).1;
    let is_taxable = rows.iter().all(|(_, row)| row.is_taxable);
    match (text, is_taxable) {
        ("", true) => "standard".to_owned(),
        ("", false) => "none".to_owned(),
        (text, _) => text.to_owned(),
    }
}

/// The categories: our own column where the file has it, or the type and the path of a taxonomy.
fn category_names(draft: &Draft) -> Vec<String> {
    let tidy = |path: &str| path.split('>').map(str::trim).collect::<Vec<_>>().join(" > ");
    let mut found: Vec<String> = draft
        .cell(Column::Categories)
        .1
        .lines()
        .map(tidy)
        .filter(|path| !path.is_empty())
        .collect();
    if found.is_empty() {
        let columns = [Column::Type, Column::ProductCategory, Column::GoogleCategory];
        let paths = columns.map(|column| draft.cell(column).1);
        // Google also allows the number of a category, which names nothing here.
        let is_name = |path: &&str| path.bytes().any(|byte| !byte.is_ascii_digit());
        found = paths.into_iter().filter(is_name).map(tidy).collect();
    }
    let mut seen = HashSet::new();
    found.retain(|path| seen.insert(path.clone()));
    found
}

/// What the variants of a draft differ in.
struct Options {
    names: Vec<(usize, String)>,
}

impl Options {
    fn of(draft: &Draft) -> Self {
        let is_default = |row: &VariantRow| {
            let [value, ..] = &row.option_values;
            value.is_empty() || value.eq_ignore_ascii_case(DEFAULT_VALUE)
        };
        let [first, second, third] = &draft.option_names;
        let is_bare = first.eq_ignore_ascii_case(TITLE_OPTION)
            && second.is_empty()
            && third.is_empty()
            && draft.variants.iter().all(is_default);
        let named = draft.option_names.iter().cloned().enumerate();
        let names = named.filter(|(_, name)| !is_bare && !name.is_empty()).collect();
        Self { names }
    }

    /// The values of a variant, one for each option.
    fn values(&self, row: &VariantRow) -> Vec<String> {
        self.names.iter().map(|(at, _)| row.option_values[*at].clone()).collect()
    }

    /// Sets the options and variants of a product; values are in the order in which they appear.
    fn fill(&self, input: &mut ProductInput, rows: &[(Sku, VariantRow)]) {
        let option = |(at, name): &(usize, String)| {
            let mut values: Vec<String> = Vec::new();
            for value in rows.iter().map(|(_, row)| &row.option_values[*at]) {
                if !values.contains(value) {
                    values.push(value.clone());
                }
            }
            ProductOption { name: name.clone(), values }
        };
        input.options = self.names.iter().map(option).collect();
        let variant = |(sku, row): &(Sku, VariantRow)| row.input(sku.clone(), self.values(row));
        input.variants = rows.iter().map(variant).collect();
    }
}

/// Gives every variant the SKU that it keeps, and rejects those whose SKU another row has.
fn settle_skus(
    draft: &mut Draft,
    handle: &Slug,
    options: &Options,
    skus: &mut Seen,
) -> Vec<(Sku, VariantRow)> {
    let variants = std::mem::take(&mut draft.variants);
    let mut given = HashSet::new();
    let mut is_new = |row: &VariantRow, skus: &mut Seen| match &row.sku {
        Some(sku) => skus.note(sku.as_str()) && given.insert(sku.clone()),
        None => true,
    };
    // What the file names comes first, so that no derived SKU takes its place.
    let (named, repeated): (Vec<_>, Vec<_>) =
        variants.into_iter().partition(|row| is_new(row, skus));
    for row in repeated {
        let column = Some(Column::Sku.name().to_owned());
        let reason = "another row of the file has this SKU".to_owned();
        draft.rejected.push(RowError { line: row.line, column, reason });
    }
    let mut settled = Vec::with_capacity(named.len());
    for row in named {
        let sku = match &row.sku {
            Some(sku) => sku.clone(),
            None => {
                let values = options.values(&row);
                let plain = sku::plain(handle, &values).filter(|sku| !skus.contains(sku.as_str()));
                let sku = plain.unwrap_or_else(|| sku::distinct(handle, &values));
                if !skus.note(sku.as_str()) {
                    let column = Some(Column::Option1Value.name().to_owned());
                    let reason = "another row of the product has these values".to_owned();
                    draft.rejected.push(RowError { line: row.line, column, reason });
                    continue;
                }
                sku
            }
        };
        settled.push((sku, row));
    }
    settled
}
