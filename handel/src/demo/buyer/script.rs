//! What the buyer does, step by step.

use anyhow::{Context as _, Result, ensure};
use handel_ports::System;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::shop::{Answer, Shop, Visit};
use crate::{
    demo::{
        agent::Wish,
        transcript::{Transcript, money},
    },
    serve::Open,
};

/// The buyer on the way through the shop.
pub struct Script<'o> {
    shop: Shop,
    open: &'o Open,
    transcript: &'o mut Transcript,
}

/// How many of it the buyer wants.
const WANTED: i64 = 2;
/// How many send the same request at once, as clients do that lost patience.
const IMPATIENT: usize = 5;

impl<'o> Script<'o> {
    pub fn new(shop: Shop, open: &'o Open, transcript: &'o mut Transcript) -> Self {
        Self { shop, open, transcript }
    }

    pub async fn run(&mut self) -> Result<Wish> {
        let variant = self.search().await?;
        let cart = self.fill_cart(&variant).await?;
        let total_minor = self.quote(&cart).await?;
        let (order, request, visit) = self.pay(&cart, total_minor).await?;
        self.repeat(&order, &request, &visit).await?;
        self.look_at_order(&order).await?;
        self.try_another_card(&variant).await?;
        self.buy_in_euros().await?;
        self.ask_for_too_many(&variant).await?;
        self.count_charges(&order).await?;
        let variant_id = variant["id"].as_str().context("what was bought has no id")?.to_owned();
        Ok(Wish { variant_id, quantity: WANTED, order: order.body["order"].clone() })
    }

    async fn search(&mut self) -> Result<Value> {
        self.transcript.step("Search for coffee that is in stock, cheapest first")?;
        let path = "/products?q=coffee&in_stock=true&sort=price&limit=5";
        let found = self.shop.get(path, &Visit::default()).await?.expect(StatusCode::OK)?;
        let items = found.body["items"].as_array().cloned().unwrap_or_default();
        for item in &items {
            let price = money(item, item["price_min_minor"].as_i64());
            self.transcript.see(&format!(
                "{:<44} from {price:>10}",
                item["title"].as_str().unwrap_or_default()
            ))?;
        }
        for item in items {
            let path = format!("/products/{}", item["slug"].as_str().unwrap_or_default());
            let page = self.shop.get(&path, &Visit::default()).await?.expect(StatusCode::OK)?;
            let variants = page.body["variants"].as_array().cloned().unwrap_or_default();
            let plenty =
                |variant: &&Value| variant["available"].as_i64().is_some_and(|count| count >= 4);
            if let Some(variant) = variants.iter().find(plenty) {
                let title = item["title"].as_str().unwrap_or_default();
                let kind = variant["title"].as_str().unwrap_or_default();
                self.transcript
                    .see(&format!("I take {title}, {kind} ({} in stock)", variant["available"]))?;
                return Ok(variant.clone());
            }
        }
        anyhow::bail!("nothing that was found can be bought")
    }

    async fn fill_cart(&mut self, variant: &Value) -> Result<String> {
        self.transcript.step("Put two of it into a cart")?;
        let body = json!({ "sku": variant["sku"], "quantity": WANTED });
        let cart = self.shop.post("/cart/items", &Visit::default(), &body).await?;
        let cart = cart.expect(StatusCode::CREATED)?;
        self.transcript.totals(&cart.body)?;
        cart.text("/token")
    }

    async fn quote(&mut self, cart: &str) -> Result<i64> {
        self.transcript.step("Say where it goes, and see what it costs in the end")?;
        let visit = Visit { cart: Some(cart.to_owned()), ..Visit::default() };
        let checkout =
            self.shop.post("/checkout", &visit, &buyer()).await?.expect(StatusCode::CREATED)?;
        let missing = checkout.body["missing"].as_array().map_or(1, Vec::len);
        ensure!(missing == 0, "the checkout still lacks something");
        self.transcript.totals(&checkout.body)?;
        checkout.number("/total_minor")
    }

