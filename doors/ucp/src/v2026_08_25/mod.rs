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
    root(CHECKOUT, "schemas/shopping/checkout.json", "specification/shopping/checkout/"),
    root(CART, "schemas/shopping/cart.json", "specification/shopping/cart/"),
    root(SEARCH, "schemas/shopping/catalog_search.json", "specification/shopping/catalog/search/"),
    root(LOOKUP, "schemas/shopping/catalog_lookup.json", "specification/shopping/catalog/lookup/"),
    root(ORDER, "schemas/shopping/order.json", "specification/shopping/order/"),
    Capability {
        name: DISCOUNT,
        extends: &[CHECKOUT, CART],
        schema: "schemas/shopping/discount.json",
        spec: "specification/shopping/extensions/discount/",
    },
    Capability {
        name: FULFILLMENT,
        extends: &[CHECKOUT],
        schema: "schemas/shopping/fulfillment.json",
        spec: "specification/shopping/extensions/fulfillment/",
    },
    Capability {
        name: CONSENT,
        extends: &[CHECKOUT, CART],
        schema: "schemas/shopping/buyer_consent.json",
        spec: "specification/shopping/extensions/buyer-consent/",
    },
];

const SHAPE: Shape = Shape {
    version: Version::V2026_08_25,
    capabilities: &CAPABILITIES,
    rest: "services/shopping/rest.openapi.json",
    mcp: "services/shopping/mcp.openrpc.json",
    spec: "specification/overview/",
};

const fn root(name: &'static str, schema: &'static str, spec: &'static str) -> Capability {
    Capability { name, extends: &[], schema, spec }
}

impl Codec for V2026_08_25 {
    fn version(&self) -> Version {
        Version::V2026_08_25
    }

    fn capabilities(&self) -> &'static [Capability] {
        &CAPABILITIES
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
