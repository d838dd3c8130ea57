//! Orders as programs see them: what was bought, and what happened since.

use std::collections::BTreeMap;

use handel_domain::{
    Refusal,
    address::Address,
    event::OrderChange,
    order::{LineQuantity, Order as Stored, OrderLine, Tracking},
    payment::OperationStatus,
};
use handel_engine::{OrderStory, RefundEntry, StoryEvent};
use jiff::Timestamp;

use super::{
    basket::Goods,
    checkout::{label, permalink},
    delivery::METHOD,
};

/// An order.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) checkout_id: String,
    pub(crate) permalink_url: String,
    pub(crate) currency: String,
    /// Every line that there ever was, and what all cost when they were bought.
    pub(crate) goods: Goods,
    /// How far each line has come, in the order of the lines.
    pub(crate) progress: Vec<Progress>,
    pub(crate) expectation: Option<Expectation>,
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) adjustments: Vec<Adjustment>,
    pub(crate) attribution: BTreeMap<String, String>,
}

/// How far a line has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) original: i64,
    /// What is left of it after cancellations.
    pub(crate) total: i64,
    pub(crate) fulfilled: i64,
}

impl Progress {
    fn of(line: &OrderLine) -> Self {
        Self {
            original: line.ordered,
            total: line.ordered - line.canceled,
            fulfilled: line.shipped,
        }
    }

    /// The word of the protocol, which follows from the numbers.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self { total: 0, .. } => "removed",
            Self { total, fulfilled, .. } if fulfilled == total => "fulfilled",
            Self { fulfilled: 0, .. } => "processing",
            _ => "partial",
        }
    }
}

/// What the buyer may expect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expectation {
    pub(crate) id: &'static str,
    /// Lines and how many of each.
    pub(crate) units: Vec<(String, i64)>,
    pub(crate) method: &'static str,
    pub(crate) destination: Address,
    /// The name of the way of sending.
    pub(crate) description: Option<String>,
}

/// Something that happened to goods on their way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parcel {
    pub(crate) id: String,
    pub(crate) occurred_at: Timestamp,
    pub(crate) kind: &'static str,
    pub(crate) units: Vec<(String, i64)>,
    pub(crate) tracking: Tracking,
}

/// Something that changed what the order is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Adjustment {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) occurred_at: Timestamp,
    pub(crate) status: &'static str,
    /// Lines and how many of each are gone.
    pub(crate) units: Vec<(String, i64)>,
    /// What goes to the buyer, as a negative amount in minor units; none where no money moves.
    pub(crate) amount_minor: Option<i64>,
    pub(crate) description: Option<String>,
}

impl Order {
    /// `token` lets a guest see it.
    pub(crate) fn new(story: &OrderStory, token: &str, public_url: &str) -> Result<Self, Refusal> {
        let order = &story.details.order;
        Ok(Self {
            id: order.id.to_string(),
            label: label(order),
            checkout_id: order.checkout_id.to_string(),
            permalink_url: permalink(order, token, public_url),
            currency: order.currency.to_string(),
            goods: Goods::of_order(order, public_url)?,
            progress: order.lines.iter().map(Progress::of).collect(),
            expectation: expectation(order),
            parcels: parcels(order, &story.events),
            adjustments: adjustments(story),
            attribution: order
                .origin
                .as_ref()
                .map(|origin| origin.attribution.clone())
                .unwrap_or_default(),
        })
    }
}

fn expectation(order: &Stored) -> Option<Expectation> {
    let destination = order.shipping_address.clone()?;
    let sent = order.lines.iter().filter(|line| line.requires_shipping);
    let units: Vec<_> = sent
        .map(|line| (line.id.to_string(), line.ordered - line.canceled))
        .filter(|(_, quantity)| *quantity > 0)
        .collect();
    (!units.is_empty()).then(|| Expectation {
        id: "delivery",
        units,
        method: METHOD,
        destination,
        description: order.shipping_method.as_ref().map(|method| method.name.clone()),
    })
}

fn parcels(order: &Stored, history: &[StoryEvent]) -> Vec<Parcel> {
    let mut parcels = Vec::new();
    for step in history {
        let (kind, units, tracking) = match &step.change {
            OrderChange::Packing => ("processing", open_units(order), Tracking::default()),
            OrderChange::PartiallyShipped { lines, tracking }
            | OrderChange::Shipped { lines, tracking } => {
                let known = if lines.is_empty() { shipped_units(order) } else { units(lines) };
                ("shipped", known, tracking.clone())
            }
            OrderChange::Delivered => ("delivered", shipped_units(order), Tracking::default()),
            _ => continue,
        };
        if units.is_empty() {
            continue;
        }
        let (id, occurred_at) = (step.id.to_string(), step.occurred_at);
        parcels.push(Parcel { id, occurred_at, kind, units, tracking });
    }
    parcels
}

fn units(lines: &[LineQuantity]) -> Vec<(String, i64)> {
    lines.iter().map(|unit| (unit.line_id.to_string(), unit.quantity)).collect()
}

fn open_units(order: &Stored) -> Vec<(String, i64)> {
    let lines = order.lines.iter().filter(|line| line.ordered > line.canceled);
    lines.map(|line| (line.id.to_string(), line.ordered - line.canceled)).collect()
}

fn shipped_units(order: &Stored) -> Vec<(String, i64)> {
    let lines = order.lines.iter().filter(|line| line.shipped > 0);
    lines.map(|line| (line.id.to_string(), line.shipped)).collect()
}

/// What was taken off the order and what goes back to the buyer, as it happened.
fn adjustments(story: &OrderStory) -> Vec<Adjustment> {
    let order = &story.details.order;
    let canceled = story.events.iter().filter_map(|step| match &step.change {
        OrderChange::Canceled { reason, .. } => Some(cancellation(order, step, reason)),
        _ => None,
    });
    let mut adjustments: Vec<_> = canceled.chain(story.refunds.iter().map(refund)).collect();
    adjustments.sort_by_key(|adjustment| adjustment.occurred_at);
    adjustments
}

fn cancellation(order: &Stored, step: &StoryEvent, reason: &str) -> Adjustment {
    let gone = order.lines.iter().filter(|line| line.canceled > 0);
    Adjustment {
        id: step.id.to_string(),
        kind: "cancellation",
        occurred_at: step.occurred_at,
        status: "completed",
        units: gone.map(|line| (line.id.to_string(), -line.canceled)).collect(),
        amount_minor: None,
        description: Some(reason.to_owned()).filter(|reason| !reason.trim().is_empty()),
    }
}

fn refund(refund: &RefundEntry) -> Adjustment {
    Adjustment {
        id: refund.id.to_string(),
        kind: "refund",
        occurred_at: refund.created_at,
        status: match refund.status {
            OperationStatus::Pending => "pending",
            OperationStatus::Succeeded => "completed",
            OperationStatus::Failed => "failed",
        },
        units: Vec::new(),
        amount_minor: Some(-refund.amount.amount_minor),
        description: refund.reason.clone().filter(|reason| !reason.trim().is_empty()),
    }
}
