//! What a shop promises and demands, with where it can be read.

use handel_domain::channel::Settings;

/// A text of the shop that a program shows as a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    /// The kind in the protocol, such as `privacy_policy`.
    pub(crate) kind: String,
    pub(crate) url: String,
    pub(crate) title: String,
}

/// A rule that holds for everything in a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    /// The kind in the protocol.
    pub(crate) kind: &'static str,
    /// What it says, in short.
    pub(crate) summary: String,
    pub(crate) url: String,
}

/// Longest summary, in characters.
const SUMMARY_MAX: usize = 500;
/// The name under which a shop publishes how goods are returned.
const RETURNS: &str = "refund-policy";

/// The links to every text of the shop.
pub(crate) fn links(settings: &Settings, public_url: &str) -> Vec<Link> {
    let policies = settings.policies.iter();
    policies
        .map(|policy| Link {
            kind: policy.kind.as_str().replace('-', "_"),
            url: format!("{public_url}/policies/{}", policy.kind),
            title: policy.title.clone(),
        })
        .collect()
}

/// The rules that hold for everything that the shop sells.
pub(crate) fn policies(settings: &Settings, public_url: &str) -> Vec<Policy> {
    let returns = settings.policies.iter().filter(|policy| policy.kind.as_str() == RETURNS);
    returns
        .map(|policy| {
            let text: String = policy.text.chars().take(SUMMARY_MAX).collect();
            Policy {
                kind: "dev.ucp.shopping.policy.return",
                summary: if text.trim().is_empty() { policy.title.clone() } else { text },
                url: format!("{public_url}/policies/{}", policy.kind),
            }
        })
        .collect()
}
