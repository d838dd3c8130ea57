//! Products and their prices, as staff keep them.

mod attribute;
mod body;
mod view;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use handel_domain::{
    catalog::{Price, Product, ProductStatus},
    id::{CategoryId, ProductId},
    text::Sku,
};
use handel_engine::{Once, ProductKey, StaffProductFilter};
use handel_kit::{
    Door, PathParams, Problem, ProblemBody, QueryParams, Request, Staff, Write, needs,
};
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use self::{
    body::{PricesBody, PricesByCurrency, ProductBody, ProductStatusBody},
    view::StaffProductView,
};
use super::{
    created,
    document::{Attempts, MergePatch},
    page_limit, required_version,
};
use crate::documents::{
    Always, BadBody, BadQuery, IdempotencyKey, IfMatch, Refused, Stale, Unversioned,
};
use crate::replies::{PageBody, once, versioned};

/// Makes a product with its variants and prices.
///
/// Needs the scope `catalog:write`.
#[utoipa::path(
    post, path = "/products", operation_id = "admin_create_product",
    tag = "admin-products", security(("api_key" = [])), params(IdempotencyKey), request_body = ProductBody,
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
    let made = door.engine().create_product(&write.ctx, write.body.input(None)?).await?;
    Ok(once(made, |product| {
        let path = format!("/products/{}", product.id);
        created(&path, product.version, StaffProductView::from(product))
    }))
}

/// Every product in every status, newest first.
///
/// Needs the scope `catalog:read`.
#[utoipa::path(
    get, path = "/products", operation_id = "admin_list_products",
    tag = "admin-products", security(("api_key" = [])), params(ProductQuery),
    responses(
        (status = 200, description = "The products", body = PageBody<StaffProductView>),
        Always, Refused, BadQuery,
    )
)]
pub(super) async fn list_products(
    _: Staff<needs::CatalogRead>,
    State(door): State<Door>,
    QueryParams(query): QueryParams<ProductQuery>,
    request: Request,
) -> Result<Json<PageBody<StaffProductView>>, Problem> {
    let filter = StaffProductFilter {
        status: query.status.map(ProductStatus::from),
        vendor: query.vendor,
        category_id: query.category_id,
        query: query.q.unwrap_or_default(),
    };
    let list = door.engine().list_staff_products(&request.ctx, filter, query.cursor, query.limit);
    Ok(Json(PageBody::from(list.await?)))
}

/// Which products staff want to see.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ProductQuery {
    /// Only those in this status; all if absent.
    status: Option<ProductStatusBody>,
    /// Words that title, vendor, type, tags or SKUs must hold; at most three count.
    q: Option<String>,
    /// Only those of this vendor, as it is written.
    vendor: Option<String>,
    /// Only those that stand in this category itself, by its id.
    #[param(value_type = Option<String>)]
    category_id: Option<CategoryId>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// How many entries at most.
    #[serde(default = "page_limit")]
    #[param(default = 24, minimum = 1, maximum = 100)]
    limit: u32,
}

/// A product in every currency, also as a draft or archived.
///
/// Needs the scope `catalog:read`.
#[utoipa::path(
    get, path = "/products/{id}", operation_id = "admin_get_product",
    tag = "admin-products", security(("api_key" = [])),
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
    tag = "admin-products", security(("api_key" = [])),
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
    let input = write.body.input(Some(id))?;
    let saved = door.engine().replace_product(&write.ctx, id, input, expected).await?;
    Ok(shown(saved))
}

/// Changes what is named of a product (RFC 7396). Lists such as `variants` and `tags` are replaced as a whole; a
/// variant keeps its identity by `id`, else by SKU.
///
/// Needs the scope `catalog:write`.
#[utoipa::path(
    patch, path = "/products/{id}", operation_id = "admin_change_product",
    tag = "admin-products", security(("api_key" = [])),
    params(("id" = String, Path, description = "The product's id"), IfMatch, IdempotencyKey),
    request_body(content = MergePatch, content_type = "application/merge-patch+json"),
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
pub(super) async fn change_product(
    _: Staff<needs::CatalogWrite>,
    State(door): State<Door>,
    PathParams(id): PathParams<ProductId>,
    write: Write<MergePatch>,
) -> Result<Response, Problem> {
    let mut attempts = Attempts::new(required_version(&write.headers)?);
    loop {
        let product = door.engine().get_product(&write.ctx, ProductKey::Id(id)).await?;
        let version = attempts.version(product.version);
        let body: ProductBody = write.body.apply(StaffProductView::from(product))?;
        let input = body.input(Some(id))?;
        match door.engine().replace_product(&write.ctx, id, input, version).await {
            Err(error) if attempts.again(&error) => {}
            saved => return Ok(shown(saved?)),
        }
    }
}

/// Archives a product: shoppers no longer see it, and orders that refer to it stay whole.
///
/// Needs the scope `catalog:write`.
#[utoipa::path(
    delete, path = "/products/{id}", operation_id = "admin_archive_product",
    tag = "admin-products", security(("api_key" = [])),
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
    tag = "admin-products", security(("api_key" = [])),
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
    Ok(shown(saved))
}

/// Changes the prices that are named of one variant (RFC 7396): `{"EUR": {"amount_minor": 1900}, "USD": null}` sets one
/// price, takes one away, and leaves those in other currencies.
///
/// Needs the scope `catalog:write`. `If-Match` is the version of the product.
#[utoipa::path(
    patch, path = "/variants/{sku}/prices", operation_id = "admin_change_prices",
    tag = "admin-products", security(("api_key" = [])),
    params(("sku" = String, Path, description = "The variant's SKU"), IfMatch, IdempotencyKey),
    request_body(content = MergePatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The product of the variant", body = StaffProductView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale, Unversioned,
        (status = 404, description = "No such variant",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change_prices(
    _: Staff<needs::CatalogWrite>,
    State(door): State<Door>,
    PathParams(sku): PathParams<Sku>,
    write: Write<MergePatch>,
) -> Result<Response, Problem> {
    let mut attempts = Attempts::new(required_version(&write.headers)?);
    loop {
        let product = door.engine().get_product(&write.ctx, ProductKey::Sku(sku.clone())).await?;
        let version = attempts.version(product.version);
        let variant = product.variants.iter().find(|variant| variant.sku == sku);
        let prices = variant.map(|variant| &variant.prices[..]).unwrap_or_default();
        let prices =
            write.body.apply::<PricesByCurrency>(PricesByCurrency::from(prices))?.read()?;
        match door.engine().set_prices(&write.ctx, sku.clone(), prices, version).await {
            Err(error) if attempts.again(&error) => {}
            saved => return Ok(shown(saved?)),
        }
    }
}

fn shown(saved: Once<Product>) -> Response {
    once(saved, |product| {
        versioned(StatusCode::OK, product.version, StaffProductView::from(product))
    })
}
