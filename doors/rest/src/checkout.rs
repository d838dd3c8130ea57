//! Checkout: `POST /checkout`, `GET` and `PATCH /checkout/{id}`, `POST /checkout/{id}/complete`.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use handel_domain::{
    Refusal,
    checkout::{Buyer, WithPayment},
    id::CheckoutId,
    order::PaymentStatus,
    refusal::FieldErrors,
    text::{Email, Slug},
};
use handel_engine::{Complete, Completion, Once, PaymentChoice, Submit};
use handel_kit::{Door, PathParams, Problem, ProblemBody, Request, Write, expected_version};
use handel_ports::Secret;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    cart::required,
    documents::{Always, BadBody, Foreign, IdempotencyKey, IfMatchOptional},
    replies::{once, versioned},
    views::{AddressBody, CheckoutView, OrderView, PaymentView},
};

pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
        .routes(routes!(checkout))
        .routes(routes!(get_checkout, update_checkout))
        .routes(routes!(complete_checkout))
}

/// What a buyer says. Parts that are absent stay as they were.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BuyerBody {
    /// Where the receipt goes.
    #[serde(default)]
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// Where the goods go.
    #[serde(default)]
    shipping_address: Option<AddressBody>,
    /// Who is billed; the shipping address if absent.
    #[serde(default)]
    billing_address: Option<AddressBody>,
    /// The code of a shipping method.
    #[serde(default)]
    #[schema(example = "standard")]
    shipping_method: Option<String>,
}

/// A checkout of the cart; with `payment` it is completed at once.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckoutBody {
    /// Where the receipt goes.
    #[serde(default)]
    #[schema(example = "ada@example.com")]
    email: Option<String>,
    /// Where the goods go.
    #[serde(default)]
    shipping_address: Option<AddressBody>,
    /// Who is billed; the shipping address if absent.
    #[serde(default)]
    billing_address: Option<AddressBody>,
    /// The code of a shipping method.
    #[serde(default)]
    #[schema(example = "standard")]
    shipping_method: Option<String>,
    /// How it is paid.
    #[serde(default)]
    payment: Option<PaymentBody>,
    /// The total that the buyer agreed to, in minor units; the one that an answer showed last if absent. If it is
    /// another by now, also a lower one, nothing is bought.
    #[serde(default)]
    expected_total_minor: Option<i64>,
}

/// How a checkout is paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PaymentBody {
    /// The provider; the shop's first one if absent.
    #[serde(default)]
    #[schema(example = "test")]
    provider: Option<String>,
    /// What stands for the means of payment. Never a card number.
    #[schema(example = "tok_ok")]
    token: String,
    /// Where the provider sends the buyer back to.
    #[serde(default)]
    return_url: Option<String>,
}

/// Completes a checkout.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CompleteBody {
    /// How it is paid; not needed where nothing is owed.
    #[serde(default)]
    payment: Option<PaymentBody>,
    /// The total that the buyer agreed to, in minor units; the one that an answer showed last if absent. If it is
    /// another by now, also a lower one, nothing is bought.
    #[serde(default)]
    expected_total_minor: Option<i64>,
}

/// What completing led to.
#[derive(Serialize, ToSchema)]
struct CompletionView {
    /// The checkout.
    checkout_id: String,
    /// The order.
    order: OrderView,
    /// Its payment, with what the buyer must do; absent where nothing is owed.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView>,
}

/// Makes a checkout from the cart, or refreshes the one under way. With `payment` it is completed at once,
/// which needs an `Idempotency-Key`.
#[utoipa::path(post, path = "/checkout", tag = "checkout", security(("cart_token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Needed with `payment`")),
    request_body = CheckoutBody, responses(
    Always, Foreign, BadBody,
    (status = 201, description = "The checkout, or with `payment` the order (`checkout_id`, `order`, `payment`)",
        body = CheckoutView),
    (status = 202, description = "The order; its payment is under way", body = CompletionView),
    (status = 400, description = "No Idempotency-Key, or the body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
    (status = 402, description = "The payment was declined; the order waits for another attempt", body = ProblemBody,
        content_type = "application/problem+json"),
    (status = 404, description = "No such cart", body = ProblemBody, content_type = "application/problem+json"),
    (status = 409, description = "Not enough in stock, a code is used up, totals changed, or a payment is under way", body = ProblemBody,
        content_type = "application/problem+json"),
    (status = 422, description = "Something is missing or wrong, or the key was used for another request",
        body = ProblemBody, content_type = "application/problem+json"),
    (status = 503, description = "The provider cannot be reached; nothing was charged", body = ProblemBody,
        content_type = "application/problem+json"),
))]
async fn checkout(
    State(door): State<Door>,
    request: Write<CheckoutBody>,
) -> Result<Response, Problem> {
    let cart = required(request.cart)?;
    let CheckoutBody {
        email,
        shipping_address,
        billing_address,
        shipping_method,
        payment,
        expected_total_minor,
    } = request.body;
    let buyer = BuyerBody { email, shipping_address, billing_address, shipping_method }.read()?;
    let Some(payment) = payment else {
        let view = door.engine().create_checkout(&request.ctx, &cart, buyer).await?;
        return Ok(answer(&door, StatusCode::CREATED, view));
    };
    let submit = Submit { cart, buyer, payment: Some(payment.into()), expected_total_minor };
    completed(door.engine().submit_checkout(&request.ctx, submit).await?)
}

