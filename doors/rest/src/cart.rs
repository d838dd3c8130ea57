//! Carts: `POST /cart`, `POST /cart/items`, `PATCH` and `DELETE /cart/items/{id}`, `PUT /cart/codes`,
//! `GET /cart`.

use std::collections::HashMap;

use axum::{extract::State, response::Response};
use handel_domain::{
    Code, Refusal,
    id::{LineId, WrongId},
    text::Sku,
};
use handel_engine::{AddItem, CartRef, Once, OwnedCart, StockKey};
use handel_kit::{
    CART_TOKEN, Door, PathParams, Problem, ProblemBody, Request, Write, cart_cookie,
    expected_version,
};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    documents::{Always, BadBody, Foreign, IdempotencyKey, IfMatchOptional, InChannel},
    replies::{once, versioned},
    views::CartView,
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(create_cart, get_cart))
        .routes(routes!(add_item))
        .routes(routes!(set_quantity, remove_item))
        .routes(routes!(set_codes))
}

/// What to add to a cart: a variant by id or by SKU.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddItemBody {
    /// The variant by id.
    #[serde(default)]
    variant_id: Option<String>,
    /// The variant by SKU.
    #[serde(default)]
    sku: Option<String>,
    /// How many; 1 if absent.
    #[serde(default = "one")]
    quantity: i64,
    /// What is attached, such as an engraving.
    #[serde(default)]
    custom: HashMap<String, String>,
}

fn one() -> i64 {
    1
}

/// How many of a line are wanted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuantityBody {
    /// How many; 0 removes the line.
    quantity: i64,
}

/// The codes of a cart.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CodesBody {
    /// All codes that are to be tried, at most 10; none removes them.
    #[schema(example = json!(["WELCOME10"]))]
    codes: Vec<String>,
}

