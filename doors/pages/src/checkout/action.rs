//! The payment needs the buyer: at the provider's own page, and back.

use askama::Template;
use axum::response::Response;
use handel_domain::payment::NextAction;
use handel_engine::Completion;
use handel_kit::Door;
use http::{StatusCode, Uri};

use super::{Desk, Summary};
use crate::{
    page::{Frame, Privacy, show},
    reload::Reload,
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
    /// When the page looks again, where the buyer came back from there.
    reload: Option<Reload>,
    amount: String,
}

/// A link rather than a redirect: browsers hold redirects after a form against the policy of the page that had
/// the form, and where providers send their buyers cannot be known before.
pub(super) fn show_action(
    door: &Door,
    desk: &Desk,
    completion: &Completion,
    back: Option<&Uri>,
) -> Response {
    let attempt = completion.payment.as_ref().and_then(|payment| payment.attempt.as_ref());
    let url = match attempt.and_then(|attempt| attempt.next_action.as_ref()) {
        Some(NextAction::Redirect { url }) if is_web(url) => Some(url.clone()),
        _ => None,
    };
    let title = if back.is_some() { ENGLISH.checking } else { ENGLISH.approve };
    let page = ActionPage {
        w: &ENGLISH,
        frame: desk.frame(door, title),
        c: Summary::of_order(desk, &completion.order),
        url,
        reload: back.map(Reload::of),
        amount: desk.format.money(completion.order.total_minor),
    };
    let response = show(door, StatusCode::OK, Privacy::Personal, &page);
    match page.reload {
        Some(reload) => reload.put(response),
        None => response,
    }
}

/// A provider leads to the web and nowhere else.
fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}
