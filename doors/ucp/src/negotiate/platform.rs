//! Profiles of programs.

use handel_signatures::KeySet;
use serde_json::Value;

use crate::{TransportError, Version, operation::ORDER};

/// What a program published about itself.
#[derive(Clone, Debug)]
pub(crate) struct Platform {
    /// Where.
    pub(crate) url: String,
    /// The version that it is written in.
    pub(crate) version: String,
    /// The capabilities that it has in this version and the shop knows.
    pub(crate) capabilities: Vec<&'static str>,
    /// Where it wants to hear of orders.
    pub(crate) webhook_url: Option<String>,
    /// Its keys.
    pub(crate) keys: KeySet,
}

/// Most capabilities that are read, and most versions of one.
const CAPABILITIES_MAX: usize = 500;

impl Platform {
    /// Reads a profile. Members that nobody knows are passed over.
    pub(crate) fn read(url: &str, body: &[u8]) -> Result<Self, TransportError> {
        let malformed = |what: &str| {
            TransportError::new(422, "profile_malformed", format!("your profile {what}"))
        };
        let profile: Value =
            serde_json::from_slice(body).map_err(|_| malformed("is not valid JSON"))?;
        let ucp = profile.get("ucp").and_then(Value::as_object);
        let ucp = ucp.ok_or_else(|| malformed("has no object `ucp`"))?;
        let version = ucp.get("version").and_then(Value::as_str);
        let version = version.filter(|version| is_date(version));
        let version = version.ok_or_else(|| malformed("has no `ucp.version` like 2026-08-25"))?;
        let mut capabilities = Vec::new();
        let mut webhook_url = None;
        if let Some(declared) = ucp.get("capabilities") {
            let declared = declared
                .as_object()
                .ok_or_else(|| malformed("has capabilities that are no object"))?;
            for (name, entries) in declared.iter().take(CAPABILITIES_MAX) {
                let entries = entries
                    .as_array()
                    .ok_or_else(|| malformed("has a capability whose declarations are no array"))?;
                // An entry of another version than the profile is as if it were not there.
                let mut own = entries
                    .iter()
                    .take(CAPABILITIES_MAX)
                    .filter(|entry| entry.get("version").and_then(Value::as_str) == Some(version));
                if name == ORDER {
                    webhook_url = own.clone().find_map(webhook);
                }
                capabilities.extend(known(name).filter(|_| own.next().is_some()));
            }
        }
        let keys = profile.get("keys").or_else(|| profile.get("signing_keys"));
        Ok(Self {
            url: url.to_owned(),
            version: version.to_owned(),
            capabilities,
            webhook_url,
            keys: keys.map(KeySet::read).unwrap_or_default(),
        })
    }
}

/// A capability of the shop by its name.
fn known(name: &str) -> Option<&'static str> {
    let all = Version::ALL.into_iter().flat_map(|version| version.codec().capabilities());
    all.map(|capability| capability.name).find(|known| *known == name)
}

fn webhook(entry: &Value) -> Option<String> {
    let url = entry.get("config")?.get("webhook_url")?.as_str()?;
    (!url.trim().is_empty()).then(|| url.to_owned())
}

fn is_date(text: &str) -> bool {
    let shape = b"9999-99-99";
    text.len() == shape.len()
        && text.bytes().zip(shape).all(|(byte, shape)| match shape {
            b'9' => byte.is_ascii_digit(),
            other => byte == *other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(profile: &str) -> Result<Platform, TransportError> {
        Platform::read("https://agent.example/p", profile.as_bytes())
    }

    #[test]
    fn profiles_are_read_and_what_is_unknown_is_passed_over() {
        let profile = read(
            r#"{"ucp": {"version": "2026-08-25", "x": 1, "capabilities": {
                "dev.ucp.shopping.order": [
                    {"version": "2026-01-11", "config": {"webhook_url": "https://old.example"}},
                    {"version": "2026-08-25", "config": {"webhook_url": "https://agent.example/news"}}],
                "com.example.own": [{"version": "2020-01-01"}]}}, "keys": [{"kid": "1", "kty": "EC"}]}"#,
        )
        .expect("a profile");
        assert_eq!(profile.version, "2026-08-25");
        assert_eq!(profile.capabilities, ["dev.ucp.shopping.order"]);
        assert_eq!(profile.webhook_url.as_deref(), Some("https://agent.example/news"));
        assert_eq!(profile.keys.keys()[0].kid.as_deref(), Some("1"));
    }

    #[test]
    fn of_junk_little_is_kept() {
        let junk: Vec<_> =
            (0..10_000).map(|at| format!(r#"{{"kty":"x","n":[{at},[],{{}}]}}"#)).collect();
        let profile = read(&format!(
            r#"{{"ucp": {{"version": "2026-08-25", "capabilities": {{"com.example.own": [{{"version": "1"}}]}}}},
                "keys": [{}]}}"#,
            junk.join(",")
        ))
        .expect("a profile");
        assert_eq!(profile.keys.keys().len(), 64);
        assert!(profile.capabilities.is_empty(), "the shop does not have them");
    }

    #[test]
    fn what_is_no_profile_is_refused() {
        for bad in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"ucp": 1}"#,
            r#"{"ucp": {}}"#,
            r#"{"ucp": {"version": "draft"}}"#,
            r#"{"ucp": {"version": 20260825}}"#,
            r#"{"ucp": {"version": "2026-08-25", "capabilities": []}}"#,
            r#"{"ucp": {"version": "2026-08-25", "capabilities": {"a.b": {}}}}"#,
        ] {
            let error = read(bad).expect_err(bad);
            assert_eq!((error.status, error.code), (422, "profile_malformed"), "{bad}");
        }
    }
}
