//! Variants: what is priced, stocked and bought.

use serde::{Deserialize, Serialize};

use crate::{
    channel::MINOR_MAX,
    id::VariantId,
    money::Currency,
    refusal::FieldErrors,
    text::{self, Sku},
};

/// Whether more may be sold than is on hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backorder {
    /// Never.
    #[default]
    Deny,
    /// Without limit.
    Allow,
    /// Up to this many more at each location.
    UpTo(u32),
}

impl Backorder {
    /// How many more than on hand may be promised at a location; none is no limit.
    pub fn limit(self) -> Option<i64> {
        match self {
            Self::Deny => Some(0),
            Self::Allow => None,
            Self::UpTo(limit) => Some(i64::from(limit)),
        }
    }
}

/// The price of a variant in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The currency.
    pub currency: Currency,
    /// The price of one, in minor units.
    pub amount_minor: i64,
    /// The price to strike through beside it, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at_minor: Option<i64>,
}

/// A variant of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Identity.
    pub id: VariantId,
    /// The merchant's own name of it, unique in the shop.
    pub sku: Sku,
    /// What tells it from its siblings, such as `Large / Blue`; `Default` where there are none.
    pub title: String,
    /// One value for each option of the product.
    pub option_values: Vec<String>,
    /// Barcode (EAN, UPC, ISBN).
    pub barcode: Option<String>,
    /// Weight in grams.
    pub weight_grams: i64,
    /// Whether it is sent by post.
    pub requires_shipping: bool,
    /// Whether stock is counted. What is not tracked can always be bought.
    pub tracked: bool,
    /// Whether more may be sold than is on hand.
    pub backorder: Backorder,
    /// Prices, one for each currency.
    pub prices: Vec<Price>,
}

/// What a merchant sends for a variant. A variant with a known `id`, else with a known `sku`, keeps its identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantInput {
    /// The variant of the product that is meant, so that its SKU can change; none where the SKU says it.
    #[serde(default)]
    pub id: Option<VariantId>,
    /// The merchant's own name of it.
    pub sku: Sku,
    /// One value for each option of the product.
    #[serde(default)]
    pub option_values: Vec<String>,
    /// Barcode.
    #[serde(default)]
    pub barcode: Option<String>,
    /// Weight in grams.
    #[serde(default)]
    pub weight_grams: i64,
    /// Whether it is sent by post.
    #[serde(default = "yes")]
    pub requires_shipping: bool,
    /// Whether stock is counted.
    #[serde(default = "yes")]
    pub tracked: bool,
    /// Whether more may be sold than is on hand.
    #[serde(default)]
    pub backorder: Backorder,
    /// Prices.
    #[serde(default)]
    pub prices: Vec<Price>,
}

fn yes() -> bool {
    true
}

impl VariantInput {
    /// Makes the variant, noting wrong fields below `pointer`.
    pub(super) fn into_variant(
        self,
        id: VariantId,
        pointer: &str,
        errors: &mut FieldErrors,
    ) -> Variant {
        let option_values: Vec<String> = self
            .option_values
            .iter()
            .enumerate()
            .filter_map(|(at, value)| {
                errors.take(text::line(&format!("{pointer}/option_values/{at}"), value, 100))
            })
            .collect();
        let barcode = self.barcode.and_then(|barcode| {
            errors.take(text::optional_line(&format!("{pointer}/barcode"), &barcode, 64))
        });
        errors.check(
            (0..=100_000_000).contains(&self.weight_grams),
            format!("{pointer}/weight_grams"),
            "must be between 0 and 100000000",
        );
        check_prices(&self.prices, &format!("{pointer}/prices"), errors);
        let title =
            if option_values.is_empty() { "Default".to_owned() } else { option_values.join(" / ") };
        Variant {
            id,
            sku: self.sku,
            title,
            option_values,
            barcode: barcode.filter(|barcode| !barcode.is_empty()),
            weight_grams: self.weight_grams,
            requires_shipping: self.requires_shipping,
            tracked: self.tracked,
            backorder: self.backorder,
            prices: in_order(self.prices),
        }
    }
}

impl Price {
    /// Checks a list of prices, amounts in range and each currency once, and puts them in their order.
    pub fn checked(prices: Vec<Price>, pointer: &str) -> Result<Vec<Price>, crate::Refusal> {
        let mut errors = FieldErrors::default();
        check_prices(&prices, pointer, &mut errors);
        errors.finish()?;
        Ok(in_order(prices))
    }
}

/// By currency, as they are read from the database: what a change answers is what is there afterwards.
fn in_order(mut prices: Vec<Price>) -> Vec<Price> {
    prices.sort_unstable_by_key(|price| price.currency.to_string());
    prices
}

fn check_prices(prices: &[Price], pointer: &str, errors: &mut FieldErrors) {
    let range = 0..=MINOR_MAX;
    for (at, price) in prices.iter().enumerate() {
        errors.check(
            range.contains(&price.amount_minor),
            format!("{pointer}/{at}/amount_minor"),
            "must be between 0 and 10^12",
        );
        errors.check(
            price.compare_at_minor.is_none_or(|compare_at| range.contains(&compare_at)),
            format!("{pointer}/{at}/compare_at_minor"),
            "must be between 0 and 10^12",
        );
        errors.check(
            prices[..at].iter().all(|other| other.currency != price.currency),
            format!("{pointer}/{at}/currency"),
            "must not appear twice",
        );
    }
}
