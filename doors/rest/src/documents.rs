//! What the documentation says again and again: headers of writes, and answers that many routes may give.

use handel_kit::ProblemBody;
use utoipa::{IntoParams, IntoResponses};

/// The header that makes a repetition harmless.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "a description of what `handel_kit::Write` reads")]
pub(crate) struct IdempotencyKey {
    /// A text of your choice, 1 to 255 characters. The same request with the same key happens once; its
    /// repetition gets the first answer and the header `Idempotent-Replayed: true`.
    #[param(rename = "Idempotency-Key")]
    key: Option<String>,
}

/// The header by which a change is refused if somebody else was faster.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "a description of what `required_version` reads")]
pub(crate) struct IfMatch {
    /// The ETag of what you read, such as `"3"`; `*` changes whatever is there.
    #[param(rename = "If-Match")]
    version: String,
}

/// The same header where it may be left out.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "a description of what `expected_version` reads")]
pub(crate) struct IfMatchOptional {
    /// The ETag of what you read, such as `"3"`; without it, whatever is there is changed.
    #[param(rename = "If-Match")]
    version: Option<String>,
}

/// The header that says in which channel one looks or buys.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "a description of what `handel_kit::Request` reads")]
pub(crate) struct InChannel {
    /// The code of a channel; the shop's first one if absent.
    #[param(rename = "Handel-Channel")]
    channel: Option<String>,
}

/// What every route may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description of problems that are made elsewhere")]
pub(crate) enum Always {
    /// The API key is missing where one is needed, or it is unknown, expired or revoked.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthenticated(ProblemBody),
    /// Something went wrong inside; it was logged with the id of the request.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemBody),
    /// The shop cannot work at the moment; `Retry-After` says when to ask again.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}

/// What a write of shoppers may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description of problems that are made elsewhere")]
pub(crate) enum Foreign {
    /// The cookie was sent by another site.
    #[response(status = 403, content_type = "application/problem+json")]
    Origin(ProblemBody),
}

/// What every route of staff may answer besides.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description of problems that are made elsewhere")]
pub(crate) enum Refused {
    /// The API key lacks the scope.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
}

/// What a list may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description of problems that are made elsewhere")]
pub(crate) enum BadQuery {
    /// The cursor was not made by this shop, or for another list.
    #[response(status = 400, content_type = "application/problem+json")]
    Cursor(ProblemBody),
    /// A parameter is wrong; `errors` names it.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(ProblemBody),
}

/// What a write may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description of problems that are made elsewhere")]
pub(crate) enum BadBody {
    /// The body is not JSON.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// The first request with this `Idempotency-Key` is still under way, or too many changed the same at
    /// once; send the request again.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// The body did not come fast enough.
    #[response(status = 408, content_type = "application/problem+json")]
    Slow(ProblemBody),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// The body was not sent as `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    MediaType(ProblemBody),
    /// A field is wrong or unknown and `errors` names it, or the `Idempotency-Key` was used for another
    /// request.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(ProblemBody),
    /// The client changed too much within a minute; `Retry-After` says when to go on.
    #[response(status = 429, content_type = "application/problem+json")]
    Limited(ProblemBody),
}

/// What a change with `If-Match` may answer.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description of problems that are made elsewhere")]
pub(crate) enum Stale {
    /// Somebody else changed it; `version` is the one that is stored now.
    #[response(status = 412, content_type = "application/problem+json")]
    Conflict(ProblemBody),
}

/// What a change that needs `If-Match` may answer without it.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "a description of problems that are made elsewhere")]
pub(crate) enum Unversioned {
    /// The header `If-Match` is missing.
    #[response(status = 428, content_type = "application/problem+json")]
    Required(ProblemBody),
}
