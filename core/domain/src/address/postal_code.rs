//! Postal codes: read as people write them, kept as the country writes them.
//!
//! In a pattern `#` is a digit, `@` a letter and `[…]` one of a class. Blanks and hyphens are written and may be left
//! out when read; everything else is itself.

use super::{fold::capitals, table::Entry};

/// Signs on cars that people put before a postal code, where they differ from the country's codes.
const CAR_SIGNS: [(&str, &str); 13] = [
    ("AT", "A"),
    ("BE", "B"),
    ("DE", "D"),
    ("ES", "E"),
    ("FR", "F"),
    ("HU", "H"),
    ("IT", "I"),
    ("LI", "FL"),
    ("LU", "L"),
    ("NO", "N"),
    ("PT", "P"),
    ("SE", "S"),
    ("SI", "SLO"),
];

/// The code as the country writes it; none if it is no postal code of the country.
pub(super) fn normalized(country: &Entry, typed: &str) -> Option<String> {
    let compact = compact(typed)?;
    let car = CAR_SIGNS.iter().find(|(code, _)| *code == country.code).map(|(_, sign)| *sign);
    let signs = [Some(country.code), Some(country.alpha_3), car];
    let without = signs.into_iter().flatten().filter_map(|sign| compact.strip_prefix(sign));
    // Some codes begin with the sign, such as those of Latvia; people leave it out there.
    let with = format!("{}{compact}", country.code);
    let candidates = std::iter::once(&*compact).chain(without).chain(std::iter::once(&*with));
    let mut candidates = candidates.filter(|candidate| !candidate.is_empty());
    candidates.find_map(|candidate| {
        alternatives(country.postal_patterns).find_map(|pattern| written(pattern, candidate))
    })
}

/// Whether a text means that there is no code, in a country without postal codes.
pub(super) fn is_filler(typed: &str) -> bool {
    let text = capitals(typed);
    let is_filled = |fill: &[char]| text.chars().all(|c| fill.contains(&c));
    is_filled(&['0']) || is_filled(&['-', '.', ' ']) || ["NA", "N/A", "NONE"].contains(&&*text)
}

/// Whether a code begins with one of the patterns.
pub(super) fn has_prefix(prefixes: &str, code: &str) -> bool {
    let Some(compact) = compact(code) else { return false };
    alternatives(prefixes).any(|prefix| matched(prefix, &compact).is_some())
}

fn alternatives(patterns: &str) -> impl Iterator<Item = &str> {
    patterns.split('|').filter(|pattern| !pattern.is_empty())
}

/// Capital letters and digits alone; none if there are other letters or marks among them.
fn compact(typed: &str) -> Option<String> {
    let mut compact = String::new();
    for c in capitals(typed).chars() {
        match c {
            c if c.is_ascii_alphanumeric() => compact.push(c),
            // Every blank and dash that keyboards have; full-width ones are normal ones by now.
            c if c.is_whitespace()
                || matches!(c, '-' | '.' | '\u{2010}'..='\u{2015}' | 'ー' | '−' | '〒') => {}
            _ => return None,
        }
    }
    (!compact.is_empty()).then_some(compact)
}

/// The code as the pattern writes it, if it fits to its end.
fn written(pattern: &str, code: &str) -> Option<String> {
    matched(pattern, code).filter(|(_, rest)| rest.is_empty()).map(|(written, _)| written)
}

/// The beginning of a code as the pattern writes it, and the rest of the code.
fn matched<'a>(pattern: &str, code: &'a str) -> Option<(String, &'a str)> {
    let (mut pattern, mut rest, mut written) = (pattern.chars(), code, String::new());
    while let Some(sign) = pattern.next() {
        if matches!(sign, ' ' | '-') {
            written.push(sign);
            continue;
        }
        let c = rest.chars().next()?;
        let fits = match sign {
            '#' => c.is_ascii_digit(),
            '@' => c.is_ascii_uppercase(),
            '[' => {
                let class: String = pattern.by_ref().take_while(|c| *c != ']').collect();
                is_in_class(&class, c)
            }
            literal => c == literal,
        };
        if !fits {
            return None;
        }
        written.push(c);
        rest = &rest[c.len_utf8()..];
    }
    Some((written, rest))
}

/// A class is single characters and ranges such as `A-H`.
fn is_in_class(class: &str, c: char) -> bool {
    let signs: Vec<_> = class.chars().collect();
    let mut at = 0;
    while at < signs.len() {
        let last = if signs.get(at + 1) == Some(&'-') { at + 2 } else { at };
        if signs.get(last).is_some_and(|last| (signs[at]..=*last).contains(&c)) {
            return true;
        }
        at = last + 1;
    }
    false
}
