//! UCP 2026-04-08: what the versions have in common.

use crate::{
    Version,
    codec::{Capability, Codec},
    operation::{CART, CHECKOUT, CONSENT, DISCOUNT, FULFILLMENT, LOOKUP, ORDER, SEARCH},
    wire::profile::Shape,
};

/// The version.
pub(crate) struct V2026_04_08;

const CAPABILITIES: [Capability; 8] = [
    Capability::root(CHECKOUT, "schemas/shopping/checkout.json", "specification/checkout/"),
    Capability::root(CART, "schemas/shopping/cart.json", "specification/cart/"),
    Capability::root(
        SEARCH,
        "schemas/shopping/catalog_search.json",
        "specification/catalog/search/",
    ),
    Capability::root(
        LOOKUP,
        "schemas/shopping/catalog_lookup.json",
        "specification/catalog/lookup/",
    ),
    Capability::root(ORDER, "schemas/shopping/order.json", "specification/order/"),
    Capability::extension(
        DISCOUNT,
        &[CHECKOUT, CART],
        "schemas/shopping/discount.json",
        "specification/discount/",
    ),
    Capability::extension(
        FULFILLMENT,
        &[CHECKOUT],
        "schemas/shopping/fulfillment.json",
        "specification/fulfillment/",
    ),
    Capability::extension(
        CONSENT,
        &[CHECKOUT],
        "schemas/shopping/buyer_consent.json",
        "specification/buyer-consent/",
    ),
];

const SHAPE: Shape = Shape {
    version: Version::V2026_04_08,
    capabilities: &CAPABILITIES,
    rest: "services/shopping/rest.openapi.json",
    mcp: "services/shopping/mcp.openrpc.json",
    spec: "specification/overview/",
};

impl Codec for V2026_04_08 {
    fn shape(&self) -> &'static Shape {
        &SHAPE
    }
}
