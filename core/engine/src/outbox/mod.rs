//! The outbox: events that are certain to be delivered, because they were written with what they describe.

mod relay;

use handel_store::{Bound, Transaction, statements, values};
use jiff::{SignedDuration, Timestamp};

pub(crate) use relay::relay_once;

use crate::{Engine, Error};

statements! {
    STATS = "
        select count(*), min(occurred_at) from outbox where published_at is null";
    PURGE = "
        delete from outbox where (tenant_id, id) in (
            select tenant_id, id from outbox where published_at is not null and published_at <= $1
             order by published_at limit 500)";
}

/// How long delivered events are kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How far delivery is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxStats {
    /// Events that wait.
    pub waiting: i64,
    /// For how long the oldest has been waiting, in milliseconds.
    pub oldest_ms: i64,
}

impl Engine {
    /// How far delivery is behind.
    pub async fn outbox_stats(&self) -> Result<OutboxStats, Error> {
        let now = self.system().now();
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let row = tx.row(STATS.bind(values![])).await?;
                let row = row.ok_or_else(|| Error::internal("a count has one row"))?;
                let oldest = row.get::<Option<Timestamp>>(1)?.unwrap_or(now);
                let behind = now.duration_since(oldest).as_millis();
                Ok(OutboxStats {
                    waiting: row.get(0)?,
                    oldest_ms: i64::try_from(behind).unwrap_or(i64::MAX),
                })
            })
            .await
    }

    /// Tells the relay and the job runners that there is work.
    pub(crate) fn wake(&self) {
        self.0.outbox_wake.notify_one();
        self.0.jobs_wake.notify_one();
    }
}

/// Deletes some delivered events that are no longer kept.
pub(crate) fn purge(now: Timestamp) -> Bound {
    PURGE.bind(values![now - RETENTION])
}
