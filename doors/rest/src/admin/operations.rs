//! Jobs that failed for good.

use axum::{Json, extract::State};
use handel_domain::id::JobId;
use handel_engine::DeadJob;
use handel_kit::{
    Door, PathParams, Problem, ProblemBody, QueryParams, Request, Staff, Write, needs,
};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::{NoBody, PageQuery};
use crate::documents::{Always, BadBody, BadQuery, Refused};
use crate::replies::PageBody;

/// A job that failed for good.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeadJobView {
    /// Identity.
    #[schema(example = "job_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// What it does.
    kind: String,
    /// How often it was tried.
    attempts: i64,
    /// What went wrong the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it failed for good.
    #[schema(format = DateTime)]
    failed_at: String,
}

/// Jobs that failed for good, newest first.
///
/// Needs the scope `operations`.
#[utoipa::path(
    get, path = "/jobs/dead", operation_id = "admin_list_dead_jobs",
    tag = "admin-jobs", security(("api_key" = [])), params(PageQuery),
    responses(
        (status = 200, description = "The jobs", body = PageBody<DeadJobView>),
        Always, Refused, BadQuery,
    )
)]
pub(super) async fn list_dead_jobs(
    _: Staff<needs::Operations>,
    State(door): State<Door>,
    QueryParams(query): QueryParams<PageQuery>,
    request: Request,
) -> Result<Json<PageBody<DeadJobView>>, Problem> {
    let page = door.engine().list_dead_jobs(&request.ctx, query.cursor, query.limit).await?;
    Ok(Json(PageBody::from(page)))
}

/// Lets a job that failed for good run again, as often as a new one.
///
/// Needs the scope `operations`.
#[utoipa::path(
    post, path = "/jobs/{id}/replay", operation_id = "admin_replay_job",
    tag = "admin-jobs", security(("api_key" = [])),
    params(("id" = String, Path, description = "The job's id")),
    responses(
        (status = 202, description = "It will run"),
        Always, Refused, BadBody,
        (status = 404, description = "No such job, or it is not dead",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn replay_job(
    _: Staff<needs::Operations>,
    State(door): State<Door>,
    PathParams(id): PathParams<JobId>,
    write: Write<NoBody>,
) -> Result<StatusCode, Problem> {
    door.engine().replay_job(&write.ctx, id).await?;
    Ok(StatusCode::ACCEPTED)
}

impl From<DeadJob> for DeadJobView {
    fn from(job: DeadJob) -> Self {
        Self {
            id: job.id.to_string(),
            kind: job.kind,
            attempts: job.attempts,
            last_error: job.last_error,
            created_at: job.created_at.to_string(),
            failed_at: job.updated_at.to_string(),
        }
    }
}
