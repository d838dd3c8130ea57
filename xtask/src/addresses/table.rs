//! The table as it is written, joined from all sources.

use std::{collections::BTreeSet, fmt::Write as _};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    Additions,
    postal::patterns,
    sources::{ADDRESSES, CODES, LANGUAGES, NAMES, Sources},
};

/// Countries whose regions follow from the first digits of the postal code.
const BY_POSTAL_CODE: [&str; 8] = ["US", "CA", "ES", "IT", "BR", "JP", "KR", "TR"];
/// Countries whose regions are written as abbreviations.
const ABBREVIATED: [&str; 6] = ["US", "CA", "AU", "BR", "IT", "MX"];
/// Most regions of a country whose addresses do not name them. More are municipalities, which no rate is set for.
const UNNAMED_MAX: usize = 60;
/// When the sources were read.
const DATE: &str = "2026-11-28";

/// A country's region, as it will be written.
struct Region {
    code: String,
    name: String,
    local: String,
    written: String,
    aliases: Vec<String>,
    postal: String,
}

pub fn write(sources: &Sources, additions: &Additions) -> Result<String> {
    let mut out = header();
    let english = sources.names("en")?;
    for (code, three) in sources.countries() {
        let data = sources.address_data(&code)?;
        let facts = Facts { code: &code, data: &data, sources, additions };
        let name = additions.one(&code, "name").or(english.get(&code).map(String::as_str));
        let name = name.with_context(|| format!("{code} has no name"))?;
        let fields = [
            "C".to_owned(),
            code.clone(),
            three,
            name.to_owned(),
            facts.aliases(&english, name)?.join("~"),
            facts.text("format", "fmt", "%N%n%O%n%A%n%C"),
            facts.text("latin", "lfmt", ""),
            facts.text("require", "require", "AC"),
            facts.text("state", "state_name_type", "province"),
            facts.text("zip", "zip_name_type", "postal"),
            facts.text("city", "locality_name_type", "city"),
            facts.postal_patterns()?,
            facts.example(),
        ];
        writeln!(out, "{}", fields.join("\t"))?;
        for region in facts.regions()? {
            let Region { code, name, local, written, aliases, postal } = region;
            let (local, written) = (unless(local, &name), unless(written, &name));
            let line =
                ["R", &code, &name, &local, &written, &aliases.join("~"), &postal].join("\t");
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    Ok(out)
}

fn header() -> String {
    format!(
        "# Countries, how their addresses are written, their regions and postal codes.\n\
         # Written by `cargo xtask addresses` on {DATE}; do not edit, see xtask/src/addresses/additions.txt.\n\
         # Sources: the address data of Google's libaddressinput as in PyPI {ADDRESSES} (BSD-3-Clause),\n\
         # npm {CODES} (MIT), npm {LANGUAGES} and {NAMES} (Unicode-3.0).\n\
         # C code, three letters, name, other names, format, format in Latin script, needed parts, kinds of region,\n\
         #   postal code and city, patterns of postal codes (# digit, @ letter, […] class, | or), example\n\
         # R code, name, local name, as written in addresses, other names, first digits of its postal codes\n"
    )
}

/// Whether a text is in Latin script.
fn is_latin(text: &str) -> bool {
    text.chars()
        .filter(|c| c.is_alphabetic())
        .all(|c| c < '\u{250}' || ('\u{1e00}'..'\u{1f00}').contains(&c))
}

fn unless(text: String, same: &str) -> String {
    if text == same { String::new() } else { text }
}

struct Facts<'a> {
    code: &'a str,
    data: &'a Value,
    sources: &'a Sources,
    additions: &'a Additions,
}

impl Facts<'_> {
    fn field(&self, name: &str) -> &str {
        self.data[self.code][name].as_str().unwrap_or_default()
    }

    fn list(&self, name: &str) -> Vec<&str> {
        match self.field(name) {
            "" => Vec::new(),
            list => list.split('~').collect(),
        }
    }

    fn text(&self, addition: &str, field: &str, default: &str) -> String {
        let known = self.additions.one(self.code, addition).unwrap_or(self.field(field));
        if known.is_empty() { default } else { known }.to_owned()
    }

    /// Other names in English, names in the official languages, and what was added.
    fn aliases(
        &self,
        english: &std::collections::BTreeMap<String, String>,
        name: &str,
    ) -> Result<Vec<String>> {
        let mut all = BTreeSet::new();
        let is_variant = |key: &str| {
            key == self.code
                || key.strip_prefix(self.code).is_some_and(|rest| rest.starts_with("-alt"))
        };
        all.extend(english.iter().filter(|(key, _)| is_variant(key)).map(|(_, name)| name.clone()));
        for language in self.sources.languages(self.code) {
            let names = self.sources.names(&language)?;
            all.extend(names.into_iter().filter(|(key, _)| is_variant(key)).map(|(_, name)| name));
        }
        let added = self.additions.all(self.code, "alias").flat_map(|names| names.split('~'));
        all.extend(added.map(str::to_owned));
        all.remove(name);
        Ok(all.into_iter().collect())
    }

    fn postal_patterns(&self) -> Result<String> {
        if let Some(own) = self.additions.one(self.code, "postal") {
            return Ok(own.to_owned());
        }
        let expression = self.field("zip");
        if expression.is_empty() {
            return Ok(String::new());
        }
        Ok(patterns(expression).with_context(|| self.code.to_owned())?.join("|"))
    }

    fn example(&self) -> String {
        let own = self.additions.one(self.code, "example");
        own.or(self.field("zipex").split(',').next()).unwrap_or_default().to_owned()
    }

    fn regions(&self) -> Result<Vec<Region>> {
        let keys = self.list("sub_keys");
        let mut regions =
            if keys.is_empty() { self.unnamed_regions() } else { self.named_regions(&keys)? };
        for (code, names) in self.additions.pairs(self.code, "add")? {
            let mut names = names.split('~').map(str::to_owned);
            let name = names.next().unwrap_or_default();
            let aliases = names.collect();
            let (local, written) = (name.clone(), name.clone());
            regions.push(Region { code, name, local, written, aliases, postal: String::new() });
        }
        for (code, names) in self.additions.pairs(self.code, "region")? {
            let region = regions.iter_mut().find(|region| region.code == code);
            if let Some(region) = region {
                let names = names.split('~').map(str::to_owned);
                let new: Vec<_> = names.filter(|name| !region.aliases.contains(name)).collect();
                region.aliases.extend(new);
            }
        }
        Ok(regions)
    }

    /// Regions that stand in addresses, with the codes of ISO 3166-2.
    fn named_regions(&self, keys: &[&str]) -> Result<Vec<Region>> {
        let column = |name: &str| {
            let mut list = self.list(name);
            list.resize(keys.len(), "");
            list
        };
        let (names, latin) = (column("sub_names"), column("sub_lnames"));
        let (codes, postal) = (column("sub_isoids"), column("sub_zips"));
        let mut regions = Vec::with_capacity(keys.len());
        for (at, key) in keys.iter().enumerate() {
            let local = if names[at].is_empty() { key } else { names[at] };
            let name = match latin[at] {
                "" if key.is_ascii() && !local.is_empty() && !is_latin(local) => key,
                "" => local,
                latin => latin,
            };
            let Some(code) = self.region_code(key, name, codes[at])? else { continue };
            let mut aliases: BTreeSet<_> = [*key, local].into_iter().map(str::to_owned).collect();
            aliases.extend(self.other_languages(key));
            aliases.extend(
                self.subdivisions().filter(|(known, _)| *known == code).map(|(_, name)| name),
            );
            let written = if ABBREVIATED.contains(&self.code) { *key } else { name };
            for known in [name, local, written, &code] {
                aliases.remove(known);
            }
            let prefixes = match postal[at] {
                expression if !expression.is_empty() && BY_POSTAL_CODE.contains(&self.code) => {
                    patterns(expression)?.join("|")
                }
                _ => String::new(),
            };
            regions.push(Region {
                code,
                name: name.to_owned(),
                local: local.to_owned(),
                written: written.to_owned(),
                aliases: aliases.into_iter().collect(),
                postal: prefixes,
            });
        }
        Ok(regions)
    }

    /// The ISO code: what was added, the one of the address data if it is one, the one of the same name, or the key.
    fn region_code(&self, key: &str, name: &str, code: &str) -> Result<Option<String>> {
        let joined = self.additions.pairs(self.code, "join")?;
        if let Some((_, code)) = joined.iter().find(|(known, _)| known == key) {
            return Ok((*code != "-").then(|| (*code).to_owned()));
        }
        let all: Vec<_> = self.subdivisions().collect();
        let is_known = |code: &str| all.iter().any(|(known, _)| known == code);
        if is_known(code) {
            return Ok(Some(code.to_owned()));
        }
        let plain = |text: &str| text.to_lowercase().replace([' ', '-', '\''], "");
        let same =
            all.iter().find(|(_, known)| plain(known) == plain(name) || plain(known) == plain(key));
        if let Some((code, _)) = same {
            return Ok(Some(code.clone()));
        }
        let is_code = (1..=3).contains(&key.len())
            && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
        if !is_code {
            eprintln!("{}: {key} ({name}) has no code and is left out", self.code);
        }
        Ok(is_code.then(|| key.to_owned()))
    }

    /// What a region is called in the other languages of its country.
    fn other_languages(&self, key: &str) -> Vec<String> {
        let Some(places) = self.data.as_object() else { return Vec::new() };
        let prefix = format!("{}/{key}--", self.code);
        let same = places.iter().filter(|(place, _)| place.starts_with(&prefix));
        same.filter_map(|(_, facts)| facts["name"].as_str().map(str::to_owned)).collect()
    }

    /// Codes without the country, and names.
    fn subdivisions(&self) -> impl Iterator<Item = (String, String)> {
        let prefix = format!("{}-", self.code);
        self.sources
            .subdivisions()
            .into_iter()
            .filter_map(move |[code, name, _]| Some((code.strip_prefix(&prefix)?.to_owned(), name)))
    }

    /// Regions of a country whose addresses do not name them, for rates that hold there alone.
    fn unnamed_regions(&self) -> Vec<Region> {
        let prefix = format!("{}-", self.code);
        let all = self.sources.subdivisions().into_iter();
        let top = all.filter(|[_, _, parent]| parent == self.code);
        let regions: Vec<_> = top
            .filter_map(|[code, name, _]| {
                Some(Region {
                    code: code.strip_prefix(&prefix)?.to_owned(),
                    local: name.clone(),
                    written: name.clone(),
                    name,
                    aliases: Vec::new(),
                    postal: String::new(),
                })
            })
            .collect();
        if regions.len() > UNNAMED_MAX { Vec::new() } else { regions }
    }
}
