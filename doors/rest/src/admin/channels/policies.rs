//! The policies of a channel, each a resource of its own. `GET /policies` shows them.

use axum::{extract::State, response::Response};
use handel_domain::{Code, Refusal, channel::Settings, policy::Policy, text::Slug};
use handel_engine::Page;
use handel_kit::{Door, PathParams, Problem, ProblemBody, Staff, Write, expected_version, needs};
use serde_json::{Map, Value};

use super::{
    super::NoBody,
    part::{PartChange, change, named},
    settings::PolicyBody,
};
use crate::documents::{Always, BadBody, IdempotencyKey, IfMatchOptional, Refused, Stale};
use crate::replies::PageBody;

/// Makes a policy, or replaces the one of this kind; the others stay.
///
/// Needs the scope `channels:write`. `GET /policies` shows the policies of a channel.
#[utoipa::path(
    put, path = "/channels/{code}/policies/{kind}", operation_id = "admin_put_policy",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code"),
        ("kind" = String, Path, description = "The policy's kind"), IfMatchOptional, IdempotencyKey),
    request_body = PolicyBody,
    responses(
        (status = 200, description = "The policy", body = PolicyBody, headers(
            ("ETag" = String, description = "The new version of the channel"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such channel",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(in crate::admin) async fn put_policy(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams((code, kind)): PathParams<(Slug, Slug)>,
    write: Write<Map<String, Value>>,
) -> Result<Response, Problem> {
    let body: PolicyBody = named("kind", &kind, write.body)?;
    let (body, of) = (Policy::from(body), kind.clone());
    let apply = Box::new(move |settings: &mut Settings| {
        let policies = &mut settings.policies;
        match policies.iter_mut().find(|known| known.kind == of) {
            Some(known) => known.clone_from(&body),
            None => policies.push(body.clone()),
        }
        Ok(())
    });
    let part = PartChange { code, expected: expected_version(&write.headers)?, apply };
    change(&door, &write.ctx, part, |channel| {
        let mut policies = channel.settings.policies.into_iter();
        let saved = policies.find(|known| known.kind == kind).ok_or_else(unknown)?;
        Ok(PolicyBody::from(saved))
    })
    .await
}

/// Deletes a policy; the others stay.
///
/// Needs the scope `channels:write`. Answers with the policies that are left.
#[utoipa::path(
    delete, path = "/channels/{code}/policies/{kind}", operation_id = "admin_delete_policy",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code"),
        ("kind" = String, Path, description = "The policy's kind"), IfMatchOptional, IdempotencyKey),
    responses(
        (status = 200, description = "The policies that are left", body = PageBody<PolicyBody>, headers(
            ("ETag" = String, description = "The new version of the channel"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such channel or policy",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(in crate::admin) async fn delete_policy(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams((code, kind)): PathParams<(Slug, Slug)>,
    write: Write<NoBody>,
) -> Result<Response, Problem> {
    let apply = Box::new(move |settings: &mut Settings| {
        let before = settings.policies.len();
        settings.policies.retain(|known| known.kind != kind);
        if settings.policies.len() == before { Err(unknown()) } else { Ok(()) }
    });
    let part = PartChange { code, expected: expected_version(&write.headers)?, apply };
    change(&door, &write.ctx, part, |channel| {
        let items = channel.settings.policies;
        Ok(PageBody::<PolicyBody>::from(Page { items, next_cursor: None }))
    })
    .await
}

fn unknown() -> Refusal {
    Refusal::new(Code::NotFound, "the channel has no such policy")
}
