//! Money in integer minor units, and the only places where it is rounded or split.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::refusal::{Code, Refusal};

/// An ISO 4217 currency with minor units, such as `EUR`. Codes without a minor unit (`XXX`, gold)
/// and lowercase codes are refused.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The three-letter code.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many decimal digits the currency has: 2 for `USD`, 0 for `JPY`, 3 for `KWD`.
    pub fn exponent(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }

    /// Reads a decimal amount such as `12.5` into minor units; more digits than the currency has
    /// are refused rather than rounded.
    pub fn parse_amount(self, text: &str) -> Option<i64> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let exponent = self.exponent() as usize;
        let fraction = fraction.trim_end_matches('0');
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || !is_digits(whole)
            || !is_digits(fraction)
            || fraction.len() > exponent
        {
            return None;
        }
        format!("{whole}{fraction:0<exponent$}").parse::<i64>().ok().map(|minor| sign * minor)
    }

    /// Writes minor units as a decimal amount: 1250 of `USD` is `12.50`.
    pub fn format_amount(self, amount_minor: i64) -> String {
        let exponent = self.exponent() as usize;
        let sign = if amount_minor < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", amount_minor.unsigned_abs(), width = exponent + 1);
        let (whole, fraction) = digits.split_at(digits.len() - exponent);
        if exponent == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

impl FromStr for Currency {
    type Err = Refusal;

    fn from_str(code: &str) -> Result<Self, Refusal> {
        iso_currency::Currency::from_code(code)
            .filter(|currency| currency.exponent().is_some())
            .map(Self)
            .ok_or_else(|| {
                Refusal::new(
                    Code::CurrencyUnknown,
                    "expected an ISO 4217 currency code in capitals, such as EUR",
                )
            })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Cow::<str>::deserialize(deserializer)?;
        code.parse().map_err(|refusal: Refusal| de::Error::custom(refusal.message))
    }
}

/// An amount of one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount in the currency's minor unit (cents for `USD`).
    pub amount_minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// An amount of a currency.
    pub const fn new(amount_minor: i64, currency: Currency) -> Self {
        Self { amount_minor, currency }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency.format_amount(self.amount_minor), self.currency)
    }
}

/// Which way a half goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the even neighbor, so that errors cancel out over many lines.
    #[default]
    HalfEven,
    /// Away from zero, as some tax offices demand.
    HalfUp,
}

/// Divides exactly and rounds the result once.
///
/// `denominator` must be positive. Intermediate products fit because amounts are 64 bits and rates
/// are far smaller than 2⁶³. `None` when the result does not fit into 64 bits.
pub fn divide_rounded(numerator: i128, denominator: i128, rounding: Rounding) -> Option<i64> {
    assert!(denominator > 0, "a rate is divided by a positive number");
    let quotient = numerator.div_euclid(denominator);
    let twice_rest = numerator.rem_euclid(denominator) * 2;
    let up = match twice_rest.cmp(&denominator) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Equal => match rounding {
            Rounding::HalfEven => quotient.rem_euclid(2) == 1,
            Rounding::HalfUp => numerator >= 0,
        },
    };
    i64::try_from(quotient + i128::from(up)).ok()
}

