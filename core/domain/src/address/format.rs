//! Addresses as the country writes them on an envelope, and what a form must ask for.

use super::{Address, Country, fold::fold, label};

/// Whether an address has a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// The country does not write it.
    Unused,
    /// It may be left out.
    Optional,
    /// Nothing can be sent without it.
    Required,
}

/// A part of an address that not every country has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// City or town.
    City,
    /// State, province or the like.
    Region,
    /// Postal code.
    PostalCode,
}

impl Part {
    const ALL: [(Self, &str, char); 3] =
        [(Self::City, "%C", 'C'), (Self::Region, "%S", 'S'), (Self::PostalCode, "%Z", 'Z')];

    fn signs(self) -> (&'static str, char) {
        let found = Self::ALL.iter().find(|(part, ..)| *part == self);
        found.map(|(_, field, letter)| (*field, *letter)).expect("all parts are listed")
    }
}

impl Country {
    /// Whether an address here has a part.
    pub fn usage(self, part: Part) -> Usage {
        let (entry, (field, letter)) = (self.entry(), part.signs());
        if entry.required.contains(letter) {
            Usage::Required
        } else if entry.writes(field) {
            Usage::Optional
        } else {
            Usage::Unused
        }
    }

    /// What a part is called here in English, such as `state` or `ZIP code`.
    pub fn label(self, part: Part) -> &'static str {
        let entry = self.entry();
        label(match part {
            Part::City => entry.city_kind,
            Part::Region => entry.region_kind,
            Part::PostalCode => entry.postal_code_kind,
        })
    }

    /// A postal code of the country; none where there are none.
    pub fn postal_code_example(self) -> Option<&'static str> {
        Some(self.entry().postal_example).filter(|example| !example.is_empty())
    }

    /// The parts in the order in which they stand in an address in Latin script. Those that are not written come last.
    pub fn order_of_parts(self) -> [Part; 3] {
        let format = latin_format(self);
        let mut parts = Part::ALL;
        parts.sort_by_key(|(_, field, _)| format.find(field).unwrap_or(usize::MAX));
        parts.map(|(part, ..)| part)
    }
}

impl Address {
    /// The region as it stands in an address in Latin script: a name, or the abbreviation where the country writes that.
    pub fn region_in_words(&self) -> Option<&str> {
        let region = self.region.as_deref()?;
        Some(self.country.region(region).map_or(region, |known| known.written()))
    }

    /// The lines to print, in the order and form of the country. Its name is the last one, unless it is `home`.
    pub fn lines(&self, home: Option<Country>) -> Vec<String> {
        let is_latin = [&self.name, &self.line1, &self.city].iter().all(|text| is_latin(text));
        let format =
            if is_latin { latin_format(self.country) } else { self.country.entry().format };
        let known = self.region.as_deref().map(|code| (code, self.country.region(code)));
        let region = match known {
            Some((_, Some(region))) if is_latin => region.written().to_owned(),
            Some((_, Some(region))) => region.local_name().to_owned(),
            Some((typed, None)) => typed.to_owned(),
            None => String::new(),
        };
        let postal_code = self.postal_code.clone().unwrap_or_default();
        let street = [Some(self.line1.clone()), self.line2.clone()];
        let street: Vec<_> = street.into_iter().flatten().filter(|line| !line.is_empty()).collect();
        let fields = [
            ("%N", self.name.clone()),
            ("%A", street.join("\n")),
            ("%C", self.city.clone()),
            ("%S", region),
            ("%Z", postal_code),
        ];
        let mut lines: Vec<String> =
            format.split("%n").flat_map(|line| written(line, &fields)).collect();
        // What the country does not write was given all the same.
        let is_there =
            |lines: &[String], text: &str| lines.iter().any(|line| fold(line) == fold(text));
        for (sign, text) in &fields {
            if !format.contains(sign) && !text.is_empty() && !is_there(&lines, text) {
                lines.push(text.clone());
            }
        }
        if home != Some(self.country) {
            lines.push(self.country.name().to_owned());
        }
        lines
    }
}

fn latin_format(country: Country) -> &'static str {
    let entry = country.entry();
    if entry.latin_format.is_empty() { entry.format } else { entry.latin_format }
}

fn is_latin(text: &str) -> bool {
    let mut letters = text.chars().filter(|c| c.is_alphabetic());
    letters.all(|c| c < '\u{250}' || ('\u{1e00}'..'\u{1f00}').contains(&c))
}

/// The lines of one line of a format. What stands between two fields is left out where one of them is empty.
fn written(line: &str, fields: &[(&str, String)]) -> Vec<String> {
    let mut pieces: Vec<(bool, &str)> = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find('%') {
        let (literal, after) = rest.split_at(at);
        if !literal.is_empty() {
            pieces.push((false, literal));
        }
        let (field, after) = after.split_at(after.len().min(2));
        let value = fields.iter().find(|(sign, _)| *sign == field).map_or("", |(_, value)| value);
        pieces.push((true, value));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push((false, rest));
    }
    let mut text = String::new();
    for (at, (is_field, piece)) in pieces.iter().enumerate() {
        let is_empty = |piece: Option<&(bool, &str)>| matches!(piece, Some((true, "")));
        let before = at.checked_sub(1).and_then(|before| pieces.get(before));
        if *is_field || !(is_empty(before) || is_empty(pieces.get(at + 1))) {
            text.push_str(piece);
        }
    }
    let lines = text.split('\n').map(str::trim).filter(|line| !line.is_empty());
    lines.map(str::to_owned).collect()
}
