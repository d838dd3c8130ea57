//! UCP 2026-04-08: keys are in `signing_keys`, consents are flags, destinations have no type, and there is no place for
//! the rules of the shop.

use handel_domain::{address::Address, checkout::Buyer};
use serde_json::Value;

use crate::{
    Version,
    codec::{Capability, Codec, Facts},
    neutral::policy::Policy,
    operation::{CART, CHECKOUT, CONSENT, DISCOUNT, FULFILLMENT, LOOKUP, ORDER, SEARCH},
    wire::{
        Object, flags,
        profile::{self, Shape},
        request::ReadConsents,
        resource,
    },
};

/// The version.
pub(crate) struct V2026_04_08;

const CAPABILITIES: [Capability; 8] = [
    root(CHECKOUT, "schemas/shopping/checkout.json", "specification/checkout/"),
    root(CART, "schemas/shopping/cart.json", "specification/cart/"),
    root(SEARCH, "schemas/shopping/catalog_search.json", "specification/catalog/search/"),
    root(LOOKUP, "schemas/shopping/catalog_lookup.json", "specification/catalog/lookup/"),
    root(ORDER, "schemas/shopping/order.json", "specification/order/"),
    Capability {
        name: DISCOUNT,
        extends: &[CHECKOUT, CART],
        schema: "schemas/shopping/discount.json",
        spec: "specification/discount/",
    },
    Capability {
        name: FULFILLMENT,
        extends: &[CHECKOUT],
        schema: "schemas/shopping/fulfillment.json",
        spec: "specification/fulfillment/",
    },
    Capability {
        name: CONSENT,
        extends: &[CHECKOUT],
        schema: "schemas/shopping/buyer_consent.json",
        spec: "specification/buyer-consent/",
    },
];

const SHAPE: Shape = Shape {
    version: Version::V2026_04_08,
    capabilities: &CAPABILITIES,
    rest: "services/shopping/rest.openapi.json",
    mcp: "services/shopping/mcp.openrpc.json",
    spec: "specification/overview/",
};

const fn root(name: &'static str, schema: &'static str, spec: &'static str) -> Capability {
    Capability { name, extends: &[], schema, spec }
}

impl Codec for V2026_04_08 {
    fn version(&self) -> Version {
        Version::V2026_04_08
    }

    fn capabilities(&self) -> &'static [Capability] {
        &CAPABILITIES
    }

    fn profile(&self, facts: &Facts<'_>) -> Value {
        let ucp = profile::ucp(&SHAPE, facts);
        Object::new().with("ucp", ucp).with("signing_keys", facts.keys.clone()).into()
    }

    fn read_consents(&self) -> ReadConsents {
        flags::read
    }

    fn consents(&self, buyer: &Buyer) -> Value {
        flags::write(buyer)
    }

    fn destination(&self, id: &str, address: &Address) -> Value {
        resource::address(address).with("id", id).into()
    }

    fn policies(&self, _: &[Policy]) -> Vec<Value> {
        Vec::new()
    }
}
