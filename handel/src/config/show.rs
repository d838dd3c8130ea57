//! Prints the settings in force as a configuration file, secrets hidden.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use super::Loaded;

impl Loaded {
    /// Every setting with its value and who set it. It can be read again as a file, save for secrets.
    pub fn show(&self) -> Result<String> {
        let tree = serde_json::to_value(&self.config).context("the settings cannot be written")?;
        let mut text = String::new();
        if let Value::Object(tree) = &tree {
            self.show_section(tree, "", &mut text)?;
        }
        Ok(text)
    }

    fn show_section(&self, tree: &Map<String, Value>, path: &str, text: &mut String) -> Result<()> {
        let full =
            |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        let (sections, settings): (Vec<_>, Vec<_>) =
            tree.iter().partition(|(_, value)| value.is_object());
        if !path.is_empty() {
            writeln!(text, "\n[{path}]")?;
        }
        for (key, value) in settings {
            // Texts, numbers, flags and lists of texts look the same in TOML as in JSON.
            let shown = if value.is_null() { "\"\"".to_owned() } else { value.to_string() };
            writeln!(text, "{key} = {shown} # {}", self.origin(&full(key)))?;
        }
        for (key, section) in sections {
            if let Value::Object(section) = section {
                self.show_section(section, &full(key), text)?;
            }
        }
        Ok(())
    }
}
