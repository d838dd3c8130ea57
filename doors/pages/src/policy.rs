//! What the shop promises and demands: `GET /policies/{kind}`.

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use handel_domain::{Code, Refusal, channel::Channel};
use handel_kit::{Door, PathParams, Problem};
use http::StatusCode;

use crate::{
    markup,
    page::{Frame, Link, Privacy, Shop, show},
    visit::Visit,
    words::{ENGLISH, Words},
};

pub(crate) fn router() -> Router<Door> {
    Router::new().route("/policies/{kind}", get(show_policy))
}

#[derive(Template)]
#[template(path = "policy.html")]
struct PolicyPage {
    w: &'static Words,
    frame: Frame,
    title: String,
    /// Clean HTML.
    text: String,
}

/// The policies of a channel with their addresses.
pub(crate) fn links(channel: &Channel) -> Vec<Link> {
    let link = |policy: &handel_domain::policy::Policy| Link {
        href: format!("/policies/{}", policy.kind),
        text: policy.title.clone(),
        is_current: false,
    };
    channel.settings.policies.iter().map(link).collect()
}

async fn show_policy(
    State(door): State<Door>,
    PathParams(kind): PathParams<String>,
    visit: Visit,
) -> Result<Response, Problem> {
    let shop = Shop::of(&door, &visit).await?;
    let policies = &shop.channel.settings.policies;
    let policy = policies.iter().find(|policy| policy.kind.as_str() == kind);
    let unknown = || Refusal::new(Code::NotFound, "the shop has no such policy");
    let policy = policy.ok_or_else(unknown)?;
    let mut frame = shop.frame(&door, &*policy.title);
    frame.canonical = Some(format!("{}/policies/{kind}", door.settings().public_url));
    let page = PolicyPage {
        w: &ENGLISH,
        frame,
        title: policy.title.clone(),
        text: markup::paragraphs(&policy.text),
    };
    Ok(show(&door, StatusCode::OK, Privacy::Public, &page))
}
