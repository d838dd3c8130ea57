//! The tools of UCP as a model sees them: names, descriptions, and schemas that stand on their own.
//!
//! `schemas/tools.json` lists them and `schemas/shapes.json` has the parts. Models are better at schemas without
//! references, so parts are put in where they are used: `{"$shape": "name"}` stands for a part, and
//! `"$fields": "name"` among properties for several properties.

use std::{collections::HashMap, sync::Arc};

use handel_ucp::{Operation, Version};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde::Deserialize;
use serde_json::{Map, Value, json};

const TOOLS: &str = include_str!("../schemas/tools.json");
const SHAPES: &str = include_str!("../schemas/shapes.json");
/// Deepest nesting of parts; deeper means that a part contains itself.
const DEPTH_MAX: usize = 12;

/// An operation as a tool.
#[derive(Clone)]
pub(crate) struct UcpTool {
    pub(crate) operation: Operation,
    /// The name of the argument with what is said.
    pub(crate) payload: Option<&'static str>,
    /// Whether it is only done with a key.
    pub(crate) is_keyed: bool,
    pub(crate) tool: Tool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    title: String,
    description: String,
    /// The part that describes the id.
    id: Option<String>,
    payload: Option<Payload>,
    #[serde(default)]
    keyed: bool,
    output: String,
    effect: Effect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    name: String,
    schema: Value,
}

/// What a tool does to the shop.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Effect {
    Reads,
    Adds,
    Replaces,
}

/// The tools of a version of UCP, in the order of a purchase: one for each operation of the capabilities that its
/// profile names.
pub(crate) fn ucp_tools(version: Version, profile: &Value) -> Vec<UcpTool> {
    let mut shapes: HashMap<String, Value> =
        serde_json::from_str(SHAPES).expect("the parts of schemas are JSON");
    if version != Version::ROOT
        && let Some(flags) = shapes.remove("consent_flags")
    {
        // Before 2026-08-25 buyers said yes or no to four purposes.
        shapes.insert("consent".to_owned(), flags);
    }
    let entries: Vec<Entry> = serde_json::from_str(TOOLS).expect("the list of tools is right");
    let tools = entries.into_iter().map(|entry| tool(entry, &shapes));
    let capabilities = &profile["ucp"]["capabilities"];
    tools.filter(|tool| capabilities.get(tool.operation.capability()).is_some()).collect()
}

fn tool(entry: Entry, shapes: &HashMap<String, Value>) -> UcpTool {
    let operation = Operation::ALL.into_iter().find(|operation| operation.name() == entry.name);
    let operation = operation.expect("every tool is an operation");
    let shape = |name: &str| expanded(&json!({ "$shape": name }), shapes, 0);
    let mut properties = Map::new();
    let mut required = vec!["meta".to_owned()];
    properties.insert("meta".to_owned(), shape(if entry.keyed { "keyed_meta" } else { "meta" }));
    if let Some(id) = &entry.id {
        properties.insert("id".to_owned(), shape(id));
        required.push("id".to_owned());
    }
    let payload = entry.payload.map(|payload| {
        properties.insert(payload.name.clone(), expanded(&payload.schema, shapes, 0));
        required.push(payload.name.clone());
        payload_name(&payload.name)
    });
    let input = json!({ "type": "object", "properties": properties, "required": required });
    let tool = Tool::new(operation.name(), entry.description, object(input))
        .with_title(entry.title)
        .with_raw_output_schema(object(shape(&entry.output)))
        .with_annotations(annotations(entry.effect, entry.keyed));
    UcpTool { operation, payload, is_keyed: entry.keyed, tool }
}

/// The names that the protocol knows.
fn payload_name(name: &str) -> &'static str {
    let known = ["catalog", "cart", "checkout"].into_iter().find(|known| *known == name);
    known.expect("a payload is a catalog, a cart or a checkout")
}

fn annotations(effect: Effect, is_keyed: bool) -> ToolAnnotations {
    ToolAnnotations::new()
        .read_only(matches!(effect, Effect::Reads))
        .destructive(matches!(effect, Effect::Replaces))
        .idempotent(is_keyed || !matches!(effect, Effect::Adds))
        .open_world(false)
}

/// An object as the library wants it.
pub(crate) fn object(value: Value) -> Arc<JsonObject> {
    match value {
        Value::Object(fields) => Arc::new(fields),
        _ => unreachable!("a schema is an object"),
    }
}

fn expanded(value: &Value, shapes: &HashMap<String, Value>, depth: usize) -> Value {
    assert!(depth < DEPTH_MAX, "a part of a schema contains itself");
    let part = |name: &Value| {
        let name = name.as_str().expect("a part has a name");
        let shape = shapes.get(name).unwrap_or_else(|| panic!("there is no part `{name}`"));
        expanded(shape, shapes, depth + 1)
    };
    match value {
        Value::Object(fields) => match fields.get("$shape") {
            Some(name) => part(name),
            None => {
                let mut whole = Map::new();
                for (name, field) in fields {
                    match (name.as_str(), field) {
                        ("$fields", name) => whole.extend((*object(part(name))).clone()),
                        _ => {
                            whole.insert(name.clone(), expanded(field, shapes, depth));
                        }
                    }
                }
                Value::Object(whole)
            }
        },
        Value::Array(items) => items.iter().map(|item| expanded(item, shapes, depth)).collect(),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<UcpTool> {
        let names = Operation::ALL.map(|operation| (operation.capability().to_owned(), json!([])));
        let capabilities = Value::Object(Map::from_iter(names));
        ucp_tools(Version::ROOT, &json!({ "ucp": { "capabilities": capabilities } }))
    }

    #[test]
    fn every_operation_is_a_tool_with_schemas_that_stand_on_their_own() {
        let tools = all();
        assert_eq!(tools.len(), Operation::ALL.len());
        for operation in Operation::ALL {
            let found = tools.iter().find(|tool| tool.operation == operation);
            let found = found.unwrap_or_else(|| panic!("{}", operation.name()));
            let text = serde_json::to_string(&found.tool).expect("a tool is JSON");
            assert!(!text.contains("\"$"), "{text}");
            let input = &found.tool.input_schema;
            assert_eq!(found.payload.is_some(), operation.takes_body());
            assert_eq!(input["properties"].get("id").is_some(), operation.takes_id());
            let needed = input["properties"]["meta"]["required"].as_array().expect("a list");
            assert_eq!(needed.contains(&json!("idempotency-key")), found.is_keyed);
            assert!(found.tool.output_schema.is_some());
            assert!(found.tool.description.as_ref().is_some_and(|text| text.len() > 30));
        }
    }

    #[test]
    fn a_version_has_the_tools_of_its_profile() {
        let profile = json!({ "ucp": { "capabilities": { "dev.ucp.shopping.checkout": [] } } });
        let tools = ucp_tools(Version::V2026_01_23, &profile);
        let names: Vec<_> = tools.iter().map(|tool| tool.operation.name()).collect();
        let expected = ["create", "get", "update", "complete", "cancel"];
        assert_eq!(names, expected.map(|verb| format!("{verb}_checkout")));
        let text = json!(tools[0].tool.input_schema).to_string();
        assert!(text.contains("sale_of_data") && !text.contains("dev.ucp.consent"), "{text}");
    }

    #[test]
    fn what_happens_once_needs_a_key() {
        let keyed = all().into_iter().filter(|tool| tool.is_keyed);
        let keyed: Vec<_> = keyed.map(|tool| tool.operation.name()).collect();
        assert_eq!(keyed, ["cancel_cart", "complete_checkout", "cancel_checkout"]);
    }
}
