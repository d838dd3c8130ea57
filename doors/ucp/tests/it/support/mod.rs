//! A shop behind its UCP door, and programs that buy there.

mod call;
mod schema;

use std::{ops::Deref, sync::Arc};

use axum::Router;
use handel_domain::id::OrderId;
use handel_engine::WebhookFormat;
use handel_kit::{Door, DoorSettings, Metrics, layered};
use handel_ports::{System, WebClient};
use handel_testkit::{SeededRandom, SimulatedClock, Tasks, TestDatabase, TestShop, fixtures::slug};
use handel_ucp::{OrderNewsFormat, Ucp, UcpSettings, Version};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

pub(crate) use call::{Call, Reply};
pub(crate) use schema::validate;

/// The address of the shop.
pub(crate) const SHOP: &str = "https://shop.example";
/// The program that tests buy through.
pub(crate) const AGENT: &str = "https://agent.example/profile.json";
/// Where it wants to hear of orders.
pub(crate) const NEWS: &str = "https://agent.example/news";

/// A shop, and the routes as the binary puts them together.
pub(crate) struct Shop {
    shop: TestShop,
    /// Clock, randomness and tasks of the door.
    pub(crate) system: System,
    /// What all doors share.
    pub(crate) door: Door,
    /// The protocol.
    pub(crate) ucp: Ucp,
}

impl Shop {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let world = System::new(
            Arc::new(SimulatedClock::default()),
            Arc::new(SeededRandom::fresh()),
            Arc::new(Tasks::default()),
        );
        let seed = handel_engine::signature_seed(database.database(), &world).await;
        let formats = OrderNewsFormat::all(SHOP, &seed.expect("a secret")).into_iter();
        let formats = formats.map(|format| Arc::new(format) as Arc<dyn WebhookFormat>).collect();
        let shop = Box::pin(TestShop::start_telling(database, formats)).await;
        let random = Arc::new(SeededRandom::fresh());
        let system = System::new(shop.clock.clone(), random, Arc::new(Tasks::default()));
        for version in Version::ALL {
            let url = address_of(version);
            shop.web.publish(&url, HeaderMap::new(), platform(version).to_string());
        }
        let (door, ucp) = open(&shop, &system, settings());
        Self { shop, system, door, ucp }
    }

    /// The process dies in the middle of whatever it does, and another one takes its place.
    pub(crate) async fn restart(&mut self) {
        Box::pin(self.shop.restart()).await;
        (self.door, self.ucp) = open(&self.shop, &self.system, settings());
    }

    pub(crate) async fn finish(&mut self) {
        self.settle().await;
        self.shop.finish().await;
    }

    /// Does all that is due now.
    pub(crate) async fn settle(&self) {
        // The work of a whole shop is too large for the stack of a test.
        Box::pin(self.shop.settle()).await;
    }

    /// The same shop with other settings.
    pub(crate) fn agent_of(&self, settings: UcpSettings) -> Agent {
        let (door, ucp) = open(&self.shop, &self.system, settings);
        Agent { router: routes(&door, &ucp), ..self.agent() }
    }

    /// The same shop with room for so many requests at once.
    pub(crate) fn agent_among(&self, requests_max: usize, settings: UcpSettings) -> Agent {
        let door = DoorSettings { requests_max, ..DoorSettings::default() };
        let metrics = Arc::new(Metrics::default());
        let door = Door::new(self.shop.engine.clone(), self.system.clone(), metrics, door);
        let ucp = Ucp::new(door.clone(), self.shop.web.clone(), settings);
        Agent { router: routes(&door, &ucp), ..self.agent() }
    }

    /// The program, met over another Web.
    pub(crate) fn agent_on(&self, web: Arc<dyn WebClient>) -> Agent {
        let ucp = Ucp::new(self.door.clone(), web, settings());
        Agent { router: routes(&self.door, &ucp), ..self.agent() }
    }

    /// The program, in the newest version.
    pub(crate) fn agent(&self) -> Agent {
        self.agent_in(Version::ROOT)
    }

    /// The program, in a version.
    pub(crate) fn agent_in(&self, version: Version) -> Agent {
        Agent { router: routes(&self.door, &self.ucp), version, profile: Some(address_of(version)) }
    }

    /// A program that published this.
    pub(crate) fn agent_with(&self, url: &str, profile: &Value) -> Agent {
        self.shop.web.publish(url, HeaderMap::new(), profile.to_string());
        Agent { profile: Some(url.to_owned()), ..self.agent() }
    }

    /// The order of a checkout.
    pub(crate) fn order_id(&self, checkout: &Value) -> OrderId {
        let id = checkout["order"]["id"].as_str().unwrap_or_else(|| panic!("no order: {checkout}"));
        id.parse().expect("an id")
    }
}

impl Deref for Shop {
    type Target = TestShop;

    fn deref(&self) -> &TestShop {
        &self.shop
    }
}

/// What the shop of the tests is set to.
pub(crate) fn settings() -> UcpSettings {
    UcpSettings { channel: Some(slug("eur")), ..UcpSettings::default() }
}

fn open(shop: &TestShop, system: &System, settings: UcpSettings) -> (Door, Ucp) {
    let door = DoorSettings { public_url: SHOP.to_owned(), ..DoorSettings::default() };
    let door = Door::new(shop.engine.clone(), system.clone(), Arc::new(Metrics::default()), door);
    (door.clone(), Ucp::new(door, shop.web.clone(), settings))
}

