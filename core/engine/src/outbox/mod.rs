//! The outbox: events that are certain to be delivered, because they were written with what they describe.

mod relay;

use handel_domain::id::EventId;
use handel_store::{Transaction, statements, values};

pub(crate) use relay::relay_once;

use crate::{Engine, Error};

statements! {
    STATS = "select count(*), min(event_id) from outbox";
}

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
                let oldest = row.get::<Option<EventId>>(1)?.map_or(now, |id| id.minted_at());
                let behind = now.duration_since(oldest).as_millis();
                Ok(OutboxStats {
                    waiting: row.get(0)?,
                    oldest_ms: i64::try_from(behind).unwrap_or(i64::MAX),
                })
            })
            .await
    }

    /// Tells the relay, the job runners and the sender of messages that there is work.
    pub(crate) fn wake(&self) {
        self.0.outbox_wake.notify_one();
        self.0.jobs_wake.notify_one();
        self.0.news_wake.notify_one();
    }
}
