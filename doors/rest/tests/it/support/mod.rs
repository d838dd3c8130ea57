//! A shop behind its REST door.

mod call;
pub(crate) mod wire;

use std::{ops::Deref, sync::Arc};

use axum::Router;
use handel_engine::Scope;
use handel_kit::{Door, DoorSettings, Metrics, layered, ops_router};
use handel_local::FileBlobs;
use handel_ports::System;
use handel_testkit::{SeededRandom, Tasks, TestDatabase, TestShop};
use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) use call::{Call, Reply};

/// A shop, and the routes as the binary puts them together.
pub(crate) struct Shop {
    shop: TestShop,
    /// Clock, randomness and tasks of the door.
    pub(crate) system: System,
    /// The pictures.
    pub(crate) blobs: Arc<FileBlobs>,
    /// The routes with the limits of every installation.
    pub(crate) front: Front,
    _files: TempDir,
}

/// Routes with their limits.
#[derive(Clone)]
pub(crate) struct Front(pub(crate) Router);

impl Shop {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let shop = Box::pin(TestShop::start(database)).await;
        let random = Arc::new(SeededRandom::fresh());
        let system = System::new(shop.clock.clone(), random, Arc::new(Tasks::default()));
        let files = TempDir::with_prefix("handel-test-").expect("a temporary directory");
        let blobs = Arc::new(FileBlobs::open(files.path()).expect("a store of files"));
        let front = front(&shop, &system, &blobs, DoorSettings::default(), Router::new());
        Self { shop, system, blobs, front, _files: files }
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

    /// The same shop with other limits, and with more routes.
    pub(crate) fn front(&self, settings: DoorSettings, more: Router) -> Front {
        front(&self.shop, &self.system, &self.blobs, settings, more)
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.front.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.front.call(Method::POST, path)
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        self.front.call(method, path)
    }

    /// A new API key.
    pub(crate) async fn key(&self, scopes: &[Scope]) -> String {
        let made = self.engine.create_api_key(&self.staff(), "a test", scopes.to_vec(), None).await;
        made.expect("a key can be made").secret.expose().clone()
    }

    /// A cart with these units, made over REST.
    pub(crate) async fn cart(&self, sku: &str, quantity: i64) -> Cart {
        let body = json!({ "sku": sku, "quantity": quantity });
        let reply = self.post("/cart/items").json(&body).send().await.expect(201);
        Cart { token: reply.header("cart-token"), view: reply.json() }
    }

    /// The checkout of a cart, complete but for the payment.
    pub(crate) async fn checkout_over_rest(&self, cart: &Cart) -> Value {
        let call = self.post("/checkout").cart(&cart.token).json(&buyer());
        call.send().await.expect(201).json()
    }
}

/// The cart of a shopper.
pub(crate) struct Cart {
    pub(crate) token: String,
    pub(crate) view: Value,
}

/// What a buyer in Germany says.
pub(crate) fn buyer() -> Value {
    json!({
        "email": "ada@example.com",
        "shipping_address": {
            "name": "Ada Lovelace", "line1": "1 Main Street", "city": "Berlin",
            "postal_code": "10115", "country": "DE",
        },
        "shipping_method": "standard",
    })
}

/// A buyer who pays one `MUG` of 19.99 and its shipping with a token of the test provider.
pub(crate) fn paying(token: &str) -> Value {
    let mut body = paying_what_was_shown(token);
    body["expected_total_minor"] = json!(2489);
    body
}

/// A buyer who pays with a token of the test provider, and names no total.
pub(crate) fn paying_what_was_shown(token: &str) -> Value {
    let mut body = buyer();
    body["payment"] = json!({ "token": token });
    body
}

impl Front {
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.0.clone(), method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }
}

impl Deref for Shop {
    type Target = TestShop;

    fn deref(&self) -> &TestShop {
        &self.shop
    }
}

fn front(
    shop: &TestShop,
    system: &System,
    blobs: &Arc<FileBlobs>,
    settings: DoorSettings,
    more: Router,
) -> Front {
    let metrics = Arc::new(Metrics::default());
    let door = Door::new(shop.engine.clone(), system.clone(), metrics, settings);
    let routes = handel_rest::router(&door, blobs.clone());
    Front(layered(&door, routes.merge(ops_router(door.clone())).merge(more)))
}
