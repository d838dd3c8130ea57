//! The part of a row that describes a variant.

use handel_domain::{
    Currency,
    catalog::{Backorder, Price, VariantInput},
    stock::QUANTITY_MAX,
    text::Sku,
};
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};

use super::{
    column::{Column, OPTION_VALUES},
    problems::{Problems, RowError},
    row::Row,
};

/// A variant as one row has it; its SKU and options are settled once the whole product is known.
#[derive(Clone, Debug)]
pub(super) struct VariantRow {
    pub(super) line: u64,
    pub(super) sku: Option<Sku>,
    pub(super) option_values: [String; 3],
    pub(super) stock: Option<i64>,
    pub(super) is_taxable: bool,
    barcode: Option<String>,
    weight_grams: i64,
    requires_shipping: bool,
    tracked: bool,
    backorder: Backorder,
    prices: Vec<Price>,
}

impl VariantRow {
    /// Reads the variant of a row, or tells the first thing that is wrong with it. What is odd but
    /// harmless goes to `warnings`.
    pub(super) fn parse(
        row: &Row<'_>,
        currency: Currency,
        warnings: &mut Problems,
    ) -> Result<Self, RowError> {
        let [one, two, three] = OPTION_VALUES.map(|column| row.short(column).map(str::to_owned));
        let stock = quantity(row)?;
        let barcode = row.short(Column::Barcode)?;
        Ok(Self {
            line: row.line,
            sku: sku(row)?,
            option_values: [one?, two?, three?],
            is_taxable: flag(row, Column::Taxable)?,
            barcode: Some(barcode).filter(|barcode| !barcode.is_empty()).map(str::to_owned),
            weight_grams: weight_grams(row)?,
            requires_shipping: flag(row, Column::RequiresShipping)?,
            tracked: stock.is_some() || !row.text(Column::Tracker).is_empty(),
            stock,
            backorder: backorder(row)?,
            prices: prices(row, currency, warnings)?,
        })
    }

    /// The input of the variant with what the product settles.
    pub(super) fn input(&self, sku: Sku, option_values: Vec<String>) -> VariantInput {
        VariantInput {
            id: None,
            sku,
            option_values,
            barcode: self.barcode.clone(),
            weight_grams: self.weight_grams,
            requires_shipping: self.requires_shipping,
            tracked: self.tracked,
            backorder: self.backorder,
            prices: self.prices.clone(),
        }
    }
}

fn sku(row: &Row<'_>) -> Result<Option<Sku>, RowError> {
    match row.short(Column::Sku)? {
        "" => Ok(None),
        text => {
            let wrong = || row.error(Column::Sku, "must be 1 to 64 printable ASCII characters");
            text.parse().map(Some).map_err(|_| wrong())
        }
    }
}

fn quantity(row: &Row<'_>) -> Result<Option<i64>, RowError> {
    let text = row.short(Column::Quantity)?;
    if text.is_empty() {
        return Ok(None);
    }
    let reason = match text.parse::<i64>() {
        Ok(quantity) if (0..=QUANTITY_MAX).contains(&quantity) => return Ok(Some(quantity)),
        Ok(quantity) if quantity < 0 => "must not be negative".to_owned(),
        _ => format!("must be a whole number up to {QUANTITY_MAX}"),
    };
    Err(row.error(Column::Quantity, reason))
}

fn flag(row: &Row<'_>, column: Column) -> Result<bool, RowError> {
    let text = row.text(column);
    match parse_flag(text) {
        Some(flag) => Ok(flag),
        None if text.is_empty() => Ok(true),
        None => Err(row.error(column, "must be true or false")),
    }
}

/// Reads yes and no as spreadsheets write them.
pub(super) fn parse_flag(text: &str) -> Option<bool> {
    let is_one_of = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    match () {
        () if is_one_of(&["true", "yes", "1"]) => Some(true),
        () if is_one_of(&["false", "no", "0"]) => Some(false),
        () => None,
    }
}

fn weight_grams(row: &Row<'_>) -> Result<i64, RowError> {
    let text = row.short(Column::Grams)?;
    if text.is_empty() {
        return Ok(0);
    }
    let grams = text.parse::<Decimal>().ok().and_then(|grams| {
        grams.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).to_i64()
    });
    grams
        .filter(|grams| *grams >= 0)
        .ok_or_else(|| row.error(Column::Grams, "must be a weight in grams, such as 250"))
}

fn backorder(row: &Row<'_>) -> Result<Backorder, RowError> {
    let policy = row.short(Column::Policy)?;
    let limit = row.short(Column::BackorderLimit)?;
    if policy.is_empty() || policy.eq_ignore_ascii_case("deny") {
        return Ok(Backorder::Deny);
    }
    if !policy.eq_ignore_ascii_case("continue") {
        return Err(row.error(Column::Policy, "must be deny or continue"));
    }
    if limit.is_empty() {
        return Ok(Backorder::Allow);
    }
    limit
        .parse()
        .map(Backorder::UpTo)
        .map_err(|_| row.error(Column::BackorderLimit, "must be a whole number"))
}

fn prices(
    row: &Row<'_>,
    currency: Currency,
    warnings: &mut Problems,
) -> Result<Vec<Price>, RowError> {
    let mut prices = Vec::new();
    let main = (row.short(Column::Price)?, row.short(Column::CompareAt)?);
    let columns = [Column::Price.name(), Column::CompareAt.name()];
    prices.extend(price(row, currency, columns, main, warnings)?);
    for other in &row.header.other_prices {
        let name = |at| row.header.name_at(at).unwrap_or_default();
        let columns = [name(other.price), other.compare_at.map_or("", name)];
        let texts = (
            row.text_at(other.price),
            other.compare_at.map(|at| row.text_at(at)).unwrap_or_default(),
        );
        prices.extend(price(row, other.currency, columns, texts, warnings)?);
    }
    if prices.is_empty() {
        return Err(row.error(Column::Price, "must not be empty"));
    }
    Ok(prices)
}

/// Reads a price with the price to strike through; no price where the cell is empty.
fn price(
    row: &Row<'_>,
    currency: Currency,
    columns: [&str; 2],
    (amount, compare_at): (&str, &str),
    warnings: &mut Problems,
) -> Result<Option<Price>, RowError> {
    if amount.is_empty() {
        return Ok(None);
    }
    let error = |column: &str, reason: String| RowError {
        line: row.line,
        column: Some(column.to_owned()),
        reason,
    };
    let digits = currency.exponent();
    let amount_minor = match currency.parse_amount(amount) {
        Some(amount_minor) if amount_minor >= 0 => amount_minor,
        Some(_) => return Err(error(columns[0], "must not be negative".to_owned())),
        None => {
            let reason =
                format!("must be an amount with at most {digits} decimals and no separators");
            return Err(error(columns[0], reason));
        }
    };
    let mut compare_at_minor = None;
    if !compare_at.is_empty() {
        compare_at_minor = currency.parse_amount(compare_at).filter(|other| *other > amount_minor);
        if compare_at_minor.is_none() {
            let reason = "is left out, as it is not an amount above the price".to_owned();
            warnings.push(error(columns[1], reason));
        }
    }
    Ok(Some(Price { currency, amount_minor, compare_at_minor }))
}
