//! Jobs that failed for good: seen, and tried again when the cause is gone.

use handel_domain::{Code, Refusal, id::JobId};
use handel_store::{Row, StoreError, statements, values};
use jiff::Timestamp;

use crate::{Context, Engine, Error, Once, Page, Scope};

statements! {
    LIST = "
        select id, kind, attempts, last_error, created_at, updated_at from jobs
         where tenant_id = $1 and status = 'dead' and id < $2 order by id desc limit $3";
    REPLAY = "
        update jobs set status = 'queued', attempts = 0, run_at = $3, updated_at = $3
         where tenant_id = $1 and id = $2 and status = 'dead'";
}

/// A job that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadJob {
    /// Identity.
    pub id: JobId,
    /// What it does.
    pub kind: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What went wrong the last time.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it failed for good.
    pub updated_at: Timestamp,
}

impl Engine {
    /// Jobs that failed for good, newest first.
    pub async fn list_dead_jobs(
        &self,
        ctx: &Context,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Page<DeadJob>, Error> {
        ctx.require(Scope::Operations)?;
        let tenant_id = ctx.tenant_id;
        let bind = move |after: String, count: i64| LIST.bind(values![tenant_id, after, count]);
        self.page("dead jobs", cursor, limit, bind, read).await
    }

    /// Lets a dead job run again.
    pub async fn replay_job(&self, ctx: &Context, id: JobId) -> Result<Once<()>, Error> {
        ctx.require(Scope::Operations)?;
        let tenant_id = ctx.tenant_id;
        let once = self
            .write_once(ctx, async move |tx, now| {
                match tx.run(REPLAY.bind(values![tenant_id, id, now])).await? {
                    0 => Err(Refusal::new(Code::NotFound, "there is no such dead job").into()),
                    _ => Ok(()),
                }
            })
            .await?;
        self.wake();
        Ok(once)
    }
}

fn read(row: &Row) -> Result<DeadJob, StoreError> {
    Ok(DeadJob {
        id: row.get(0)?,
        kind: row.get(1)?,
        attempts: row.get(2)?,
        last_error: row.get(3)?,
        created_at: row.get(4)?,
        updated_at: row.get(5)?,
    })
}
