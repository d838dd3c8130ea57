//! The tree of categories, as staff keep it.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use handel_domain::{
    Refusal,
    catalog::{Category, CategoryInput},
    id::CategoryId,
    text::Slug,
};
use handel_engine::{CategoryNode, Once, Page};
use handel_kit::{Door, PathParams, Problem, ProblemBody, Request, Staff, Write, needs};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    created,
    document::{Attempts, MergePatch, ReadOnly, check_id},
    required_version,
};
use crate::documents::{Always, BadBody, IdempotencyKey, IfMatch, Refused, Stale, Unversioned};
use crate::replies::{PageBody, once, versioned};

/// A category as staff send it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CategoryBody {
    /// Given by the shop. A category that is changed may carry its own.
    #[serde(default)]
    #[schema(read_only, value_type = Option<String>)]
    id: Option<CategoryId>,
    /// The category above; none at the top. Trees are at most 8 levels deep.
    #[schema(value_type = Option<String>)]
    parent_id: Option<CategoryId>,
    /// The name on the web, unique in the shop: lowercase letters and digits with single hyphens. Made from
    /// the name if absent; a category that is replaced keeps its own.
    #[schema(value_type = Option<String>, example = "kitchen")]
    slug: Option<Slug>,
    /// What shoppers read.
    #[schema(example = "Kitchen")]
    name: String,
    /// What the category is about.
    #[serde(default)]
    description: String,
    /// Sorts siblings, the lowest first; ties go by name. 0 if absent.
    #[serde(default)]
    position: i64,
    /// Kept by the shop.
    #[serde(default)]
    #[schema(read_only, value_type = i64)]
    version: ReadOnly,
    /// Kept by the shop.
    #[serde(default)]
    #[schema(read_only, value_type = String, format = DateTime)]
    created_at: ReadOnly,
    /// Kept by the shop.
    #[serde(default)]
    #[schema(read_only, value_type = String, format = DateTime)]
    updated_at: ReadOnly,
}

/// A category as staff see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct StaffCategoryView {
    /// Identity.
    #[schema(example = "cat_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// The category above; absent at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<String>,
    /// The name on the web.
    slug: String,
    /// What shoppers read.
    name: String,
    /// What the category is about.
    description: String,
    /// Sorts siblings, the lowest first.
    position: i64,
    /// Grows with every change; the ETag.
    version: i64,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Every category with its version, each before those below it.
///
/// Needs the scope `catalog:read`.
#[utoipa::path(
    get, path = "/categories", operation_id = "admin_list_categories",
    tag = "admin-categories", security(("api_key" = [])),
    responses(
        (status = 200, description = "The categories, on one page", body = PageBody<StaffCategoryView>),
        Always, Refused,
    )
)]
pub(super) async fn list_categories(
    _: Staff<needs::CatalogRead>,
    State(door): State<Door>,
    request: Request,
) -> Result<Json<PageBody<StaffCategoryView>>, Problem> {
    let mut items = Vec::new();
    flatten(door.engine().list_categories(&request.ctx).await?, &mut items);
    Ok(Json(PageBody::from(Page { items, next_cursor: None })))
}

