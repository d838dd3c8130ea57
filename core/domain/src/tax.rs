//! Tax by class and destination, rounded once per line.

use serde::{Deserialize, Serialize};

use crate::{
    address::Country,
    money::{Rounding, divide_rounded},
    refusal::{Code, Refusal},
};

/// A rate in millionths: 190 000 is 19 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rate(u32);

/// A millionth is the fourth decimal of a percentage.
const PERCENT_DECIMALS: usize = 4;

impl Rate {
    /// No tax.
    pub const ZERO: Self = Self(0);
    const ONE: i128 = 1_000_000;

    /// A rate in millionths, at most 100 %.
    pub fn from_millionths(millionths: u32) -> Option<Self> {
        (i128::from(millionths) <= Self::ONE).then_some(Self(millionths))
    }

    /// The rate in millionths.
    pub fn millionths(self) -> u32 {
        self.0
    }

    /// Reads a rate in percent, such as `19` or `7.25`: at most four decimals, at most 100.
    pub fn from_percent(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str, longest: usize| {
            (1..=longest).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, 3) || !is_number(decimals, PERCENT_DECIMALS) {
            return None;
        }
        let decimals = format!("{decimals:0<PERCENT_DECIMALS$}");
        let millionths = whole.parse::<u32>().ok()? * 10_000 + decimals.parse::<u32>().ok()?;
        Self::from_millionths(millionths)
    }

    /// The rate in percent without needless zeros, such as `7.25`.
    pub fn percent(self) -> String {
        let text = format!("{}.{:0PERCENT_DECIMALS$}", self.0 / 10_000, self.0 % 10_000);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }
}

/// The rate of a class of goods at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRate {
    /// The class of goods, such as `standard` or `food`.
    pub class: String,
    /// The country where it holds.
    pub country: Country,
    /// The ISO 3166-2 code, without the country, of the region where it holds; none for the whole country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The rate in millionths.
    pub rate_millionths: Rate,
    /// What the buyer reads, such as `VAT 19 %`.
    pub name: String,
}

/// What happens where no rate is configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissingRate {
    /// The goods are sold without tax.
    #[default]
    Zero,
    /// The sale is refused.
    Block,
}

/// Where the goods go, for tax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The country.
    pub country: Country,
    /// The ISO 3166-2 code of the region without the country, where it is known.
    pub region: Option<String>,
}

/// How a shop charges tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxPolicy {
    /// Whether prices contain the tax.
    pub prices_include_tax: bool,
    /// Which way a half goes.
    #[serde(default)]
    pub rounding: Rounding,
    /// Whether tax is rounded per line or per unit.
    #[serde(default)]
    pub round_per: RoundPer,
    /// What happens where no rate is configured.
    #[serde(default)]
    pub missing_rate: MissingRate,
    /// The rates.
    #[serde(default)]
    pub rates: Vec<TaxRate>,
}

/// What is rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundPer {
    /// The tax of the whole line, once.
    #[default]
    Line,
    /// The tax of one unit, times the quantity.
    Unit,
}

impl TaxPolicy {
    /// Whether the tax in a country depends on the region.
    pub fn depends_on_region(&self, country: Country) -> bool {
        self.rates.iter().any(|rate| rate.country == country && rate.region.is_some())
    }

    /// The rate of a class at a destination: the region's, else the country's, else what the
    /// policy says of missing rates.
    pub fn rate(&self, class: &str, destination: &Destination) -> Result<Rate, Refusal> {
        let here = |rate: &&TaxRate| rate.class == class && rate.country == destination.country;
        let regional = self
            .rates
            .iter()
            .filter(here)
            .find(|rate| rate.region.is_some() && rate.region == destination.region);
        let national = || self.rates.iter().filter(here).find(|rate| rate.region.is_none());
        match (regional.or_else(national), self.missing_rate) {
            (Some(rate), _) => Ok(rate.rate_millionths),
            (None, MissingRate::Zero) => Ok(Rate::ZERO),
            (None, MissingRate::Block) => Err(Refusal::new(
                Code::TaxRateMissing,
                format!(
                    "no tax rate is configured for {class} goods sent to {}",
                    destination.country.in_sentence()
                ),
            )),
        }
    }