/// Makes an empty cart.
#[utoipa::path(post, path = "/cart", tag = "cart", params(InChannel, IdempotencyKey), responses(
    Always, Foreign, BadBody,
    (status = 201, description = "The cart, with its token", body = CartView),
    (status = 404, description = "No such channel", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn create_cart(
    State(door): State<Door>,
    request: Write<Option<EmptyBody>>,
) -> Result<Response, Problem> {
    let cart = door.engine().create_cart(&request.ctx).await?;
    Ok(answer(&door, StatusCode::CREATED, cart))
}

/// No body is needed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmptyBody {}

/// The cart of the token or cookie, with what it costs now.
#[utoipa::path(get, path = "/cart", tag = "cart", security(("cart_token" = [])), responses(
    Always,
    (status = 200, description = "The cart", body = CartView),
    (status = 404, description = "No cart, or not yours", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn get_cart(State(door): State<Door>, request: Request) -> Result<Response, Problem> {
    let cart = door.engine().get_cart(&request.ctx, &required(request.cart)?).await?;
    Ok(answer(&door, StatusCode::OK, Once { reply: cart, replayed: false }))
}

/// Adds an item. Without a token or cookie a new cart is made.
#[utoipa::path(post, path = "/cart/items", tag = "cart", security((), ("cart_token" = [])),
    params(InChannel, IfMatchOptional, IdempotencyKey), request_body = AddItemBody, responses(
    Always, Foreign, BadBody,
    (status = 200, description = "The cart", body = CartView),
    (status = 201, description = "A new cart", body = CartView),
    (status = 404, description = "No such cart or variant", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "Not enough in stock, or the cart is closed", body = ProblemBody,
        content_type = "application/problem+json"),
    (status = 412, description = "The cart changed since", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn add_item(
    State(door): State<Door>,
    request: Write<AddItemBody>,
) -> Result<Response, Problem> {
    let AddItemBody { variant_id, sku, quantity, custom } = request.body;
    let variant = match (variant_id, sku) {
        (Some(id), None) => StockKey::Id(
            id.parse()
                .map_err(|error: WrongId| Refusal::field("/variant_id", error.to_string()))?,
        ),
        (None, Some(sku)) => StockKey::Sku(Sku::parse("/sku", &sku)?),
        _ => return Err(Refusal::field("/variant_id", "either variant_id or sku is needed").into()),
    };
    let status = if request.cart.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let expected_version = expected_version(&request.headers)?;
    let add = AddItem { cart: request.cart, variant, quantity, custom, expected_version };
    let cart = door.engine().add_cart_item(&request.ctx, add).await?;
    Ok(answer(&door, status, cart))
}

/// Sets how many of a line are wanted; 0 removes it.
#[utoipa::path(patch, path = "/cart/items/{id}", tag = "cart", security(("cart_token" = [])),
    params(("id" = String, Path, description = "The line"), IfMatchOptional, IdempotencyKey),
    request_body = QuantityBody, responses(
    Always, Foreign, BadBody,
    (status = 200, description = "The cart", body = CartView),
    (status = 404, description = "No such cart or line", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "Not enough in stock, or the cart is closed", body = ProblemBody,
        content_type = "application/problem+json"),
    (status = 412, description = "The cart changed since", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn set_quantity(
    State(door): State<Door>,
    PathParams(id): PathParams<LineId>,
    request: Write<QuantityBody>,
) -> Result<Response, Problem> {
    let (cart, expected) = (required(request.cart)?, expected_version(&request.headers)?);
    let quantity = request.body.quantity;
    let cart = door.engine().set_cart_quantity(&request.ctx, &cart, id, quantity, expected).await?;
    Ok(answer(&door, StatusCode::OK, cart))
}

/// Removes a line.
#[utoipa::path(delete, path = "/cart/items/{id}", tag = "cart", security(("cart_token" = [])),
    params(("id" = String, Path, description = "The line"), IfMatchOptional, IdempotencyKey), responses(
    Always, Foreign, BadBody,
    (status = 200, description = "The cart", body = CartView),
    (status = 404, description = "No such cart or line", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "The cart is closed", body = ProblemBody, content_type = "application/problem+json"),
    (status = 412, description = "The cart changed since", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn remove_item(
    State(door): State<Door>,
    PathParams(id): PathParams<LineId>,
    request: Write<Option<EmptyBody>>,
) -> Result<Response, Problem> {
    let (cart, expected) = (required(request.cart)?, expected_version(&request.headers)?);
    let cart = door.engine().set_cart_quantity(&request.ctx, &cart, id, 0, expected).await?;
    Ok(answer(&door, StatusCode::OK, cart))
}

/// Replaces the codes. One that does nothing is no error: the cart says why in `rejected_codes`.
#[utoipa::path(put, path = "/cart/codes", tag = "cart", security(("cart_token" = [])),
    params(IfMatchOptional, IdempotencyKey), request_body = CodesBody, responses(
    Always, Foreign, BadBody,
    (status = 200, description = "The cart", body = CartView),
    (status = 404, description = "No such cart", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "The cart is closed", body = ProblemBody, content_type = "application/problem+json"),
    (status = 412, description = "The cart changed since", body = ProblemBody, content_type = "application/problem+json"),
))]
async fn set_codes(
    State(door): State<Door>,
    request: Write<CodesBody>,
) -> Result<Response, Problem> {
    let (cart, expected) = (required(request.cart)?, expected_version(&request.headers)?);
    let codes = request.body.codes;
    let cart = door.engine().set_cart_codes(&request.ctx, &cart, codes, expected).await?;
    Ok(answer(&door, StatusCode::OK, cart))
}

/// The cart that a request needs.
pub(crate) fn required(cart: Option<CartRef>) -> Result<CartRef, Problem> {
    let message = "send the Cart-Token of a cart, or its cookie";
    cart.ok_or_else(|| Refusal::new(Code::CartUnknown, message).into())
}

/// A cart with its ETag, and its token both for programs and for browsers.
fn answer(door: &Door, status: StatusCode, cart: Once<OwnedCart>) -> Response {
    let is_secure = door.settings().public_url.starts_with("https://");
    once(cart, |cart| {
        let (token, version) = (cart.token.clone(), cart.view.cart.version);
        let lives = cart.view.cart.expires_at.duration_since(cart.view.cart.updated_at).as_millis();
        let cookie = cart_cookie(&token, i64::try_from(lives).unwrap_or(i64::MAX), is_secure);
        let mut response = versioned(status, version, CartView::from(cart));
        let headers = response.headers_mut();
        if let Ok(token) = HeaderValue::from_str(&token) {
            headers.insert(CART_TOKEN, token);
        }
        if let Some(cookie) = cookie {
            headers.insert(header::SET_COOKIE, cookie);
        }
        response
    })
}
