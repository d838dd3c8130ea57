//! A flower shop behind the sandbox, and a platform that buys in it.

use std::{ops::Deref, sync::Arc};

use axum::{Router, body::Body};
use handel_domain::{id::TenantId, order::Source};
use handel_engine::{Caller, Context, WebhookFormat};
use handel_kit::{Door, DoorSettings, Metrics, layered};
use handel_ports::{Secret, System};
use handel_testkit::{
    SeededRandom, Tasks, TestDatabase, TestShop,
    fixtures::{product_input, slug},
};
use handel_ucp_compat::{CompatSettings, CompatWebhooks, Customers};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

/// Where the sandbox says that it is.
pub const BASE_URL: &str = "http://127.0.0.1:8183";
/// Where buyers reach the shop.
const PUBLIC_URL: &str = "https://shop.example";
/// The profile of the platform.
pub const PROFILE: &str = "https://agent.example/profile.json";
/// Where the platform hears of its orders.
pub const NEWS: &str = "https://agent.example/news";
/// What sends parcels off.
pub const SECRET: &str = "a secret of the tests";

const SETTINGS: &str = r#"{
    "name": "Flowers", "currency": "USD", "locale": "en-US", "default_country": "US",
    "countries": ["US", "CA"], "tax": { "prices_include_tax": false }, "line_quantity_max": 100000,
    "shipping_methods": [
        { "code": "std-ship", "name": "Standard Shipping", "amount_minor": 500, "tax_class": "standard" },
        { "code": "exp-ship-us", "name": "Express", "countries": ["US"], "amount_minor": 1500, "tax_class": "standard" },
        { "code": "exp-ship-intl", "name": "Express", "countries": ["CA"], "amount_minor": 2500, "tax_class": "standard" }
    ]
}"#;

/// A shop with roses at 35.00, of which there are 100, and no gardenias.
pub struct Sandbox {
    shop: TestShop,
    routes: Router,
}

impl Sandbox {
    pub async fn start(database: TestDatabase) -> Self {
        let formats: Vec<Arc<dyn WebhookFormat>> = vec![Arc::new(CompatWebhooks::new(PUBLIC_URL))];
        let shop = Box::pin(TestShop::start_telling(database, formats)).await;
        let settings = serde_json::from_str(SETTINGS).expect("valid settings");
        let put = shop.engine.put_channel(&staff(&shop), slug("default"), settings, None).await;
        put.expect("the channel opens");
        shop.create(product_input("bouquet_roses", 3500), 100).await;
        shop.create(product_input("gardenias", 2000), 0).await;
        let profile = json!({ "ucp": { "version": "2026-01-11", "capabilities": [
            { "name": "dev.ucp.shopping.order", "config": { "webhook_url": NEWS } }
        ] } });
        shop.web.publish(PROFILE, Default::default(), profile.to_string());
        let routes = routes(&shop);
        Self { shop, routes }
    }

    pub async fn finish(&mut self) {
        self.settle().await;
        self.shop.finish().await;
    }

    /// Does all that is due now.
    pub async fn settle(&self) {
        // The work of a whole shop is too large for the stack of a test.
        Box::pin(self.shop.settle()).await;
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    pub fn put(&self, path: &str) -> Call {
        self.call(Method::PUT, path)
    }

    pub fn call(&self, method: Method, path: &str) -> Call {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1");
        let request = request.body(Body::empty()).expect("a request");
        Call { routes: self.routes.clone(), request }
            .header("ucp-agent", &format!("profile=\"{PROFILE}\""))
    }

    /// A checkout of some roses that only lacks its payment.
    pub async fn ready(&self, quantity: i64) -> Value {
        let body = json!({
            "currency": "USD",
            "line_items": [roses(quantity)],
            "fulfillment": to_country("US", Some("std-ship")),
        });
        self.post("/checkout-sessions").json(&body).send().await.expect(201)
    }

    /// An order of some roses that is paid.
    pub async fn bought(&self, quantity: i64) -> Value {
        let checkout = self.ready(quantity).await;
        let key = self.shop.fresh_key();
        let path = format!("{}/complete", session(&checkout));
        self.post(&path).key(&key).json(&paying("success_token")).send().await.expect(200)
    }

    /// Somebody who may do everything.
    pub fn staff(&self) -> Context {
        staff(&self.shop)
    }
}

impl Deref for Sandbox {
    type Target = TestShop;

