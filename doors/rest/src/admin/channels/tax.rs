//! How tax is charged in a channel.

use axum::{extract::State, response::Response};
use handel_domain::{channel::Settings, tax::TaxPolicy, text::Slug};
use handel_kit::{
    Door, PathParams, Problem, ProblemBody, Request, Staff, Write, expected_version, needs,
};
use http::StatusCode;

use super::{
    super::document::MergePatch,
    find,
    part::{PartChange, change},
    settings::TaxBody,
};
use crate::documents::{Always, BadBody, IdempotencyKey, IfMatchOptional, Refused, Stale};
use crate::replies::versioned;

/// How tax is charged in a channel.
///
/// Needs the scope `channels:write`.
#[utoipa::path(
    get, path = "/channels/{code}/tax", operation_id = "admin_get_tax",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code")),
    responses(
        (status = 200, description = "The tax", body = TaxBody, headers(
            ("ETag" = String, description = "The version of the channel"))),
        Always, Refused,
        (status = 404, description = "No such channel",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(in crate::admin) async fn get_tax(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams(code): PathParams<Slug>,
    request: Request,
) -> Result<Response, Problem> {
    let channel = find(&door, &request.ctx, &code).await?.ok_or_else(super::unknown)?;
    let tax = TaxBody::from(channel.settings.tax.clone());
    Ok(versioned(StatusCode::OK, channel.version, tax))
}

/// Replaces how tax is charged in a channel.
///
/// Needs the scope `channels:write`.
#[utoipa::path(
    put, path = "/channels/{code}/tax", operation_id = "admin_put_tax",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code"), IfMatchOptional, IdempotencyKey),
    request_body = TaxBody,
    responses(
        (status = 200, description = "The tax", body = TaxBody, headers(
            ("ETag" = String, description = "The new version of the channel"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such channel",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(in crate::admin) async fn put_tax(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams(code): PathParams<Slug>,
    write: Write<TaxBody>,
) -> Result<Response, Problem> {
    let tax: TaxPolicy = write.body.try_into()?;
    let apply = Box::new(move |settings: &mut Settings| {
        settings.tax = tax.clone();
        Ok(())
    });
    let part = PartChange { code, expected: expected_version(&write.headers)?, apply };
    change(&door, &write.ctx, part, |channel| Ok(TaxBody::from(channel.settings.tax))).await
}

/// Changes what is named of how tax is charged in a channel (RFC 7396); `rates` are replaced as a whole.
///
/// Needs the scope `channels:write`.
#[utoipa::path(
    patch, path = "/channels/{code}/tax", operation_id = "admin_change_tax",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code"), IfMatchOptional, IdempotencyKey),
    request_body(content = MergePatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The tax", body = TaxBody, headers(
            ("ETag" = String, description = "The new version of the channel"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such channel",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(in crate::admin) async fn change_tax(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams(code): PathParams<Slug>,
    write: Write<MergePatch>,
) -> Result<Response, Problem> {
    let patch = write.body;
    let apply = Box::new(move |settings: &mut Settings| {
        settings.tax = patch.apply::<TaxBody>(TaxBody::from(settings.tax.clone()))?.try_into()?;
        Ok(())
    });
    let part = PartChange { code, expected: expected_version(&write.headers)?, apply };
    change(&door, &write.ctx, part, |channel| Ok(TaxBody::from(channel.settings.tax))).await
}
