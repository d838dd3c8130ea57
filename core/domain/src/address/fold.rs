//! Names of places in a form in which equal ones are equal.

use unicode_normalization::UnicodeNormalization as _;

/// Words that say what kind of place it is and are often left out.
const KINDS: [&str; 12] = [
    "state",
    "province",
    "prefecture",
    "county",
    "co",
    "of",
    "the",
    "and",
    "estado",
    "provincia",
    "district",
    "emirate",
];
/// The same at the end, as in `Tokyo-to` and `Gangwon-do`.
const SUFFIXES: [&str; 8] = ["ken", "fu", "to", "do", "si", "shi", "sheng", "oblast"];

/// Small letters and digits without accents, marks, blanks and words such as "state of"; the same for every way to
/// write a name.
pub(super) fn fold(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for c in name.nfkd().filter(|c| !is_accent(*c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'ø' => plain.push('o'),
            'đ' | 'ð' => plain.push('d'),
            'ł' => plain.push('l'),
            'ı' => plain.push('i'),
            '臺' => plain.push('台'),
            // Lowercase of a capital with a dot above is a small letter and the dot.
            c if is_accent(c) => {}
            '\'' | '’' | '‘' | 'ʻ' | 'ʼ' => {}
            c => plain.push(c),
        }
    }
    let words: Vec<_> =
        plain.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let mut kept: Vec<_> = words.iter().copied().filter(|word| !KINDS.contains(word)).collect();
    if kept.len() > 1 && kept.last().is_some_and(|last| SUFFIXES.contains(last)) {
        kept.pop();
    }
    if kept.is_empty() { words.concat() } else { kept.concat() }
}

fn is_accent(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// Compatibility forms made plain, such as full-width digits, in capitals and without blanks around.
pub(super) fn capitals(text: &str) -> String {
    let upper: String = text.nfkc().flat_map(char::to_uppercase).collect();
    upper.trim().to_owned()
}
