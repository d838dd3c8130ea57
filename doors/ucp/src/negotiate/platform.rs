//! Profiles of programs.

use std::collections::HashMap;

use serde_json::Value;

use crate::{TransportError, operation::ORDER};

/// What a program published about itself.
#[derive(Clone, Debug)]
pub(crate) struct Platform {
    /// Where.
    pub(crate) url: String,
    /// The version that it is written in.
    pub(crate) version: String,
    /// Versions of capabilities by name.
    pub(crate) capabilities: HashMap<String, Vec<String>>,
    /// Where it wants to hear of orders.
    pub(crate) webhook_url: Option<String>,
    /// Its keys as it published them.
    pub(crate) keys: Value,
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
        let mut capabilities = HashMap::new();
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
                let own = entries.iter().take(CAPABILITIES_MAX).filter(|entry| {
                    let declared = entry.get("version").and_then(Value::as_str);
                    !name.starts_with("dev.ucp.") || declared == Some(version)
                });
                let own: Vec<_> = own.collect();
                if name == ORDER {
                    webhook_url = own.iter().find_map(|entry| webhook(entry));
                }
                let versions = own.iter().filter_map(|entry| entry.get("version")?.as_str());
                capabilities.insert(name.clone(), versions.map(str::to_owned).collect());
            }
        }
        let keys = profile.get("keys").or_else(|| profile.get("signing_keys"));
        Ok(Self {
            url: url.to_owned(),
            version: version.to_owned(),
            capabilities,
            webhook_url,
            keys: keys.cloned().unwrap_or_default(),
        })
    }
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
                "com.example.own": [{"version": "2020-01-01"}]}}, "keys": [{"kid": "1"}]}"#,
        )
        .expect("a profile");
        assert_eq!(profile.version, "2026-08-25");
        assert_eq!(profile.capabilities["dev.ucp.shopping.order"], ["2026-08-25"]);
        assert_eq!(profile.webhook_url.as_deref(), Some("https://agent.example/news"));
        assert_eq!(profile.keys[0]["kid"], "1");
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