/// Makes a category.
///
/// Needs the scope `catalog:write`.
#[utoipa::path(
    post, path = "/categories", operation_id = "admin_create_category",
    tag = "admin-categories", security(("api_key" = [])), params(IdempotencyKey), request_body = CategoryBody,
    responses(
        (status = 201, description = "The category", body = StaffCategoryView, headers(
            ("Location" = String, description = "Where the category is changed"),
            ("ETag" = String, description = "Its version"))),
        Always, Refused, BadBody,
        (status = 404, description = "The category above does not exist",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another category has the slug",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_category(
    _: Staff<needs::CatalogWrite>,
    State(door): State<Door>,
    write: Write<CategoryBody>,
) -> Result<Response, Problem> {
    let made = door.engine().create_category(&write.ctx, write.body.input(None)?).await?;
    Ok(once(made, |category| {
        let path = format!("/categories/{}", category.id);
        created(&path, category.version, StaffCategoryView::from(category))
    }))
}

/// Replaces a category. Those below it, and its products, follow it to its new place.
///
/// Needs the scope `catalog:write`.
#[utoipa::path(
    put, path = "/categories/{id}", operation_id = "admin_replace_category",
    tag = "admin-categories", security(("api_key" = [])),
    params(("id" = String, Path, description = "The category's id"), IfMatch, IdempotencyKey),
    request_body = CategoryBody,
    responses(
        (status = 200, description = "The category", body = StaffCategoryView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale, Unversioned,
        (status = 404, description = "No such category, or none such above it",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another category has the slug",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn replace_category(
    _: Staff<needs::CatalogWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<CategoryId>,
    write: Write<CategoryBody>,
) -> Result<Response, Problem> {
    let expected = required_version(&write.headers)?;
    let input = write.body.input(Some(id))?;
    let saved = door.engine().replace_category(&write.ctx, id, input, expected).await?;
    Ok(shown(saved))
}

/// Changes what is named of a category (RFC 7396). Those below it, and its products, follow it to its new place.
///
/// Needs the scope `catalog:write`.
#[utoipa::path(
    patch, path = "/categories/{id}", operation_id = "admin_change_category",
    tag = "admin-categories", security(("api_key" = [])),
    params(("id" = String, Path, description = "The category's id"), IfMatch, IdempotencyKey),
    request_body(content = MergePatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The category", body = StaffCategoryView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale, Unversioned,
        (status = 404, description = "No such category, or none such above it",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another category has the slug",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change_category(
    _: Staff<needs::CatalogWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<CategoryId>,
    write: Write<MergePatch>,
) -> Result<Response, Problem> {
    let mut attempts = Attempts::new(required_version(&write.headers)?);
    loop {
        let category = door.engine().get_category(&write.ctx, id).await?;
        let version = attempts.version(category.version);
        let body: CategoryBody = write.body.apply(StaffCategoryView::from(category))?;
        let input = body.input(Some(id))?;
        match door.engine().replace_category(&write.ctx, id, input, version).await {
            Err(error) if attempts.again(&error) => {}
            saved => return Ok(shown(saved?)),
        }
    }
}

fn shown(saved: Once<Category>) -> Response {
    once(saved, |category| {
        versioned(StatusCode::OK, category.version, StaffCategoryView::from(category))
    })
}

/// Deletes a category that has no categories below it and no products in it.
///
/// Needs the scope `catalog:write`.
#[utoipa::path(
    delete, path = "/categories/{id}", operation_id = "admin_delete_category",
    tag = "admin-categories", security(("api_key" = [])),
    params(("id" = String, Path, description = "The category's id")),
    responses(
        (status = 204, description = "It is gone"),
        Always, Refused,
        (status = 404, description = "No such category",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It still has products or categories",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete_category(
    _: Staff<needs::CatalogWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<CategoryId>,
    request: Request,
) -> Result<Response, Problem> {
    door.engine().delete_category(&request.ctx, id).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn flatten(nodes: Vec<CategoryNode>, into: &mut Vec<StaffCategoryView>) {
    for CategoryNode { category, children } in nodes {
        into.push(StaffCategoryView::from(category));
        flatten(children, into);
    }
}

impl CategoryBody {
    /// What it says of a category; `expected` is none where one is made.
    fn input(self, expected: Option<CategoryId>) -> Result<CategoryInput, Refusal> {
        let Self { id, parent_id, slug, name, description, position, .. } = self;
        let [ReadOnly, ReadOnly, ReadOnly] = [self.version, self.created_at, self.updated_at];
        check_id(id, expected)?;
        Ok(CategoryInput { parent_id, slug, name, description, position })
    }
}

impl From<Category> for StaffCategoryView {
    fn from(category: Category) -> Self {
        Self {
            id: category.id.to_string(),
            parent_id: category.parent_id.map(|id| id.to_string()),
            slug: category.slug.to_string(),
            name: category.name,
            description: category.description,
            position: category.position,
            version: category.version,
            created_at: category.created_at.to_string(),
            updated_at: category.updated_at.to_string(),
        }
    }
}
