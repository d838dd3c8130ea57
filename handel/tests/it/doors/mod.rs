//! Pages, REST, UCP and MCP are doors to one shop: the same amounts behind each, and one last piece behind all.

mod person;

use axum::{Json, Router, routing::get};
use futures_util::future::join_all;
use handel_ports::System;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use self::person::Person;
use super::support::{Place, Served, answer, sample};

/// The versions of UCP that the shop speaks, each with a program that knows no other.
const VERSIONS: [&str; 3] = ["2026-08-25", "2026-04-08", "2026-01-23"];

/// A program that buys, by its profile.
struct Program {
    version: &'static str,
    profile: String,
}

/// Opens a profile for each version on this machine.
async fn programs() -> Vec<Program> {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let mut routes = Router::new();
    for version in VERSIONS {
        let named = |name: &str| {
            (
                format!("dev.ucp.shopping.{name}"),
                json!([{
                    "version": version, "spec": format!("https://ucp.dev/{version}/specification/overview/"),
                    "schema": format!("https://ucp.dev/{version}/schemas/shopping/{name}.json"),
                }]),
            )
        };
        let mut capabilities: serde_json::Map<_, _> =
            ["checkout", "order", "discount", "fulfillment"]
                .iter()
                .map(|name| named(name))
                .collect();
        for part in ["discount", "fulfillment"] {
            capabilities[&format!("dev.ucp.shopping.{part}")][0]["extends"] =
                json!("dev.ucp.shopping.checkout");
        }
        let profile = json!({ "ucp": {
            "version": version, "services": {}, "payment_handlers": {}, "capabilities": capabilities,
        } });
        let cached = [("cache-control", "public, max-age=300")];
        routes = routes.route(&format!("/{version}"), get(async move || (cached, Json(profile))));
    }
    System::real().spawn(async move { drop(axum::serve(listener, routes).await) });
    let program = |version| Program { version, profile: format!("http://{address}/{version}") };
    VERSIONS.map(program).into()
}

impl Program {
    /// Calls an operation of the REST binding.
    async fn call(
        &self,
        shop: &Served,
        method: Method,
        path: &str,
        key: &str,
        body: &Value,
    ) -> Value {
        let request = shop.request(method, &format!("/ucp/{}{path}", self.version));
        let request = request
            .header("ucp-agent", format!("profile=\"{}\"", self.profile))
            .header("idempotency-key", key);
        answer(request.json(body)).await.1
    }

    async fn checkout(&self, shop: &Served, item: &str, quantity: u32, codes: &[&str]) -> Value {
        let key = format!(
            "make-{}",
            handel_ports::System::real().bytes::<16>().map(|byte| format!("{byte:02x}")).concat()
        );
        self.call(shop, Method::POST, "/checkout-sessions", &key, &basket(item, quantity, codes))
            .await
    }

    async fn complete(&self, shop: &Served, checkout: &Value) -> Value {
        let id = text(checkout, "id");
        let path = format!("/checkout-sessions/{id}/complete");
        self.call(shop, Method::POST, &path, &format!("buy-{id}"), &payment()).await
    }
}

/// Calls a tool of MCP in the newest version.
async fn tool(
    shop: &Served,
    program: &Program,
    name: &str,
    mut arguments: Value,
    key: &str,
) -> Value {
    arguments["meta"] =
        json!({ "ucp-agent": { "profile": program.profile }, "idempotency-key": key });
    let mut call =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": name } });
    call["params"]["arguments"] = arguments;
    let request = shop.request(Method::POST, "/mcp");
    let request = request.header("accept", "application/json, text/event-stream").json(&call);
    answer(request).await.1["result"]["structuredContent"].clone()
}

fn basket(item: &str, quantity: u32, codes: &[&str]) -> Value {
    json!({
        "line_items": [{ "item": { "id": item }, "quantity": quantity }],
        "buyer": { "email": "ada@buyer.example" },
        "discounts": { "codes": codes },
        "fulfillment": { "methods": [{
            "type": "shipping", "selected_destination_id": "home",
            "destinations": [{
                "id": "home", "first_name": "Ada", "last_name": "Buyer", "street_address": "1 Main Street",
                "address_locality": "Springfield", "address_region": "NY", "postal_code": "10001",
                "address_country": "US",
            }],
            "groups": [{ "selected_option_id": "standard" }],
        }] },
    })
}

