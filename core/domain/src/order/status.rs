//! The seven states of an order, and the two statuses that follow from its money and its parcels.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Order, OrderLine};
use crate::refusal::{Code, Refusal};

/// How far an order has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It was placed; its stock is not promised yet.
    Created,
    /// Its stock is promised; it waits for money.
    Reserved,
    /// It is paid.
    Paid,
    /// Somebody is packing it.
    Packing,
    /// All of it is on its way.
    Shipped,
    /// All of it has arrived.
    Delivered,
    /// It was called off before it shipped.
    Canceled,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 7] = [
        Self::Created,
        Self::Reserved,
        Self::Paid,
        Self::Packing,
        Self::Shipped,
        Self::Delivered,
        Self::Canceled,
    ];

    /// The statuses that may follow this one.
    pub fn next(self) -> &'static [Status] {
        match self {
            Self::Created => &[Self::Reserved, Self::Canceled],
            Self::Reserved => &[Self::Paid, Self::Canceled],
            Self::Paid => &[Self::Packing, Self::Canceled],
            Self::Packing => &[Self::Shipped, Self::Canceled],
            Self::Shipped => &[Self::Delivered],
            Self::Delivered | Self::Canceled => &[],
        }
    }

    /// Checks a step.
    pub fn check(self, to: Status) -> Result<(), Refusal> {
        if self.next().contains(&to) {
            return Ok(());
        }
        let mut refusal = Refusal::new(
            Code::TransitionRefused,
            format!("an order that is {self} cannot become {to}"),
        );
        refusal.details.allowed = Some(self.next().to_vec());
        Err(refusal)
    }

    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Reserved => "reserved",
            Self::Paid => "paid",
            Self::Packing => "packing",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Canceled => "canceled",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where the money of an order is. Derived, never stored by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Nothing has been paid.
    Unpaid,
    /// The buyer must do something at the provider.
    RequiresAction,
    /// The provider is working on it.
    Processing,
    /// Nobody knows yet whether the provider took the money.
    Unknown,
    /// Some of it has been paid.
    PartiallyPaid,
    /// All of it has been paid.
    Paid,
    /// Some of what was paid went back.
    PartiallyRefunded,
    /// All of what was paid went back.
    Refunded,
}

/// Where the parcels of an order are. Derived, never stored by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FulfillmentStatus {
    /// Nothing has shipped.
    Unfulfilled,
    /// Some of it has shipped.
    PartiallyShipped,
    /// All of it has shipped.
    Shipped,
    /// Some of it has arrived.
    PartiallyDelivered,
    /// All of it has arrived.
    Delivered,
}

impl Order {
    /// Where the parcels are.
    pub fn fulfillment_status(&self) -> FulfillmentStatus {
        let sum = |of: fn(&OrderLine) -> i64| self.lines.iter().map(of).sum::<i64>();
        let wanted = sum(|line| line.ordered - line.canceled);
        let (shipped, delivered) = (sum(|line| line.shipped), sum(|line| line.delivered));
        match (shipped, delivered) {
            (0, _) => FulfillmentStatus::Unfulfilled,
            (_, delivered) if delivered == wanted => FulfillmentStatus::Delivered,
            (_, delivered) if delivered > 0 => FulfillmentStatus::PartiallyDelivered,
            (shipped, _) if shipped == wanted => FulfillmentStatus::Shipped,
            _ => FulfillmentStatus::PartiallyShipped,
        }
    }
}
