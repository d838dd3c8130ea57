//! What a buyer consents to: a decision for each purpose, with parts (UCP 2026-08-25, `buyer_consent.json`).

use std::collections::BTreeMap;

use handel_domain::checkout::Buyer;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    TransportError,
    neutral::{consent::PURPOSES, request::WantedConsent},
    wire::request,
};

#[derive(Deserialize)]
struct PurposeBody {
    granted: bool,
    source: Source,
    segments: Option<BTreeMap<String, Value>>,
}

#[derive(Deserialize)]
struct SegmentBody {
    granted: bool,
    source: Source,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    /// What the shop assumes, sent back as it was.
    Business,
    /// What the buyer said.
    Platform,
}

/// Reads decisions. Purposes that the shop did not ask about are passed over, and so is what the program only sent
/// back.
pub(super) fn read(value: &Value) -> Result<BTreeMap<String, WantedConsent>, TransportError> {
    let purposes = value.as_object();
    let purposes =
        purposes.ok_or_else(|| TransportError::malformed("consent must be an object"))?;
    let mut wanted = BTreeMap::new();
    for purpose in &PURPOSES {
        let Some(value) = purposes.get(purpose.name) else { continue };
        let body: PurposeBody = request::read(value)?;
        let mut segments = BTreeMap::new();
        let mut is_decided = body.source == Source::Platform;
        for (name, _) in purpose.segments {
            let Some(value) = body.segments.as_ref().and_then(|segments| segments.get(*name))
            else {
                continue;
            };
            let segment: SegmentBody = request::read(value)?;
            if segment.source == Source::Platform {
                segments.insert((*name).to_owned(), segment.granted);
                is_decided = true;
            }
        }
        if is_decided {
            let granted = body.granted && body.source == Source::Platform;
            wanted.insert(purpose.name.to_owned(), WantedConsent { granted, segments });
        }
    }
    Ok(wanted)
}

/// Writes every purpose that the shop asks about, with the buyer's decision where there is one.
pub(super) fn write(buyer: &Buyer) -> Value {
    let decision = |granted: Option<bool>, description: &str| {
        let source = if granted.is_some() { "platform" } else { "business" };
        json!({
            "granted": granted.unwrap_or(false), "source": source, "description": description,
        })
    };
    let purposes = PURPOSES.iter().map(|purpose| {
        let decided = buyer.consents.get(purpose.name);
        let mut value = decision(decided.map(|consent| consent.granted), purpose.description);
        let segments = purpose.segments.iter().map(|(name, description)| {
            let granted = decided.and_then(|consent| consent.segments.get(*name)).copied();
            ((*name).to_owned(), decision(granted, description))
        });
        let segments: Map<String, Value> = segments.collect();
        if !segments.is_empty() {
            value["segments"] = Value::Object(segments);
        }
        (purpose.name.to_owned(), value)
    });
    Value::Object(purposes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKETING: &str = "dev.ucp.consent.marketing";

    #[test]
    fn only_what_buyers_decided_counts() {
        let read = |value: Value| read(&value).expect("the right shape");
        let echoed =
            json!({ MARKETING: { "granted": true, "source": "business", "segments": {} } });
        assert!(read(echoed).is_empty(), "the shop's own assumption, sent back");
        let unknown = json!({ "com.example.tracking": { "granted": true, "source": "platform" } });
        assert!(read(unknown).is_empty(), "nobody asked");
        let email = format!("{MARKETING}.email");
        let decided =
            read(json!({ MARKETING: { "granted": false, "source": "platform", "segments": {
            &email: { "granted": true, "source": "platform" },
            "com.example.pigeon": { "granted": true, "source": "platform" },
        } } }));
        let expected = WantedConsent { granted: false, segments: BTreeMap::from([(email, true)]) };
        assert_eq!(decided, BTreeMap::from([(MARKETING.to_owned(), expected)]));
    }

    #[test]
    fn half_decisions_are_refused() {
        for wrong in
            [json!([]), json!({ MARKETING: true }), json!({ MARKETING: { "granted": true } })]
        {
            assert_eq!(read(&wrong).expect_err("the wrong shape").status, 400);
        }
    }
}
