//! What platforms wrote onto orders.
//!
//! The suite of 2026-01-11 sends whole orders back with parcels and refunds that it made up. They are kept
//! beside the order, in memory, and shown with it; neither parcels nor money move by them.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use handel_domain::{Refusal, id::OrderId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Most orders whose notes are kept; the oldest go first.
const ORDERS_MAX: usize = 1_000;
/// Most parcels, and most adjustments, of one order.
const ENTRIES_MAX: usize = 100;

/// What was written onto one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    /// Parcels.
    pub(crate) events: Vec<FulfillmentEvent>,
    /// Money.
    pub(crate) adjustments: Vec<Adjustment>,
}

/// A step of a parcel (`types/fulfillment_event.json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FulfillmentEvent {
    pub(crate) id: String,
    pub(crate) occurred_at: Timestamp,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) line_items: Vec<Units>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tracking_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tracking_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) carrier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// Units of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Units {
    pub(crate) id: String,
    pub(crate) quantity: u32,
}

/// Money that moved after the purchase (`types/adjustment.json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Adjustment {
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) occurred_at: Timestamp,
    pub(crate) status: AdjustmentStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) line_items: Option<Vec<Units>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

/// How far an adjustment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AdjustmentStatus {
    Pending,
    Completed,
    Failed,
}

/// The part of an order that a platform may write.
#[derive(Deserialize)]
pub(crate) struct OrderBody {
    #[serde(default)]
    fulfillment: FulfillmentBody,
    #[serde(default)]
    adjustments: Vec<Adjustment>,
}

#[derive(Default, Deserialize)]
struct FulfillmentBody {
    #[serde(default)]
    events: Vec<FulfillmentEvent>,
}

impl OrderBody {
    /// What of it is new: entries that the shop itself made are not notes.
    pub(crate) fn into_note(self, own: &Note) -> Result<Note, Refusal> {
        let mut note = Note { events: self.fulfillment.events, adjustments: self.adjustments };
        note.events.retain(|event| own.events.iter().all(|known| known.id != event.id));
        note.adjustments.retain(|entry| own.adjustments.iter().all(|known| known.id != entry.id));
        if note.events.len() > ENTRIES_MAX {
            let message = format!("must not be more than {ENTRIES_MAX}");
            return Err(Refusal::field("/fulfillment/events", message));
        }
        if note.adjustments.len() > ENTRIES_MAX {
            let message = format!("must not be more than {ENTRIES_MAX}");
            return Err(Refusal::field("/adjustments", message));
        }
        Ok(note)
    }
}

/// The notes of all orders.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    by_order: Mutex<BTreeMap<OrderId, Note>>,
}

impl Notes {
    /// What was written onto an order.
    pub(crate) fn of(&self, id: OrderId) -> Note {
        let notes = self.by_order.lock().unwrap_or_else(PoisonError::into_inner);
        notes.get(&id).cloned().unwrap_or_default()
    }

    /// Replaces what was written onto an order.
    pub(crate) fn put(&self, id: OrderId, note: Note) {
        let mut notes = self.by_order.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(id, note);
        if notes.len() > ORDERS_MAX {
            // Ids sort by age.
            notes.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_value, json};

    use super::*;

    fn adjustment(status: &str) -> Value {
        json!({ "id": "adj_1", "type": "refund", "occurred_at": "2026-01-12T10:00:00+00:00", "status": status,
            "amount": 500 })
    }

    #[test]
    fn an_order_that_makes_no_sense_is_not_read() {
        let reads = |body: Value| from_value::<OrderBody>(body).is_ok();
        assert!(reads(json!({ "adjustments": [adjustment("pending")] })));
        assert!(reads(json!({})));
        assert!(!reads(json!({ "adjustments": [adjustment("INVALID_STATUS")] })));
        assert!(!reads(json!({ "adjustments": { "id": "adj_1", "amount": 100 } })));
        assert!(!reads(json!({ "fulfillment": { "events": [{ "id": "evt" }] } })));
    }

    #[test]
    fn what_the_shop_said_itself_is_no_note() {
        let own: Adjustment = from_value(adjustment("completed")).expect("an adjustment");
        let own = Note { adjustments: vec![own], events: Vec::new() };
        let body = json!({ "adjustments": [adjustment("completed")] });
        let body: OrderBody = from_value(body).expect("an order");
        assert_eq!(body.into_note(&own), Ok(Note::default()));
    }

    #[test]
    fn too_much_is_refused_and_memory_has_an_end() {
        let many = vec![adjustment("pending"); ENTRIES_MAX + 1];
        let body: OrderBody = from_value(json!({ "adjustments": many })).expect("an order");
        assert!(body.into_note(&Note::default()).is_err());
        let notes = Notes::default();
        for number in 0..2 * ORDERS_MAX {
            notes.put(OrderId::from_u128(number as u128), Note::default());
        }
        assert_eq!(notes.by_order.lock().expect("nobody panicked").len(), ORDERS_MAX);
    }
}
