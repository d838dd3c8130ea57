//! Stock: how much of what lies where, and who has been promised it.
//!
//! Three numbers are kept for each variant and location: what is on hand, what is allocated to orders,
//! and what open checkouts hold. `available = on_hand − allocated − held − safety`, plus what may be
//! backordered. Stock is promised when an order is placed and leaves when it ships.

mod allocate;

use serde::{Deserialize, Serialize};

pub use allocate::{Allocation, Demand, Levels, allocate};

use crate::{
    id::{LocationId, VariantId},
    refusal::{Code, Refusal},
};

/// Largest quantity that a level may have.
pub const QUANTITY_MAX: i64 = 1_000_000_000;

/// A place that holds stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Identity.
    pub id: LocationId,
    /// The name that imports and commands choose it by.
    pub code: crate::text::Slug,
    /// What staff read.
    pub name: String,
    /// Lower numbers are asked first.
    pub priority: i64,
}

/// The stock of one variant at one location.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// What is stocked.
    pub variant_id: VariantId,
    /// Where it lies.
    pub location_id: LocationId,
    /// Lower numbers are asked first.
    pub priority: i64,
    /// How many lie there.
    pub on_hand: i64,
    /// How many of them are promised to orders that have not shipped.
    pub allocated: i64,
    /// How many of them open checkouts hold, expired holds excluded.
    pub held: i64,
    /// How many are never sold.
    pub safety: i64,
    /// How many more than on hand may be promised; none is no limit.
    pub backorder_limit: Option<i64>,
}

impl Level {
    /// How many can be promised now, backorders included; `i64::MAX` where backorders have no limit.
    pub fn available(&self) -> i64 {
        match self.backorder_limit {
            None => i64::MAX,
            Some(limit) => (self.in_stock() + limit).max(0),
        }
    }

    /// How many of what lies there are free; negative where more is promised than there is.
    pub fn in_stock(&self) -> i64 {
        self.on_hand - self.allocated - self.held - self.safety
    }

    /// Changes what is on hand by a count of staff, a delivery or a loss.
    ///
    /// What is promised to buyers stays promised: a change that would leave less than that is refused.
    pub fn adjust(mut self, delta: i64) -> Result<Self, Refusal> {
        let on_hand =
            self.on_hand.checked_add(delta).filter(|on_hand| (0..=QUANTITY_MAX).contains(on_hand));
        let Some(on_hand) = on_hand else {
            return Err(Refusal::field(
                "/delta",
                format!("must leave between 0 and {QUANTITY_MAX} on hand"),
            ));
        };
        let promised = self.allocated + self.held;
        let breaks_promise = self.backorder_limit.is_some_and(|limit| promised > on_hand + limit);
        if delta < 0 && breaks_promise {
            return Err(Refusal::new(
                Code::StockBelowAllocated,
                format!(
                    "{promised} are promised to buyers; cancel orders before taking more off the shelf"
                ),
            ));
        }
        self.on_hand = on_hand;
        Ok(self)
    }
}

/// Why stock moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Staff counted, received or lost it.
    Adjustment,
    /// An order was promised it.
    Allocation,
    /// An order gave it back.
    Release,
    /// It left with a shipment.
    Shipment,
}

impl MovementKind {
    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adjustment => "adjustment",
            Self::Allocation => "allocation",
            Self::Release => "release",
            Self::Shipment => "shipment",
        }
    }
}
