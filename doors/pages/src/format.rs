//! How amounts and times are written for people. Exact: digits are moved, nothing is computed.

use handel_domain::{Currency, channel::Channel};
use jiff::{Timestamp, tz::TimeZone};

/// How a channel writes its amounts.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    currency: Currency,
    style: Style,
}

/// What stands between digits, and where the sign of the currency stands.
#[derive(Clone, Copy, Debug)]
struct Style {
    thousands: &'static str,
    decimal: &'static str,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Before,
    BeforeWithSpace,
    After,
}

/// A space at which no line ends.
const SPACE: &str = "\u{a0}";
/// The same, narrow.
const NARROW: &str = "\u{202f}";

impl Format {
    pub(crate) fn of(channel: &Channel) -> Self {
        Self::new(channel.settings.currency, &channel.settings.locale)
    }

    pub(crate) fn new(currency: Currency, locale: &str) -> Self {
        Self { currency, style: Style::of(locale) }
    }

    /// An amount for people, such as `$1,234.50` or `1.234,50 €`.
    pub(crate) fn money(&self, amount_minor: i64) -> String {
        let plain = self.currency.format_amount(amount_minor);
        let unsigned = plain.strip_prefix('-').unwrap_or(&plain);
        let minus = if amount_minor < 0 { "\u{2212}" } else { "" };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let Style { thousands, decimal, place } = self.style;
        let mut number = grouped(whole, thousands);
        if !fraction.is_empty() {
            number.push_str(decimal);
            number.push_str(fraction);
        }
        match (symbol(self.currency.code()), place) {
            (Some(symbol), Place::Before) => format!("{minus}{symbol}{number}"),
            (Some(symbol), Place::BeforeWithSpace) => format!("{minus}{symbol}{SPACE}{number}"),
            (Some(symbol), Place::After) => format!("{minus}{number}{SPACE}{symbol}"),
            (None, Place::After) => format!("{minus}{number}{SPACE}{}", self.currency),
            (None, _) => format!("{minus}{}{SPACE}{number}", self.currency),
        }
    }

    /// An amount for programs, such as `1234.50`.
    pub(crate) fn plain(&self, amount_minor: i64) -> String {
        self.currency.format_amount(amount_minor)
    }

    /// What somebody typed as an amount, in minor units; with a point or a comma before the cents.
    pub(crate) fn read(&self, text: &str) -> Option<i64> {
        self.currency.parse_amount(&text.trim().replacen(',', ".", 1))
    }

    /// The currency.
    pub(crate) fn currency(&self) -> Currency {
        self.currency
    }
}

impl Style {
    fn of(locale: &str) -> Self {
        let mut parts = locale.split('-');
        let language = parts.next().unwrap_or_default().to_ascii_lowercase();
        let region = parts.next_back().unwrap_or_default().to_ascii_uppercase();
        let style = |thousands, decimal, place| Self { thousands, decimal, place };
        match (language.as_str(), region.as_str()) {
            ("de", "CH" | "LI") => style("’", ".", Place::BeforeWithSpace),
            ("de", "AT") => style(".", ",", Place::BeforeWithSpace),
            ("nl" | "pt", _) if region != "PT" => style(".", ",", Place::BeforeWithSpace),
            ("da" | "de" | "el" | "es" | "hr" | "id" | "it" | "ro" | "sl" | "tr", _) => {
                style(".", ",", Place::After)
            }
            (
                "bg" | "cs" | "fi" | "hu" | "nb" | "no" | "pl" | "pt" | "ru" | "sk" | "sv" | "uk",
                _,
            ) => style(SPACE, ",", Place::After),
            ("fr", _) => style(NARROW, ",", Place::After),
            _ => style(",", ".", Place::Before),
        }
    }
}

fn grouped(digits: &str, separator: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push_str(separator);
        }
        text.push(digit);
    }
    text
}

/// The signs that say the same everywhere. All other currencies are written by their code.
fn symbol(code: &str) -> Option<&'static str> {
    Some(match code {
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        "JPY" => "¥",
        "INR" => "₹",
        "KRW" => "₩",
        "ILS" => "₪",
        "BRL" => "R$",
        "CAD" => "CA$",
        "AUD" => "A$",
        "NZD" => "NZ$",
        "PLN" => "zł",
        "CZK" => "Kč",
        _ => return None,
    })
}

/// A day, such as `25 November 2026`.
pub(crate) fn day(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%-d %B %Y").to_string()
}

/// A time of a day, such as `25 November 2026, 21:40 UTC`.
pub(crate) fn moment(time: Timestamp) -> String {
    time.to_zoned(TimeZone::UTC).strftime("%-d %B %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(code: &str, locale: &str) -> Format {
        Format::new(code.parse().expect("a currency"), locale)
    }

    #[test]
    fn amounts_are_written_as_people_write_them() {
        for (code, locale, minor, expected) in [
            ("USD", "en-US", 123_450, "$1,234.50"),
            ("USD", "en", 5, "$0.05"),
            ("USD", "en-US", -1_250, "\u{2212}$12.50"),
            ("EUR", "de-DE", 123_456_789, "1.234.567,89\u{a0}€"),
            ("EUR", "fr-FR", 123_450, "1\u{202f}234,50\u{a0}€"),
            ("EUR", "nl-NL", 123_450, "€\u{a0}1.234,50"),
            ("EUR", "en-IE", 100, "€1.00"),
            ("JPY", "ja-JP", 1_200, "¥1,200"),
            ("KWD", "en", 1_234, "KWD\u{a0}1.234"),
            ("CHF", "de-CH", 123_450, "CHF\u{a0}1’234.50"),
            ("SEK", "sv-SE", 123_450, "1\u{a0}234,50\u{a0}SEK"),
        ] {
            assert_eq!(format(code, locale).money(minor), expected, "{code} {locale}");
        }
    }

    #[test]
    fn what_is_typed_is_read_exactly_or_not_at_all() {
        let dollars = format("USD", "en-US");
        for (text, expected) in [
            ("12", Some(1_200)),
            (" 12.5 ", Some(1_250)),
            ("12,50", Some(1_250)),
            ("1,2,3", None),
            ("x", None),
        ] {
            assert_eq!(dollars.read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn times_are_written_out() {
        let time: Timestamp = "2026-11-05T07:04:00Z".parse().expect("a time");
        assert_eq!(
            (day(time).as_str(), moment(time).as_str()),
            ("5 November 2026", "5 November 2026, 07:04 UTC",)
        );
    }
}
