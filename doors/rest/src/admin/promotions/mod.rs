//! Promotions and their codes.

mod body;
mod view;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use handel_domain::id::PromotionId;
use handel_engine::{Once, PromotionDetails};
use handel_kit::{
    Door, PathParams, Problem, ProblemBody, QueryParams, Request, Staff, Write, needs,
};
use http::StatusCode;

use self::{body::PromotionBody, view::StaffPromotionView};
use super::{
    PageQuery, created,
    document::{Attempts, MergePatch},
    required_version,
};
use crate::documents::{
    Always, BadBody, BadQuery, IdempotencyKey, IfMatch, Refused, Stale, Unversioned,
};
use crate::replies::{PageBody, once, versioned};

/// Every promotion, newest first, without its codes.
///
/// Needs the scope `promotions:read`.
#[utoipa::path(
    get, path = "/promotions", operation_id = "admin_list_promotions",
    tag = "admin-promotions", security(("api_key" = [])), params(PageQuery),
    responses(
        (status = 200, description = "The promotions", body = PageBody<StaffPromotionView>),
        Always, Refused, BadQuery,
    )
)]
pub(super) async fn list_promotions(
    _: Staff<needs::PromotionsRead>,
    State(door): State<Door>,
    QueryParams(query): QueryParams<PageQuery>,
    request: Request,
) -> Result<Json<PageBody<StaffPromotionView>>, Problem> {
    let page = door.engine().list_promotions(&request.ctx, query.cursor, query.limit).await?;
    Ok(Json(PageBody::from(page)))
}

/// A promotion with its codes.
///
/// Needs the scope `promotions:read`.
#[utoipa::path(
    get, path = "/promotions/{id}", operation_id = "admin_get_promotion",
    tag = "admin-promotions", security(("api_key" = [])),
    params(("id" = String, Path, description = "The promotion's id")),
    responses(
        (status = 200, description = "The promotion", body = StaffPromotionView, headers(
            ("ETag" = String, description = "Its version"))),
        Always, Refused,
        (status = 404, description = "No such promotion",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_promotion(
    _: Staff<needs::PromotionsRead>,
    State(door): State<Door>,
    PathParams(id): PathParams<PromotionId>,
    request: Request,
) -> Result<Response, Problem> {
    let details = door.engine().get_promotion(&request.ctx, id).await?;
    let version = details.promotion.version;
    Ok(versioned(StatusCode::OK, version, StaffPromotionView::from(details)))
}

/// Makes a promotion: for those who give one of its codes, or without codes for everybody.
///
/// Needs the scope `promotions:write`.
#[utoipa::path(
    post, path = "/promotions", operation_id = "admin_create_promotion",
    tag = "admin-promotions", security(("api_key" = [])), params(IdempotencyKey), request_body = PromotionBody,
    responses(
        (status = 201, description = "The promotion", body = StaffPromotionView, headers(
            ("Location" = String, description = "Where the promotion is"),
            ("ETag" = String, description = "Its version"))),
        Always, Refused, BadBody,
        (status = 409, description = "Another promotion has one of the codes",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_promotion(
    _: Staff<needs::PromotionsWrite>,
    State(door): State<Door>,
    write: Write<PromotionBody>,
) -> Result<Response, Problem> {
    let (rules, codes) = write.body.read(None)?;
    let made = door.engine().create_promotion(&write.ctx, rules, codes).await?;
    Ok(once(made, |details| {
        let path = format!("/promotions/{}", details.promotion.id);
        created(&path, details.promotion.version, StaffPromotionView::from(details))
    }))
}

/// Replaces a promotion and its codes. Orders keep what they got.
///
/// Needs the scope `promotions:write`.
#[utoipa::path(
    put, path = "/promotions/{id}", operation_id = "admin_replace_promotion",
    tag = "admin-promotions", security(("api_key" = [])),
    params(("id" = String, Path, description = "The promotion's id"), IfMatch, IdempotencyKey),
    request_body = PromotionBody,
    responses(
        (status = 200, description = "The promotion", body = StaffPromotionView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale, Unversioned,
        (status = 404, description = "No such promotion",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another promotion has one of the codes",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn replace_promotion(
    _: Staff<needs::PromotionsWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<PromotionId>,
    write: Write<PromotionBody>,
) -> Result<Response, Problem> {
    let expected = required_version(&write.headers)?;
    let (rules, codes) = write.body.read(Some(id))?;
    let saved = door.engine().replace_promotion(&write.ctx, id, rules, codes, expected).await?;
    Ok(shown(saved))
}

/// Changes what is named of a promotion (RFC 7396). Orders keep what they got.
///
/// Needs the scope `promotions:write`.
#[utoipa::path(
    patch, path = "/promotions/{id}", operation_id = "admin_change_promotion",
    tag = "admin-promotions", security(("api_key" = [])),
    params(("id" = String, Path, description = "The promotion's id"), IfMatch, IdempotencyKey),
    request_body(content = MergePatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The promotion", body = StaffPromotionView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale, Unversioned,
        (status = 404, description = "No such promotion",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another promotion has one of the codes",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change_promotion(
    _: Staff<needs::PromotionsWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<PromotionId>,
    write: Write<MergePatch>,
) -> Result<Response, Problem> {
    let mut attempts = Attempts::new(required_version(&write.headers)?);
    loop {
        let details = door.engine().get_promotion(&write.ctx, id).await?;
        let version = attempts.version(details.promotion.version);
        let body: PromotionBody = write.body.apply(StaffPromotionView::from(details))?;
        let (rules, codes) = body.read(Some(id))?;
        match door.engine().replace_promotion(&write.ctx, id, rules, codes, version).await {
            Err(error) if attempts.again(&error) => {}
            saved => return Ok(shown(saved?)),
        }
    }
}

fn shown(saved: Once<PromotionDetails>) -> Response {
    once(saved, |details| {
        let version = details.promotion.version;
        versioned(StatusCode::OK, version, StaffPromotionView::from(details))
    })
}

/// Deletes a promotion that no order uses. One that was used can be switched off with `enabled`.
///
/// Needs the scope `promotions:write`.
#[utoipa::path(
    delete, path = "/promotions/{id}", operation_id = "admin_delete_promotion",
    tag = "admin-promotions", security(("api_key" = [])),
    params(("id" = String, Path, description = "The promotion's id")),
    responses(
        (status = 204, description = "It is gone"),
        Always, Refused,
        (status = 404, description = "No such promotion",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Orders use it",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete_promotion(
    _: Staff<needs::PromotionsWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<PromotionId>,
    request: Request,
) -> Result<Response, Problem> {
    door.engine().delete_promotion(&request.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
