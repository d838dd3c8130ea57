//! Documents that staff read, change and send back: merge patches (RFC 7396), and members that only answers have.

use handel_domain::{Code, Refusal};
use handel_engine::Error;
use handel_kit::from_value;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::IgnoredAny};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A change in the form of RFC 7396: members that are named take the value that is sent, `null` removes one, what is
/// not named stays. Lists are replaced as a whole.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub(crate) struct MergePatch(Map<String, Value>);

impl MergePatch {
    /// Applies it to what an answer shows, and reads the result as a body.
    pub(super) fn apply<B: DeserializeOwned>(&self, shown: impl Serialize) -> Result<B, Refusal> {
        let mut document = shown_as_json(shown)?;
        merge(&mut document, &self.0);
        from_value(document)
    }

    /// Puts the members that are named in the place of those that an answer shows, each as a whole.
    pub(super) fn lay_over<B: DeserializeOwned>(
        &self,
        shown: impl Serialize,
    ) -> Result<B, Refusal> {
        let mut document = shown_as_json(shown)?;
        if let Value::Object(members) = &mut document {
            members.extend(self.0.clone());
        }
        from_value(document)
    }

    /// The change of one member, for documents that are shown below it; everything where the member is absent.
    pub(super) fn unwrapped(mut self, member: &str) -> Self {
        match self.0.remove(member) {
            Some(Value::Object(inner)) => Self(inner),
            Some(other) => Self(Map::from_iter([(member.to_owned(), other)])),
            None => self,
        }
    }
}

fn shown_as_json(shown: impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(shown).map_err(|_| Refusal::field("", "cannot be changed in part"))
}

/// RFC 7396, section 2.
fn merge(target: &mut Value, patch: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, change) in patch {
        match change {
            Value::Null => {
                members.remove(name);
            }
            Value::Object(inner) => {
                merge(members.entry(name.as_str()).or_insert(Value::Null), inner);
            }
            other => {
                members.insert(name.clone(), other.clone());
            }
        }
    }
}

/// Changes what was read a moment ago: the version that was read, or the one that the caller named, must still be there.
/// Where the caller named none, a change that came too late is tried again on what is there then.
pub(super) struct Attempts {
    expected: Option<i64>,
    left: u32,
}

impl Attempts {
    /// How often it is tried before too many others were faster.
    const MAX: u32 = 5;

    pub(super) fn new(expected: Option<i64>) -> Self {
        Self { expected, left: Self::MAX }
    }

    /// The version that a change of what was read is meant for.
    pub(super) fn version(&self, read: i64) -> Option<i64> {
        Some(self.expected.unwrap_or(read))
    }

    /// Whether to read and change again after this.
    pub(super) fn again(&mut self, error: &Error) -> bool {
        self.left = self.left.saturating_sub(1);
        self.expected.is_none() && self.left > 0 && error.code() == Code::VersionConflict
    }
}

/// Refuses a document that was made for something else; `expected` is none where something is made.
pub(super) fn check_id<I: PartialEq>(sent: Option<I>, expected: Option<I>) -> Result<(), Refusal> {
    match (sent, expected) {
        (None, _) => Ok(()),
        (Some(sent), Some(expected)) if sent == expected => Ok(()),
        (Some(_), Some(_)) => Err(Refusal::field("/id", "is not the one in the address")),
        (Some(_), None) => Err(Refusal::field("/id", "is given by the shop; leave it out")),
    }
}

/// A member that the shop decides, so that what an answer shows can be sent back as it is. Its value does not count.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReadOnly;

impl<'de> Deserialize<'de> for ReadOnly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The examples of RFC 7396, appendix A, whose patches are objects.
    #[test]
    fn a_merge_patch_does_what_the_standard_says() {
        for (original, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let patch: MergePatch = serde_json::from_value(patch).expect("an object");
            let merged: Value = patch.apply(&original).expect("JSON");
            assert_eq!(merged, result, "{original}");
        }
    }

    #[test]
    fn members_that_are_not_named_stay_whole() {
        let shown = json!({"tax": {"rates": [1]}, "name": "A"});
        let patch: MergePatch = serde_json::from_value(json!({"tax": {}, "x": 1})).expect("one");
        let laid: Value = patch.lay_over(shown).expect("JSON");
        assert_eq!(laid, json!({"tax": {}, "name": "A", "x": 1}));
    }

    #[test]
    fn a_document_may_be_sent_below_the_member_that_shows_it() {
        let read = |value: Value| serde_json::from_value::<MergePatch>(value).expect("an object");
        let inner = read(json!({"id": "x", "settings": {"name": "A"}})).unwrapped("settings");
        assert_eq!(Value::Object(inner.0), json!({"name": "A"}));
        assert_eq!(
            Value::Object(read(json!({"name": "A"})).unwrapped("settings").0),
            json!({"name": "A"})
        );
    }
}
