//! The agent's own place on the web: the profile by which shops know it, and the address at which they report
//! what becomes of its orders.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use axum::{
    Json, Router,
    extract::State,
    routing::{get, post},
};
use handel_kit::{Server, ServerSettings};
use handel_ports::System;
use handel_ucp::Version;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::watch;

/// The protocol version that the agent speaks.
pub const VERSION: &str = Version::ROOT.name();

/// A small server that ends with its owner.
pub struct Desk {
    /// Where the profile is.
    pub profile_url: String,
    news: Arc<Mutex<Vec<News>>>,
    _open: watch::Sender<bool>,
}

/// What a shop reported.
#[derive(Clone)]
pub struct News {
    /// Whether it came with a signature.
    pub is_signed: bool,
    /// The order as it was then.
    pub order: Value,
}

impl Desk {
    /// Opens the desk on a free port of this machine.
    pub async fn open(system: &System) -> Result<Self> {
        let any = ([127, 0, 0, 1], 0).into();
        let server = Server::bind(any, ServerSettings::default(), system.clone()).await;
        let server = server.context("the agent cannot listen on this machine")?;
        let address = server.address().context("the address of the agent is unknown")?;
        let url = format!("http://{address}");
        let news = Arc::new(Mutex::new(Vec::new()));
        let profile = profile(&url);
        let routes = Router::new()
            .route("/profile.json", get(async move || (CACHED, Json(profile))))
            .route("/orders", post(take_news))
            .with_state(news.clone());
        let (open, told) = watch::channel(false);
        system.spawn(async move { server.run(routes, told).await });
        Ok(Self { profile_url: format!("{url}/profile.json"), news, _open: open })
    }

    /// What was reported so far.
    pub fn news(&self) -> Vec<News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Shops keep a profile for as long as it says.
const CACHED: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "public, max-age=300")];

async fn take_news(
    State(news): State<Arc<Mutex<Vec<News>>>>,
    headers: HeaderMap,
    Json(order): Json<Value>,
) -> StatusCode {
    let is_signed = headers.contains_key("signature") && headers.contains_key("content-digest");
    news.lock().unwrap_or_else(PoisonError::into_inner).push(News { is_signed, order });
    StatusCode::NO_CONTENT
}

fn profile(url: &str) -> Value {
    let schema = |name: &str| format!("https://ucp.dev/{VERSION}/schemas/{name}.json");
    let shopping =
        |name: &str| json!([{ "version": VERSION, "schema": schema(&format!("shopping/{name}")) }]);
    let part = |name: &str, of: &[&str]| json!([{ "version": VERSION, "schema": schema(&format!("shopping/{name}")), "extends": of }]);
    let baskets = ["dev.ucp.shopping.checkout", "dev.ucp.shopping.cart"];
    let mut order = shopping("order");
    order[0]["config"] = json!({ "webhook_url": format!("{url}/orders") });
    json!({ "ucp": {
        "version": VERSION,
        "services": {},
        "payment_handlers": {},
        "capabilities": {
            "dev.ucp.shopping.checkout": shopping("checkout"),
            "dev.ucp.shopping.cart": shopping("cart"),
            "dev.ucp.shopping.catalog.search": shopping("catalog_search"),
            "dev.ucp.shopping.catalog.lookup": shopping("catalog_lookup"),
            "dev.ucp.shopping.order": order,
            "dev.ucp.shopping.discount": part("discount", &baskets),
            "dev.ucp.shopping.fulfillment": part("fulfillment", &baskets[..1]),
        },
    }})
}
