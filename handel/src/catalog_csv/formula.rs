//! Cells that a spreadsheet would run as a formula.
//!
//! Such a cell is written with a single quote before it, which spreadsheets take as "this is text".
//! Both directions are exact inverses: a text that itself starts with such a quote gets one more.

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text,
    /// A SKU or a barcode. Other shops quote these too, to keep leading zeros.
    Code,
}

/// The cell for a text.
pub(super) fn guarded(text: &str, content: Content) -> String {
    let is_quoted = text.starts_with('\'');
    let is_at_risk = is_at_risk(text, content) && (is_quoted || !is_number(text));
    if is_at_risk { format!("'{text}") } else { text.to_owned() }
}

/// The text of a cell.
pub(super) fn unguarded(cell: &str, content: Content) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_at_risk(cell, content) => text,
        _ => cell,
    }
}

/// Whether a text, without the quotes before it, starts as a formula does.
fn is_at_risk(text: &str, content: Content) -> bool {
    let bare = text.trim_start_matches('\'');
    let is_quoted = bare.len() < text.len();
    match bare.chars().next() {
        Some('=' | '+' | '-' | '@' | '\t' | '\r') => true,
        Some(first) => is_quoted && content == Content::Code && first.is_ascii_digit(),
        None => false,
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole) && is_digits(fraction)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_quoted_and_numbers_are_not() {
        let cases = [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+49 30 123", "'+49 30 123"),
            ("-12.50", "-12.50"),
            ("+3", "+3"),
            ("-", "'-"),
            ("'=1", "''=1"),
            ("'90s jeans", "'90s jeans"),
            ("plain", "plain"),
        ];
        for (text, cell) in cases {
            assert_eq!(guarded(text, Content::Text), cell);
        }
        assert_eq!(unguarded("'00123", Content::Code), "00123");
        assert_eq!(unguarded("'90s jeans", Content::Text), "'90s jeans");
    }

    proptest! {
        #[test]
        fn what_is_guarded_reads_back(text in "['=+@0-9a\t.-]{0,6}") {
            for content in [Content::Text, Content::Code] {
                let cell = guarded(&text, content);
                prop_assert_eq!(unguarded(&cell, content), text.as_str());
                let is_formula = cell.starts_with(['=', '+', '-', '@', '\t']) && !is_number(&cell);
                prop_assert!(!is_formula);
            }
        }
    }
}
