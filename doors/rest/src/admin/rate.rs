//! Rates in percent, as staff write them.

use handel_domain::{Refusal, tax::Rate};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A rate in percent: a text with at most four decimals, or a whole number. Fractions are text, because a JSON number
/// with decimals is not exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Percent(Rate);

/// What a rate must be.
const EXPECTED: &str =
    "must be a rate in percent from 0 to 100, as text such as \"7.25\", with at most four decimals";

/// Reads a rate that is sent in one of two units; `pointer` names the document that it stands in.
pub(super) fn read(
    pointer: &str,
    percent: Option<Percent>,
    millionths: Option<u32>,
) -> Result<Rate, Refusal> {
    match (percent, millionths) {
        (Some(Percent(rate)), None) => Ok(rate),
        (None, Some(millionths)) => Rate::from_millionths(millionths).ok_or_else(|| {
            let message = "must not be above 1000000 (100 %)";
            Refusal::field(format!("{pointer}/rate_millionths"), message)
        }),
        (None, None) => Err(Refusal::field(format!("{pointer}/rate_percent"), "is needed")),
        (Some(_), Some(_)) => Err(Refusal::field(
            format!("{pointer}/rate_millionths"),
            "cannot stand beside rate_percent; send one of them",
        )),
    }
}

impl From<Rate> for Percent {
    fn from(rate: Rate) -> Self {
        Self(rate)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.percent())
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Whole(u32),
        }
        let written =
            Written::deserialize(deserializer).map_err(|_| de::Error::custom(EXPECTED))?;
        let text = match written {
            Written::Text(text) => text,
            Written::Whole(whole) => whole.to_string(),
        };
        Rate::from_percent(&text).map(Self).ok_or_else(|| de::Error::custom(EXPECTED))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rate_is_text_or_a_whole_number_and_never_a_float() {
        let read = |value| serde_json::from_value::<Percent>(value);
        for (sent, shown) in [(json!("7.25"), "7.25"), (json!("19"), "19"), (json!(19), "19")] {
            let percent = read(sent).expect("a rate");
            assert_eq!(serde_json::to_value(percent).expect("JSON"), json!(shown));
        }
        for wrong in [json!(7.25), json!("7,25"), json!("19 %"), json!(101), json!(-1), json!(null)]
        {
            let error = read(wrong.clone()).expect_err("no rate").to_string();
            assert!(error.starts_with(EXPECTED), "{wrong}: {error}");
        }
    }

    #[test]
    fn one_unit_is_sent() {
        let nineteen = Rate::from_millionths(190_000).expect("19 %");
        assert_eq!(super::read("", Some(nineteen.into()), None), Ok(nineteen));
        assert_eq!(super::read("", None, Some(190_000)), Ok(nineteen));
        for (percent, millionths, pointer) in [
            (None, None, "/a/rate_percent"),
            (None, Some(1_000_001), "/a/rate_millionths"),
            (Some(nineteen.into()), Some(190_000), "/a/rate_millionths"),
        ] {
            let refusal = super::read("/a", percent, millionths).expect_err("refused");
            assert_eq!(refusal.details.errors[0].pointer, pointer);
        }
    }
}
