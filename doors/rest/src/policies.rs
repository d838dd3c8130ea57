//! What shoppers may rely on: `GET /policies`, `GET /policies/{kind}`.

use axum::{extract::State, response::Response};
use handel_domain::{Code, Refusal, policy::Policy, text::Slug};
use handel_kit::{Door, PathParams, Problem, ProblemBody, Request};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    documents::{Always, InChannel},
    replies::kept,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new().routes(routes!(list_policies)).routes(routes!(get_policy))
}

/// The policies of a channel.
#[derive(Serialize, ToSchema)]
struct PolicyList {
    /// The entries, in the merchant's order.
    items: Vec<PolicySummary>,
}

/// A policy without its text.
#[derive(Serialize, ToSchema)]
struct PolicySummary {
    /// What it is about, and its place below `/policies`.
    #[schema(example = "refund-policy")]
    kind: String,
    /// What shoppers read first.
    title: String,
}

/// A policy.
#[derive(Serialize, ToSchema)]
struct PolicyView {
    /// What it is about.
    #[schema(example = "refund-policy")]
    kind: String,
    /// What shoppers read first.
    title: String,
    /// The text: paragraphs with empty lines between.
    text: String,
}

/// What shoppers may rely on, such as returns.
#[utoipa::path(get, path = "/policies", tag = "catalog", params(InChannel), responses(
    Always,
    (status = 404, description = "No such channel", body = ProblemBody, content_type = "application/problem+json"),
    (status = 200, description = "The policies, without their texts", body = PolicyList, headers(
        ("ETag" = String, description = "A digest of the list, for `If-None-Match`"))),
    (status = 304, description = "It is the one that you have (`If-None-Match`)"),
))]
async fn list_policies(State(door): State<Door>, request: Request) -> Result<Response, Problem> {
    let channel = door.engine().get_channel(&request.ctx).await?;
    let items = channel.settings.policies.iter().map(PolicySummary::from).collect();
    kept(&request.headers, &PolicyList { items })
}

/// A policy with its text.
#[utoipa::path(get, path = "/policies/{kind}", tag = "catalog",
    params(("kind" = String, Path, description = "What it is about"), InChannel), responses(
    Always,
    (status = 200, description = "The policy", body = PolicyView, headers(
        ("ETag" = String, description = "A digest of the policy, for `If-None-Match`"))),
    (status = 304, description = "It is the one that you have (`If-None-Match`)"),
    (status = 404, description = "No such policy or channel", body = ProblemBody,
        content_type = "application/problem+json"),
))]
async fn get_policy(
    State(door): State<Door>,
    PathParams(kind): PathParams<Slug>,
    request: Request,
) -> Result<Response, Problem> {
    let channel = door.engine().get_channel(&request.ctx).await?;
    let found = channel.settings.policies.iter().find(|policy| policy.kind == kind);
    let found = found.ok_or_else(|| Refusal::new(Code::NotFound, "there is no such policy"))?;
    kept(&request.headers, &PolicyView::from(found))
}

impl From<&Policy> for PolicySummary {
    fn from(policy: &Policy) -> Self {
        Self { kind: policy.kind.to_string(), title: policy.title.clone() }
    }
}

impl From<&Policy> for PolicyView {
    fn from(policy: &Policy) -> Self {
        Self {
            kind: policy.kind.to_string(),
            title: policy.title.clone(),
            text: policy.text.clone(),
        }
    }
}
