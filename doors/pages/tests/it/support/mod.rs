//! A shop behind its pages, and people with browsers.

mod browser;
mod page;

use std::{ops::Deref, sync::Arc};

use axum::Router;
use handel_domain::{id::CartId, order::Order};
use handel_engine::ListOrders;
use handel_kit::{Door, DoorSettings, Metrics, layered};
use handel_ports::System;
use handel_testkit::{SeededRandom, Tasks, TestDatabase, TestShop};

pub(crate) use browser::Browser;
pub(crate) use page::Page;

/// A shop, and the routes to it.
pub(crate) struct Shop {
    shop: TestShop,
    router: Router,
}

impl Shop {
    pub(crate) async fn start(database: TestDatabase) -> Self {
        let shop = Box::pin(TestShop::start(database)).await;
        let router = router(&shop, None);
        Self { shop, router }
    }

    /// The same shop without any payment provider.
    pub(crate) async fn without_payments(&mut self) {
        Box::pin(self.shop.restart_without_payments()).await;
        self.router = router(&self.shop, None);
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

    /// Carries what the provider has to say to the shop.
    pub(crate) async fn deliver_webhooks(&self) {
        for event in self.due_webhooks().await {
            let webhook = self.sign(&event);
            self.receive(&webhook).await.expect("the shop takes it");
        }
        self.settle().await;
    }

    /// The one order that there is.
    pub(crate) async fn only_order(&self) -> Order {
        let list = ListOrders { limit: 10, ..ListOrders::default() };
        let page = self.engine.list_orders(&self.staff(), list).await.expect("staff may");
        let ids: Vec<_> = page.items.iter().map(|order| order.id).collect();
        assert_eq!(ids.len(), 1, "there must be one order");
        self.order(ids[0]).await.order
    }

    /// The link by which an agent hands a cart over.
    pub(crate) fn handoff(&self, cart_id: CartId, seconds: i64) -> String {
        let until = self.now() + jiff::SignedDuration::from_secs(seconds);
        format!("/continue/{}", self.engine.handoff_token(cart_id, until))
    }

    /// Somebody with a browser of their own.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// The same where the shop is called like this.
    pub(crate) fn browser_of(&self, shop_name: &str) -> Browser {
        Browser::new(router(&self.shop, Some(shop_name.to_owned())))
    }

    /// Somebody who is about to pay for these units.
    pub(crate) async fn at_payment(&self, sku: &str, quantity: &str) -> Browser {
        let mut browser = self.at_checkout(sku, quantity).await;
        browser.send("/contact", &ADA).await.expect(200);
        browser.send("/delivery", &[]).await.expect(200);
        browser
    }

    /// Somebody who has begun to check out.
    pub(crate) async fn at_checkout(&self, sku: &str, quantity: &str) -> Browser {
        let mut browser = self.browser();
        browser.open(&format!("/products/{}", sku.to_lowercase())).await.expect(200);
        browser.send("/cart/items", &[("quantity", quantity)]).await.expect(200);
        browser.send("/checkout", &[]).await.expect(200);
        browser
    }
}

/// The routes of a shop as the binary puts them together.
fn router(shop: &TestShop, shop_name: Option<String>) -> Router {
    let random = Arc::new(SeededRandom::fresh());
    let system = System::new(shop.clock.clone(), random, Arc::new(Tasks::default()));
    let settings = DoorSettings {
        public_url: "https://shop.example".to_owned(),
        shop_name,
        ..DoorSettings::default()
    };
    let door = Door::new(shop.engine.clone(), system, Arc::new(Metrics::default()), settings);
    let routes = handel_pages::router(&door).merge(shop.provider.pages());
    handel_pages::dressed(&door, layered(&door, routes))
}

/// What a buyer in Germany types.
pub(crate) const ADA: [(&str, &str); 6] = [
    ("email", "ada@example.com"),
    ("name", "Ada Lovelace"),
    ("line1", "1 Main Street"),
    ("city", "Berlin"),
    ("postal_code", "10115"),
    ("country", "DE"),
];

impl Deref for Shop {
    type Target = TestShop;

    fn deref(&self) -> &TestShop {
        &self.shop
    }
}
