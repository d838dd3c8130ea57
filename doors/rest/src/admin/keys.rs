//! API keys.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use handel_domain::id::ApiKeyId;
use handel_engine::{ApiKey, NewApiKey, Scope};
use handel_kit::{
    Door, PathParams, Problem, ProblemBody, QueryParams, Request, Staff, Write, needs,
};
use http::{StatusCode, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{
    ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, Schema, schema::Type},
};

use super::PageQuery;
use crate::documents::{Always, BadBody, BadQuery, Refused};
use crate::replies::PageBody;

/// A new API key.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyBody {
    /// What staff call it.
    #[schema(example = "warehouse", max_length = 200)]
    name: String,
    /// What it may do; at least one, and none that the caller lacks.
    #[schema(schema_with = scopes)]
    scopes: Vec<Scope>,
    /// When it ends; never if absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A new API key with its secret, which is shown this once and never again.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewKeyView {
    /// Identity.
    #[schema(example = "key_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// The whole key: send it as `Authorization: Bearer hk_…`.
    secret: String,
}

/// An API key without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct KeyView {
    /// Identity.
    #[schema(example = "key_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// How the key begins.
    #[schema(example = "hk_3fQ9xZ2a")]
    prefix: String,
    /// What staff call it.
    name: String,
    /// What it may do.
    #[schema(schema_with = scopes)]
    scopes: Vec<&'static str>,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ends; absent if never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was revoked; absent if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    revoked_at: Option<String>,
    /// When it was last used, to within five minutes; absent if never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
}

/// The scopes that there are, for the documentation.
fn scopes() -> Schema {
    let words = Scope::ALL.iter().map(|scope| scope.as_str());
    let scope = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words));
    ArrayBuilder::new().items(scope).description(Some("What it may do.")).into()
}

/// Makes an API key. Nobody can make a key that may do more than they may.
///
/// Needs the scope `keys:write` and every scope that the new key gets. The secret is not stored, so a
/// repetition with the same `Idempotency-Key` is refused instead of answered again.
#[utoipa::path(
    post, path = "/keys", operation_id = "admin_create_key",
    tag = "admin-keys", security(("api_key" = [])), request_body = KeyBody,
    responses(
        (status = 201, description = "The key, shown this once", body = NewKeyView),
        Always, Refused, BadBody,
    )
)]
pub(super) async fn create_key(
    _: Staff<needs::KeysWrite>,
    State(door): State<Door>,
    write: Write<KeyBody>,
) -> Result<Response, Problem> {
    let KeyBody { name, scopes, expires_at } = write.body;
    let key = door.engine().create_api_key(&write.ctx, &name, scopes, expires_at).await?;
    // A secret must not stay in a cache on the way.
    let headers = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, headers, Json(NewKeyView::from(key))).into_response())
}

/// The API keys of the shop, newest first, also those that were revoked.
///
/// Needs the scope `keys:write`.
#[utoipa::path(
    get, path = "/keys", operation_id = "admin_list_keys",
    tag = "admin-keys", security(("api_key" = [])), params(PageQuery),
    responses(
        (status = 200, description = "The keys, without their secrets", body = PageBody<KeyView>),
        Always, Refused, BadQuery,
    )
)]
pub(super) async fn list_keys(
    _: Staff<needs::KeysWrite>,
    State(door): State<Door>,
    QueryParams(query): QueryParams<PageQuery>,
    request: Request,
) -> Result<Json<PageBody<KeyView>>, Problem> {
    let page = door.engine().list_api_keys(&request.ctx, query.cursor, query.limit).await?;
    Ok(Json(PageBody::from(page)))
}

/// Revokes an API key; it ends at once.
///
/// Needs the scope `keys:write`.
#[utoipa::path(
    delete, path = "/keys/{id}", operation_id = "admin_revoke_key",
    tag = "admin-keys", security(("api_key" = [])),
    params(("id" = String, Path, description = "The key's id")),
    responses(
        (status = 204, description = "It is revoked"),
        Always, Refused,
        (status = 404, description = "No such key, or it was revoked before",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn revoke_key(
    _: Staff<needs::KeysWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<ApiKeyId>,
    request: Request,
) -> Result<Response, Problem> {
    door.engine().revoke_api_key(&request.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl From<NewApiKey> for NewKeyView {
    fn from(key: NewApiKey) -> Self {
        Self { id: key.id.to_string(), secret: key.secret.expose().clone() }
    }
}

impl From<ApiKey> for KeyView {
    fn from(key: ApiKey) -> Self {
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            id: key.id.to_string(),
            prefix: key.prefix,
            name: key.name,
            scopes: key.scopes.into_iter().map(Scope::as_str).collect(),
            created_at: key.created_at.to_string(),
            expires_at: text(key.expires_at),
            revoked_at: text(key.revoked_at),
            last_used_at: text(key.last_used_at),
        }
    }
}
