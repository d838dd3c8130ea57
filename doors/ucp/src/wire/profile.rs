//! Profiles of the shop (UCP, `profile.json`, "business_schema").

use serde_json::{Map, Value, json};

use super::{Object, envelope::handler_map};
use crate::{
    Version,
    codec::{Capability, Facts},
};

/// Where the protocol publishes its schemas.
const UCP: &str = "https://ucp.dev";
/// The service that a shop offers.
const SHOPPING: &str = "dev.ucp.shopping";

/// Where a version explains what.
pub(crate) struct Shape {
    pub(crate) version: Version,
    pub(crate) capabilities: &'static [Capability],
    /// The REST binding of the service.
    pub(crate) rest: &'static str,
    /// Its MCP binding.
    pub(crate) mcp: &'static str,
    /// The service as a whole.
    pub(crate) spec: &'static str,
}

/// The `ucp` member of a profile.
pub(crate) fn ucp(shape: &Shape, facts: &Facts<'_>) -> Object {
    let version = shape.version.name();
    Object::new()
        .with("version", version)
        .with("services", services(shape, facts))
        .with("capabilities", capabilities(shape))
        .with("payment_handlers", Value::Object(handler_map(facts.handlers, version)))
}

/// The addresses of the profiles in other versions; none where there are none.
pub(crate) fn others(facts: &Facts<'_>) -> Option<Value> {
    let others = facts.others.iter();
    let others: Map<String, Value> =
        others.map(|(other, url)| (other.name().to_owned(), json!(url))).collect();
    (!others.is_empty()).then_some(Value::Object(others))
}

/// The bindings of the one service.
fn services(shape: &Shape, facts: &Facts<'_>) -> Value {
    let version = shape.version.name();
    let base = format!("{UCP}/{version}");
    let binding = |transport: &str, endpoint: &str| {
        let schema = if transport == "mcp" { shape.mcp } else { shape.rest };
        json!({
            "version": version,
            "transport": transport,
            "endpoint": format!("{}{endpoint}", facts.public_url),
            "schema": format!("{base}/{schema}"),
            "spec": format!("{base}/{}", shape.spec),
        })
    };
    let mut bindings = vec![binding("rest", &shape.version.endpoint())];
    bindings
        .extend(facts.bindings.iter().map(|(transport, endpoint)| binding(transport, endpoint)));
    json!({ SHOPPING: bindings })
}

/// What the shop can do.
fn capabilities(shape: &Shape) -> Value {
    let version = shape.version.name();
    let base = format!("{UCP}/{version}");
    let declared = shape.capabilities.iter().map(|capability| {
        let extends = match capability.extends {
            [] => None,
            [one] => Some(json!(one)),
            several => Some(json!(several)),
        };
        let declaration = Object::new()
            .with("version", version)
            .with("schema", format!("{base}/{}", capability.schema))
            .with("spec", format!("{base}/{}", capability.spec))
            .with_some("extends", extends);
        (capability.name.to_owned(), json!([Value::from(declaration)]))
    });
    Value::Object(declared.collect())
}
