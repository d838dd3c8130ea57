//! The table of countries: how their addresses are written, their regions and postal codes.
//!
//! `countries.txt` says where it comes from. It is read once, when it is needed first.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, OnceLock},
};

use super::fold::fold;

const TABLE: &str = include_str!("countries.txt");

static COUNTRIES: LazyLock<Countries> = LazyLock::new(|| Countries::read(TABLE));

/// What is known of a country. Lists are separated by `~`, and texts that do not apply are empty.
pub(super) struct Entry {
    pub(super) code: &'static str,
    pub(super) alpha_3: &'static str,
    pub(super) name: &'static str,
    pub(super) aliases: &'static str,
    /// The lines of an address in the country's own script.
    pub(super) format: &'static str,
    /// The same in Latin script; empty if it is the same.
    pub(super) latin_format: &'static str,
    /// The parts that an address needs: `A` street, `C` city, `S` region, `Z` postal code.
    pub(super) required: &'static str,
    pub(super) region_kind: &'static str,
    pub(super) postal_code_kind: &'static str,
    pub(super) city_kind: &'static str,
    /// Patterns of postal codes with `|` between; empty where there are none.
    pub(super) postal_patterns: &'static str,
    pub(super) postal_example: &'static str,
    pub(super) regions: Vec<Region>,
    names: OnceLock<Index>,
}

/// A state, province, prefecture or the like.
#[derive(Debug, PartialEq, Eq)]
pub struct Region {
    /// The ISO 3166-2 code without the country, such as `CA`, where there is one.
    pub code: &'static str,
    /// The name in Latin script.
    pub name: &'static str,
    /// The name in the country's own script; empty if it is the same.
    pub(super) local: &'static str,
    /// What stands in an address, such as an abbreviation; empty if it is the name.
    pub(super) written: &'static str,
    pub(super) aliases: &'static str,
    /// Patterns of the first digits of its postal codes with `|` between; empty where they do not tell.
    pub(super) postal_prefixes: &'static str,
}

/// Places by folded name. A name that two of them have belongs to neither.
pub(super) struct Index(BTreeMap<String, (u8, Option<usize>)>);

impl Index {
    /// Names of a lower rank go before the same names of a higher one.
    fn new(names: impl Iterator<Item = (u8, usize, String)>) -> Self {
        let mut index = BTreeMap::<String, (u8, Option<usize>)>::new();
        for (rank, place, name) in names.filter(|(.., name)| !name.is_empty()) {
            let found = index.entry(name).or_insert((rank, Some(place)));
            if rank < found.0 {
                *found = (rank, Some(place));
            } else if rank == found.0 && found.1 != Some(place) {
                found.1 = None;
            }
        }
        Self(index)
    }

    pub(super) fn find(&self, folded: &str) -> Option<usize> {
        self.0.get(folded).and_then(|(_, place)| *place)
    }

    /// The places whose names differ least, nearest first, each once.
    pub(super) fn near(&self, folded: &str, count: usize) -> Vec<usize> {
        let length = folded.chars().count();
        let mut found: Vec<_> = self
            .0
            .iter()
            .filter(|(name, _)| name.chars().count() > 3)
            .filter_map(|(name, (_, place))| {
                let is_start = length > 2 && name.starts_with(folded);
                let apart = if is_start { 1 } else { distance(name, folded) };
                (apart <= 1 + length / 5).then_some((apart, (*place)?))
            })
            .collect();
        found.sort_unstable();
        let mut places = Vec::new();
        for (_, place) in found {
            if !places.contains(&place) && places.len() < count {
                places.push(place);
            }
        }
        places
    }
}

/// How many characters must be added, left out or changed to make one text of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<_> = other.chars().collect();
    let mut row: Vec<_> = (0..=other.len()).collect();
    for (at, left) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (to, right) in other.iter().enumerate() {
            let changed = diagonal + usize::from(left != *right);
            diagonal = row[to + 1];
            row[to + 1] = changed.min(row[to] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

impl Entry {
    fn read(line: &'static str) -> Self {
        let mut fields = line.split('\t').skip(1);
        let mut next = || fields.next().unwrap_or_default();
        Self {
            code: next(),
            alpha_3: next(),
            name: next(),
            aliases: next(),
            format: next(),
            latin_format: next(),
            required: next(),
            region_kind: next(),
            postal_code_kind: next(),
            city_kind: next(),
            postal_patterns: next(),
            postal_example: next(),
            regions: Vec::new(),
            names: OnceLock::new(),
        }
    }

    /// Whether the format has a field.
    pub(super) fn writes(&self, field: &str) -> bool {
        self.format.contains(field)
    }

    /// The regions by code, then by name, then by what else they are called.
    pub(super) fn region_names(&self) -> &Index {
        self.names.get_or_init(|| {
            let all = self.regions.iter().enumerate();
            Index::new(all.flat_map(|(at, region)| {
                let names = [region.name, region.local];
                let short = names.map(without_suffix).into_iter();
                let aliases = region.aliases.split('~').chain(std::iter::once(region.written));
                let ranked = std::iter::once((0, region.code));
                let ranked = ranked.chain(names.map(|name| (1, name)));
                let ranked = ranked.chain(short.chain(aliases).map(|name| (2, name)));
                ranked.map(move |(rank, name)| (rank, at, fold(name)))
            }))
        })
    }
}

/// A name in Han script without its last character where that says what kind of place it is.
fn without_suffix(name: &str) -> &str {
    match name.strip_suffix(['県', '都', '府', '省', '市']) {
        Some(short) if short.chars().count() > 1 => short,
        _ => "",
    }
}

/// All countries.
pub(super) struct Countries {
    /// In the order of their codes.
    entries: Vec<Entry>,
    names: OnceLock<Index>,
}

impl Countries {
    fn read(table: &'static str) -> Self {
        let mut entries = Vec::<Entry>::new();
        for line in table.lines() {
            let mut fields = line.split('\t');
            match fields.next() {
                Some("C") => entries.push(Entry::read(line)),
                Some("R") => {
                    let country = entries.last_mut().expect("regions follow their country");
                    let mut next = || fields.next().unwrap_or_default();
                    country.regions.push(Region {
                        code: next(),
                        name: next(),
                        local: next(),
                        written: next(),
                        aliases: next(),
                        postal_prefixes: next(),
                    });
                }
                _ => {}
            }
        }
        entries.sort_unstable_by_key(|entry| entry.code);
        Self { entries, names: OnceLock::new() }
    }

    /// The country of a code in capitals.
    pub(super) fn of_code(&self, code: &str) -> Option<&Entry> {
        let found = self.entries.binary_search_by_key(&code, |entry| entry.code).ok()?;
        Some(&self.entries[found])
    }

    pub(super) fn all(&self) -> &[Entry] {
        &self.entries
    }

    /// The countries by code, then by name, then by what else they are called.
    pub(super) fn names(&self) -> &Index {
        self.names.get_or_init(|| {
            let all = self.entries.iter().enumerate();
            Index::new(all.flat_map(|(at, entry)| {
                let codes = [(0, entry.code), (0, entry.alpha_3), (1, entry.name)];
                let aliases = entry.aliases.split('~').map(|name| (2, name));
                codes.into_iter().chain(aliases).map(move |(rank, name)| (rank, at, fold(name)))
            }))
        })
    }
}

/// The table.
pub(super) fn countries() -> &'static Countries {
    &COUNTRIES
}
