//! Errors as problem documents (RFC 9457), and the one table from kinds of refusals to statuses.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use handel_domain::{
    Code, Refusal,
    id::RequestId,
    order::Status,
    refusal::{FieldError, Kind, Shortage},
    text::looks_like_card_number,
};
use handel_engine::Error;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// An answer that is not what was asked for.
#[derive(Debug)]
pub struct Problem {
    /// Why.
    pub refusal: Box<Refusal>,
    status: Option<StatusCode>,
    allow: Option<HeaderValue>,
}

/// A problem document.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(example = "/errors/stock.short")]
    kind: String,
    /// The HTTP status in words.
    #[schema(example = "Conflict")]
    title: String,
    /// The HTTP status.
    #[schema(example = 409)]
    status: u16,
    /// What happened, for a person.
    detail: String,
    /// The stable reason, for a program.
    #[schema(example = "stock.short")]
    code: String,
    /// The request, for the merchant's log.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// The wrong fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// What is short.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shortages: Vec<ShortageBody>,
    /// The statuses that the order may go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<Vec<String>>,
    /// The total that holds now, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_minor: Option<i64>,
    /// The version that is stored now.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<i64>,
    /// The order that is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    /// After how many milliseconds it makes sense to ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
}

/// A wrong field.
#[derive(Debug, Serialize, ToSchema)]
struct FieldProblem {
    /// JSON pointer to the field.
    #[schema(example = "/shipping_address/country")]
    pointer: String,
    /// What is wrong with it.
    message: String,
}

/// A variant that is short.
#[derive(Debug, Serialize, ToSchema)]
struct ShortageBody {
    /// The variant.
    variant_id: String,
    /// How many were asked for.
    requested: i64,
    /// How many there are.
    available: i64,
}

/// Where a shop explains its codes; the part after it is the code. Relative, because a shop may have several hosts.
pub const EXPLAINED_AT: &str = "/errors/";

/// What a problem tells. Handed up to the layers beside the response, for the counters, and for doors that tell it in
/// another form.
#[derive(Clone)]
struct Refused(Refusal);

/// The refusal that a response tells as a problem document.
pub fn refusal_of(response: &Response) -> Option<&Refusal> {
    response.extensions().get::<Refused>().map(|refused| &refused.0)
}

/// The same answer with other JSON: the status, the request id and the time to wait stay.
pub fn reworded(response: Response, body: &impl Serialize) -> Response {
    let (mut parts, _) = response.into_parts();
    let (made, body) = Json(body).into_response().into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.extend(made.headers);
    Response::from_parts(parts, body)
}

/// The one table of this kind of door.
pub fn status_of(code: Code) -> StatusCode {
    match code {
        Code::IdempotencyConflict | Code::CheckoutIncomplete | Code::NotPriced => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Code::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
        Code::VersionConflict => StatusCode::PRECONDITION_FAILED,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::InputInvalid
        | Code::CurrencyUnknown
        | Code::AmountOverflow
        | Code::PaymentTokenInvalid
        | Code::CardNumberRefused => StatusCode::UNPROCESSABLE_ENTITY,
        other => match other.kind() {
            Kind::Invalid => StatusCode::BAD_REQUEST,
            Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::PaymentFailed => StatusCode::PAYMENT_REQUIRED,
            Kind::Limited => StatusCode::TOO_MANY_REQUESTS,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}

impl Problem {
    /// A problem whose status is not the code's own, such as a body of the wrong type.
    pub fn with_status(status: StatusCode, refusal: Refusal) -> Self {
        Self { refusal: Box::new(refusal), status: Some(status), allow: None }
    }

    /// The methods that a path has.
    #[must_use]
    pub fn allow(mut self, methods: Option<HeaderValue>) -> Self {
        self.allow = methods;
        self
    }

    /// The status that it is answered with.
    pub fn status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| status_of(self.refusal.code))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self { refusal: Box::new(refusal), status: None, allow: None }
    }
}

impl From<Error> for Problem {
    /// The text of what failed inside goes to the log here, once, and nowhere else.
    fn from(error: Error) -> Self {
        if let Some(source) = &error.source {
            let request = CURRENT.try_with(ToString::to_string).unwrap_or_default();
            tracing::error!(request, code = %error.code(), %source, "a request failed");
        }
        error.refusal.into()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let refused = Refused((*self.refusal).clone());
        let Refusal { code, message, details } = *self.refusal;
        let retry_after_ms = details.retry_after_ms;
        let body = ProblemBody {
            kind: format!("{EXPLAINED_AT}{code}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: unechoed(message),
            code: code.to_string(),
            request_id: CURRENT.try_with(ToString::to_string).ok(),
            errors: details.errors.into_iter().map(FieldProblem::from).collect(),
            shortages: details.shortages.into_iter().map(ShortageBody::from).collect(),
            allowed: details
                .allowed
                .map(|next| next.into_iter().map(Status::as_str).map(str::to_owned).collect()),
            total_minor: details.total_minor,
            version: details.version,
            order_id: details.order_id.map(|id| id.to_string()),
            retry_after_ms,
        };
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(ms) = retry_after_ms {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000).max(1)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, allow);
        }
        response.extensions_mut().insert(refused);
        response
    }
}

impl From<FieldError> for FieldProblem {
    fn from(error: FieldError) -> Self {
        Self { pointer: unechoed(error.pointer), message: unechoed(error.message) }
    }
}

/// A parser says what it found instead of what it expected. A card number must not come back that way.
fn unechoed(text: String) -> String {
    if looks_like_card_number(&text) {
        "(held back: it looks like a card number)".to_owned()
    } else {
        text
    }
}

impl From<Shortage> for ShortageBody {
    fn from(shortage: Shortage) -> Self {
        Self {
            variant_id: shortage.variant_id.to_string(),
            requested: shortage.requested,
            available: shortage.available,
        }
    }
}

tokio::task_local! {
    /// The request that this task works on.
    pub(crate) static CURRENT: RequestId;
}
