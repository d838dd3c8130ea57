//! Typed attributes of products, by which shoppers filter.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::{refusal::Refusal, text};

/// A property of a product, such as `material: oak`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    /// The name that filters use: lowercase letters, digits and underscores.
    pub name: String,
    /// The value with its type.
    #[serde(flatten)]
    pub value: AttributeValue,
}

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum AttributeValue {
    /// Free text.
    Text(String),
    /// An exact number, written as a decimal string.
    Number(Decimal),
    /// Yes or no.
    Boolean(bool),
    /// One of a set of words.
    Choice(String),
    /// Several of a set of words.
    Choices(Vec<String>),
    /// A day.
    Date(Date),
}

impl Attribute {
    const VALUES_MAX: usize = 50;

    /// Checks what a merchant sent.
    pub fn checked(self, pointer: &str) -> Result<Self, Refusal> {
        let name_shaped = (1..=64).contains(&self.name.len())
            && self.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !name_shaped {
            return Err(Refusal::field(
                format!("{pointer}/name"),
                "must be 1 to 64 lowercase letters, digits and underscores",
            ));
        }
        let at = format!("{pointer}/value");
        let value = match self.value {
            AttributeValue::Text(text) => AttributeValue::Text(text::line(&at, &text, 500)?),
            AttributeValue::Choice(word) => AttributeValue::Choice(text::line(&at, &word, 100)?),
            AttributeValue::Choices(words) if words.len() > Self::VALUES_MAX => {
                return Err(Refusal::field(
                    at,
                    format!("must not have more than {} values", Self::VALUES_MAX),
                ));
            }
            AttributeValue::Choices(words) => AttributeValue::Choices(
                words.iter().map(|word| text::line(&at, word, 100)).collect::<Result<_, _>>()?,
            ),
            other => other,
        };
        Ok(Self { name: self.name, value })
    }

    /// The values as filters compare them: lowercase text, plain numbers, `true`, `2026-01-31`.
    pub fn filter_values(&self) -> Vec<String> {
        match &self.value {
            AttributeValue::Text(text) | AttributeValue::Choice(text) => vec![text.to_lowercase()],
            AttributeValue::Number(number) => vec![number.normalize().to_string()],
            AttributeValue::Boolean(flag) => vec![flag.to_string()],
            AttributeValue::Choices(words) => {
                words.iter().map(|word| word.to_lowercase()).collect()
            }
            AttributeValue::Date(day) => vec![day.to_string()],
        }
    }
}
