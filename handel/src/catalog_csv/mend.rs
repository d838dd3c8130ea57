//! Finds the row and column at fault where the shop would refuse a product.

use std::collections::{HashMap, HashSet};

use handel_domain::{
    catalog::{Product, ProductInput, Seo},
    id::{ProductId, VariantId},
    refusal::{FieldError, Refusal},
    text::Sku,
};
use jiff::Timestamp;

use super::{
    column::{Column, OPTION_NAMES},
    draft::Draft,
    problems::RowError,
    variant::VariantRow,
};

/// Asks the shop's rules. Ids and time are stand-ins, as nothing is kept.
pub(super) fn judge(input: ProductInput) -> Result<(), Refusal> {
    let mint = || VariantId::from_u128(0);
    let (id, now) = (ProductId::from_u128(0), Timestamp::UNIX_EPOCH);
    Product::create(id, input, &HashMap::new(), mint, now).map(drop)
}

/// Takes out what the rules refuse, and notes it. `false` if the product as a whole is refused.
///
/// Variants go with their row, while pictures and search texts are only left out: a shop can sell
/// without them. Whatever is taken out is not refused again, so that mending comes to an end.
pub(super) fn mend(
    draft: &mut Draft,
    input: &mut ProductInput,
    rows: &mut Vec<(Sku, VariantRow)>,
    refusal: Refusal,
) -> bool {
    let (mut bad_rows, mut bad_pictures) = (HashSet::new(), HashSet::new());
    let mut is_usable = !refusal.details.errors.is_empty();
    if !is_usable {
        draft.rejected.push(RowError { line: draft.line, column: None, reason: refusal.message });
    }
    for FieldError { pointer, message } in refusal.details.errors {
        let (place, column) = place(&pointer);
        let name = Some(column.name().to_owned());
        let left_out = format!("is left out: {message}");
        match place {
            Place::Variant(at) if at < rows.len() => {
                if bad_rows.insert(at) {
                    let line = rows[at].1.line;
                    draft.rejected.push(RowError { line, column: name, reason: message });
                }
            }
            Place::Picture(at) if at < draft.pictures.len() => {
                bad_pictures.insert(at);
                let line = draft.pictures[at].line;
                draft.warnings.push(RowError { line, column: name, reason: left_out });
            }
            Place::Seo => {
                input.seo = Seo::default();
                let line = draft.cell(column).0;
                draft.warnings.push(RowError { line, column: name, reason: left_out });
            }
            _ => {
                is_usable = false;
                let line = draft.cell(column).0;
                draft.rejected.push(RowError { line, column: name, reason: message });
            }
        }
    }
    retain_others(rows, &bad_rows);
    retain_others(&mut draft.pictures, &bad_pictures);
    is_usable
}

fn retain_others<T>(list: &mut Vec<T>, bad: &HashSet<usize>) {
    let mut at = 0;
    list.retain(|_| {
        at += 1;
        !bad.contains(&(at - 1))
    });
}

/// What a refusal is about.
enum Place {
    Product,
    Seo,
    Variant(usize),
    Picture(usize),
}

/// Where the file has what a JSON pointer names.
fn place(pointer: &str) -> (Place, Column) {
    let parts: Vec<_> = pointer.split('/').skip(1).collect();
    let at = parts.get(1).and_then(|at| at.parse::<usize>().ok());
    match (parts.as_slice(), at) {
        (["variants", _, "sku", ..], Some(at)) => (Place::Variant(at), Column::Sku),
        (["variants", _, "barcode", ..], Some(at)) => (Place::Variant(at), Column::Barcode),
        (["variants", _, "weight_grams", ..], Some(at)) => (Place::Variant(at), Column::Grams),
        (["variants", _, "prices", ..], Some(at)) => (Place::Variant(at), Column::Price),
        (["variants", ..], Some(at)) => (Place::Variant(at), Column::Option1Value),
        (["media", _, "alt"], Some(at)) => (Place::Picture(at), Column::ImageAlt),
        (["media", ..], Some(at)) => (Place::Picture(at), Column::ImageSrc),
        (["seo", "title"], _) => (Place::Seo, Column::SeoTitle),
        (["seo", ..], _) => (Place::Seo, Column::SeoDescription),
        (["options", ..], Some(at)) => {
            (Place::Product, OPTION_NAMES.get(at).copied().unwrap_or(Column::Option1Name))
        }
        (parts, _) => (Place::Product, product_column(parts.first().copied())),
    }
}

fn product_column(field: Option<&str>) -> Column {
    match field {
        Some("title") => Column::Title,
        Some("description_html") => Column::Body,
        Some("vendor") => Column::Vendor,
        Some("product_type") => Column::Type,
        Some("tax_class") => Column::TaxClass,
        Some("tags") => Column::Tags,
        Some("attributes") => Column::Attributes,
        _ => Column::Handle,
    }
}
