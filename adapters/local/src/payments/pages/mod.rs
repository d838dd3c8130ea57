//! The pages where a buyer approves or declines a test payment, as at a bank.
//!
//! Owns the routes under `/test-payments` and their answers. Whether a decision counts is decided by the
//! ledger, and how the shop learns of it is the webhook's matter.

mod html;
mod return_url;

use std::sync::Arc;

use axum::{
    Form, Json, Router,
    extract::{DefaultBodyLimit, Path, State, rejection::FormRejection},
    response::{IntoResponse as _, Response},
    routing::get,
};
use handel_domain::id::AttemptId;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::{
    TestPayments,
    ledger::{ChargeRow, ChargeStatus, LedgerError},
    log,
};
use return_url::ReturnUrl;

/// Largest form that is read, in bytes.
const FORM_MAX: usize = 4096;

impl TestPayments {
    /// The routes `GET` and `POST /test-payments/{key}`, to be mounted below the configured base URL.
    ///
    /// They answer JSON to a client that accepts it: then `POST` shows the charge instead of redirecting.
    pub fn pages(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/test-payments/{key}", get(show).post(decide))
            .layer(DefaultBodyLimit::max(FORM_MAX))
            .with_state(Arc::clone(self))
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Approve,
    Decline,
}

#[derive(Deserialize)]
struct DecisionForm {
    decision: Decision,
}

async fn show(
    State(payments): State<Arc<TestPayments>>,
    Path(key): Path<String>,
    headers: HeaderMap,
) -> Response {
    let answer = match key.parse::<AttemptId>() {
        Ok(key) => Answer::of(payments.find_charge(key).await, Answer::Charge),
        Err(_) => Answer::Unknown,
    };
    answer.respond(wants_json(&headers))
}

async fn decide(
    State(payments): State<Arc<TestPayments>>,
    Path(key): Path<String>,
    headers: HeaderMap,
    form: Result<Form<DecisionForm>, FormRejection>,
) -> Response {
    let answer = match (key.parse::<AttemptId>(), form) {
        (Err(_), _) => Answer::Unknown,
        (_, Err(_)) => Answer::NoDecision,
        (Ok(key), Ok(Form(form))) => {
            let approve = matches!(form.decision, Decision::Approve);
            Answer::of(payments.complete_action(key, approve).await, Answer::Decided)
        }
    };
    answer.respond(wants_json(&headers))
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("application/json"))
}

/// What there is to say, before it is known in which form.
enum Answer {
    Charge(ChargeRow),
    Decided(ChargeRow),
    Unknown,
    NoDecision,
    Unavailable,
}

impl Answer {
    fn of(
        found: Result<Option<ChargeRow>, LedgerError>,
        answer: impl FnOnce(ChargeRow) -> Self,
    ) -> Self {
        match found {
            Ok(Some(charge)) => answer(charge),
            Ok(None) => Self::Unknown,
            Err(error) => {
                log(&error);
                Self::Unavailable
            }
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Charge(_) | Self::Decided(_) => StatusCode::OK,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::NoDecision => StatusCode::BAD_REQUEST,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn respond(self, as_json: bool) -> Response {
        let status = self.status();
        let mut response =
            if as_json { (status, Json(self.json())).into_response() } else { self.page(status) };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("accept"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // Not `no-referrer`, which would also hide the origin of the form.
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        response
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Self::Charge(charge) | Self::Decided(charge) => json!({
                "key": charge.key,
                "order_id": charge.order_id,
                "reference": charge.reference(),
                "status": charge.status.as_str(),
                "amount_minor": charge.amount.amount_minor,
                "currency": charge.amount.currency,
                "return_url": return_url(charge).map(|url| url.as_str().to_owned()),
            }),
            Self::Unknown => json!({ "error": "there is no such payment" }),
            Self::NoDecision => {
                json!({ "error": "send the form field `decision` as `approve` or `decline`" })
            }
            Self::Unavailable => json!({ "error": "the test provider does not work; try again" }),
        }
    }

    fn page(self, status: StatusCode) -> Response {
        let (charge, is_decided) = match self {
            Self::Charge(charge) => (charge, false),
            Self::Decided(charge) => (charge, true),
            Self::Unknown => {
                return html::message(status, "Unknown payment", "There is no such test payment.");
            }
            Self::NoDecision => {
                return html::message(status, "No decision", "Go back, then approve or decline.");
            }
            Self::Unavailable => {
                return html::message(status, "Not now", "The test provider does not work.");
            }
        };
        match return_url(&charge) {
            Some(url) if is_decided => {
                (StatusCode::SEE_OTHER, [(header::LOCATION, url.header())]).into_response()
            }
            url => html::charge(&charge, url.as_ref()),
        }
    }
}

fn return_url(charge: &ChargeRow) -> Option<ReturnUrl> {
    charge.return_url.as_deref().and_then(ReturnUrl::parse)
}

/// What a buyer reads about a status.
fn status_text(status: ChargeStatus) -> &'static str {
    match status {
        ChargeStatus::Captured => "approved",
        ChargeStatus::Declined => "declined",
        ChargeStatus::Processing => "being processed",
        ChargeStatus::ActionRequired => "waiting for you",
    }
}
