//! Writes what happened: an outbox row for those who wait for events, and an audit row that says who did
//! it. Both go into the transaction of the change.

use handel_domain::{
    event::{Event, OrderChange, OrderEvent},
    id::AuditId,
    order::Order,
};
use handel_ports::System;
use handel_store::{Bound, Json, statements, values};
use jiff::Timestamp;

use crate::Context;

statements! {
    APPEND_OUTBOX = "
        insert into outbox (tenant_id, id, aggregate, sequence, name, payload, occurred_at, published_at, attempts)
        values ($1, $2, $3, $4, $5, $6, $7, null, 0)";
    APPEND_AUDIT = "
        insert into audit_log (tenant_id, id, subject, action, actor, request_id, detail, occurred_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8)";
}

/// An event of something other than an order. `sequence` is the version of the row that changed.
pub(crate) fn record(
    system: &System,
    ctx: &Context,
    event: &Event,
    sequence: i64,
    now: Timestamp,
) -> [Bound; 2] {
    let subject = event.aggregate();
    let outbox = APPEND_OUTBOX.bind(values![
        ctx.tenant_id,
        system.mint::<handel_domain::id::EventKind>(now),
        &subject,
        sequence,
        event.name(),
        Json(event),
        now,
    ]);
    let audit = APPEND_AUDIT.bind(values![
        ctx.tenant_id,
        audit_id(system, sequence, now),
        &subject,
        event.name(),
        ctx.actor().to_string(),
        ctx.request_id,
        Json(event),
        now,
    ]);
    [outbox, audit]
}

/// Rows of one moment sort by the sequence of what they describe.
fn audit_id(system: &System, sequence: i64, now: Timestamp) -> AuditId {
    let mut entropy = system.bytes::<10>();
    entropy[..2].copy_from_slice(&sequence.to_be_bytes()[6..]);
    AuditId::mint(now, entropy)
}

/// The events of an order, numbered on from its last one and never earlier than it, because they are
/// delivered by time. The order must be saved afterwards.
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
        let event = Event::Order(OrderEvent { order_id: order.id, number: order.number, change });
        bounds.extend(record(system, ctx, &event, order.event_sequence, order.updated_at));
    }
    bounds
}
