//! Background jobs: durable, leased, tried again with growing pauses, and never lost.
//!
//! A job is written in the transaction of what it follows from. It may run more than once; what it does is
//! made to bear that.

mod dead;
mod run;

use handel_domain::id::{JobKind, TenantId};
use handel_ports::System;
use handel_store::{Bound, Json, Transaction, statements, values};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

pub use dead::DeadJob;
pub(crate) use run::run_due;

use crate::{Engine, Error};

statements! {
    ENQUEUE = "
        insert into jobs (tenant_id, id, kind, payload, status, dedupe_key, run_at, attempts, created_at, updated_at)
        values ($1, $2, $3, $4, 'queued', $5, $6, 0, $7, $7)
            on conflict (tenant_id, dedupe_key) where status = 'queued' do nothing";
    STATS = "
        select count(case when status = 'queued' then 1 end), count(case when status = 'dead' then 1 end),
               min(case when status = 'queued' then run_at end)
          from jobs where status in ('queued', 'dead')";
    RELEASE_ALL = "
        update jobs set lease_until = null, run_at = $1 where status = 'queued' and (lease_until is not null or run_at > $1)";
    PURGE = "
        delete from jobs where (tenant_id, id) in (
            select tenant_id, id from jobs where status = 'done' and updated_at <= $1 order by updated_at limit 500)";
}

/// How long jobs that are done are kept.
const RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// How far the jobs are behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobStats {
    /// Jobs that wait or run.
    pub queued: i64,
    /// Jobs that failed for good.
    pub dead: i64,
    /// For how long the oldest has been due, in milliseconds.
    pub oldest_ms: i64,
}

/// The row of a new job. Of jobs with the same dedupe key only one waits at a time.
pub(crate) fn enqueue<T: Serialize>(
    system: &System,
    tenant_id: TenantId,
    kind: &'static str,
    payload: &T,
    dedupe_key: Option<&str>,
    now: Timestamp,
) -> Bound {
    ENQUEUE.bind(values![
        tenant_id,
        system.mint::<JobKind>(now),
        kind,
        Json(payload),
        dedupe_key,
        now,
        now
    ])
}

impl Engine {
    /// How far the jobs are behind.
    pub async fn job_stats(&self) -> Result<JobStats, Error> {
        let now = self.system().now();
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let row = tx.row(STATS.bind(values![])).await?;
                let row = row.ok_or_else(|| Error::internal("a count has one row"))?;
                let oldest = row.get::<Option<Timestamp>>(2)?.unwrap_or(now).min(now);
                let behind = now.duration_since(oldest).as_millis();
                let oldest_ms = i64::try_from(behind).unwrap_or(i64::MAX);
                Ok(JobStats { queued: row.get(0)?, dead: row.get(1)?, oldest_ms })
            })
            .await
    }
}

/// Makes every job due that waits. Only where no other process can be alive.
pub(crate) fn release_all(now: Timestamp) -> Bound {
    RELEASE_ALL.bind(values![now])
}

/// Deletes some jobs that are done and no longer kept.
pub(crate) fn purge(now: Timestamp) -> Bound {
    PURGE.bind(values![now - RETENTION])
}
