//! SKUs for variants that come without one.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use handel_domain::text::{self, Sku, Slug};

/// Longest SKU, in characters.
const SKU_MAX: usize = 64;

/// What was seen in a file: a fingerprint of each text, so that large files fit into memory.
#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<u64>);

impl Seen {
    /// Notes a text; `false` if it was seen before.
    pub(super) fn note(&mut self, text: &str) -> bool {
        self.0.insert(fingerprint(text))
    }

    pub(super) fn contains(&self, text: &str) -> bool {
        self.0.contains(&fingerprint(text))
    }
}

/// `DefaultHasher::new` has fixed keys; its outcome is never stored.
fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// The SKU of a variant that has none, such as `CLASSIC-VARSITY-TOP-SMALL`.
///
/// It depends on the handle and the values alone, so an import of the same product finds the same
/// variants again. `None` where the values cannot be told apart this way or the text is too long;
/// [`distinct`] is for those.
pub(super) fn plain(handle: &Slug, values: &[String]) -> Option<Sku> {
    let mut text = handle.as_str().to_uppercase();
    for value in values {
        let part = text::slugify(value).to_uppercase();
        if part.is_empty() {
            return None;
        }
        text.push('-');
        text.push_str(&part);
    }
    if text.len() > SKU_MAX { None } else { text.parse().ok() }
}

/// The SKU of a variant whose [`plain`] one does not serve: shortened, with a hash of all its values.
pub(super) fn distinct(handle: &Slug, values: &[String]) -> Sku {
    let parts: Vec<_> = values.iter().map(|value| text::slugify(value).to_uppercase()).collect();
    let mut text = handle.as_str().to_uppercase();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        text.push('-');
        text.push_str(part);
    }
    let hash = format!("{:08X}", hash(handle, values));
    text.truncate(SKU_MAX - hash.len() - 1);
    let text = format!("{}-{hash}", text.trim_end_matches('-'));
    text.parse().expect("ASCII letters, digits and hyphens within the limit")
}

/// FNV-1a folded to 32 bits: the same in every version of the program, unlike the hashers of `std`.
fn hash(handle: &Slug, values: &[String]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for text in [handle.as_str()].into_iter().chain(values.iter().map(String::as_str)) {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    (hash >> 32) ^ (hash & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug(text: &str) -> Slug {
        text.parse().expect("a slug")
    }

    fn values(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    #[test]
    fn a_sku_is_made_of_handle_and_values() {
        let sku =
            |handle, of: &[&str]| plain(&slug(handle), &values(of)).map(|sku| sku.to_string());
        assert_eq!(sku("ocean-blue-shirt", &[]).as_deref(), Some("OCEAN-BLUE-SHIRT"));
        assert_eq!(
            sku("classic-varsity-top", &["Small"]).as_deref(),
            Some("CLASSIC-VARSITY-TOP-SMALL")
        );
        assert_eq!(sku("mug", &["Dark Blue", "12 oz."]).as_deref(), Some("MUG-DARK-BLUE-12-OZ"));
        assert_eq!(sku("mug", &["赤"]), None);
        assert_eq!(sku(&"long".repeat(20), &[]), None);
    }

    #[test]
    fn long_and_foreign_values_are_told_apart_and_stay_the_same() {
        let long = slug(&"very-long-handle".repeat(6));
        let [small, large] = ["S", "L"].map(|value| distinct(&long, &values(&[value])));
        assert_ne!(small, large);
        assert_eq!(small.as_str().len(), SKU_MAX);
        let [red, blue] = ["赤", "青"].map(|value| distinct(&slug("mug"), &values(&[value])));
        assert_ne!(red, blue);
        // The text is a promise: a change would give every re-imported variant a new identity.
        assert_eq!(red.as_str(), "MUG-20F7F2F1");
    }
}
