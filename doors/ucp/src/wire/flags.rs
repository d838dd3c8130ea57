//! What a buyer consents to, in the words of the versions before 2026-08-25: four flags.

use std::collections::BTreeMap;

use handel_domain::checkout::Buyer;
use serde::Deserialize;
use serde_json::{Value, json};

use super::request;
use crate::{TransportError, neutral::request::WantedConsent};

/// Each flag with the purpose that it stands for today.
const FLAGS: [(&str, &str); 4] = [
    ("analytics", "dev.ucp.consent.analytics"),
    ("marketing", "dev.ucp.consent.marketing"),
    ("preferences", "dev.ucp.consent.preferences"),
    ("sale_of_data", "dev.ucp.consent.sale_or_sharing"),
];

#[derive(Deserialize)]
struct FlagsBody {
    analytics: Option<bool>,
    marketing: Option<bool>,
    preferences: Option<bool>,
    sale_of_data: Option<bool>,
}

/// Reads the flags that are there.
pub(crate) fn read(value: &Value) -> Result<BTreeMap<String, WantedConsent>, TransportError> {
    let body: FlagsBody = request::read(value)?;
    let granted = [body.analytics, body.marketing, body.preferences, body.sale_of_data];
    let decided = FLAGS.iter().zip(granted).filter_map(|((_, purpose), granted)| {
        let consent = WantedConsent { granted: granted?, ..WantedConsent::default() };
        Some(((*purpose).to_owned(), consent))
    });
    Ok(decided.collect())
}

/// Writes the flags that the buyer decided on.
pub(crate) fn write(buyer: &Buyer) -> Value {
    let flags = FLAGS.iter().filter_map(|(flag, purpose)| {
        Some(((*flag).to_owned(), json!(buyer.consents.get(*purpose)?.granted)))
    });
    Value::Object(flags.collect())
}