    fn deref(&self) -> &TestShop {
        &self.shop
    }
}

fn staff(shop: &TestShop) -> Context {
    Context {
        tenant_id: TenantId::DEFAULT,
        channel: None,
        caller: Caller::Operator,
        request_id: shop.engine.request_id(),
        idempotency: None,
        source: Source::Rest,
    }
}

fn routes(shop: &TestShop) -> Router {
    let random = Arc::new(SeededRandom::fresh());
    let system = System::new(shop.clock.clone(), random, Arc::new(Tasks::default()));
    let metrics = Arc::new(Metrics::default());
    let door = Door::new(shop.engine.clone(), system, metrics, DoorSettings::default());
    let settings = CompatSettings {
        base_url: BASE_URL.to_owned(),
        customers: Customers::default(),
        simulation_secret: Some(Secret::new(SECRET.to_owned())),
        web: shop.web.clone(),
    };
    layered(&door, handel_ucp_compat::router(&door, settings))
}

/// A line of roses.
pub fn roses(quantity: i64) -> Value {
    json!({ "item": { "id": "bouquet_roses", "title": "Anything" }, "quantity": quantity })
}

/// A method to somewhere in a country, of which nothing else is said.
pub fn to_country(country: &str, option: Option<&str>) -> Value {
    json!({ "methods": [{
        "type": "shipping",
        "destinations": [{ "id": "dest_1", "address_country": country }],
        "selected_destination_id": "dest_1",
        "groups": [{ "selected_option_id": option }],
    }] })
}

/// What completes a checkout.
pub fn paying(token: &str) -> Value {
    json!({ "payment_data": {
        "id": "instr_1", "handler_id": "mock_payment_handler", "type": "card", "brand": "Visa",
        "last_digits": "1234", "credential": { "type": "token", "token": token },
    }, "risk_signals": {} })
}

/// Where a checkout is.
pub fn session(checkout: &Value) -> String {
    format!("/checkout-sessions/{}", checkout["id"].as_str().expect("an id"))
}

/// The amount of a kind in a list of totals.
pub fn amount(view: &Value, kind: &str) -> Option<i64> {
    let entries = view["totals"].as_array().expect("totals");
    entries.iter().find(|entry| entry["type"] == kind)?["amount"].as_i64()
}

/// A request to be sent.
pub struct Call {
    routes: Router,
    request: Request<Body>,
}

impl Call {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header");
        self.request.headers_mut().insert(HeaderName::from_static(name), value);
        self
    }

    pub fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub fn json(self, body: &Value) -> Self {
        let mut call = self.header("content-type", "application/json");
        *call.request.body_mut() = Body::from(body.to_string());
        call
    }

    pub async fn send(self) -> Reply {
        let response = self.routes.oneshot(self.request).await.expect("a router always answers");
        let status = response.status();
        let body = response.into_body().collect().await.expect("the whole answer").to_bytes();
        Reply { status, text: String::from_utf8_lossy(&body).into_owned() }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub text: String,
}

impl Reply {
    /// Insists on a status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// Insists on a status, and reads the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        let reply = self.is(status);
        serde_json::from_str(&reply.text).expect("an answer is JSON")
    }

    /// Insists on an error in the form of the suite, with a text in its `detail`.
    #[track_caller]
    pub fn detail(self, status: u16, text: &str) {
        let problem = self.expect(status);
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(text), "{problem}");
    }
}
