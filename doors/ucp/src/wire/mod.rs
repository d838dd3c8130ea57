//! JSON that several versions of the protocol share. Each version puts it together in its own module.

pub(crate) mod catalog;
pub(crate) mod envelope;
pub(crate) mod flags;
pub(crate) mod order;
pub(crate) mod profile;
pub(crate) mod request;
pub(crate) mod resource;

use serde_json::{Map, Value};

/// An object that is put together member by member.
#[derive(Default)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves the member out where there is nothing to say.
    #[must_use]
    pub(crate) fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Leaves the member out where the list is empty.
    #[must_use]
    pub(crate) fn with_list(self, name: &str, list: Vec<Value>) -> Self {
        if list.is_empty() { self } else { self.with(name, list) }
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Value::Object(object.0)
    }
}