    /// The tax in, or on top of, an amount of `quantity` equal units, all in minor units.
    ///
    /// Inclusive: `amount − round(amount / (1 + rate))`. Exclusive: `round(amount × rate)`.
    pub fn tax_minor(&self, amount_minor: i64, quantity: i64, rate: Rate) -> Result<i64, Refusal> {
        let per_unit =
            self.round_per == RoundPer::Unit && quantity > 1 && amount_minor % quantity == 0;
        let (taxed, times) =
            if per_unit { (amount_minor / quantity, quantity) } else { (amount_minor, 1) };
        let rate = i128::from(rate.0);
        let tax = if self.prices_include_tax {
            divide_rounded(i128::from(taxed) * Rate::ONE, Rate::ONE + rate, self.rounding)
                .and_then(|net| taxed.checked_sub(net))
        } else {
            divide_rounded(i128::from(taxed) * rate, Rate::ONE, self.rounding)
        };
        tax.and_then(|tax| tax.checked_mul(times)).ok_or_else(Refusal::overflow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_as_it_is_written_in_percent() {
        for (text, millionths, written) in [
            ("19", 190_000, "19"),
            ("7.25", 72_500, "7.25"),
            ("8.8750", 88_750, "8.875"),
            ("0.0001", 1, "0.0001"),
            ("0", 0, "0"),
            ("100", 1_000_000, "100"),
        ] {
            let rate = Rate::from_percent(text).expect(text);
            assert_eq!((rate.millionths(), rate.percent().as_str()), (millionths, written));
        }
        for wrong in
            ["", ".", "19.", ".5", "100.0001", "1000", "-1", "+1", "1e1", "19 %", "7,25", "7.25001"]
        {
            assert_eq!(Rate::from_percent(wrong), None, "{wrong:?}");
        }
    }

    fn policy(prices_include_tax: bool) -> TaxPolicy {
        let rate = |class: &str, country: &str, region: Option<&str>, millionths| TaxRate {
            class: class.into(),
            country: country.parse().expect("a country"),
            region: region.map(str::to_owned),
            rate_millionths: Rate(millionths),
            name: String::new(),
        };
        TaxPolicy {
            prices_include_tax,
            rounding: Rounding::HalfEven,
            round_per: RoundPer::Line,
            missing_rate: MissingRate::Block,
            rates: vec![
                rate("standard", "DE", None, 190_000),
                rate("food", "DE", None, 70_000),
                rate("standard", "US", None, 0),
                rate("standard", "US", Some("NY"), 88_750),
            ],
        }
    }

    fn to(country: &str, region: Option<&str>) -> Destination {
        Destination {
            country: country.parse().expect("a country"),
            region: region.map(str::to_owned),
        }
    }

    #[test]
    fn the_most_specific_rate_holds() {
        let policy = policy(false);
        assert_eq!(policy.rate("standard", &to("US", Some("NY"))), Ok(Rate(88_750)));
        assert_eq!(policy.rate("standard", &to("US", Some("OR"))), Ok(Rate::ZERO));
        assert_eq!(policy.rate("food", &to("DE", None)), Ok(Rate(70_000)));
        assert_eq!(
            policy.rate("standard", &to("FR", None)).map_err(|r| r.code),
            Err(Code::TaxRateMissing)
        );
        let lenient = TaxPolicy { missing_rate: MissingRate::Zero, ..policy };
        assert_eq!(lenient.rate("standard", &to("FR", None)), Ok(Rate::ZERO));
    }

    #[test]
    fn lines_are_rounded_not_units() {
        // 10 × 38.23 with 20 % inside: net 318.58, tax 63.72.
        assert_eq!(policy(true).tax_minor(38_230, 10, Rate(200_000)), Ok(6_372));
        // Per unit the same sale has 6.37 × 10.
        let per_unit = TaxPolicy { round_per: RoundPer::Unit, ..policy(true) };
        assert_eq!(per_unit.tax_minor(38_230, 10, Rate(200_000)), Ok(6_370));
        // 24.99 plus 10.75 %: 2.69.
        assert_eq!(policy(false).tax_minor(2_499, 1, Rate(107_500)), Ok(269));
    }

    #[test]
    fn amounts_at_the_edge_are_refused_not_wrapped() {
        let policy = policy(false);
        assert_eq!(policy.tax_minor(i64::MAX, 1, Rate(1_000_000)), Ok(i64::MAX));
        let per_unit = TaxPolicy { round_per: RoundPer::Unit, ..policy };
        assert!(per_unit.tax_minor(i64::MAX - 1, 2, Rate(1_000_000)).is_ok());
    }
}
