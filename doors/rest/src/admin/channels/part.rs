//! What the parts of a channel have in common: each is read and changed alone, and the others stay as they are. Their
//! `If-Match` is the version of the channel and may be left out.

use axum::response::Response;
use handel_domain::{
    Refusal,
    channel::{Channel, Settings},
    text::Slug,
};
use handel_engine::{Context, Once};
use handel_kit::{Door, Problem, from_value};
use http::StatusCode;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{super::document::Attempts, find, unknown};
use crate::replies::{once, versioned};

/// What a part becomes.
type Apply = dyn Fn(&mut Settings) -> Result<(), Refusal> + Send + Sync;

/// A change of a part: the channel, the conditions of the request, and what the part becomes.
pub(super) struct PartChange {
    pub(super) code: Slug,
    pub(super) expected: Option<i64>,
    pub(super) apply: Box<Apply>,
}

/// Changes a part of a channel and answers with what `show` says of it.
pub(super) async fn change<T: Serialize>(
    door: &Door,
    ctx: &Context,
    part: PartChange,
    show: impl FnOnce(Channel) -> Result<T, Problem>,
) -> Result<Response, Problem> {
    let PartChange { code, expected, apply } = part;
    let mut attempts = Attempts::new(expected);
    let changed = loop {
        let before = find(door, ctx, &code).await?.ok_or_else(unknown)?;
        let mut settings = before.settings.clone();
        apply(&mut settings)?;
        let version = attempts.version(before.version);
        match door.engine().put_channel(ctx, code.clone(), settings, version).await {
            Err(error) if attempts.again(&error) => {}
            saved => break saved?,
        }
    };
    let replayed = changed.replayed;
    let version = changed.reply.version;
    let shown = show(changed.reply)?;
    let reply = Once { reply: shown, replayed };
    Ok(once(reply, |shown| versioned(StatusCode::OK, version, shown)))
}

/// Reads a part whose name stands in the address; the body may leave it out, and cannot have another.
pub(super) fn named<B: DeserializeOwned>(
    member: &str,
    name: &Slug,
    mut body: Map<String, Value>,
) -> Result<B, Refusal> {
    let sent = body.entry(member).or_insert_with(|| name.as_str().into());
    if sent.as_str() != Some(name.as_str()) {
        return Err(Refusal::field(format!("/{member}"), "is not the one in the address"));
    }
    from_value(Value::Object(body))
}
