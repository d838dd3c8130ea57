//! Writes what happened and who did it: a row that stays, for the audit, and a row in the outbox, for those who
//! wait for events. Both go into the transaction of the change.

use handel_domain::{
    event::{Event, OrderChange, OrderEvent},
    id::EventId,
    order::Order,
};
use handel_ports::System;
use handel_store::{Bound, Json, statements, values};
use jiff::Timestamp;

use crate::{Context, webhook};

statements! {
    APPEND = "
        insert into events (tenant_id, aggregate, id, sequence, name, payload, actor, request_id, occurred_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    ENQUEUE = "insert into outbox (event_id, tenant_id, aggregate) values ($1, $2, $3)";
}

/// An event of something other than an order. `sequence` is the version of the row that changed.
pub(crate) fn record(
    system: &System,
    ctx: &Context,
    event: &Event,
    sequence: i64,
    now: Timestamp,
) -> [Bound; 2] {
    rows(event_id(system, sequence, now), ctx, event, sequence, now)
}

fn rows(id: EventId, ctx: &Context, event: &Event, sequence: i64, now: Timestamp) -> [Bound; 2] {
    let aggregate = event.aggregate();
    let append = APPEND.bind(values![
        ctx.tenant_id,
        &aggregate,
        id,
        sequence,
        event.name(),
        Json(event),
        ctx.actor().to_string(),
        ctx.request_id,
        now,
    ]);
    [append, ENQUEUE.bind(values![id, ctx.tenant_id, aggregate])]
}

/// Ids of one moment sort by the sequence of what they describe: events are delivered in the order of their ids.
fn event_id(system: &System, sequence: i64, now: Timestamp) -> EventId {
    let mut entropy = system.bytes::<10>();
    entropy[..3].copy_from_slice(&sequence.to_be_bytes()[5..]);
    EventId::mint(now, entropy)
}

/// The events of an order, numbered on from its last one and never earlier than it, because they are
/// delivered by time, with the news of them for the program that bought it. The order must be saved afterwards; a new
/// one must be inserted before.
pub(crate) fn record_order(
    system: &System,
    ctx: &Context,
    order: &mut Order,
    changes: Vec<OrderChange>,
    now: Timestamp,
) -> Vec<Bound> {
    let mut bounds = Vec::with_capacity(changes.len() * 2);
    for change in changes {
        order.event_sequence += 1;
        order.updated_at = order.updated_at.max(now);
        let (sequence, at) = (order.event_sequence, order.updated_at);
        let id = event_id(system, sequence, at);
        bounds.extend(webhook::tell(system, order, &change, id, now));
        let event = Event::Order(OrderEvent { order_id: order.id, number: order.number, change });
        bounds.extend(rows(id, ctx, &event, sequence, at));
    }
    bounds
}
