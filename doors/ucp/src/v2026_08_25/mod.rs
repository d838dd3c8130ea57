//! UCP 2026-08-25.

mod consent;

use handel_domain::{address::Address, checkout::Buyer};
use serde_json::Value;

use crate::{
    Version,
    codec::{Capability, Codec, Facts},
    neutral::policy::Policy,
    operation::{CART, CHECKOUT, CONSENT, DISCOUNT, FULFILLMENT, LOOKUP, ORDER, SEARCH},
    wire::{
        Object,
        profile::{self, Shape},
        request::ReadConsents,
        resource,
    },
};

/// The version.
pub(crate) struct V2026_08_25;

const CAPABILITIES: [Capability; 8] = [
    Capability::root(
        CHECKOUT,
        "schemas/shopping/checkout.json",
        "specification/shopping/checkout/",
    ),
    Capability::root(CART, "schemas/shopping/cart.json", "specification/shopping/cart/"),
    Capability::root(
        SEARCH,
        "schemas/shopping/catalog_search.json",
        "specification/shopping/catalog/search/",
    ),
    Capability::root(
        LOOKUP,
        "schemas/shopping/catalog_lookup.json",
        "specification/shopping/catalog/lookup/",
    ),
    Capability::root(ORDER, "schemas/shopping/order.json", "specification/shopping/order/"),
    Capability::extension(
        DISCOUNT,
        &[CHECKOUT, CART],
        "schemas/shopping/discount.json",
        "specification/shopping/extensions/discount/",
    ),
    Capability::extension(
        FULFILLMENT,
        &[CHECKOUT],
        "schemas/shopping/fulfillment.json",
        "specification/shopping/extensions/fulfillment/",
    ),
    Capability::extension(
        CONSENT,
        &[CHECKOUT, CART],
        "schemas/shopping/buyer_consent.json",
        "specification/shopping/extensions/buyer-consent/",
    ),
];

const SHAPE: Shape = Shape {
    version: Version::V2026_08_25,
    capabilities: &CAPABILITIES,
    rest: "services/shopping/rest.openapi.json",
    mcp: "services/shopping/mcp.openrpc.json",
    spec: "specification/overview/",
};

impl Codec for V2026_08_25 {
    fn shape(&self) -> &'static Shape {
        &SHAPE
    }

    fn profile(&self, facts: &Facts<'_>) -> Value {
        let ucp =
            profile::ucp(&SHAPE, facts).with_some("supported_versions", profile::others(facts));
        Object::new().with("ucp", ucp).with("keys", facts.keys.clone()).into()
    }

    fn read_consents(&self) -> ReadConsents {
        consent::read
    }

    fn consents(&self, buyer: &Buyer) -> Value {
        consent::write(buyer)
    }

    fn destination(&self, id: &str, address: &Address) -> Value {
        resource::address(address).with("id", id).with("type", "shipping_address").into()
    }

    fn policies(&self, policies: &[Policy]) -> Vec<Value> {
        resource::policies(policies)
    }
}
