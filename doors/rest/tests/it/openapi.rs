//! The documentation says what there is, and only that.

use std::collections::{BTreeMap, BTreeSet};

use handel_testkit::TestDatabase;
use http::Method;
use serde_json::Value;

use super::support::Shop;

/// Every operation. Whoever adds a route adds it here, and thinks of who may call it.
const OPERATIONS: &str = "\
DELETE /admin/categories/{id}
DELETE /admin/channels/{code}/policies/{kind}
DELETE /admin/channels/{code}/shipping-methods/{method}
DELETE /admin/keys/{id}
DELETE /admin/products/{id}
DELETE /admin/promotions/{id}
DELETE /cart/items/{id}
GET /admin/categories
GET /admin/channels
GET /admin/channels/{code}
GET /admin/channels/{code}/shipping-methods
GET /admin/channels/{code}/tax
GET /admin/jobs/dead
GET /admin/keys
GET /admin/orders
GET /admin/orders/{id}
GET /admin/orders/{id}/history
GET /admin/orders/{id}/reconciliation
GET /admin/products
GET /admin/products/{id}
GET /admin/promotions
GET /admin/promotions/{id}
GET /admin/stock/{variant_id}
GET /admin/stock/{variant_id}/movements
GET /admin/webhooks/deliveries
GET /cart
GET /categories
GET /channels
GET /checkout/{id}
GET /countries
GET /countries/{code}
GET /orders
GET /orders/{id}
GET /policies
GET /policies/{kind}
GET /products
GET /products/{key}
PATCH /admin/categories/{id}
PATCH /admin/channels/{code}
PATCH /admin/channels/{code}/shipping-methods/{method}
PATCH /admin/channels/{code}/tax
PATCH /admin/products/{id}
PATCH /admin/promotions/{id}
PATCH /admin/variants/{sku}/prices
PATCH /cart/items/{id}
PATCH /checkout/{id}
POST /admin/categories
POST /admin/jobs/{id}/replay
POST /admin/keys
POST /admin/orders/{id}/cancel
POST /admin/orders/{id}/deliver
POST /admin/orders/{id}/pack
POST /admin/orders/{id}/ship
POST /admin/products
POST /admin/promotions
POST /admin/stock/adjustments
POST /admin/webhooks/deliveries/replay
POST /admin/webhooks/deliveries/{id}/replay
POST /cart
POST /cart/items
POST /checkout
POST /checkout/{id}/complete
POST /webhooks/{provider}
PUT /admin/categories/{id}
PUT /admin/channels/{code}
PUT /admin/channels/{code}/policies/{kind}
PUT /admin/channels/{code}/shipping-methods/{method}
PUT /admin/channels/{code}/tax
PUT /admin/products/{id}
PUT /admin/promotions/{id}
PUT /admin/variants/{sku}/prices
PUT /cart/codes";

async fn shop() -> Shop {
    Shop::start(TestDatabase::sqlite().await).await
}

/// The document as it is served.
pub(crate) async fn document(shop: &Shop) -> Value {
    let reply = shop.get("/openapi.json").send().await.expect(200);
    assert_eq!(reply.header("content-type"), "application/json");
    reply.json()
}

/// The operations by path and method.
pub(crate) fn operations(document: &Value) -> Vec<(String, Method, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let methods = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("operations");
        item.iter().map(move |(method, operation)| {
            let method = method.to_uppercase().parse().expect("a method");
            (path.clone(), method, operation.clone())
        })
    });
    methods.collect()
}

#[tokio::test]
async fn every_operation_is_documented_with_its_answers() {
    let shop = shop().await;
    let document = document(&shop).await;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1.")));
    assert!(document["info"]["version"].is_string());
    let operations = operations(&document);
    let listed: BTreeSet<_> = operations
        .iter()
        .map(|(path, method, _)| {
            format!("{method} {}", path.strip_prefix(handel_rest::PREFIX).expect("the prefix"))
        })
        .collect();
    assert_eq!(listed.into_iter().collect::<Vec<_>>().join("\n"), OPERATIONS);
    let tags: Vec<_> =
        document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in &operations {
        let of = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].to_string()), "{of}: the id is taken");
        let tag = operation["tags"]
            .as_array()
            .and_then(|tags| tags.first())
            .unwrap_or_else(|| panic!("{of}"));
        assert!(tags.contains(&tag), "{of}: {tag}");
        let responses = operation["responses"].as_object().unwrap_or_else(|| panic!("{of}"));
        assert!(responses.keys().any(|status| status.starts_with('2')), "{of}");
        for (status, response) in responses {
            let kinds: Vec<_> = response["content"].as_object().into_iter().flatten().collect();
            let is_error = status.starts_with('4') || status.starts_with('5');
            assert!(
                !is_error || kinds.iter().any(|(kind, _)| *kind == "application/problem+json"),
                "{of} {status}"
            );
        }
        let named: BTreeSet<_> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let in_path = parameters.iter().filter(|parameter| parameter["in"] == "path");
        let described: BTreeSet<_> =
            in_path.filter_map(|parameter| parameter["name"].as_str()).collect();
        assert_eq!(named, described, "{of}");
    }
}

