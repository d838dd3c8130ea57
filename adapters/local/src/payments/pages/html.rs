//! The HTML of the pages: one small document without scripts, and the policy that keeps it so.

use std::{fmt::Write as _, sync::LazyLock};

use axum::response::{Html, IntoResponse as _, Response};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

use super::{return_url::ReturnUrl, status_text};
use crate::payments::ledger::{ChargeRow, ChargeStatus};

const STYLE: &str = include_str!("style.css");

/// The style is the only thing that the policy lets in, by its hash.
static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(Sha256::digest(STYLE)));

/// Shows a charge: with two buttons while it waits for the buyer, else with what became of it.
pub(super) fn charge(charge: &ChargeRow, return_url: Option<&ReturnUrl>) -> Response {
    let mut main = format!(
        "<dl>\n<dt>Order</dt><dd>{}</dd>\n<dt>Amount</dt><dd>{}</dd>\n<dt>Status</dt><dd>{}</dd>\n</dl>\n",
        escape(&charge.order_id.to_string()),
        escape(&charge.amount.to_string()),
        status_text(charge.status),
    );
    let (title, rest) = match (charge.status, return_url) {
        (ChargeStatus::ActionRequired, _) => ("Approve this test payment?", FORM.to_owned()),
        (_, Some(url)) => {
            let url = escape(url.as_str());
            ("Test payment", format!("<p><a href=\"{url}\">Back to the shop</a></p>\n"))
        }
        (_, None) => ("Test payment", "<p>You can close this window.</p>\n".to_owned()),
    };
    main.push_str(&rest);
    respond(StatusCode::OK, title, &main, return_url)
}

/// Says one sentence.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    respond(status, title, &format!("<p>{}</p>\n", escape(text)), None)
}

/// It has no address of its own, so it goes to wherever the page was read from.
const FORM: &str = r#"<form method="post">
<button name="decision" value="approve">Approve</button>
<button name="decision" value="decline" class="quiet">Decline</button>
</form>
<p class="note">This is the test provider. No money moves.</p>
"#;

fn respond(
    status: StatusCode,
    title: &str,
    main: &str,
    return_url: Option<&ReturnUrl>,
) -> Response {
    let title = escape(title);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{title}</h1>\n{main}</main>\n</body>\n</html>\n"
    );
    (status, [(header::CONTENT_SECURITY_POLICY, policy(return_url))], Html(page)).into_response()
}

fn policy(return_url: Option<&ReturnUrl>) -> HeaderValue {
    let mut policy = format!(
        "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src 'sha256-{}'; \
         form-action 'self'",
        *STYLE_HASH
    );
    // Browsers hold the redirect after a form against this too.
    if let Some(origin) = return_url.and_then(ReturnUrl::origin) {
        write!(policy, " {origin}").expect("a string takes everything");
    }
    HeaderValue::from_str(&policy).expect("hashes and plain origins are ASCII")
}

/// Escapes a text for content and quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}
