//! The story of an order, for those who follow it: what happened, parcel by parcel and refund by refund.

use handel_domain::{
    Money,
    event::OrderChange,
    id::{EventId, OperationId, OrderId, TenantId},
    order::Status,
    payment::OperationStatus,
};
use handel_store::{Json, Row, StoreError, Transaction, statements, values};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::OrderDetails;
use crate::{Context, Engine, Error};

statements! {
    EVENTS = "
        select id, payload, occurred_at from events
         where tenant_id = $1 and aggregate = $2 order by id desc limit 1000";
    REFUNDS = "
        select id, status, amount_minor, currency, reason, created_at, updated_at from payment_operations
         where tenant_id = $1 and kind = 'refund'
           and payment_id in (select p.id from payments p where p.tenant_id = $1 and p.order_id = $2)
         order by id limit 200";
}

/// An order with all that happened to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderStory {
    /// The order as it is now.
    pub details: OrderDetails,
    /// What happened, oldest first; the latest thousand steps.
    pub events: Vec<StoryEvent>,
    /// What went back to the buyer, or is to go back, oldest first.
    pub refunds: Vec<RefundEntry>,
}

impl OrderStory {
    /// Whether the order was ever paid, or owed nothing.
    pub fn was_paid(&self) -> bool {
        was_paid(self.details.order.status, &self.events)
    }
}

/// Only of a canceled order its status does not tell whether it was paid. It goes few steps afterwards, so that what is
/// kept of its story does.
fn was_paid(status: Status, events: &[StoryEvent]) -> bool {
    match status {
        Status::Created | Status::Reserved => false,
        Status::Canceled => events.iter().any(|event| event.change == OrderChange::Paid),
        Status::Paid | Status::Packing | Status::Shipped | Status::Delivered => true,
    }
}

/// A step of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoryEvent {
    /// Identity; it never changes.
    pub id: EventId,
    /// What happened.
    pub change: OrderChange,
    /// When.
    pub occurred_at: Timestamp,
}

/// Money on its way back to a buyer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundEntry {
    /// Identity; it never changes.
    pub id: OperationId,
    /// Whether it went back.
    pub status: OperationStatus,
    /// How much.
    pub amount: Money,
    /// Why.
    pub reason: Option<String>,
    /// When it was decided.
    pub created_at: Timestamp,
    /// When its status was last heard of.
    pub updated_at: Timestamp,
}

/// What an event says of its order; the rest is known.
#[derive(Deserialize)]
struct Payload {
    #[serde(flatten)]
    change: OrderChange,
}

impl Engine {
    /// An order with all that happened to it: for the same people as [`Engine::get_order`].
    pub async fn order_story(
        &self,
        ctx: &Context,
        id: OrderId,
        token: Option<String>,
    ) -> Result<OrderStory, Error> {
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let details = engine.order_details(tx, &ctx, id, token.as_deref()).await?;
                Ok::<_, Error>(read_story(tx, ctx.tenant_id, details).await?)
            })
            .await
    }
}

/// What happened to an order that was read in this transaction. One round trip.
async fn read_story(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    details: OrderDetails,
) -> Result<OrderStory, StoreError> {
    let id = details.order.id;
    let bounds =
        vec![EVENTS.bind(values![tenant_id, id.to_string()]), REFUNDS.bind(values![tenant_id, id])];
    let results = tx.rows_all(bounds).await?;
    let [events, refunds] = &results[..] else {
        return Err(StoreError::Unit("two statements have two results".to_owned()));
    };
    Ok(OrderStory {
        details,
        events: events
            .iter()
            .rev()
            .filter_map(|row| read_event(row).transpose())
            .collect::<Result<_, _>>()?,
        refunds: refunds.iter().map(read_refund).collect::<Result<_, _>>()?,
    })
}

/// None for a step that only a newer release knows.
fn read_event(row: &Row) -> Result<Option<StoryEvent>, StoreError> {
    let Json::<serde_json::Value>(payload) = row.get(1)?;
    let Ok(Payload { change }) = serde_json::from_value(payload) else { return Ok(None) };
    Ok(Some(StoryEvent { id: row.get(0)?, change, occurred_at: row.get(2)? }))
}

fn read_refund(row: &Row) -> Result<RefundEntry, StoreError> {
    let text: String = row.get(1)?;
    let status = OperationStatus::ALL.into_iter().find(|status| status.as_str() == text);
    Ok(RefundEntry {
        id: row.get(0)?,
        status: status
            .ok_or_else(|| StoreError::Unit(format!("a refund has the unknown status {text}")))?,
        amount: Money::new(row.get(2)?, row.get(3)?),
        reason: row.get(4)?,
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_paid_is_known_however_long_the_story_is() {
        let event = |change| StoryEvent {
            id: EventId::mint(Timestamp::UNIX_EPOCH, [0; 10]),
            change,
            occurred_at: Timestamp::UNIX_EPOCH,
        };
        let paid = [event(OrderChange::Paid)];
        let others = [event(OrderChange::Packing)];
        for status in [Status::Paid, Status::Packing, Status::Shipped, Status::Delivered] {
            assert!(was_paid(status, &others), "{status:?}: the step was too long ago");
        }
        assert!(!was_paid(Status::Reserved, &others));
        assert_eq!(
            (was_paid(Status::Canceled, &paid), was_paid(Status::Canceled, &others)),
            (true, false)
        );
    }
}
