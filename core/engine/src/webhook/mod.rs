//! News of orders for the programs that bought them: at least once, in order, and signed by their door.
//!
//! A message is a row that is written in the transaction of the change that it tells of. It is sent by [`send`], a
//! while later and again until the receiver takes it, always with the same id, time and bytes. Owns when and how often
//! something is sent. Refuses to know what it says: a door writes it, in the protocol that the program spoke.

mod admin;
mod send;
mod take;
mod traffic;
mod write;

use bytes::Bytes;
use handel_domain::{
    Refusal,
    event::OrderChange,
    id::{DeliveryId, DeliveryKind, EventId, OrderId, TenantId},
    order::Order,
};
use handel_ports::System;
use handel_store::{Bound, statements, values};
use http::HeaderMap;
use jiff::Timestamp;

pub use admin::{DeliveryEntry, DeliveryStats, DeliveryStatus, ListDeliveries, ReplayDeliveries};
pub(crate) use admin::{purge, release_all};
pub(crate) use send::{run_loop, send_due};
pub(crate) use traffic::Traffic;

use crate::{Engine, OrderStory};

statements! {
    INSERT = "
        insert into webhook_deliveries (tenant_id, id, order_id, sequence, event_id, event, format, url, host, status,
                                        attempts, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', 0, $10, $10)";
    ADVANCE = "
        update webhook_deliveries set due_at = $4
         where tenant_id = $1 and order_id = $2 and url = $3 and status = 'waiting' and due_at is null
           and sequence = (select min(first.sequence) from webhook_deliveries first
                            where first.tenant_id = $1 and first.order_id = $2 and first.url = $3
                              and first.status = 'waiting')";
    HOLD = "
        update webhook_deliveries set due_at = null
         where tenant_id = $1 and order_id = $2 and url = $3 and status = 'waiting' and due_at is not null
           and lease_owner is null
           and sequence > (select min(first.sequence) from webhook_deliveries first
                            where first.tenant_id = $1 and first.order_id = $2 and first.url = $3
                              and first.status = 'waiting')";
}

/// What a message may tell: an order as it is now, and what happened to it.
#[derive(Clone, Debug)]
pub struct OrderNews {
    /// Identity of the message. It stays the same however often it is sent.
    pub delivery_id: DeliveryId,
    /// The name of the event that it is sent for, such as `order_shipped`.
    pub event: String,
    /// Counts the events of the order. A later message has a higher number; there are gaps.
    pub sequence: i64,
    /// When that event happened.
    pub occurred_at: Timestamp,
    /// The order as it is now, which may have come farther since, and all that happened to it.
    pub story: OrderStory,
    /// The token by which a guest sees the order, for a link.
    pub order_token: String,
}

/// A message on its way out.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Identity of the message.
    pub id: DeliveryId,
    /// The order that it is about.
    pub order_id: OrderId,
    /// The name of the event that it is sent for.
    pub event: String,
    /// Where it goes.
    pub url: String,
    /// When it was written, which is shortly before it is first sent.
    pub written_at: Timestamp,
}

/// How a protocol writes news of orders. A door implements it, and the engine finds it by its name.
///
/// The first news of an order is `order_paid`: before, it is a promise of some minutes, which protocols know as a
/// checkout. Then come `order_packing`, `order_partially_shipped`, `order_shipped`, `order_delivered`, `order_canceled`,
/// `payment_refunded` and `refund_failed`.
///
/// Both functions are called once for a message: what they answer is kept, and sent as often as it takes. An error text
/// means "try again later", as after a failed sending; it is shown to staff.
pub trait WebhookFormat: Send + Sync {
    /// The name that origins of orders give as their protocol, such as `ucp/2026-08-25`.
    fn name(&self) -> &str;

    /// Whether the protocol has a word for an event. Where it has none, nothing is sent.
    fn tells(&self, _event: &str) -> bool {
        true
    }

    /// The body.
    fn write(&self, news: &OrderNews) -> Result<Bytes, String>;

    /// The headers of the request, with `Content-Type`, ids and signatures.
    fn headers(&self, delivery: &Delivery, body: &Bytes) -> Result<HeaderMap, String>;
}

impl Engine {
    /// Checks an address that a program wants to be told at, and answers it in the form to keep.
    pub fn check_webhook_url(&self, url: &str) -> Result<String, Refusal> {
        self.0.web.check_url(url).map_err(|_| {
            let message = "must be a public https:// address without user, password or fragment";
            Refusal::field("/webhook_url", message)
        })
    }
}

/// Whether a change is one that somebody outside wants to hear of. What happens before an order is paid, or only inside,
/// is not.
fn is_news(change: &OrderChange) -> bool {
    match change {
        OrderChange::Paid
        | OrderChange::PaymentRefunded { .. }
        | OrderChange::RefundFailed { .. }
        | OrderChange::Packing
        | OrderChange::Shipped { .. }
        | OrderChange::PartiallyShipped { .. }
        | OrderChange::Delivered
        | OrderChange::Canceled { .. } => true,
        OrderChange::Placed { .. }
        | OrderChange::InventoryReserved
        | OrderChange::PaymentActionRequired { .. }
        | OrderChange::PaymentFailed { .. }
        | OrderChange::PaymentUnknown { .. }
        | OrderChange::PaymentCaptured { .. }
        | OrderChange::PaymentUnexpected { .. } => false,
    }
}

/// The rows that tell a program of an event of its order, for the transaction of the change. None where nobody asked
/// to be told.
pub(crate) fn tell(
    system: &System,
    order: &Order,
    change: &OrderChange,
    event_id: EventId,
    now: Timestamp,
) -> Vec<Bound> {
    let origin = order.origin.as_ref();
    let receiver =
        origin.and_then(|origin| origin.webhook_url.as_ref().zip(origin.protocol.as_ref()));
    let Some((url, format)) = receiver.filter(|_| is_news(change)) else { return Vec::new() };
    let insert = INSERT.bind(values![
        order.tenant_id,
        system.mint::<DeliveryKind>(now),
        order.id,
        order.event_sequence,
        event_id,
        change.name(),
        format,
        url,
        host_of(url),
        now,
    ]);
    vec![insert, ADVANCE.bind(values![order.tenant_id, order.id, url, now])]
}

/// Sees to it that of the messages that wait for an address the first one is due, and no other. Every transaction that
/// adds, ends or revives a message does this, and has the order locked: otherwise a message could be added behind one
/// that ends at the same time, and nobody would send it.
fn line_up(tenant_id: TenantId, order_id: OrderId, url: &str, now: Timestamp) -> [Bound; 2] {
    [
        HOLD.bind(values![tenant_id, order_id, url]),
        ADVANCE.bind(values![tenant_id, order_id, url, now]),
    ]
}

/// The host and port of an address, by which receivers share their limits. The rest of the address may hold a secret.
fn host_of(url: &str) -> String {
    let uri = url.parse::<http::Uri>().ok();
    let authority = uri.as_ref().and_then(http::Uri::authority);
    authority.map_or_else(String::new, |authority| authority.as_str().to_ascii_lowercase())
}
