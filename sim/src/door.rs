//! How actors reach the shop: one list of calls and replies, and several doors that take it.
//!
//! Owns which door can take what. What a call means at a door is written in a file of its own.

mod engine;
mod http;
mod reply;
mod rest;
mod ucp;

use std::{str::FromStr, sync::Arc};

use axum::Router;
use bytes::Bytes;
use handel_domain::{
    catalog::Price,
    checkout::Buyer,
    id::{CartId, CheckoutId, LineId, OrderId},
    order::{LineQuantity, Status},
};
use handel_engine::Engine;
use handel_kit::{DoorSettings, Metrics, layered};
use handel_ports::{System, WebClient};
use handel_testkit::fixtures::slug;
use handel_ucp::{Ucp, UcpSettings};

pub use self::reply::{Answer, Cart, Checkout, Money, Purchase, Reply, Told};

/// The address of the shop.
pub const SHOP: &str = "https://shop.example";

/// What is asked of the shop.
#[derive(Clone, Debug)]
pub enum Call {
    ListProducts,
    ViewProduct { sku: String },
    AddItem { sku: String, quantity: i64 },
    SetQuantity { line: LineId, quantity: i64 },
    SetCodes { codes: Vec<String> },
    SeeCart,
    CreateCheckout { buyer: Buyer },
    UpdateCheckout { checkout: CheckoutId, buyer: Buyer },
    SeeCheckout { checkout: CheckoutId },
    Open { wish: Wish, buyer: Buyer },
    Replace { checkout: CheckoutId, wish: Wish, buyer: Buyer, expected_version: Option<i64> },
    CancelCheckout { checkout: CheckoutId },
    Complete { checkout: CheckoutId, token: String, expected_total_minor: Option<i64> },
    Submit { buyer: Buyer, token: String },
    SeeOrder { order: OrderId },
    ListOrders { status: Option<Status> },
    SetPrice { sku: String, prices: Vec<Price> },
    SetShipping { amount_minor: i64 },
    SetFreeShipping { minimum_minor: i64 },
    AdjustStock { sku: String, delta: i64 },
    Cancel { order: OrderId },
    Pack { order: OrderId },
    Ship { order: OrderId, units: Vec<LineQuantity> },
    Deliver { order: OrderId },
    Reconcile { order: OrderId },
    ReplayJobs,
    Webhook { body: Bytes },
}

impl Call {
    /// The name in traces, which is also what an idempotency key is unique within.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ListProducts => "list products",
            Self::ViewProduct { .. } => "view product",
            Self::AddItem { .. } => "add item",
            Self::SetQuantity { .. } => "set quantity",
            Self::SetCodes { .. } => "set codes",
            Self::SeeCart => "see cart",
            Self::CreateCheckout { .. } => "create checkout",
            Self::UpdateCheckout { .. } => "update checkout",
            Self::SeeCheckout { .. } => "see checkout",
            Self::Open { .. } => "open",
            Self::Replace { .. } => "replace",
            Self::CancelCheckout { .. } => "cancel checkout",
            Self::Complete { .. } => "complete",
            Self::Submit { .. } => "submit",
            Self::SeeOrder { .. } => "see order",
            Self::ListOrders { .. } => "list orders",
            Self::SetPrice { .. } => "set price",
            Self::SetShipping { .. } => "set shipping",
            Self::SetFreeShipping { .. } => "set free shipping",
            Self::AdjustStock { .. } => "adjust stock",
            Self::Cancel { .. } => "cancel",
            Self::Pack { .. } => "pack",
            Self::Ship { .. } => "ship",
            Self::Deliver { .. } => "deliver",
            Self::Reconcile { .. } => "reconcile",
            Self::ReplayJobs => "replay jobs",
            Self::Webhook { .. } => "webhook",
        }
    }
}

/// What a program wants: units of goods by SKU, with the codes that it found.
#[derive(Clone, Debug)]
pub struct Wish {
    pub items: Vec<(&'static str, i64)>,
    pub codes: Vec<String>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    Shopper(Option<Mine>),
    /// The program of that number.
    Agent(u64),
    Staff,
}

/// A cart of one's own, with the token that opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mine {
    pub id: CartId,
    pub token: String,
}

/// A call with who makes it, at which door, and the key that makes a repetition harmless.
#[derive(Clone, Debug)]
pub struct Request {
    pub who: Who,
    pub door: Door,
    pub key: Option<String>,
    pub call: Call,
}

/// A way into the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The use cases themselves.
    Engine,
    /// REST, for those with carts.
    Rest,
    /// UCP, for programs that say whole baskets.
    Ucp,
}

impl Door {
    const ALL: [Self; 3] = [Self::Engine, Self::Rest, Self::Ucp];

    fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Rest => "rest",
            Self::Ucp => "ucp",
        }
    }

    /// What a call at this door is counted as.
    pub fn calls(self) -> &'static str {
        match self {
            Self::Engine => "calls of the engine",
            Self::Rest => "calls over REST",
            Self::Ucp => "calls over UCP",
        }
    }

    /// Whether a buyer can say which total they agree to.
    pub fn takes_totals(self) -> bool {
        self != Self::Ucp
    }
}

/// Which doors are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doors([bool; 3]);

impl Doors {
    /// All of them.
    pub const ALL: Self = Self([true; 3]);

    /// Those of some doors that are open.
    pub fn among(self, doors: &[Door]) -> Vec<Door> {
        doors.iter().copied().filter(|door| self.0[*door as usize]).collect()
    }
}

impl FromStr for Doors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut doors = Self([false; 3]);
        for name in text.split(',') {
            let door = Door::ALL.into_iter().find(|door| door.name() == name);
            let door =
                door.ok_or_else(|| format!("there are engine, rest and ucp, but no {name}"))?;
            doors.0[door as usize] = true;
        }
        Ok(doors)
    }
}

impl std::fmt::Display for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.among(&Door::ALL).into_iter().map(Door::name).collect();
        f.write_str(&names.join(","))
    }
}

/// The doors of a process. Clones share them.
#[derive(Clone)]
pub struct Entrance {
    engine: Engine,
    /// Every route of the protocols, behind the limits that a server has.
    router: Router,
}

impl Entrance {
    /// Opens the doors of a shop.
    pub fn new(engine: Engine, system: System, web: Arc<dyn WebClient>) -> Self {
        let settings = DoorSettings { public_url: SHOP.to_owned(), ..DoorSettings::default() };
        let metrics = Arc::new(Metrics::default());
        let door = handel_kit::Door::new(engine.clone(), system, metrics, settings);
        let settings = UcpSettings { channel: Some(slug("eur")), ..UcpSettings::default() };
        let ucp = Ucp::new(door.clone(), web, settings);
        let rest = handel_rest::router(&door, Arc::new(rest::NoPictures));
        Self { engine, router: layered(&door, ucp.router().merge(rest)) }
    }

    /// Answers a request.
    pub async fn serve(&self, request: Request) -> Answer {
        let served = match request.door {
            Door::Engine => engine::serve(&self.engine, request).await,
            Door::Rest => rest::serve(&self.router, request).await,
            Door::Ucp => ucp::serve(&self.router, request).await,
        };
        served.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_can_be_written_down_and_read_again() {
        let doors: Doors = "ucp,engine".parse().unwrap();
        assert_eq!(doors.among(&[Door::Rest, Door::Ucp]), [Door::Ucp]);
        assert_eq!(doors.to_string(), "engine,ucp");
        assert_eq!(Doors::ALL.to_string().parse(), Ok(Doors::ALL));
        assert!("window".parse::<Doors>().is_err());
    }
}