fn payment() -> Value {
    json!({ "payment": { "instruments": [{
        "id": "one", "handler_id": "test", "type": "card", "selected": true,
        "credential": { "type": "token", "token": "tok_ok" },
    }] } })
}

fn text<'v>(of: &'v Value, name: &str) -> &'v str {
    of[name].as_str().unwrap_or_else(|| panic!("no {name} in {of}"))
}

/// What a door says that an order costs: goods, discounts, shipping, tax, all of it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Amounts([i64; 5]);

fn of_ucp(resource: &Value) -> Amounts {
    let totals = resource["totals"].as_array().unwrap_or_else(|| panic!("no totals in {resource}"));
    let sum = |kinds: &[&str]| {
        let of_kind = totals.iter().filter(|row| kinds.contains(&text(row, "type")));
        of_kind.map(|row| row["amount"].as_i64().expect("an amount")).sum()
    };
    // Before 2026-04-08 the protocol wrote discounts without a sign.
    let discount: i64 = sum(&["items_discount", "discount"]);
    Amounts([
        sum(&["subtotal"]),
        discount.abs(),
        sum(&["fulfillment"]),
        sum(&["tax"]),
        sum(&["total"]),
    ])
}

fn of_rest(order: &Value) -> Amounts {
    Amounts(["subtotal", "discount", "shipping", "tax", "total"].map(|name| {
        let amount = order[format!("{name}_minor")].as_i64();
        amount.unwrap_or_else(|| panic!("no {name}_minor in {order}"))
    }))
}

/// Makes the shop charge tax in New York, on goods and on sending them.
async fn charge_tax(shop: &Served, key: &str) {
    let path = "/api/v1/admin/channels/default";
    let (status, channel) = answer(shop.request(Method::GET, path).bearer_auth(key)).await;
    assert_eq!(status, 200, "{channel}");
    let mut settings = channel["settings"].clone();
    let rate = json!({
        "class": "standard", "country": "US", "region": "NY", "rate_millionths": 88_750,
        "name": "Sales tax 8.875 %",
    });
    settings["tax"]["rates"] = json!([rate]);
    let methods = settings["shipping_methods"].as_array_mut().expect("shipping methods");
    methods.iter_mut().for_each(|method| method["tax_class"] = json!("standard"));
    let put = shop.request(Method::PUT, path).bearer_auth(key).json(&settings);
    let (status, problem) =
        answer(put.header("if-match", format!("\"{}\"", channel["version"]))).await;
    assert_eq!(status, 200, "{problem}");
}

async fn variant(shop: &Served, slug: &str, sku: &str) -> String {
    let product = shop.get(&format!("/api/v1/products/{slug}")).await;
    let variants = product["variants"].as_array().expect("variants");
    let found = variants.iter().find(|variant| variant["sku"] == sku).expect(sku);
    text(found, "id").to_owned()
}

