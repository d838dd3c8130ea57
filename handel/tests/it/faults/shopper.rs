//! Shoppers who buy, remember what they were told, and send again what nobody answered.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use handel_domain::id::OrderId;
use handel_ports::System;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Place, Served, answer};

/// How often a purchase is sent again before it is stuck, and how long apart: well over the 30 seconds after which
/// a key of a dead process is free, and the 60 after which a charge that nobody knows has failed.
const TRIES: usize = 2_400;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// What the shoppers know.
#[derive(Default)]
pub struct Memory {
    told: Mutex<Vec<(OrderId, i64)>>,
    unanswered: Mutex<Vec<String>>,
}

/// What became of a purchase.
pub enum Outcome {
    /// The shop says that it is bought and paid.
    Paid,
    /// There was no answer, or one that says to come back.
    Open,
    /// The order waits for another payment.
    Unpaid,
}

impl Memory {
    /// How many orders the shop told of.
    pub fn told(&self) -> usize {
        self.told.lock().expect("no shopper panics").len()
    }

    /// Carts whose purchase is open.
    pub fn unanswered(&self) -> Vec<String> {
        self.unanswered.lock().expect("no shopper panics").clone()
    }

    /// Adds a cart whose purchase is open.
    pub fn remember(&self, cart: String) {
        self.unanswered.lock().expect("no shopper panics").push(cart);
    }

    /// Buys again and again until told to stop, or until nobody answers any more.
    pub async fn shop(&self, served: &Served, stop: &AtomicBool) {
        while !stop.load(Ordering::Relaxed) {
            let Some(cart) = new_cart(served).await else { return };
            if !matches!(self.try_to_buy(served, &cart, "first").await, Outcome::Paid) {
                self.remember(cart);
            }
        }
    }

    /// Sends every open purchase again until it is paid.
    pub async fn finish(&self, served: &Served) {
        let open = std::mem::take(&mut *self.unanswered.lock().expect("no shopper panics"));
        let finishing = open.iter().map(|cart| self.finish_one(served, cart));
        futures_util::future::join_all(finishing).await;
    }

    async fn finish_one(&self, served: &Served, cart: &str) {
        let (mut key, mut payments) = ("first".to_owned(), 1);
        for _ in 0..TRIES {
            match self.try_to_buy(served, cart, &key).await {
                Outcome::Paid => return,
                Outcome::Open => System::real().sleep(PAUSE).await,
                Outcome::Unpaid => {
                    payments += 1;
                    key = format!("payment-{payments}");
                }
            }
        }
        panic!("the purchase of {cart} does not end: {}", served.log_text());
    }

    /// Tries to buy a cart once.
    pub async fn try_to_buy(&self, served: &Served, cart: &str, key: &str) -> Outcome {
        let Some((status, body)) = try_answer(served.buy_with_key(cart, "tok_ok", key)).await
        else {
            return Outcome::Open;
        };
        match status {
            201 if body["order"]["status"] == "paid" => {
                let id = body["order"]["id"].as_str().and_then(|id| id.parse().ok());
                let told =
                    (id.expect("an id"), body["order"]["total_minor"].as_i64().expect("an amount"));
                self.told.lock().expect("no shopper panics").push(told);
                Outcome::Paid
            }
            201 | 202 | 402 => Outcome::Unpaid,
            409 | 503 => Outcome::Open,
            _ => panic!("{status}: {body}"),
        }
    }

    /// Every order that anybody was told of is there, paid, and charged once; nothing else was charged.
    pub async fn check(&self, place: &Place, served: &Served, key: &str) {
        let orders = orders(served, key).await;
        let ledger = handel_local::Ledger::open(&place.path("handel-data/test-payments.db"));
        let ledger = ledger.expect("the books of the provider");
        let told = self.told.lock().expect("no shopper panics").clone();
        for (id, total_minor) in &told {
            let order = orders.iter().find(|order| order["id"] == id.to_string());
            let order = order.unwrap_or_else(|| panic!("{id} is lost"));
            assert_eq!(order["status"], "paid", "{order}");
            assert_eq!(order["total_minor"], *total_minor, "{order}");
            let charges = ledger.charges_of(*id).await.expect("the books can be read");
            let taken: Vec<_> = charges.iter().map(|charge| charge.captured_minor).collect();
            assert_eq!(taken.iter().sum::<i64>(), *total_minor, "{id} was charged {taken:?}");
        }
        let paid = orders.iter().filter(|order| order["status"] == "paid").count();
        assert_eq!(paid, told.len(), "every purchase was sent until it was answered");
        let charges = ledger.summary().await.expect("the books can be read").charges;
        assert_eq!(
            usize::try_from(charges).expect("a count"),
            told.len(),
            "one charge for each order"
        );
    }
}

/// A new cart, if the shop makes one and shows what it costs.
pub async fn new_cart(served: &Served) -> Option<String> {
    let add = served.request(Method::POST, "/api/v1/cart/items");
    let (status, cart) = try_answer(add.json(&json!({ "sku": "MAP-1" }))).await?;
    let token = cart["token"].as_str().filter(|_| status == 201)?.to_owned();
    let (status, _) = try_answer(served.quote(&token)).await?;
    (status == 201).then_some(token)
}

/// A key of staff who look.
pub fn staff_key(place: &Place) -> String {
    let scopes = "catalog:read,orders:read,stock:read";
    let said = place.succeed(&["key", "create", "--name", "test", "--scopes", scopes]);
    said.lines().last().expect("the key").trim().to_owned()
}

/// All orders as staff see them.
pub async fn orders(served: &Served, key: &str) -> Vec<Value> {
    let (mut orders, mut path) = (Vec::new(), "/api/v1/admin/orders?limit=100".to_owned());
    loop {
        let list = served.request(Method::GET, &path).bearer_auth(key);
        let (status, page) = answer(list).await;
        assert_eq!(status, 200, "{page}");
        orders.extend(page["items"].as_array().expect("orders").iter().cloned());
        let Some(cursor) = page["next_cursor"].as_str() else { return orders };
        path = format!("/api/v1/admin/orders?limit=100&cursor={cursor}");
    }
}

/// The answer to a request, if there is a whole one.
pub async fn try_answer(request: RequestBuilder) -> Option<(u16, Value)> {
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    let text = answer.text().await.ok()?;
    Some((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}

/// Insists on the refusal of a shop that cannot reach its data, which says when to come back.
pub async fn is_unavailable(request: RequestBuilder, code: &str) {
    let answer = request.send().await.expect("the server answers");
    let status = answer.status().as_u16();
    let has_time = answer.headers().contains_key("retry-after");
    let body: Value = answer.json().await.expect("a problem");
    assert_eq!((status, body["code"].as_str()), (503, Some(code)), "{body}");
    assert!(has_time, "it does not say when to come back: {body}");
}
