//! Products and their prices, as staff keep them.

mod attribute;
mod body;
mod view;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use handel_domain::{catalog::Price, id::ProductId, text::Sku};
use handel_engine::ProductKey;
use handel_kit::{Door, PathParams, Problem, ProblemBody, Request, Staff, Write, needs};
use http::StatusCode;

use self::{
    body::{PricesBody, ProductBody},
    view::StaffProductView,
};
use super::{created, required_version};
use crate::documents::{Always, BadBody, IdempotencyKey, IfMatch, Refused, Stale, Unversioned};
use crate::replies::{once, versioned};

/// Makes a product with its variants and prices.
///
/// Needs the scope `catalog:write`.
#[utoipa::path(
    post, path = "/products", operation_id = "admin_create_product",
    tag = "admin", security(("api_key" = [])), params(IdempotencyKey), request_body = ProductBody,
    responses(
        (status = 201, description = "The product", body = StaffProductView, headers(
            ("Location" = String, description = "Where the product is"),
            ("ETag" = String, description = "Its version"))),
        Always, Refused, BadBody,
        (status = 404, description = "One of the categories does not exist",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another product has the slug or one of the SKUs",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn create_product(
    _: Staff<needs::CatalogWrite>,
    State(door): State<Door>,
    write: Write<ProductBody>,
) -> Result<Response, Problem> {
    let made = door.engine().create_product(&write.ctx, write.body.try_into()?).await?;
    Ok(once(made, |product| {
        let path = format!("/products/{}", product.id);
        created(&path, product.version, StaffProductView::from(product))
    }))
}

/// A product in every currency, also as a draft or archived.
///
/// Needs the scope `catalog:read`.
#[utoipa::path(
    get, path = "/products/{id}", operation_id = "admin_get_product",
    tag = "admin", security(("api_key" = [])),
    params(("id" = String, Path, description = "The product's id or slug")),
    responses(
        (status = 200, description = "The product", body = StaffProductView, headers(
            ("ETag" = String, description = "Its version"))),
        Always, Refused,
        (status = 404, description = "No such product",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_product(
    _: Staff<needs::CatalogRead>,
    State(door): State<Door>,
    PathParams(key): PathParams<String>,
    request: Request,
) -> Result<Response, Problem> {
    let product = door.engine().get_product(&request.ctx, key.parse::<ProductKey>()?).await?;
    Ok(versioned(StatusCode::OK, product.version, StaffProductView::from(product)))
}

/// Replaces a product as a whole. Variants keep their identity by SKU; those that are missing go, and the
/// slug stays if none is sent.
///
/// Needs the scope `catalog:write`.
#[utoipa::path(
    put, path = "/products/{id}", operation_id = "admin_replace_product",
    tag = "admin", security(("api_key" = [])),
    params(("id" = String, Path, description = "The product's id"), IfMatch, IdempotencyKey),
    request_body = ProductBody,
    responses(
        (status = 200, description = "The product", body = StaffProductView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale, Unversioned,
        (status = 404, description = "No such product, or one of the categories does not exist",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another product has the slug or one of the SKUs",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn replace_product(
    _: Staff<needs::CatalogWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<ProductId>,
    write: Write<ProductBody>,
) -> Result<Response, Problem> {
    let expected = required_version(&write.headers)?;
    let input = write.body.try_into()?;
    let saved = door.engine().replace_product(&write.ctx, id, input, expected).await?;
    Ok(once(saved, |product| {
        versioned(StatusCode::OK, product.version, StaffProductView::from(product))
    }))
}

/// Archives a product: shoppers no longer see it, and orders that refer to it stay whole.
///
/// Needs the scope `catalog:write`.
#[utoipa::path(
    delete, path = "/products/{id}", operation_id = "admin_archive_product",
    tag = "admin", security(("api_key" = [])),
    params(("id" = String, Path, description = "The product's id"), IfMatch),
    responses(
        (status = 204, description = "It is archived"),
        Always, Refused, Stale, Unversioned,
        (status = 404, description = "No such product",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The header `If-Match` holds no ETag",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn archive_product(
    _: Staff<needs::CatalogWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<ProductId>,
    request: Request,
) -> Result<Response, Problem> {
    let expected = required_version(&request.headers)?;
    door.engine().archive_product(&request.ctx, id, expected).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Replaces the prices of one variant; currencies that are missing are no longer sold in.
///
/// Needs the scope `catalog:write`. `If-Match` is the version of the product.
#[utoipa::path(
    put, path = "/variants/{sku}/prices", operation_id = "admin_set_prices",
    tag = "admin", security(("api_key" = [])),
    params(("sku" = String, Path, description = "The variant's SKU"), IfMatch, IdempotencyKey),
    request_body = PricesBody,
    responses(
        (status = 200, description = "The product of the variant", body = StaffProductView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale, Unversioned,
        (status = 404, description = "No such variant",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn set_prices(
    _: Staff<needs::CatalogWrite>,
    State(door): State<Door>,
    PathParams(sku): PathParams<Sku>,
    write: Write<PricesBody>,
) -> Result<Response, Problem> {
    let expected = required_version(&write.headers)?;
    let prices = write.body.prices.into_iter().map(Price::from).collect();
    let saved = door.engine().set_prices(&write.ctx, sku, prices, expected).await?;
    Ok(once(saved, |product| {
        versioned(StatusCode::OK, product.version, StaffProductView::from(product))
    }))
}
