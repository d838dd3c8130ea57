//! What a buyer reviewed before paying: the payment form carries a digest of each part of it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use handel_domain::{address::Address, checkout::Checkout};
use sha2::{Digest as _, Sha256};

use crate::words::ENGLISH;

/// As much of a digest as two contents will never share.
const DIGEST_BYTES: usize = 12;

/// A digest of each part of a checkout, in the order of the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Review([(&'static str, String); 5]);

impl Review {
    pub(super) fn of(checkout: &Checkout) -> Self {
        let buyer = &checkout.buyer;
        let email = buyer.email.as_ref().map(ToString::to_string);
        let method = buyer.shipping_method.as_ref().map(ToString::to_string);
        let lines = checkout.lines.iter().flat_map(|line| {
            let mut custom: Vec<_> = line.custom.iter().collect();
            custom.sort();
            let custom = custom.into_iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
            [line.variant_id.to_string(), line.quantity.to_string()].into_iter().chain(custom)
        });
        Self([
            (ENGLISH.part_email, digest(email)),
            (ENGLISH.part_address, digest(buyer.shipping_address.as_ref().map(written))),
            (ENGLISH.part_billing, digest(buyer.billing_address.as_ref().map(written))),
            (ENGLISH.part_method, digest(method)),
            (ENGLISH.part_items, digest(lines)),
        ])
    }

    /// What the form carries.
    pub(super) fn written(&self) -> String {
        self.0.iter().map(|(_, digest)| digest.as_str()).collect::<Vec<_>>().join(".")
    }

    /// What is another now than in the form, by its name. A form that carries nothing reviewed nothing.
    pub(super) fn changed_since(&self, form: &str) -> Vec<&'static str> {
        let seen: Vec<_> = form.split('.').collect();
        let parts = self.0.iter().enumerate();
        parts
            .filter(|(at, (_, digest))| seen.get(*at) != Some(&digest.as_str()))
            .map(|(_, (name, _))| *name)
            .collect()
    }
}

/// Every part of an address. No part has a line feed.
fn written(address: &Address) -> String {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        address.name.clone(),
        address.line1.clone(),
        optional(&address.line2),
        address.city.clone(),
        optional(&address.region),
        optional(&address.postal_code),
        address.country.to_string(),
        optional(&address.phone),
    ]
    .join("\n")
}

fn digest(parts: impl IntoIterator<Item = String>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(&hash.finalize()[..DIGEST_BYTES])
}
