//! What both sides can do (UCP overview, "Negotiation Protocol").

use super::Platform;
use crate::{Version, codec::Capability};

/// The capabilities that both have in this version. An extension counts only where something that it extends
/// counts.
pub(super) fn active(version: Version, platform: &Platform) -> Vec<&'static str> {
    let own = version.codec().capabilities();
    let both = own.iter().filter(|capability| platform.capabilities.contains(&capability.name));
    prune(both.copied().collect())
}

/// Drops extensions of nothing, until nothing is left to be dropped.
fn prune(mut active: Vec<Capability>) -> Vec<&'static str> {
    loop {
        let names: Vec<_> = active.iter().map(|capability| capability.name).collect();
        let has_parent = |capability: &Capability| {
            capability.extends.is_empty()
                || capability.extends.iter().any(|parent| names.contains(parent))
        };
        let before = active.len();
        active.retain(has_parent);
        if active.len() == before {
            return names;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capability(name: &'static str, extends: &'static [&'static str]) -> Capability {
        Capability { name, extends, schema: "", spec: "" }
    }

    #[test]
    fn extensions_of_nothing_go_and_take_theirs_with_them() {
        let active = prune(vec![
            capability("cart", &[]),
            capability("discount", &["checkout", "cart"]),
            capability("fulfillment", &["checkout"]),
            capability("drones", &["fulfillment"]),
        ]);
        assert_eq!(active, ["cart", "discount"]);
    }
}
