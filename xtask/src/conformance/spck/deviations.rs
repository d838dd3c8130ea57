//! What the kit finds and the shop keeps, each with its reason. `docs/conformance.md` tells it to people.

/// The checks that deviate in a version, with the reasons.
pub(super) fn of(version: &str) -> Vec<(&'static str, &'static str)> {
    let of_version = ALL.iter().filter(|(versions, ..)| versions.contains(&version));
    of_version.map(|(_, check, why)| (*check, *why)).collect()
}

const EVERY: &[&str] = &["2026-08-25", "2026-04-08", "2026-01-23"];
const SINCE_APRIL: &[&str] = &["2026-08-25", "2026-04-08"];
const APRIL: &[&str] = &["2026-04-08"];
const JANUARY: &[&str] = &["2026-01-23"];

const ALL: [(&[&str], &str, &str); 12] = [
    (
        EVERY,
        "checkout.completed_immutable",
        "that a checkout is completed is an outcome of business: 200 with a message, and not the 4xx that the kit wants",
    ),
    (
        SINCE_APRIL,
        "catalog.search_requires_input",
        "an error of the transport has `code` and `content`; the kit looks for `messages`, `detail` or `error`",
    ),
    (
        SINCE_APRIL,
        "catalog.pagination_cursor_walk",
        "the schema has the cursor in `pagination`; the kit sends it beside, where nobody reads it",
    ),
    (
        APRIL,
        "discount.reflected_in_totals",
        "this shop splits discounts on the order over its lines, so they are `items_discount`; the kit wants `discount`",
    ),
    (
        APRIL,
        "discount.total_type_selection",
        "the same: no discount on goods is without allocations",
    ),
    (
        APRIL,
        "checkout.escalation_continue_url_https",
        "the shop under test has no TLS; a real one has a proxy with TLS in front",
    ),
    (
        APRIL,
        "checkout.unavailable_business_outcome",
        "what is sold out stays in the basket, with a message; the kit wants it to be gone",
    ),
    (
        JANUARY,
        "checkout.escalation_continue_url_https_01era",
        "the shop under test has no TLS; a real one has a proxy with TLS in front",
    ),
    (
        JANUARY,
        "discount.items_discount_invariant",
        "the kit adds up `discount` of the lines, a member that the schema does not have; theirs are in `totals`",
    ),
    (
        JANUARY,
        "validation.overstock_update_400",
        "too much is an outcome of business: 200 with a message in the checkout; the schemas fix no status",
    ),
    (JANUARY, "validation.payment_failure", "the same, where the kit wants 402"),
    (
        JANUARY,
        "validation.error_body",
        "the kit wants 400 and `detail`, as the reference server answers; here it is 409 with `code` and `content`",
    ),
];
