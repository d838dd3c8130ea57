//! Work that failed for good, seen and tried again.

use handel_domain::id::JobId;
use handel_engine::{Context, DeadJob, Engine, Error};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{page, page_limit, page_properties, page_schema};

/// Which page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    cursor: Option<String>,
    #[serde(default = "page_limit")]
    limit: u32,
}

/// Which job.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replayed {
    job_id: JobId,
}

pub(super) fn list_input() -> Value {
    json!({ "type": "object", "properties": page_properties(), "additionalProperties": false })
}

pub(super) fn list_output() -> Value {
    let job = json!({
        "type": "object",
        "required": ["id", "kind", "attempts", "created_at", "failed_at"],
        "properties": {
            "id": { "type": "string" },
            "kind": { "type": "string", "description": "What it does." },
            "attempts": { "type": "integer" },
            "last_error": { "type": "string" },
            "created_at": { "type": "string", "format": "date-time" },
            "failed_at": { "type": "string", "format": "date-time" }
        }
    });
    page_schema("jobs", &job)
}

pub(super) async fn list(engine: &Engine, ctx: &Context, wanted: Wanted) -> Result<Value, Error> {
    let found = engine.list_dead_jobs(ctx, wanted.cursor, wanted.limit).await?;
    let entries: Vec<_> = found.items.iter().map(view).collect();
    Ok(page("jobs", &entries, found.next_cursor))
}

fn view(job: &DeadJob) -> Value {
    let mut view = json!({
        "id": job.id.to_string(),
        "kind": job.kind,
        "attempts": job.attempts,
        "created_at": job.created_at.to_string(),
        "failed_at": job.updated_at.to_string(),
    });
    if let Some(error) = &job.last_error {
        view["last_error"] = json!(error);
    }
    view
}

pub(super) fn replay_input() -> Value {
    json!({
        "type": "object",
        "required": ["job_id"],
        "properties": {
            "job_id": { "type": "string", "description": "The id of a job of merchant_list_dead_jobs." }
        },
        "additionalProperties": false
    })
}

pub(super) fn replay_output() -> Value {
    json!({
        "type": "object",
        "required": ["job_id", "status"],
        "properties": {
            "job_id": { "type": "string" },
            "status": { "type": "string", "enum": ["queued"] }
        }
    })
}

pub(super) async fn replay(
    engine: &Engine,
    ctx: &Context,
    wanted: Replayed,
) -> Result<Value, Error> {
    engine.replay_job(ctx, wanted.job_id).await?;
    Ok(json!({ "job_id": wanted.job_id.to_string(), "status": "queued" }))
}
