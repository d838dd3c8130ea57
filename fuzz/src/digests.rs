//! By what a repetition of a request is known.

use handel_kit::digest as digest_with;
use http::HeaderMap;
use serde_json::Value;

fn digest_of(data: &[u8]) -> String {
    digest_with(&HeaderMap::new(), data)
}

/// A body has the digest of its meaning: however it is written it is the same, and another value is another one.
pub(crate) fn digest(data: &[u8]) {
    let of_bytes = digest_of(data);
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return };
    let compact = serde_json::to_vec(&value).expect("a value can be written");
    let pretty = serde_json::to_vec_pretty(&value).expect("a value can be written");
    assert_eq!(of_bytes, digest_of(&compact), "{value}");
    assert_eq!(of_bytes, digest_of(&pretty), "{value}");
    let mut other = value.clone();
    if change(&mut other) {
        let other_bytes = serde_json::to_vec(&other).expect("a value can be written");
        assert_ne!(of_bytes, digest_of(&other_bytes), "{value} and {other}");
    }
}

/// Makes a value another one: its first number, text or flag. Whether there was any.
fn change(value: &mut Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => {
            *flag = !*flag;
            true
        }
        Value::Number(number) => {
            let Some(next) = number.as_i64().and_then(|number| number.checked_add(1)) else {
                return false;
            };
            *value = next.into();
            true
        }
        Value::String(text) => {
            text.push('x');
            true
        }
        Value::Array(items) => items.iter_mut().any(change),
        Value::Object(fields) => fields.values_mut().any(change),
    }
}