    async fn pay(&mut self, cart: &str, total_minor: i64) -> Result<(Answer, Value, Visit)> {
        self.transcript.step("Pay exactly that, with an idempotency key")?;
        let visit =
            Visit { cart: Some(cart.to_owned()), key: Some(self.key()), ..Visit::default() };
        let mut request = buyer();
        request["payment"] = json!({ "provider": "test", "token": "tok_ok" });
        request["expected_total_minor"] = json!(total_minor);
        let order =
            self.shop.post("/checkout", &visit, &request).await?.expect(StatusCode::CREATED)?;
        ensure!(order.text("/order/status")? == "paid", "the order is not paid");
        ensure!(
            order.number("/order/total_minor")? == total_minor,
            "the order costs something else"
        );
        self.say_order(&order)?;
        Ok((order, request, visit))
    }

    /// Agents repeat themselves: the same request, once more and then several at once.
    async fn repeat(&mut self, order: &Answer, request: &Value, visit: &Visit) -> Result<()> {
        self.transcript.step("The answer got lost on the way: send the very same request again, and then five at once")?;
        let again =
            self.shop.post("/checkout", visit, request).await?.expect(StatusCode::CREATED)?;
        let same = |answer: &Answer| answer.is_replay() && answer.body == order.body;
        ensure!(same(&again), "the repetition was answered differently");
        let impatient = (0..IMPATIENT).map(|_| self.shop.post("/checkout", visit, request));
        for answer in futures_util::future::try_join_all(impatient).await? {
            ensure!(same(&answer), "a repetition was answered differently");
        }
        let id = again.text("/order/id")?;
        self.transcript.see(&format!("six times the same order {id}, and nothing new happened"))
    }

    async fn look_at_order(&mut self, order: &Answer) -> Result<()> {
        self.transcript.step("Look at the order as a guest, with its token")?;
        let visit = Visit { order: Some(order.text("/order/token")?), ..Visit::default() };
        let path = format!("/orders/{}", order.text("/order/id")?);
        let seen = self.shop.get(&path, &visit).await?.expect(StatusCode::OK)?;
        self.transcript.totals(&seen.body)?;
        let text = |field: &str| seen.body[field].as_str().unwrap_or_default().to_owned();
        self.transcript.see(&format!(
            "{}, {}, goes to {}",
            text("payment_status"),
            text("fulfillment_status"),
            text("email")
        ))?;
        self.shop.get(&path, &Visit::default()).await?.expect(StatusCode::NOT_FOUND)?;
        self.transcript.see("without the token there is no such order")
    }

    async fn try_another_card(&mut self, variant: &Value) -> Result<()> {
        self.transcript
            .step("Buy once more with a card that is declined, then with one that works")?;
        let body = json!({ "sku": variant["sku"], "quantity": 1 });
        let cart = self
            .shop
            .post("/cart/items", &Visit::default(), &body)
            .await?
            .expect(StatusCode::CREATED)?;
        let cart = cart.text("/token")?;
        let total_minor = self.total_of(&cart, None, &buyer()).await?;
        let mut visit = Visit { cart: Some(cart), key: Some(self.key()), ..Visit::default() };
        let mut request = buyer();
        request["payment"] = json!({ "token": "tok_declined" });
        request["expected_total_minor"] = json!(total_minor);
        let declined = self
            .shop
            .post("/checkout", &visit, &request)
            .await?
            .expect(StatusCode::PAYMENT_REQUIRED)?;
        self.transcript.see(&format!(
            "{}: {}",
            declined.text("/code")?,
            declined.text("/detail")?
        ))?;
        visit.key = Some(self.key());
        request["payment"] = json!({ "token": "tok_ok" });
        let paid =
            self.shop.post("/checkout", &visit, &request).await?.expect(StatusCode::CREATED)?;
        ensure!(
            paid.text("/order/id")? == declined.text("/order_id")?,
            "the second card made a second order"
        );
        self.say_order(&paid)
    }

