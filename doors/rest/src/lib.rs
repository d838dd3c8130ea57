//! The REST interface: what a storefront, an app or a script needs to sell, and what staff need to keep the
//! shop. Owns its wire types and converts them by hand; every rule is the engine's.

#![warn(missing_docs)]

mod admin;
mod cart;
mod catalog;
mod checkout;
mod cors;
mod countries;
mod documents;
mod errors;
mod media;
mod orders;
mod policies;
mod replies;
mod views;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    middleware::{from_fn_with_state, map_response},
    response::Response,
    routing::get,
};
use handel_kit::Door;
use handel_ports::BlobStore;
use http::{HeaderValue, header};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        Server,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

/// Where the interface begins.
pub const PREFIX: &str = "/api/v1";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Handel",
        description = "Sell to people and to agents. Amounts are integers in the currency's minor unit and end in \
            `_minor`; times are RFC 3339 in UTC. Errors are problem documents (RFC 9457) with a stable `code`. \
            Writes take an `Idempotency-Key`; buying needs one.",
        license(name = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "catalog", description = "What is for sale"),
        (name = "cart", description = "What a shopper means to buy"),
        (name = "checkout", description = "From a cart to a paid order"),
        (name = "orders", description = "What was bought"),
        (name = "webhooks", description = "What payment providers report"),
        (name = "admin-products", description = "Staff: products, variants and prices"),
        (name = "admin-categories", description = "Staff: the tree of categories"),
        (name = "admin-promotions", description = "Staff: promotions and codes"),
        (name = "admin-stock", description = "Staff: stock levels and movements"),
        (name = "admin-orders", description = "Staff: orders and their fulfillment"),
        (name = "admin-channels", description = "Staff: sales channels, tax, shipping methods, policies"),
        (name = "admin-keys", description = "Staff: API keys"),
        (name = "admin-jobs", description = "Staff: failed background jobs"),
        (name = "admin-webhooks", description = "Staff: deliveries of order webhooks")
    ),
    modifiers(&Security)
)]
struct Documentation;

struct Security;

impl Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        let key = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("api_key", key);
        let header = |name| SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(name)));
        components.add_security_scheme("cart_token", header("Cart-Token"));
        components.add_security_scheme("order_token", header("Order-Token"));
    }
}

/// All routes of this door with their documentation, and the pictures of products.
pub fn router(door: &Door, blobs: Arc<dyn BlobStore>) -> Router {
    let (api, document) = routes(door).split_for_parts();
    let text: Arc<str> = document.to_json().unwrap_or_default().into();
    let serve = move || {
        let text = text.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], text.to_string()) }
    };
    api.route("/openapi.json", get(serve))
        .merge(reader())
        .merge(errors::router())
        .merge(media::router(blobs))
}

/// What the page of the documentation may do: run its own scripts and call this shop.
const READER_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The page that shows the OpenAPI document.
fn reader() -> Router {
    let config = utoipa_swagger_ui::Config::from("/openapi.json");
    Router::from(SwaggerUi::new("/docs").config(config)).layer(map_response(
        async |mut response: Response| {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, READER_POLICY);
            response
        },
    ))
}

/// The OpenAPI document.
pub fn openapi(door: &Door) -> utoipa::openapi::OpenApi {
    routes(door).into_openapi()
}

fn routes(door: &Door) -> OpenApiRouter {
    let storefront = OpenApiRouter::new()
        .merge(catalog::router())
        .merge(cart::router())
        .merge(checkout::router())
        .merge(countries::router())
        .merge(orders::router())
        .merge(policies::router())
        .layer(from_fn_with_state(door.clone(), cors::allow_origins));
    let api = OpenApiRouter::new()
        .merge(storefront)
        .merge(webhooks::router())
        .nest("/admin", admin::router())
        .with_state(door.clone());
    let mut document = Documentation::openapi();
    document.servers = Some(vec![Server::new(&door.settings().public_url)]);
    OpenApiRouter::with_openapi(document).nest(PREFIX, api)
}
