//! The layers that settings come from.

use std::{
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use figment::{
    Metadata, Profile, Provider,
    value::{Dict, Map, Value},
};
use handel_ports::Secret;

/// Where settings come from, besides files.
pub(super) const BUILT_IN: &str = "the defaults";
pub(super) const DATABASE_URL: &str = "DATABASE_URL";
pub(super) const ENVIRONMENT: &str = "the environment";
pub(super) const FLAGS: &str = "the command line";

/// How the names of variables begin.
const PREFIX: &str = "HANDEL__";
/// The file that is read if no other is named.
const FILE: &str = "handel.toml";

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The configuration file.
    pub config: Option<PathBuf>,
    pub listen: Option<SocketAddr>,
    pub data_dir: Option<PathBuf>,
    pub database_url: Option<Secret<String>>,
}

/// Settings from one place.
pub(super) struct Layer {
    pub(super) name: String,
    pub(super) values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name.clone())
    }

    fn data(&self) -> figment::Result<Map<Profile, Dict>> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// The layers above the defaults, lowest first.
pub(super) fn above(
    defaults: &Dict,
    overrides: &Overrides,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<Vec<Layer>> {
    let mut layers: Vec<Layer> = file(overrides.config.as_deref())?.into_iter().collect();
    layers.extend(environment(defaults, variables)?);
    layers.push(flags(overrides)?);
    for layer in &layers {
        check_keys(defaults, &layer.values, &layer.name, "")?;
    }
    Ok(layers)
}

/// Reads settings from a text in TOML.
pub(super) fn parse(name: &str, text: &str) -> Result<Layer> {
    let table: toml::Table = toml::from_str(text).map_err(|error: toml::de::Error| {
        // Its own text would quote the line, which may hold a secret.
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        anyhow::anyhow!("{name}, line {line}: {}", error.message().trim_end())
    })?;
    let value = Value::serialize(&table).with_context(|| format!("cannot read {name}"))?;
    let values = value.into_dict().with_context(|| format!("{name} has no settings"))?;
    Ok(Layer { name: name.to_owned(), values })
}

/// The file that is named, or the usual one if it is there.
fn file(named: Option<&Path>) -> Result<Option<Layer>> {
    let path = named.unwrap_or(Path::new(FILE));
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&path.display().to_string(), &text).map(Some),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.is_none() => Ok(None),
        Err(error) => {
            Err(error).with_context(|| format!("cannot read the configuration {}", path.display()))
        }
    }
}

fn environment(
    defaults: &Dict,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Result<[Layer; 2]> {
    let mut usual = Layer { name: DATABASE_URL.to_owned(), values: Dict::new() };
    let mut own = Layer { name: ENVIRONMENT.to_owned(), values: Dict::new() };
    for (name, value) in variables {
        let Some(name) = name.to_str() else { continue };
        let text = || value.to_str().with_context(|| format!("{name} is not a text in UTF-8"));
        if name == DATABASE_URL {
            insert(&mut usual.values, &["database".to_owned(), "url".to_owned()], text()?.into());
        } else if let Some(path) = name.strip_prefix(PREFIX) {
            let path: Vec<_> = path.split("__").map(str::to_lowercase).collect();
            let value = typed(defaults, &path, name, text()?)?;
            insert(&mut own.values, &path, value);
        }
    }
    Ok([usual, own])
}

/// Reads a variable as what its setting is by default, so that no text is mistaken for a number.
fn typed(defaults: &Dict, path: &[String], name: &str, text: &str) -> Result<Value> {
    let Some(default) = find(defaults, path) else {
        bail!("{name} in the environment is no setting; see `handel config` for all of them");
    };
    Ok(match default {
        Value::Num(..) => {
            let number: i64 = text
                .trim()
                .parse()
                .ok()
                .with_context(|| format!("{name} must be a whole number"))?;
            Value::from(number)
        }
        Value::Bool(..) => {
            let flag: bool = text
                .trim()
                .parse()
                .ok()
                .with_context(|| format!("{name} must be true or false"))?;
            Value::from(flag)
        }
        Value::Array(..) => {
            let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
            Value::from(words.map(str::to_owned).collect::<Vec<_>>())
        }
        Value::Dict(..) => bail!("{name} names a section, not a setting"),
        _ => Value::from(text),
    })
}

fn flags(overrides: &Overrides) -> Result<Layer> {
    let mut values = Dict::new();
    let mut set = |path: &[&str], value: Value| {
        let path: Vec<_> = path.iter().map(|part| (*part).to_owned()).collect();
        insert(&mut values, &path, value);
    };
    if let Some(listen) = overrides.listen {
        set(&["server", "listen"], listen.to_string().into());
    }
    if let Some(directory) = &overrides.data_dir {
        let text = directory.to_str().context("--data-dir is not a text in UTF-8")?;
        set(&["data_dir"], text.into());
    }
    if let Some(url) = &overrides.database_url {
        set(&["database", "url"], url.expose().as_str().into());
    }
    Ok(Layer { name: FLAGS.to_owned(), values })
}

fn insert(values: &mut Dict, path: &[String], value: Value) {
    match path {
        [] => {}
        [key] => drop(values.insert(key.clone(), value)),
        [section, rest @ ..] => {
            let entry = values.entry(section.clone()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, section) = entry {
                insert(section, rest, value);
            }
        }
    }
}

fn find<'a>(values: &'a Dict, path: &[String]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    match (values.get(first)?, rest) {
        (value, []) => Some(value),
        (Value::Dict(_, section), rest) => find(section, rest),
        _ => None,
    }
}

/// Every setting has a default, so a key without one is a mistake.
fn check_keys(defaults: &Dict, values: &Dict, origin: &str, section: &str) -> Result<()> {
    for (key, value) in values {
        let path = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
        match (defaults.get(key), value) {
            (None, _) => {
                let known: Vec<_> = defaults.keys().map(String::as_str).collect();
                bail!("{origin} has the unknown key {path}; known here are {}", known.join(", "));
            }
            (Some(Value::Dict(_, defaults)), Value::Dict(_, values)) => {
                check_keys(defaults, values, origin, &path)?;
            }
            (Some(Value::Dict(..)), _) => bail!("{path} in {origin} must be a section"),
            (Some(_), _) => {}
        }
    }
    Ok(())
}
