//! Regions of addresses: what people write for them, and which one a postal code is in.

use super::{
    Country,
    fold::fold,
    label, one_of, postal_code,
    table::{Entry, Region},
};

/// Countries where the region decides which tax is due, so that one that is not known is refused.
const DECIDES_TAX: [&str; 5] = ["US", "CA", "AU", "BR", "IN"];

/// ZIP codes whose addresses are in two states.
const ACROSS_STATES: [&str; 13] = [
    "02861", "42223", "59221", "63673", "71749", "73949", "81137", "84536", "86044", "86515",
    "88063", "89439", "97635",
];

impl Region {
    /// The name in the country's own script.
    pub fn local_name(&self) -> &'static str {
        if self.local.is_empty() { self.name } else { self.local }
    }

    /// What stands in an address in Latin script, such as an abbreviation.
    pub fn written(&self) -> &'static str {
        if self.written.is_empty() { self.name } else { self.written }
    }
}

impl Country {
    /// Whether the region decides which tax is due here, whatever rates a channel has.
    pub(super) fn region_decides_tax(self) -> bool {
        DECIDES_TAX.contains(&self.entry().code)
    }

    /// What is wrong with a text that means no region, with what may have been meant.
    pub(crate) fn unknown_region(self, text: &str) -> String {
        let entry = self.entry();
        let near = entry.region_names().near(&fold(text), 3).into_iter();
        let near: Vec<_> = near.map(|at| entry.regions[at].name).collect();
        let kind = label(entry.region_kind);
        if entry.regions.is_empty() {
            return format!(
                "cannot be told for {}, of which no regions are known",
                self.in_sentence()
            );
        }
        let article = if kind.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
        let problem = format!("is not {article} {kind} of {}", self.in_sentence());
        match one_of(&near) {
            Some(near) => format!("{problem}; did you mean {near}?"),
            None => format!("{problem}; give its name or code{}", example(entry)),
        }
    }

    /// What is said where the region is missing.
    pub(crate) fn missing_region(self) -> String {
        let entry = self.entry();
        let place = self.in_sentence();
        let kind = label(entry.region_kind);
        format!(
            "is needed for addresses in {place}: the name or code of the {kind}{}",
            example(entry)
        )
    }
}

/// A region to show, such as `, such as California or CA`.
fn example(entry: &Entry) -> String {
    let shown = entry.regions.iter().find(|region| region.code == "CA" || region.code == "NSW");
    match shown.or(entry.regions.first()) {
        Some(region) if region.written() == region.code => {
            format!(", such as {} or {}", region.name, region.code)
        }
        Some(region) => format!(", such as {}", region.name),
        None => String::new(),
    }
}

/// The only region that the postal code can be in; none where there is no way to tell.
pub(super) fn of_postal_code(country: &Entry, code: &str) -> Option<&'static str> {
    match &places_of(country, code)[..] {
        [only] => Some(only.code),
        _ => None,
    }
}

/// The names of the regions that the postal code is in, if the one of that code is none of them.
pub(crate) fn contradiction(country: Country, region: &str, code: &str) -> Option<String> {
    let places = places_of(country.entry(), code);
    let is_elsewhere = !places.is_empty() && places.iter().all(|place| place.code != region);
    let names: Vec<_> = places.iter().map(|place| place.name).collect();
    one_of(&names).filter(|_| is_elsewhere)
}

fn places_of<'a>(country: &'a Entry, code: &str) -> Vec<&'a Region> {
    if country.code == "US" && ACROSS_STATES.contains(&code.get(..5).unwrap_or(code)) {
        return Vec::new();
    }
    let regions = country.regions.iter();
    regions.filter(|region| postal_code::has_prefix(region.postal_prefixes, code)).collect()
}