/// What any request may be answered with, and what any request with a body or a list may be, is said everywhere.
#[tokio::test]
async fn what_may_happen_anywhere_is_documented_everywhere() {
    let shop = shop().await;
    for (path, method, operation) in operations(&document(&shop).await) {
        let says = |status: &str| operation["responses"][status].is_object();
        let mut expected = vec!["401", "500", "503"];
        if path.starts_with("/api/v1/admin/")
            || (method != Method::GET && !path.contains("webhooks"))
        {
            expected.push("403");
        }
        if operation["requestBody"].is_object() && !path.contains("webhooks") {
            expected.extend(["400", "413", "415", "422"]);
        }
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        if parameters.into_iter().any(|parameter| parameter["name"] == "cursor") {
            expected.extend(["400", "422"]);
        }
        for status in expected {
            assert!(says(status), "{method} {path} does not say {status}");
        }
    }
}

#[tokio::test]
async fn every_path_takes_the_methods_that_are_documented_and_no_others() {
    let shop = shop().await;
    let mut paths: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, method, _) in operations(&document(&shop).await) {
        let methods = paths.entry(path).or_default();
        methods.insert(method.to_string());
        if method == Method::GET {
            methods.insert("HEAD".to_owned());
        }
    }
    for (path, documented) in paths {
        let address = path.replace(['{', '}'], "");
        let refused =
            shop.call(Method::from_bytes(b"BREW").expect("a method"), &address).send().await;
        refused.problem(405, "method_not_allowed");
        let allow = refused.header("allow");
        let taken: BTreeSet<_> = allow.split(',').map(|method| method.trim().to_owned()).collect();
        assert_eq!(taken, documented, "{path}");
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let shop = shop().await;
    let document = document(&shop).await;
    let mut references = BTreeSet::new();
    collect(&document, &mut references);
    assert!(references.len() > 20, "{references:?}");
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let schemes = document["components"]["securitySchemes"].as_object().expect("schemes");
    for (path, method, operation) in operations(&document) {
        for needed in operation["security"].as_array().into_iter().flatten() {
            for scheme in needed.as_object().expect("names").keys() {
                assert!(schemes.contains_key(scheme), "{method} {path}: {scheme}");
            }
        }
    }
}

fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            into.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect(field, into));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        _ => {}
    }
}

#[tokio::test]
async fn the_documentation_page_needs_no_network() {
    let shop = shop().await;
    let page = shop.get("/docs/").send().await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    let html = String::from_utf8(page.body.to_vec()).expect("HTML");
    assert!(!html.contains("://") && !html.contains("\"//"), "{html}");
    let mut assets = 0;
    for attribute in ["src=\"", "href=\""] {
        for rest in html.split(attribute).skip(1) {
            let name = rest.split('"').next().expect("a value").trim_start_matches("./");
            shop.get(&format!("/docs/{name}")).send().await.expect(200);
            assets += 1;
        }
    }
    assert!(assets > 2, "{html}");
    let script = shop.get("/docs/swagger-initializer.js").send().await.expect(200);
    let script = String::from_utf8(script.body.to_vec()).expect("a script");
    assert!(script.contains("/openapi.json") && !script.contains("://"), "{script}");
}

#[tokio::test]
async fn operations_are_grouped_by_noun_and_say_where_the_shop_is() {
    let shop = shop().await;
    let document = document(&shop).await;
    assert_eq!(document["servers"][0]["url"], "http://127.0.0.1:8080");
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for (path, _, operation) in operations(&document) {
        let tag = operation["tags"][0].as_str().expect("a group").to_owned();
        assert_eq!(path.starts_with("/api/v1/admin/"), tag.starts_with("admin-"), "{path}: {tag}");
        *groups.entry(tag).or_default() += 1;
    }
    assert!(groups.values().all(|count| *count <= 15), "{groups:?}");
}

/// Goal: a generated client can filter by attributes, in the form that the document describes.
#[tokio::test]
async fn filters_by_attribute_are_documented() {
    let shop = shop().await;
    let document = document(&shop).await;
    let parameters = document["paths"]["/api/v1/products"]["get"]["parameters"].as_array();
    let named = |parameter: &&Value| parameter["name"] == "attr";
    let attr = parameters.and_then(|all| all.iter().find(named)).expect("the filter");
    assert_eq!((&attr["style"], &attr["explode"]), (&"deepObject".into(), &true.into()));
}
