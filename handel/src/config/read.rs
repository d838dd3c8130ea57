//! Puts the layers together, and remembers who said what.

use std::{ffi::OsString, fmt, path::PathBuf};

use anyhow::{Result, anyhow, bail};
use figment::Figment;
use handel_ports::Secret;
use serde::{Deserialize, Deserializer, de};

use super::{
    Config, DEFAULTS, Overrides,
    layer::{self, BUILT_IN, DATABASE_URL, ENVIRONMENT, FLAGS},
    validate,
};

/// The settings in force, with where each comes from.
#[derive(Clone)]
pub struct Loaded {
    pub config: Config,
    /// The layers as they were given, secrets and all.
    origins: Figment,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Loaded {
    /// Reads all layers and checks what they say together.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place where the environment is read"
    )]
    pub fn read(overrides: &Overrides) -> Result<Self> {
        Self::from_layers(overrides, std::env::vars_os())
    }

    pub(super) fn from_layers(
        overrides: &Overrides,
        variables: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self> {
        let defaults = layer::parse(BUILT_IN, DEFAULTS)?;
        let above = layer::above(&defaults.values, overrides, variables)?;
        let origins = above.into_iter().fold(Figment::from(defaults), Figment::merge);
        let config = origins.extract().map_err(|error| explain(&origins, error))?;
        let loaded = Self { config, origins };
        let problems = validate::problems(&loaded.config);
        if problems.is_empty() {
            return Ok(loaded);
        }
        let problems: Vec<_> = problems
            .into_iter()
            .map(|problem| {
                format!("{} ({}) {}", problem.key, loaded.origin(problem.key), problem.reason)
            })
            .collect();
        bail!("the configuration is wrong: {}", problems.join("; "))
    }

    /// Who set a setting, in words.
    pub fn origin(&self, key: &str) -> String {
        origin(&self.origins, key)
    }

    /// The configuration file that a setting comes from; none if it comes from elsewhere.
    pub fn file_of(&self, key: &str) -> Option<PathBuf> {
        let name = &self.origins.find_metadata(key)?.name;
        let elsewhere = [BUILT_IN, DATABASE_URL, ENVIRONMENT, FLAGS];
        (!elsewhere.contains(&name.as_ref())).then(|| PathBuf::from(name.as_ref()))
    }
}

fn origin(origins: &Figment, key: &str) -> String {
    let name = origins.find_metadata(key).map_or(BUILT_IN, |metadata| &metadata.name);
    match name {
        ENVIRONMENT => format!("HANDEL__{}", key.replace('.', "__").to_uppercase()),
        FLAGS => {
            let flag = key.rsplit('.').next().unwrap_or(key);
            let flag = if key == "database.url" { "database-url" } else { flag };
            format!("--{}", flag.replace('_', "-"))
        }
        name => name.to_owned(),
    }
}

/// Tells which setting has the wrong type, and who set it so.
fn explain(origins: &Figment, error: figment::Error) -> anyhow::Error {
    let mut problems = Vec::new();
    for error in error {
        let key = error.path.join(".");
        problems.push(format!("{key} ({}): {}", origin(origins, &key), error.kind));
    }
    anyhow!("the configuration is wrong: {}", problems.join("; "))
}

pub(super) fn optional_text<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

pub(super) fn optional_path<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PathBuf>, D::Error> {
    Ok(optional_text(deserializer)?.map(PathBuf::from))
}

/// The usual error would quote what it found.
pub(super) fn optional_secret<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Secret<String>>, D::Error> {
    let text =
        optional_text(deserializer).map_err(|_| de::Error::custom("must be a text in quotes"))?;
    Ok(text.map(Secret::new))
}