/// A checkout with what it costs now, and the order that it became.
#[utoipa::path(get, path = "/checkout/{id}", tag = "checkout", security(("cart_token" = [])),
    params(("id" = String, Path, description = "The checkout")), responses(
    Always,
    (status = 200, description = "The checkout", body = CheckoutView),
    (status = 404, description = "No such checkout, or not yours", body = ProblemBody,
        content_type = "application/problem+json"),
))]
async fn get_checkout(
    State(door): State<Door>,
    PathParams(id): PathParams<CheckoutId>,
    request: Request,
) -> Result<Response, Problem> {
    let view = door.engine().get_checkout(&request.ctx, id).await?;
    Ok(answer(&door, StatusCode::OK, Once { reply: view, replayed: false }))
}

/// Takes in what the buyer says.
#[utoipa::path(patch, path = "/checkout/{id}", tag = "checkout", security(("cart_token" = [])),
    params(("id" = String, Path, description = "The checkout"), IfMatchOptional, IdempotencyKey),
    request_body = BuyerBody, responses(
    Always, Foreign, BadBody,
    (status = 200, description = "The checkout", body = CheckoutView),
    (status = 404, description = "No such checkout, or not yours", body = ProblemBody,
        content_type = "application/problem+json"),
    (status = 409, description = "The checkout has ended", body = ProblemBody, content_type = "application/problem+json"),
    (status = 412, description = "The checkout changed since", body = ProblemBody,
        content_type = "application/problem+json"),
))]
async fn update_checkout(
    State(door): State<Door>,
    PathParams(id): PathParams<CheckoutId>,
    request: Write<BuyerBody>,
) -> Result<Response, Problem> {
    let expected = expected_version(&request.headers)?;
    let view =
        door.engine().update_checkout(&request.ctx, id, request.body.read()?, expected).await?;
    Ok(answer(&door, StatusCode::OK, view))
}

/// Completes a checkout: one order and one charge, however often the request is sent.
#[utoipa::path(post, path = "/checkout/{id}/complete", tag = "checkout", security(("cart_token" = [])),
    params(
        ("id" = String, Path, description = "The checkout"), IfMatchOptional,
        ("Idempotency-Key" = String, Header, description = "Makes a repetition harmless"),
    ),
    request_body = CompleteBody, responses(
    Always, Foreign, BadBody,
    (status = 201, description = "The order", body = CompletionView),
    (status = 202, description = "The order; its payment is under way", body = CompletionView),
    (status = 400, description = "No Idempotency-Key, or the body is not JSON", body = ProblemBody, content_type = "application/problem+json"),
    (status = 402, description = "The payment was declined; the order waits for another attempt", body = ProblemBody,
        content_type = "application/problem+json"),
    (status = 404, description = "No such checkout, or not yours", body = ProblemBody,
        content_type = "application/problem+json"),
    (status = 409, description = "Not enough in stock, a code is used up, totals changed, or a payment is under way", body = ProblemBody,
        content_type = "application/problem+json"),
    (status = 412, description = "The checkout changed since", body = ProblemBody,
        content_type = "application/problem+json"),
    (status = 422, description = "Something is missing or wrong, or the key was used for another request",
        body = ProblemBody, content_type = "application/problem+json"),
    (status = 503, description = "The provider cannot be reached; nothing was charged", body = ProblemBody,
        content_type = "application/problem+json"),
))]
async fn complete_checkout(
    State(door): State<Door>,
    PathParams(checkout_id): PathParams<CheckoutId>,
    request: Write<CompleteBody>,
) -> Result<Response, Problem> {
    let CompleteBody { payment, expected_total_minor } = request.body;
    let payment = payment.map(PaymentChoice::from);
    let said = WithPayment::default();
    let expected_version = expected_version(&request.headers)?;
    let complete = Complete { checkout_id, payment, said, expected_total_minor, expected_version };
    completed(door.engine().complete_checkout(&request.ctx, complete).await?)
}

impl BuyerBody {
    fn read(self) -> Result<Buyer, Refusal> {
        let mut errors = FieldErrors::default();
        let email = self.email.and_then(|email| errors.take(Email::parse("/email", &email)));
        let mut address = |address: Option<AddressBody>, pointer| {
            address.and_then(|address| errors.take(address.read(pointer)))
        };
        let shipping_address = address(self.shipping_address, "/shipping_address");
        let billing_address = address(self.billing_address, "/billing_address");
        let method =
            self.shipping_method.as_deref().map(|code| Slug::parse("/shipping_method", code));
        let shipping_method = method.and_then(|method| errors.take(method));
        errors.finish()?;
        Ok(Buyer { email, shipping_address, billing_address, shipping_method, ..Buyer::default() })
    }
}

impl From<PaymentBody> for PaymentChoice {
    fn from(body: PaymentBody) -> Self {
        Self {
            provider: body.provider,
            token: Secret::new(body.token),
            return_url: body.return_url,
        }
    }
}

fn answer(door: &Door, status: StatusCode, view: Once<handel_engine::CheckoutView>) -> Response {
    let now = door.system().now();
    once(view, |view| {
        let version = view.checkout.version;
        versioned(status, version, CheckoutView::new(view, now))
    })
}

/// A declined payment is a problem; one that is under way is accepted.
fn completed(completion: Once<Completion>) -> Result<Response, Problem> {
    if let Some(refusal) = completion.reply.payment_refusal() {
        return Ok(once(completion, |_| Problem::from(refusal).into_response()));
    }
    Ok(once(completion, |completion| {
        let under_way = completion.payment.as_ref().is_some_and(|payment| {
            matches!(payment.status, PaymentStatus::Processing | PaymentStatus::Unknown)
        });
        let status = if under_way { StatusCode::ACCEPTED } else { StatusCode::CREATED };
        let body = CompletionView {
            checkout_id: completion.order.checkout_id.to_string(),
            order: OrderView::new(
                &completion.order,
                completion.payment.as_ref(),
                Some(&completion.order_token),
            ),
            payment: completion.payment.as_ref().map(PaymentView::from),
        };
        (status, Json(body)).into_response()
    }))
}
