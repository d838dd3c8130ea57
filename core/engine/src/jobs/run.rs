//! Runs the jobs that are due.

use handel_domain::id::{JobId, TenantId};
use handel_ports::CrashPoint;
use handel_store::{Json, Row, StoreError, Transaction, statements, values};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;

use crate::{Engine, Error, catalog, payment};

statements! {
    DUE for update skip locked = "
        select tenant_id, id, kind, payload, attempts from jobs
         where status = 'queued' and run_at <= $1 and (lease_until is null or lease_until <= $1)
         order by run_at, id limit 4";
    LEASE = "
        update jobs set lease_owner = $3, lease_until = $4, attempts = attempts + 1, updated_at = $5
         where tenant_id = $1 and id = $2 and status = 'queued'";
    DONE = "
        update jobs set status = 'done', lease_until = null, updated_at = $4
         where tenant_id = $1 and id = $2 and lease_owner = $3 and status = 'queued'";
    AGAIN = "
        update jobs set run_at = $4, lease_until = null, last_error = $5, updated_at = $6
         where tenant_id = $1 and id = $2 and lease_owner = $3 and status = 'queued'";
    DEAD = "
        update jobs set status = 'dead', lease_until = null, last_error = $4, updated_at = $5
         where tenant_id = $1 and id = $2 and lease_owner = $3 and status = 'queued'";
}

/// How long the jobs that were taken together may run before another process takes them. Each may wait for
/// a provider once.
const LEASE_TIME: SignedDuration = SignedDuration::from_secs(60);
/// The first pause after a failure, in milliseconds; it doubles each time.
const PAUSE_MS: i64 = 1_000;
const PAUSE_MS_MAX: i64 = 15 * 60_000;
/// Longest error text that is kept, in characters.
const ERROR_MAX: usize = 500;

struct Job {
    tenant_id: TenantId,
    id: JobId,
    kind: String,
    payload: serde_json::Value,
    attempts: i64,
}

/// Runs some jobs that are due, one after another. Returns how many there were.
pub(crate) async fn run_due(engine: &Engine) -> Result<usize, Error> {
    let jobs = lease(engine).await?;
    let count = jobs.len();
    if count > 0 {
        engine.system().reach(CrashPoint::JobsLeased).await;
    }
    for job in jobs {
        let outcome = run(engine, &job).await;
        engine.system().reach(CrashPoint::JobRun).await;
        end(engine, job, outcome).await?;
    }
    Ok(count)
}

async fn lease(engine: &Engine) -> Result<Vec<Job>, Error> {
    let (system, owner) = (engine.system().clone(), engine.process());
    engine
        .database()
        .write(async move |tx: &mut Transaction<'_>| {
            let now = system.now();
            let rows = tx.rows(DUE.bind(values![now])).await?;
            let jobs = rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
            let lease = |job: &Job| {
                LEASE.bind(values![job.tenant_id, job.id, &owner, now + LEASE_TIME, now])
            };
            tx.run_all(jobs.iter().map(lease).collect()).await?;
            Ok(jobs)
        })
        .await
}

fn read(row: &Row) -> Result<Job, StoreError> {
    let Json(payload) = row.get(3)?;
    Ok(Job {
        tenant_id: row.get(0)?,
        id: row.get(1)?,
        kind: row.get(2)?,
        payload,
        attempts: row.get(4)?,
    })
}

/// The table of all kinds of jobs.
async fn run(engine: &Engine, job: &Job) -> Result<(), String> {
    match job.kind.as_str() {
        catalog::RELIST_JOB => engine.run_relist(job.tenant_id, parse(job)?).await,
        payment::REFUND_JOB => engine.run_refund(job.tenant_id, parse(job)?).await,
        payment::WEBHOOK_JOB => engine.run_webhook(job.tenant_id, parse(job)?).await,
        unknown => Err(format!("this program knows no job of the kind {unknown}")),
    }
}

fn parse<T: DeserializeOwned>(job: &Job) -> Result<T, String> {
    serde_json::from_value(job.payload.clone())
        .map_err(|error| format!("the payload is malformed: {error}"))
}

async fn end(engine: &Engine, job: Job, outcome: Result<(), String>) -> Result<(), Error> {
    let (now, owner) = (engine.system().now(), engine.process());
    let attempts = job.attempts + 1;
    let (tenant_id, id) = (job.tenant_id, job.id);
    let last = attempts >= i64::from(engine.limits().job_attempts);
    let reason: Option<String> =
        outcome.err().map(|reason| reason.chars().take(ERROR_MAX).collect());
    match &reason {
        Some(reason) if last => {
            tracing::error!(job = %id, kind = job.kind, reason, "a job failed for good");
        }
        Some(reason) => {
            tracing::warn!(job = %id, kind = job.kind, reason, "a job failed; it is tried again");
        }
        None => {}
    }
    engine
        .database()
        .write(async move |tx: &mut Transaction<'_>| {
            let bound = match &reason {
                None => DONE.bind(values![tenant_id, id, &owner, now]),
                Some(reason) if last => DEAD.bind(values![tenant_id, id, &owner, reason, now]),
                Some(reason) => {
                    AGAIN.bind(values![tenant_id, id, &owner, again_at(attempts, now), reason, now])
                }
            };
            tx.run(bound).await.map(drop).map_err(Error::from)
        })
        .await
}

fn again_at(attempts: i64, now: Timestamp) -> Timestamp {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or(0);
    now + SignedDuration::from_millis((PAUSE_MS << doublings).min(PAUSE_MS_MAX))
}
