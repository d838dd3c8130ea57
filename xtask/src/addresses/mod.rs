//! `addresses`: writes the table of countries, their regions and postal codes that the domain embeds.

mod postal;
mod sources;
mod table;

use std::{collections::BTreeMap, fs};

use anyhow::{Context, Result};
use clap::Args;

use crate::{process::repository_root, shop::target_directory};

#[derive(Debug, Args)]
pub struct Options {
    /// Fail if the table is not what the sources say, instead of writing it.
    #[arg(long)]
    check: bool,
}

/// Where the table is, from the root of the repository.
const TABLE: &str = "core/domain/src/address/countries.txt";

pub fn run(options: &Options) -> Result<()> {
    let sources = sources::Sources::install(&target_directory().join("addresses"))?;
    let table = table::write(&sources, &Additions::read(include_str!("additions.txt"))?)?;
    let path = repository_root().join(TABLE);
    if options.check {
        let stored = fs::read_to_string(&path)?;
        anyhow::ensure!(
            stored == table,
            "{TABLE} is not what the sources say; run `cargo xtask addresses`"
        );
    } else {
        fs::write(path, &table)?;
        println!("{TABLE}: {} kB", table.len() / 1000);
    }
    Ok(())
}

/// What `additions.txt` says, by country.
#[derive(Default)]
struct Additions(BTreeMap<String, Vec<(String, String)>>);

impl Additions {
    fn read(text: &str) -> Result<Self> {
        let mut all = Self::default();
        let lines = text.lines().map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.splitn(3, ' ');
            let (Some(country), Some(what), Some(values)) =
                (words.next(), words.next(), words.next())
            else {
                anyhow::bail!("too short: {line}");
            };
            all.0.entry(country.to_owned()).or_default().push((what.to_owned(), values.to_owned()));
        }
        Ok(all)
    }

    /// Everything of one kind that is said of a country.
    fn all<'a>(&'a self, country: &str, what: &'a str) -> impl Iterator<Item = &'a str> {
        let said = self.0.get(country).into_iter().flatten();
        said.filter(move |(kind, _)| kind == what).map(|(_, values)| values.as_str())
    }

    fn one<'a>(&'a self, country: &str, what: &'a str) -> Option<&'a str> {
        self.all(country, what).next()
    }

    /// What is said of the regions of a country: the first word, and the rest.
    fn pairs<'a>(&'a self, country: &str, what: &'a str) -> Result<Vec<(String, &'a str)>> {
        let pair = |line: &'a str| {
            let (key, value) =
                line.split_once(' ').with_context(|| format!("too short: {line}"))?;
            Ok((key.replace('·', " "), value))
        };
        self.all(country, what).map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn additions_are_read() {
        let additions = Additions::read(include_str!("additions.txt")).expect("additions");
        assert_eq!(additions.one("MC", "require"), Some("AZ"));
        let joined = additions.pairs("HK", "join").expect("pairs");
        assert_eq!(joined[0], ("Hong Kong Island".to_owned(), "HKI"));
        assert!(Additions::read("DE alias").is_err());
    }
}
