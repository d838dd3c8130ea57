//! The payment needs the buyer: at the provider's own page, and back.

use askama::Template;
use axum::response::Response;
use handel_domain::payment::NextAction;
use handel_engine::Completion;
use handel_kit::Door;
use http::StatusCode;

use super::{Desk, Summary};
use crate::{
    page::{Frame, Privacy, show},
    words::{ENGLISH, Words},
};

#[derive(Template)]
#[template(path = "checkout_action.html")]
struct ActionPage {
    w: &'static Words,
    frame: Frame,
    c: Summary,
    /// The page of the provider; none where it needs a script of its own.
    url: Option<String>,
    /// Whether the buyer came back from there.
    is_back: bool,
    amount: String,
    here: String,
}

/// How long a browser waits before it looks again, in seconds.
const LOOK_SECS: u32 = 2;

/// A link rather than a redirect: browsers hold redirects after a form against the policy of the page that had
/// the form, and where providers send their buyers cannot be known before.
pub(super) fn show_action(
    door: &Door,
    desk: &Desk,
    completion: &Completion,
    is_back: bool,
) -> Response {
    let attempt = completion.payment.as_ref().and_then(|payment| payment.attempt.as_ref());
    let url = match attempt.and_then(|attempt| attempt.next_action.as_ref()) {
        Some(NextAction::Redirect { url }) if is_web(url) => Some(url.clone()),
        _ => None,
    };
    let mut frame = desk.frame(door, ENGLISH.approve);
    frame.refresh_secs = if is_back { LOOK_SECS } else { 0 };
    let page = ActionPage {
        w: &ENGLISH,
        frame,
        c: Summary::of_order(desk, &completion.order),
        url,
        is_back,
        amount: desk.format.money(completion.order.total_minor),
        here: format!("/checkout/{}", desk.id()),
    };
    show(door, StatusCode::OK, Privacy::Personal, &page)
}

/// A provider leads to the web and nowhere else.
fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