/// Splits an amount in proportion to weights so that the parts add up to exactly the amount.
///
/// Largest remainder: each part is rounded down, and the units that are left go to the largest
/// remainders, ties to the earlier part. Weights that are all zero count as equal. The amount and the
/// weights must not be negative.
pub fn split_by_weight(amount_minor: i64, weights: &[i64]) -> Vec<i64> {
    assert!(amount_minor >= 0 && weights.iter().all(|weight| *weight >= 0));
    let sum: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    let weight_of = |weight: i64| if sum == 0 { 1 } else { i128::from(weight) };
    let total: i128 = weights.iter().map(|weight| weight_of(*weight)).sum();
    if total == 0 {
        return Vec::new();
    }
    let shares: Vec<(i128, i128)> = weights
        .iter()
        .map(|weight| {
            let product = i128::from(amount_minor) * weight_of(*weight);
            (product / total, product % total)
        })
        .collect();
    let mut left = i128::from(amount_minor) - shares.iter().map(|(whole, _)| whole).sum::<i128>();
    let mut by_rest: Vec<usize> = (0..shares.len()).collect();
    by_rest.sort_by_key(|at| (-shares[*at].1, *at));
    let mut parts: Vec<i128> = shares.iter().map(|(whole, _)| *whole).collect();
    for at in by_rest {
        if left == 0 {
            break;
        }
        parts[at] += 1;
        left -= 1;
    }
    parts
        .into_iter()
        .map(|part| i64::try_from(part).expect("a part is not above the amount"))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        code.parse().expect("a known currency")
    }

    #[test]
    fn every_currency_knows_its_digits() {
        let digits = ["JPY", "USD", "KWD", "CLF"].map(|code| currency(code).exponent());
        assert_eq!(digits, [0, 2, 3, 4]);
    }

    #[test]
    fn unknown_and_sloppy_codes_are_refused() {
        for code in ["usd", "€", "ZZZ", "XXX", "XAU", "", "USDX", "us"] {
            assert!(code.parse::<Currency>().is_err(), "{code}");
        }
    }

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        let cases = [
            ("USD", "12.50", Some(1250)),
            ("USD", "50", Some(5000)),
            ("USD", "0.1", Some(10)),
            ("USD", "1.005", None),
            ("USD", "1.500", Some(150)),
            ("JPY", "1200", Some(1200)),
            ("JPY", "1.5", None),
            ("KWD", "1.234", Some(1234)),
            ("USD", "-3.20", Some(-320)),
            ("USD", "1e3", None),
            ("USD", "", None),
            ("USD", ".5", None),
            ("USD", "99999999999999999999", None),
        ];
        for (code, text, expected) in cases {
            assert_eq!(currency(code).parse_amount(text), expected, "{code} {text}");
        }
    }

    #[test]
    fn halves_go_where_the_mode_says() {
        let round = |numerator, mode| divide_rounded(numerator, 10, mode);
        assert_eq!(round(25, Rounding::HalfEven), Some(2));
        assert_eq!(round(35, Rounding::HalfEven), Some(4));
        assert_eq!(round(25, Rounding::HalfUp), Some(3));
        assert_eq!(round(-25, Rounding::HalfUp), Some(-3));
        assert_eq!(round(-25, Rounding::HalfEven), Some(-2));
        assert_eq!(round(-26, Rounding::HalfEven), Some(-3));
    }

    proptest! {
        #[test]
        fn an_amount_reads_back(minor in -1_000_000_000_000i64..1_000_000_000_000, code in prop::sample::select(vec!["USD", "JPY", "KWD"])) {
            let currency = currency(code);
            prop_assert_eq!(currency.parse_amount(&currency.format_amount(minor)), Some(minor));
        }

        #[test]
        fn the_parts_of_a_split_add_up(amount in 0i64..10_000_000, weights in prop::collection::vec(0i64..1_000_000, 1..40)) {
            let parts = split_by_weight(amount, &weights);
            prop_assert_eq!(parts.iter().sum::<i64>(), amount);
            prop_assert!(parts.iter().all(|part| *part >= 0));
            let total: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            if total > 0 {
                for (part, weight) in parts.iter().zip(&weights) {
                    let exact = i128::from(amount) * i128::from(*weight);
                    prop_assert!((i128::from(*part) * total - exact).abs() < total);
                }
            }
        }

        #[test]
        fn rounding_is_never_off_by_more_than_a_half(n in -1_000_000_000i128..1_000_000_000, d in 1i128..1_000_000, up: bool) {
            let mode = if up { Rounding::HalfUp } else { Rounding::HalfEven };
            let rounded = i128::from(divide_rounded(n, d, mode).expect("fits"));
            prop_assert!((rounded * d - n).abs() * 2 <= d);
            // Positive space: an exact division is never moved.
            prop_assert!(n % d != 0 || rounded * d == n);
        }
    }
}
