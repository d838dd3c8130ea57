//! Receivers of domain events.

use async_trait::async_trait;
use handel_domain::{
    event::Event,
    id::{EventId, TenantId},
};
use jiff::Timestamp;

/// A domain event on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedEvent {
    /// Identity. It stays the same however often the event is delivered.
    pub id: EventId,
    /// The merchant.
    pub tenant_id: TenantId,
    /// The id of what it happened to.
    pub aggregate: String,
    /// Counts the events of the aggregate, so that a receiver can see a gap or a repetition.
    pub sequence: i64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// A receiver of domain events in this process.
///
/// Delivery is at least once and in order per aggregate. An event counts as delivered when every
/// subscriber has returned without an error; it is delivered again otherwise.
#[async_trait]
pub trait EventSubscriber: Send + Sync {
    /// The name for logs and metrics.
    fn name(&self) -> &'static str;
    /// Takes one event. An error text is logged, and the event comes again.
    async fn receive(&self, event: &PublishedEvent) -> Result<(), String>;
}
