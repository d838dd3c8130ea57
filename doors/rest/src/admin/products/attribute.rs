//! Typed properties of products, which are shown as they are sent.

use handel_domain::{
    Refusal,
    catalog::{Attribute, AttributeValue},
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A typed property, such as `{"type": "choice", "name": "material", "value": "oak"}`. Names are lowercase
/// letters, digits and underscores.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum AttributeBody {
    /// Free text.
    Text {
        /// The name that filters use.
        name: String,
        /// The text.
        value: String,
    },
    /// An exact number.
    Number {
        /// The name that filters use.
        name: String,
        /// The number as a decimal string.
        #[schema(example = "12.5")]
        value: String,
    },
    /// Yes or no.
    Boolean {
        /// The name that filters use.
        name: String,
        /// Which.
        value: bool,
    },
    /// One of a set of words.
    Choice {
        /// The name that filters use.
        name: String,
        /// The word.
        value: String,
    },
    /// Several of a set of words.
    Choices {
        /// The name that filters use.
        name: String,
        /// The words; at most 50.
        value: Vec<String>,
    },
    /// A day.
    Date {
        /// The name that filters use.
        name: String,
        /// The day, such as `2026-01-31`.
        #[schema(value_type = String, format = Date)]
        value: Date,
    },
}

impl AttributeBody {
    /// Understands the property; `at` is its place in the list.
    pub(super) fn read(self, at: usize) -> Result<Attribute, Refusal> {
        let (name, value) = match self {
            Self::Text { name, value } => (name, AttributeValue::Text(value)),
            Self::Number { name, value } => {
                let number = value.parse().map_err(|_| {
                    let pointer = format!("/attributes/{at}/value");
                    Refusal::field(
                        pointer,
                        "must be a decimal number in a string, such as \"12.5\"",
                    )
                })?;
                (name, AttributeValue::Number(number))
            }
            Self::Boolean { name, value } => (name, AttributeValue::Boolean(value)),
            Self::Choice { name, value } => (name, AttributeValue::Choice(value)),
            Self::Choices { name, value } => (name, AttributeValue::Choices(value)),
            Self::Date { name, value } => (name, AttributeValue::Date(value)),
        };
        Ok(Attribute { name, value })
    }
}

impl From<Attribute> for AttributeBody {
    fn from(Attribute { name, value }: Attribute) -> Self {
        match value {
            AttributeValue::Text(value) => Self::Text { name, value },
            AttributeValue::Number(number) => Self::Number { name, value: number.to_string() },
            AttributeValue::Boolean(value) => Self::Boolean { name, value },
            AttributeValue::Choice(value) => Self::Choice { name, value },
            AttributeValue::Choices(value) => Self::Choices { name, value },
            AttributeValue::Date(value) => Self::Date { name, value },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_attribute_is_read_with_its_type_and_nothing_else() {
        let read = |value| serde_json::from_value::<AttributeBody>(value).map(|body| body.read(2));
        let width = read(json!({ "type": "number", "name": "width", "value": "12.50" }));
        assert!(width.is_ok_and(|width| width.is_ok()));
        let sloppy = read(json!({ "type": "number", "name": "width", "value": "12 cm" }));
        let refusal = sloppy.expect("the shape is right").expect_err("this is no number");
        assert_eq!(refusal.details.errors[0].pointer, "/attributes/2/value");
        assert!(read(json!({ "type": "text", "name": "a", "value": "b", "unit": "c" })).is_err());
    }
}