/// Goal: price, tax, shipping and promotions are decided once, whether somebody comes through the pages, REST, UCP or
/// MCP.
#[tokio::test]
async fn pages_rest_ucp_and_mcp_ask_the_same_price() {
    let place = Place::new();
    place.succeed(&["import", "products", &sample()]);
    let key = place.succeed(&["key", "create", "--name", "desk", "--scopes", "all"]);
    let key =
        key.split_whitespace().find(|word| word.starts_with("hk_")).expect("a key").to_owned();
    let shop = place.serve();
    let promotion = json!({
        "title": "A seventh off", "class": "order", "codes": ["SEVENTH"],
        "action": { "kind": "percentage", "rate_millionths": 142_857 },
    });
    let request = shop.request(Method::POST, "/api/v1/admin/promotions").bearer_auth(&key);
    assert_eq!(answer(request.json(&promotion)).await.0, 201);
    charge_tax(&shop, &key).await;
    let item = variant(&shop, "field-mug", "MUG-BLUE").await;

    let cart = shop.cart_with("MUG-BLUE", 2).await;
    let codes = shop.request(Method::PUT, "/api/v1/cart/codes").header("cart-token", &cart);
    assert_eq!(answer(codes.json(&json!({ "codes": ["SEVENTH"] }))).await.0, 200);
    assert_eq!(answer(shop.quote(&cart)).await.0, 201);
    let (status, bought) = answer(shop.buy(&cart, "tok_ok")).await;
    assert_eq!(status, StatusCode::CREATED.as_u16(), "{bought}");
    let expected = of_rest(&bought["order"]);
    assert!(expected.0.iter().all(|amount| *amount > 0), "all of it is compared: {expected:?}");

    let mut person = Person::about_to_pay(&shop, &item, 2, Some("SEVENTH")).await;
    let (status, page) = person.pay().await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{page}");
    let order = person.order().await;
    assert_eq!((of_rest(&order), &order["source"]), (expected, &json!("page")), "{order}");

    let programs = programs().await;
    for program in &programs {
        let checkout = program.checkout(&shop, &item, 2, &["SEVENTH"]).await;
        assert_eq!(of_ucp(&checkout), expected, "{}: {checkout}", program.version);
        let bought = program.complete(&shop, &checkout).await;
        assert_eq!(bought["status"], "completed", "{}: {bought}", program.version);
        assert_eq!(of_ucp(&bought), expected, "{}", program.version);
    }
    let assistant = &programs[0];
    let basket = json!({ "checkout": basket(&item, 2, &["SEVENTH"]) });
    let checkout = tool(&shop, assistant, "create_checkout", basket, "checkout-of-a-tool").await;
    assert_eq!(of_ucp(&checkout), expected, "{checkout}");
    let paying = json!({ "id": checkout["id"], "checkout": payment() });
    let bought = tool(&shop, assistant, "complete_checkout", paying, "purchase-of-a-tool").await;
    assert_eq!((&bought["status"], of_ucp(&bought)), (&json!("completed"), expected), "{bought}");
    shop.stop().await;
}

/// Goal: ten want all that is left, over the pages, REST, UCP and MCP: one gets it, and nine are told so in the words of
/// their door.
#[tokio::test]
async fn pages_rest_ucp_and_mcp_sell_the_last_of_it_once() {
    let place = Place::new();
    place.succeed(&["import", "products", &sample()]);
    let shop = place.serve();
    let item = variant(&shop, "field-mug", "MUG-WHITE").await;
    let programs = programs().await;
    let mut carts = Vec::new();
    for _ in 0..2 {
        carts.push(shop.cart_with("MUG-WHITE", 3).await);
    }
    let mut sessions = Vec::new();
    for _ in 0..2 {
        for program in &programs {
            sessions.push((program, program.checkout(&shop, &item, 3, &[]).await));
        }
    }
    let basket = json!({ "checkout": basket(&item, 3, &[]) });
    let assisted = tool(&shop, &programs[0], "create_checkout", basket, "checkout-of-a-tool").await;

    let mut person = Person::about_to_pay(&shop, &item, 3, None).await;

    let people = join_all(carts.iter().map(|cart| answer(shop.buy(cart, "tok_ok"))));
    let agents =
        join_all(sessions.iter().map(|(program, checkout)| program.complete(&shop, checkout)));
    let paying = json!({ "id": assisted["id"], "checkout": payment() });
    let assistant = tool(&shop, &programs[0], "complete_checkout", paying, "purchase-of-a-tool");
    let (people, mut agents, assistant, (status, page)) =
        futures_util::join!(people, agents, assistant, person.pay());
    agents.push(assistant);

    let sold = people.iter().filter(|(status, _)| *status == 201).count();
    let sold = sold + agents.iter().filter(|answer| answer["status"] == "completed").count();
    let sold = sold + usize::from(status == StatusCode::SEE_OTHER);
    assert_eq!(sold, 1, "{people:?} {agents:?} {status} {page}");
    if status != StatusCode::SEE_OTHER {
        assert_eq!(status, StatusCode::CONFLICT, "{page}");
        assert!(page.contains("Field Mug is sold out"), "{page}");
    }
    for (status, problem) in people.iter().filter(|(status, _)| *status != 201) {
        assert_eq!((*status, &problem["code"]), (409, &json!("stock.short")), "{problem}");
    }
    for refused in agents.iter().filter(|answer| answer["status"] != "completed") {
        assert!(refused.to_string().contains("out_of_stock"), "{refused}");
    }
    shop.stop().await;
}
