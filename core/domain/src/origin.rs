//! Where a purchase comes from: the door, and the program behind it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    order::Source,
    refusal::{FieldErrors, Refusal},
    text,
};

/// Longest address of a profile or a webhook, in characters.
pub const URL_MAX: usize = 2_048;
/// Most attribution entries, and the longest name and value, in characters.
const ATTRIBUTION_MAX: (usize, usize, usize) = (50, 100, 500);

/// What a program said about itself when it opened a checkout. The order keeps it for good.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The door that the checkout was opened through.
    pub source: Source,
    /// The address of the profile by which the program introduced itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The protocol and version that it spoke, such as `ucp/2026-08-25`. News of the order are written in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Where it wants to hear of the order. It may hold a secret of the receiver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_url: Option<String>,
    /// Which campaign or link led here, as the program said. It changes nothing of the purchase.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attribution: BTreeMap<String, String>,
}

impl Origin {
    /// The origin of what a program began, where nothing more is known of it.
    pub fn of_agent(source: Source, agent: Option<String>) -> Self {
        Self { source, agent, ..Self::default() }
    }

    /// Checks lengths, and that nothing looks like a card number.
    pub fn checked(self) -> Result<Self, Refusal> {
        let mut errors = FieldErrors::default();
        let mut line = |pointer, value: Option<&String>, max| {
            if let Some(value) = value {
                errors.take(text::line(pointer, value, max));
                let is_bare = value.trim() == value;
                errors.check(is_bare, pointer, "must not begin or end with white space");
            }
        };
        line("/agent", self.agent.as_ref(), URL_MAX);
        line("/protocol", self.protocol.as_ref(), 100);
        line("/webhook_url", self.webhook_url.as_ref(), URL_MAX);
        let (entries, name_max, value_max) = ATTRIBUTION_MAX;
        errors.check(
            self.attribution.len() <= entries,
            "/attribution",
            format!("must not have more than {entries} entries"),
        );
        for (name, value) in self.attribution.iter().take(entries) {
            let pointer = format!("/attribution/{}", escape(name));
            errors.take(text::line("/attribution", name, name_max));
            errors.take(text::optional_line(&pointer, value, value_max));
            if text::looks_like_card_number(value) || text::looks_like_card_number(name) {
                errors.take::<()>(Err(Refusal::card_number("/attribution")));
            }
        }
        errors.finish()?;
        Ok(self)
    }
}

/// A name as it stands in a JSON pointer (RFC 6901 §3), cut where it is too long to be repeated.
pub(crate) fn escape(name: &str) -> String {
    let short: String = name.chars().take(100).filter(|c| !c.is_control()).collect();
    short.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    fn origin() -> Origin {
        Origin {
            agent: Some("https://agent.example/profile.json".into()),
            protocol: Some("ucp/2026-08-25".into()),
            webhook_url: Some("https://agent.example/news".into()),
            attribution: BTreeMap::from([("utm_source".into(), "chat".into())]),
            ..Origin::default()
        }
    }

    #[test]
    fn what_a_program_says_of_itself_has_limits() {
        assert_eq!(origin().checked(), Ok(origin()));
        let long = Origin { agent: Some("x".repeat(URL_MAX + 1)), ..origin() };
        let broken = Origin { protocol: Some(" ucp".into()), ..origin() };
        let blank = Origin { webhook_url: Some(" ".into()), ..origin() };
        let many = (0..51).map(|n| (format!("k{n}"), String::new())).collect();
        let many = Origin { attribution: many, ..origin() };
        let wide = BTreeMap::from([("k".to_owned(), "x".repeat(501))]);
        let wide = Origin { attribution: wide, ..origin() };
        for (wrong, pointer) in [
            (long, "/agent"),
            (broken, "/protocol"),
            (blank, "/webhook_url"),
            (many, "/attribution"),
            (wide, "/attribution/k"),
        ] {
            let refusal = wrong.checked().expect_err(pointer);
            assert_eq!(refusal.details.errors[0].pointer, pointer);
        }
    }

    #[test]
    fn a_card_number_is_refused_in_attribution() {
        for (name, value) in [("note", "4242 4242 4242 4242"), ("4242424242424242", "x")] {
            let attribution = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            let refusal = Origin { attribution, ..origin() }.checked().expect_err("a card number");
            assert_eq!(refusal.code, Code::CardNumberRefused);
            let said = format!("{refusal:?}");
            assert!(!said.contains("4242"), "it is not repeated");
        }
    }

    #[test]
    fn an_old_row_without_an_origin_can_be_read() {
        let read: Origin = serde_json::from_str(r#"{"source": "ucp"}"#).expect("the least");
        assert_eq!(read, Origin { source: Source::Ucp, ..Origin::default() });
    }
}
