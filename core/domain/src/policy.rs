//! What a merchant promises and asks: privacy, terms, returns, shipping.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    refusal::FieldErrors,
    text::{self, Slug},
};

/// Most policies of a channel.
pub const POLICIES_MAX: usize = 20;
/// Longest text of a policy, in bytes.
pub const TEXT_MAX: usize = 100_000;

/// A policy of a channel, which shoppers read and programs link to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What it is about, such as `privacy-policy`, `terms-of-service`, `refund-policy`, `shipping-policy` or
    /// `faq`; unique within the channel.
    pub kind: Slug,
    /// What shoppers read first.
    pub title: String,
    /// The text: paragraphs with empty lines between.
    pub text: String,
}

/// Checks the policies of a channel, and trims them.
pub(crate) fn check(policies: &mut [Policy], errors: &mut FieldErrors) {
    errors.check(
        policies.len() <= POLICIES_MAX,
        "/policies",
        format!("must not be more than {POLICIES_MAX}"),
    );
    let mut kinds = BTreeSet::new();
    for (at, policy) in policies.iter_mut().enumerate() {
        let pointer = format!("/policies/{at}");
        let title = text::line(&format!("{pointer}/title"), &policy.title, text::NAME_MAX);
        policy.title = errors.take(title).unwrap_or_default();
        errors.check(
            policy.text.len() <= TEXT_MAX,
            format!("{pointer}/text"),
            format!("must not be longer than {TEXT_MAX} bytes"),
        );
        let body = text::block(&format!("{pointer}/text"), &policy.text, TEXT_MAX);
        policy.text = errors.take(body).unwrap_or_default();
        errors.check(
            kinds.insert(policy.kind.clone()),
            format!("{pointer}/kind"),
            "must be a kind of its own",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::settings;

    fn policy(kind: &str) -> Policy {
        Policy {
            kind: kind.parse().expect("a slug"),
            title: "Returns".into(),
            text: "Within 30 days.\n\nIn one piece.".into(),
        }
    }

    #[test]
    fn policies_have_limits() {
        let with = |policies: Vec<Policy>| {
            let mut settings = settings();
            settings.policies = policies;
            settings.checked()
        };
        assert!(with(vec![policy("refund-policy"), policy("faq")]).is_ok());
        let many = (0..21).map(|n| policy(&format!("p{n}"))).collect();
        let wrong = [
            (many, "/policies"),
            (vec![policy("faq"), policy("faq")], "/policies/1/kind"),
            (vec![Policy { title: " ".into(), ..policy("faq") }], "/policies/0/title"),
            (vec![Policy { title: "x".repeat(201), ..policy("faq") }], "/policies/0/title"),
            (vec![Policy { text: "ä".repeat(50_001), ..policy("faq") }], "/policies/0/text"),
            (vec![Policy { text: "\u{7}".into(), ..policy("faq") }], "/policies/0/text"),
        ];
        for (policies, pointer) in wrong {
            let refusal = with(policies).expect_err(pointer);
            assert_eq!(refusal.details.errors[0].pointer, pointer);
        }
    }
}
