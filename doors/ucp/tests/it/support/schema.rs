//! The protocol's own schemas. They are no part of the project: where `HANDEL_SPECS`, or the directory
//! `../shared/protocols` beside the project, has none, answers are not checked against them, and the tests say so.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, Once},
};

use handel_ucp::{Operation, Version};
use http::Method;
use jsonschema::{Retrieve, Uri, Validator};
use serde_json::{Value, json};

use super::Reply;

/// Where every schema says that it is.
const BASE: &str = "https://ucp.dev/";

/// Checks an answer against the schema of its operation.
#[track_caller]
pub(crate) fn check(version: Version, method: &Method, path: &str, reply: &Reply) {
    let Some(rest) = path.strip_prefix(&version.endpoint()) else { return };
    let operation = Operation::ALL
        .into_iter()
        .find(|operation| operation.method() == *method && fits(operation.path(), rest));
    let Some(operation) = operation.filter(|_| reply.status.is_success()) else { return };
    let body = reply.json();
    let name = match body["ucp"]["status"] == "error" {
        true => "error".to_owned(),
        false => schema_of(operation).to_owned(),
    };
    validate(version, &name, &body);
}

/// Checks a document against a schema by our name of it.
#[track_caller]
pub(crate) fn validate(version: Version, name: &str, document: &Value) {
    let Some(schemas) = directory(version) else { return };
    static COMPILED: LazyLock<Mutex<HashMap<(Version, String), &'static Validator>>> =
        LazyLock::new(Mutex::default);
    let mut compiled = COMPILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator = *compiled.entry((version, name.to_owned())).or_insert_with(|| {
        let schema = composed(version, name);
        let options = jsonschema::options().with_retriever(Files(schemas));
        // Compiling takes longer than all checks together; tests share what was compiled until they end.
        Box::leak(Box::new(options.build(&schema).expect("the schemas of the protocol compile")))
    });
    let errors: Vec<_> = validator
        .iter_errors(document)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(
        errors.is_empty(),
        "not as {name} of {} wants it: {errors:#?}\n{document:#}",
        version.name()
    );
}

fn fits(pattern: &str, path: &str) -> bool {
    let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
    loop {
        match (pattern.next(), path.next()) {
            (None, None) => return true,
            (Some("{id}"), Some(_)) => {}
            (Some(word), Some(own)) if word == own => {}
            _ => return false,
        }
    }
}

fn schema_of(operation: Operation) -> &'static str {
    match operation {
        Operation::SearchCatalog => "search",
        Operation::LookupCatalog => "lookup",
        Operation::GetProduct => "product",
        Operation::GetOrder => "order",
        operation if operation.path().starts_with("/carts") => "cart",
        _ => "checkout",
    }
}

/// A schema with everything that extends it.
fn composed(version: Version, name: &str) -> Value {
    let of = |paths: &[&str]| {
        let all: Vec<_> =
            paths.iter().map(|path| json!({ "$ref": format!("{BASE}schemas/{path}") })).collect();
        json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": all })
    };
    let (parent, error) = match version {
        Version::V2026_08_25 => ("dev.ucp.shopping.", "common/types/error_response.json"),
        Version::V2026_04_08 => ("dev.ucp.shopping.", "shopping/types/error_response.json"),
        // There are no answers without a resource.
        Version::V2026_01_23 => ("", "none"),
    };
    let extended = |names: &[&str], resource: &str| {
        let paths: Vec<_> = names
            .iter()
            .map(|name| format!("shopping/{name}.json#/$defs/{parent}{resource}"))
            .collect();
        of(&paths.iter().map(String::as_str).collect::<Vec<_>>())
    };
    match name {
        "profile" if version == Version::ROOT => of(&["profile.json#/$defs/business_schema"]),
        // The document around it has references that lead nowhere.
        "profile" => json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "required": ["ucp"],
            "properties": { "ucp": { "$ref": format!("{BASE}schemas/ucp.json#/$defs/business_schema") } },
        }),
        "checkout" => extended(&["discount", "fulfillment", "buyer_consent"], "checkout"),
        "cart" if version == Version::V2026_08_25 => {
            extended(&["discount", "buyer_consent"], "cart")
        }
        "cart" => extended(&["discount"], "cart"),
        "search" => of(&["shopping/catalog_search.json#/$defs/search_response"]),
        "lookup" => of(&["shopping/catalog_lookup.json#/$defs/lookup_response"]),
        "product" => of(&["shopping/catalog_lookup.json#/$defs/get_product_response"]),
        "order" => of(&["shopping/order.json"]),
        _ => of(&[error]),
    }
}

/// The schemas of a version.
#[expect(clippy::disallowed_methods, reason = "the environment says where the schemas are")]
fn directory(version: Version) -> Option<PathBuf> {
    static SAID: Once = Once::new();
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/protocols");
    let specs = std::env::var_os("HANDEL_SPECS").map_or(beside, PathBuf::from);
    let names = [version.name().to_owned(), format!("{}-recon", version.name())];
    let found = names.iter().map(|name| specs.join("ucp").join(name)).find(|path| path.is_dir());
    if found.is_none() {
        SAID.call_once(|| {
            eprintln!(
                "skipped: answers are not checked, because HANDEL_SPECS has no schemas of UCP"
            );
        });
    }
    found
}

/// Reads schemas from files instead of the internet.
struct Files(PathBuf);

impl Retrieve for Files {
    fn retrieve(
        &self,
        uri: &Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let path = uri.as_str().strip_prefix(BASE).ok_or("a schema that is not of the protocol")?;
        let path = path.split('#').next().unwrap_or(path);
        Ok(serde_json::from_slice(&std::fs::read(self.0.join(path))?)?)
    }
}
