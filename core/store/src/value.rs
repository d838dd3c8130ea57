//! Values of parameters, with their types, so that a null has one too.

use handel_domain::{
    Currency, Id,
    id::Kind,
    text::{Email, Sku, Slug},
};
use jiff::Timestamp;
use serde::Serialize;

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `boolean`.
    Bool(Option<bool>),
    /// `bigint`.
    Int(Option<i64>),
    /// `text`.
    Text(Option<String>),
    /// `jsonb`, as JSON text.
    Json(Option<String>),
    /// `timestamptz`, in whole microseconds.
    Time(Option<Timestamp>),
    /// `bytea`.
    Bytes(Option<Vec<u8>>),
    /// A list of texts, for `in list($n)`.
    List(Vec<String>),
}

impl Value {
    /// Whether both databases can store it. PostgreSQL has no U+0000, neither in a text nor in a JSON document.
    pub(crate) fn is_storable(&self) -> bool {
        let is_text = |text: &String| !text.contains('\0');
        match self {
            Self::Text(Some(text)) => is_text(text),
            Self::List(texts) => texts.iter().all(is_text),
            Self::Json(Some(json)) => !has_escaped_nul(json),
            Self::Text(None)
            | Self::Json(None)
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Time(_)
            | Self::Bytes(_) => true,
        }
    }
}

/// Whether a JSON text has the escape of U+0000, and not an escaped backslash before `u0000`.
fn has_escaped_nul(json: &str) -> bool {
    json.match_indices("\\u0000").any(|(at, _)| {
        let backslashes = json.as_bytes()[..at].iter().rev().take_while(|byte| **byte == b'\\');
        backslashes.count() % 2 == 0
    })
}

/// Marks a value that is stored as JSON. Only objects and arrays are.
pub struct Json<T>(pub T);

/// Makes the values of a statement's parameters.
///
/// ```
/// # use handel_store::{Value, values};
/// assert_eq!(values![1i64, "a"], vec![Value::from(1i64), Value::from("a")]);
/// ```
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::Value::from($value)),*] };
}

/// Declares how a Rust type becomes a value, alone and as an option.
macro_rules! value_from {
    ($($type:ty => $variant:ident, $convert:expr;)*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                let convert: fn($type) -> _ = $convert;
                Self::$variant(Some(convert(value)))
            }
        }

        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                let convert: fn($type) -> _ = $convert;
                Self::$variant(value.map(convert))
            }
        }
    )*};
}

value_from! {
    bool => Bool, |value| value;
    i64 => Int, |value| value;
    u32 => Int, i64::from;
    &str => Text, str::to_owned;
    String => Text, |value| value;
    &String => Text, String::clone;
    &Slug => Text, |slug| slug.as_str().to_owned();
    &Sku => Text, |sku| sku.as_str().to_owned();
    &Email => Text, |email| email.as_str().to_owned();
    Currency => Text, |currency| currency.code().to_owned();
    Timestamp => Time, |time| time;
    Vec<u8> => Bytes, |bytes| bytes;
}

impl<K: Kind> From<Id<K>> for Value {
    fn from(id: Id<K>) -> Self {
        Self::Text(Some(id.into()))
    }
}

impl<K: Kind> From<Option<Id<K>>> for Value {
    fn from(id: Option<Id<K>>) -> Self {
        Self::Text(id.map(String::from))
    }
}

impl<K: Kind> FromIterator<Id<K>> for Value {
    fn from_iter<I: IntoIterator<Item = Id<K>>>(ids: I) -> Self {
        Self::List(ids.into_iter().map(String::from).collect())
    }
}

impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Self::List(texts)
    }
}

impl<T: Serialize> From<Json<&T>> for Value {
    fn from(Json(value): Json<&T>) -> Self {
        Self::Json(Some(to_json(value)))
    }
}

impl<T: Serialize> From<Option<Json<&T>>> for Value {
    fn from(value: Option<Json<&T>>) -> Self {
        Self::Json(value.map(|Json(value)| to_json(value)))
    }
}

fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("stored documents have text keys and no failing parts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_found_in_every_kind_of_value() {
        let json = |text: &str| Value::from(Json(&vec![text.to_owned()]));
        for value in [Value::from("a\0"), vec!["a".to_owned(), "\0".to_owned()].into(), json("\0")]
        {
            assert!(!value.is_storable(), "{value:?}");
        }
        // Two backslashes and five characters are seven characters that can be stored.
        for text in ["", "u0000", "\\u0000", "\u{1}\u{fffd}"] {
            assert!(Value::from(text).is_storable() && json(text).is_storable(), "{text:?}");
        }
        assert!(!json("\\\0").is_storable());
    }
}