    async fn buy_in_euros(&mut self) -> Result<()> {
        self.transcript.step("The same shop in Europe: euros, and prices that include the tax")?;
        let channel = Some("eu");
        let visit = Visit { channel, ..Visit::default() };
        let found = self
            .shop
            .get("/products?q=mug&in_stock=true&limit=1", &visit)
            .await?
            .expect(StatusCode::OK)?;
        let path = format!("/products/{}", found.text("/items/0/slug")?);
        let page = self.shop.get(&path, &visit).await?.expect(StatusCode::OK)?;
        let variants = page.body["variants"].as_array().cloned().unwrap_or_default();
        let variant = variants.iter().find(|variant| variant["in_stock"] == json!(true));
        let body = json!({ "sku": variant.context("no mug is in stock")?["sku"] });
        let cart =
            self.shop.post("/cart/items", &visit, &body).await?.expect(StatusCode::CREATED)?;
        let cart = cart.text("/token")?;
        let total_minor = self.total_of(&cart, channel, &european()).await?;
        let visit = Visit { channel, cart: Some(cart), key: Some(self.key()), ..Visit::default() };
        let mut request = european();
        request["payment"] = json!({ "token": "tok_ok" });
        request["expected_total_minor"] = json!(total_minor);
        let order =
            self.shop.post("/checkout", &visit, &request).await?.expect(StatusCode::CREATED)?;
        self.transcript.totals(&order.body["order"])?;
        self.say_order(&order)
    }

    /// What a cart costs in the end.
    async fn total_of(
        &self,
        cart: &str,
        channel: Option<&'static str>,
        buyer: &Value,
    ) -> Result<i64> {
        let visit = Visit { channel, cart: Some(cart.to_owned()), ..Visit::default() };
        let checkout = self.shop.post("/checkout", &visit, buyer).await?;
        checkout.expect(StatusCode::CREATED)?.number("/total_minor")
    }

    async fn ask_for_too_many(&mut self, variant: &Value) -> Result<()> {
        self.transcript.step("Ask for more than there is")?;
        let body = json!({ "sku": variant["sku"], "quantity": 999 });
        let refused = self
            .shop
            .post("/cart/items", &Visit::default(), &body)
            .await?
            .expect(StatusCode::CONFLICT)?;
        let available = refused.number("/shortages/0/available")?;
        self.transcript.see(&format!("{}: {available} are left", refused.text("/code")?))
    }

    /// The provider's own books are what counts.
    async fn count_charges(&mut self, order: &Answer) -> Result<()> {
        self.transcript.step("Look into the payment provider's own books")?;
        let Some(payments) = &self.open.shop.payments else {
            return self.transcript.see("the test provider is not enabled");
        };
        let id = order.text("/order/id")?.parse()?;
        let charges = payments.ledger().charges_of(id).await.context("the books cannot be read")?;
        ensure!(charges.len() == 1, "the first order was charged {} times", charges.len());
        self.transcript.see("the first order, sent seven times, was charged exactly once")
    }

    fn say_order(&self, order: &Answer) -> Result<()> {
        let paid = money(&order.body["order"], order.body["order"]["total_minor"].as_i64());
        let text = format!(
            "order {} is {}: {paid}",
            order.number("/order/number")?,
            order.text("/order/status")?
        );
        self.transcript.see(&text)
    }

    /// A key that nobody used before.
    fn key(&self) -> String {
        let system: &System = &self.open.shop.system;
        system.bytes::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn buyer() -> Value {
    json!({
        "email": "ada@example.com",
        "shipping_address": {
            "name": "Ada Lovelace", "line1": "12 St James Place", "city": "New York", "region": "NY",
            "postal_code": "10038", "country": "US",
        },
        "shipping_method": "standard",
    })
}

fn european() -> Value {
    json!({
        "email": "emmy@example.com",
        "shipping_address": {
            "name": "Emmy Noether", "line1": "Weender Straße 2", "city": "Göttingen", "postal_code": "37073",
            "country": "DE",
        },
        "shipping_method": "standard",
    })
}
