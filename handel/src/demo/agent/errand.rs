//! What the agent does to buy something.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{
    Wish,
    binding::{Ask, Binding, Line, client},
    desk::{Desk, VERSION},
};
use crate::{demo::transcript::Transcript, serve::Open};

/// One purchase over one binding.
pub struct Errand<'o> {
    open: &'o Open,
    desk: &'o Desk,
    binding: Binding,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Bought {
    pub order_id: String,
    pub total_minor: i64,
}

impl<'o> Errand<'o> {
    pub fn new(open: &'o Open, desk: &'o Desk, binding: Binding) -> Self {
        Self { open, desk, binding }
    }

    pub async fn run(&self, wish: &Wish, transcript: &mut Transcript) -> Result<Bought> {
        let name = self.binding.transport().to_uppercase();
        transcript.step(&format!(
            "An agent that has only the shop's address buys the same over UCP and {name}"
        ))?;
        let shop = self.discover(transcript).await?;
        let endpoint = endpoint(&shop, self.binding)?;
        let line = Line::open(self.binding, endpoint, self.desk.profile_url.clone()).await?;
        self.search(&line, transcript).await?;
        let checkout = self.check_out(&line, wish).await?;
        let id = text(&checkout, "/id")?;
        transcript.see(&format!("{id} is {}", text(&checkout, "/status")?))?;
        let done = self.pay(&line, &shop, id).await?;
        ensure!(text(&done, "/status")? == "completed", "the checkout is {}", done["status"]);
        let order_id = text(&done, "/order/id")?.to_owned();
        let ask = Ask { tool: "get_order", id: Some(&order_id), ..Ask::default() };
        let order = line.call(&ask).await?;
        let total_minor = total(&order)?;
        ensure!(total(&done)? == total_minor, "the order costs something else than its checkout");
        transcript.see(&format!(
            "order {order_id}, to be looked at on {}",
            text(&order, "/permalink_url")?
        ))?;
        Ok(Bought { order_id, total_minor })
    }

    async fn discover(&self, transcript: &Transcript) -> Result<Value> {
        let url = format!("{}/.well-known/ucp", self.open.local_url);
        let shop: Value = client()?.get(url).send().await?.error_for_status()?.json().await?;
        let capabilities =
            shop["ucp"]["capabilities"].as_object().context("the shop can do nothing")?;
        transcript.see(&format!(
            "the shop speaks UCP {} and offers {} capabilities",
            text(&shop, "/ucp/version")?,
            capabilities.len()
        ))?;
        Ok(shop)
    }

    async fn search(&self, line: &Line, transcript: &Transcript) -> Result<()> {
        let payload = ("catalog", json!({ "query": "coffee", "pagination": { "limit": 3 } }));
        let ask = Ask { tool: "search_catalog", payload: Some(payload), ..Ask::default() };
        let found = line.call(&ask).await?;
        let products = found["products"].as_array().context("the search has no result")?;
        let titles: Vec<_> =
            products.iter().filter_map(|product| product["title"].as_str()).collect();
        transcript.see(&format!("found {}", titles.join("; ")))
    }

    /// Says what is wanted and where it goes, and then chooses how it is sent.
    async fn check_out(&self, line: &Line, wish: &Wish) -> Result<Value> {
        let key = self.key();
        let ask = Ask {
            tool: "create_checkout",
            payload: Some(("checkout", basket(wish, None))),
            key: Some(&key),
            ..Ask::default()
        };
        let created = line.call(&ask).await?;
        let key = self.key();
        let ask = Ask {
            tool: "update_checkout",
            id: Some(text(&created, "/id")?),
            payload: Some(("checkout", basket(wish, Some(&created)))),
            key: Some(&key),
        };
        let updated = line.call(&ask).await?;
        let (status, messages) = (text(&updated, "/status")?, &updated["messages"]);
        ensure!(status == "ready_for_complete", "the checkout is {status}: {messages}");
        Ok(updated)
    }

    async fn pay(&self, line: &Line, shop: &Value, id: &str) -> Result<Value> {
        let handlers =
            shop["ucp"]["payment_handlers"].as_object().context("the shop takes no money")?;
        let handler = handlers.values().find_map(|versions| versions[0]["id"].as_str());
        let instrument = json!({
            "id": "wallet", "handler_id": handler.context("the shop takes no money")?, "type": "card", "selected": true,
            "credential": { "type": "token", "token": "tok_ok" },
        });
        let payload = ("checkout", json!({ "payment": { "instruments": [instrument] } }));
        let key = self.key();
        let ask = Ask {
            tool: "complete_checkout",
            id: Some(id),
            payload: Some(payload),
            key: Some(&key),
        };
        line.call(&ask).await
    }

    /// A key that nobody used before.
    fn key(&self) -> String {
        let bytes = self.open.shop.system.bytes::<16>();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What is wanted, with the choice of shipping once the shop has said what there is.
fn basket(wish: &Wish, offered: Option<&Value>) -> Value {
    let mut method = json!({
        "type": "shipping",
        "destinations": [{
            "type": "shipping_address", "id": "home", "first_name": "Ada", "last_name": "Lovelace",
            "street_address": "12 St James Place", "address_locality": "New York", "address_region": "NY",
            "postal_code": "10038", "address_country": "US",
        }],
        "selected_destination_id": "home",
    });
    let offered = offered.and_then(|checkout| checkout.pointer("/fulfillment/methods/0"));
    if let Some(offered) = offered {
        for field in ["id", "line_item_ids"] {
            method[field] = offered[field].clone();
        }
        let group = &offered["groups"][0];
        let options = group["options"].as_array().cloned().unwrap_or_default();
        let chosen = options.iter().find(|option| option["id"] == json!("standard"));
        method["groups"] = json!([{
            "id": group["id"], "line_item_ids": group["line_item_ids"],
            "selected_option_id": chosen.map(|option| option["id"].clone()),
        }]);
    }
    json!({
        "line_items": [{ "item": { "id": wish.variant_id }, "quantity": wish.quantity }],
        "buyer": { "email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace" },
        "fulfillment": { "methods": [method] },
        "context": { "address_country": "US" },
        "attribution": { "campaign": "demo" },
    })
}

fn total(of: &Value) -> Result<i64> {
    let totals = of["totals"].as_array().context("there are no totals")?;
    let total = totals.iter().find(|entry| entry["type"] == json!("total"));
    total.and_then(|total| total["amount"].as_i64()).context("there is no total")
}

fn endpoint(shop: &Value, binding: Binding) -> Result<String> {
    let services = shop.pointer("/ucp/services/dev.ucp.shopping").and_then(Value::as_array);
    let mut services = services.into_iter().flatten();
    let found = services.find(|service| {
        service["transport"] == json!(binding.transport()) && service["version"] == json!(VERSION)
    });
    let endpoint = found.and_then(|service| service["endpoint"].as_str());
    Ok(endpoint
        .with_context(|| format!("the shop has no {} binding", binding.transport()))?
        .to_owned())
}

fn text<'v>(of: &'v Value, pointer: &str) -> Result<&'v str> {
    of.pointer(pointer)
        .and_then(Value::as_str)
        .with_context(|| format!("the answer has no {pointer}"))
}
