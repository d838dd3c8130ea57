//! What the sandbox says of itself.

use handel_testkit::both_databases;
use serde_json::Value;

use super::support::{BASE_URL, Sandbox};

both_databases! {
    /// Goal: whoever discovers the sandbox finds everything that it names. The suite fetches every address.
    async fn every_address_in_the_profile_answers(sandbox: Sandbox) {
        let profile = sandbox.get("/.well-known/ucp").send().await.expect(200);
        assert_eq!(profile["ucp"]["version"], "2026-01-11");
        let mut addresses = Vec::new();
        collect(&profile, &mut addresses);
        assert!(addresses.len() >= 20, "{addresses:?}");
        for address in addresses {
            let path = address.strip_prefix(BASE_URL).expect("an address of the sandbox");
            if !path.is_empty() {
                sandbox.get(path).send().await.is(200);
            }
        }
        sandbox.get("/schemas/nothing.json").send().await.is(404);
        sandbox.get("/specs/nothing").send().await.is(404);
    }
}

fn collect(value: &Value, addresses: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("http") => addresses.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, addresses)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, addresses)),
        _ => {}
    }
}
