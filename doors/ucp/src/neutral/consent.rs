//! What a buyer may be asked to agree to.

use std::collections::BTreeMap;

use handel_domain::checkout::Consent;

use super::request::WantedConsent;

/// A purpose that the shop asks about.
pub(crate) struct Purpose {
    /// The name in the protocol.
    pub(crate) name: &'static str,
    /// What the buyer reads.
    pub(crate) description: &'static str,
    /// Parts that can be decided on their own, with what the buyer reads.
    pub(crate) segments: &'static [(&'static str, &'static str)],
}

/// Every purpose that the shop asks about. Nothing is granted until a buyer says so.
pub(crate) const PURPOSES: [Purpose; 4] = [
    Purpose {
        name: "dev.ucp.consent.analytics",
        description: "The shop may measure how it is used",
        segments: &[],
    },
    Purpose {
        name: "dev.ucp.consent.marketing",
        description: "The shop may send offers and news",
        segments: &[("dev.ucp.consent.marketing.email", "The shop may send offers by e-mail")],
    },
    Purpose {
        name: "dev.ucp.consent.preferences",
        description: "The shop may remember what the buyer likes",
        segments: &[],
    },
    Purpose {
        name: "dev.ucp.consent.sale_or_sharing",
        description: "The shop may sell or share data about the buyer",
        segments: &[],
    },
];

/// What is kept of the decisions that a buyer made now: those about purposes that the shop asks about. Earlier ones
/// are not for a request to repeat: they may have been withdrawn meanwhile.
pub(crate) fn decided(
    wanted: Option<&BTreeMap<String, WantedConsent>>,
) -> BTreeMap<String, Consent> {
    let mut decided = BTreeMap::new();
    for purpose in &PURPOSES {
        let Some(consent) = wanted.and_then(|wanted| wanted.get(purpose.name)) else { continue };
        let known = purpose
            .segments
            .iter()
            .filter_map(|(name, _)| Some(((*name).to_owned(), *consent.segments.get(*name)?)));
        decided.insert(
            purpose.name.to_owned(),
            Consent { granted: consent.granted, segments: known.collect() },
        );
    }
    decided
}