fn routes(door: &Door, ucp: &Ucp) -> Router {
    ucp.dressed(layered(door, ucp.router()))
}

fn address_of(version: Version) -> String {
    match version == Version::ROOT {
        true => AGENT.to_owned(),
        false => format!("https://agent.example/{}.json", version.name()),
    }
}

/// The profile of a program that can do everything.
pub(crate) fn platform(version: Version) -> Value {
    let names = [
        "dev.ucp.shopping.checkout",
        "dev.ucp.shopping.cart",
        "dev.ucp.shopping.catalog.search",
        "dev.ucp.shopping.catalog.lookup",
        "dev.ucp.shopping.order",
        "dev.ucp.shopping.discount",
        "dev.ucp.shopping.fulfillment",
        "dev.ucp.shopping.buyer_consent",
    ];
    platform_with(version, &names)
}

/// The profile of a program that can do some things.
pub(crate) fn platform_with(version: Version, names: &[&str]) -> Value {
    let declaration = |name: &str| {
        let base = format!("https://ucp.dev/{}", version.name());
        let mut entry = json!({
            "version": version.name(), "spec": format!("{base}/spec"), "schema": format!("{base}/schema"),
        });
        if name == "dev.ucp.shopping.order" {
            entry["config"] = json!({ "webhook_url": NEWS });
        }
        ((*name).to_owned(), json!([entry]))
    };
    let capabilities: serde_json::Map<_, _> = names.iter().map(|name| declaration(name)).collect();
    json!({ "ucp": {
        "version": version.name(), "services": {}, "payment_handlers": {}, "capabilities": capabilities,
    } })
}

/// A program.
#[derive(Clone)]
pub(crate) struct Agent {
    pub(crate) router: Router,
    pub(crate) version: Version,
    pub(crate) profile: Option<String>,
}

impl Agent {
    /// A request to an address below the endpoint.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let path = format!("{}{path}", self.version.endpoint());
        let call = Call::new(self.router.clone(), self.version, method, &path);
        match &self.profile {
            Some(url) => call.header("ucp-agent", &format!("profile=\"{url}\"")),
            None => call,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Call {
        self.call(Method::POST, path).json(body)
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Call {
        self.call(Method::PUT, path).json(body)
    }

    /// A checkout that lacks nothing.
    pub(crate) async fn ready(&self, sku: &str, quantity: i64) -> Value {
        let checkout = self.post("/checkout-sessions", &basket(sku, quantity)).send().await;
        let checkout = checkout.created();
        assert_eq!(checkout["status"], "ready_for_complete", "{checkout}");
        checkout
    }

    /// Completes a checkout.
    pub(crate) async fn complete(&self, checkout: &Value, token: &str, key: &str) -> Reply {
        let path = format!("{}/complete", address(checkout));
        self.post(&path, &paying(token)).once(key).send().await
    }

    /// A whole purchase that goes well.
    pub(crate) async fn buy(&self, sku: &str, quantity: i64) -> Value {
        let checkout = self.ready(sku, quantity).await;
        let key = format!("buy-{}", id(&checkout));
        let bought = self.complete(&checkout, "tok_ok", &key).await.ok();
        assert_eq!(bought["status"], "completed", "{bought}");
        bought
    }
}

/// The id of a resource.
#[track_caller]
pub(crate) fn id(resource: &Value) -> String {
    resource["id"].as_str().unwrap_or_else(|| panic!("no id: {resource}")).to_owned()
}

/// Where a checkout is.
#[track_caller]
pub(crate) fn address(checkout: &Value) -> String {
    format!("/checkout-sessions/{}", id(checkout))
}

/// Lines.
pub(crate) fn lines(sku: &str, quantity: i64) -> Value {
    json!([{ "item": { "id": sku }, "quantity": quantity }])
}

/// All that a checkout needs.
pub(crate) fn basket(sku: &str, quantity: i64) -> Value {
    json!({
        "line_items": lines(sku, quantity),
        "buyer": { "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace" },
        "fulfillment": { "methods": [{
            "type": "shipping",
            "destinations": [home()],
            "selected_destination_id": "home",
            "groups": [{ "selected_option_id": "standard" }],
        }] },
    })
}

/// An address in Germany.
pub(crate) fn home() -> Value {
    json!({
        "id": "home", "street_address": "1 Main Street", "address_locality": "Berlin",
        "postal_code": "10115", "address_country": "DE",
    })
}

/// How something is paid.
pub(crate) fn paying(token: &str) -> Value {
    json!({ "payment": { "instruments": [{
        "id": "instrument_1", "handler_id": "test", "type": "card", "selected": true,
        "credential": { "type": "token", "token": token },
    }] } })
}

/// The codes of all messages of a kind.
pub(crate) fn codes(resource: &Value, kind: &str) -> Vec<String> {
    let messages = resource["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of_kind = messages.iter().filter(|message| message["type"] == kind);
    of_kind.map(|message| message["code"].as_str().expect("a code").to_owned()).collect()
}

/// The amount of a row.
#[track_caller]
pub(crate) fn amount(resource: &Value, kind: &str) -> Option<i64> {
    let rows = resource["totals"].as_array().unwrap_or_else(|| panic!("no totals: {resource}"));
    rows.iter()
        .find(|row| row["type"] == kind)
        .map(|row| row["amount"].as_i64().expect("an amount"))
}

/// A header.
pub(crate) fn value(text: &str) -> HeaderValue {
    text.parse().expect("a header")
}
