//! Sales channels and their settings.

mod part;
pub(super) mod policies;
mod settings;
pub(super) mod shipping_methods;
pub(super) mod tax;

use std::sync::Arc;

use axum::{Json, extract::State, response::Response};
use handel_domain::{Code, Refusal, channel::Channel, text::Slug};
use handel_engine::{Context, Page};
use handel_kit::{
    Door, PathParams, Problem, ProblemBody, Request, Staff, Write, expected_version, needs,
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use self::settings::SettingsBody;
use super::{
    created,
    document::{Attempts, MergePatch},
    required_version,
};
use crate::documents::{
    Always, BadBody, IdempotencyKey, IfMatch, IfMatchOptional, Refused, Stale, Unversioned,
};
use crate::replies::{PageBody, once, versioned};

/// A sales channel as staff see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct StaffChannelView {
    /// Identity.
    #[schema(example = "chn_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// The name that requests choose it by, in the header `Handel-Channel`.
    #[schema(example = "eu")]
    code: String,
    /// Grows with every change; the ETag.
    version: i64,
    /// Everything that staff may change.
    settings: SettingsBody,
}

/// Every channel with its settings, oldest first.
///
/// Needs the scope `channels:write`.
#[utoipa::path(
    get, path = "/channels", operation_id = "admin_list_channels",
    tag = "admin-channels", security(("api_key" = [])),
    responses(
        (status = 200, description = "The channels, on one page", body = PageBody<StaffChannelView>),
        Always, Refused,
    )
)]
pub(super) async fn list_channels(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    request: Request,
) -> Result<Json<PageBody<StaffChannelView>>, Problem> {
    let items = door.engine().list_channels(&request.ctx).await?;
    Ok(Json(PageBody::from(Page { items, next_cursor: None })))
}

/// A channel with its settings.
///
/// Needs the scope `channels:write`.
#[utoipa::path(
    get, path = "/channels/{code}", operation_id = "admin_get_channel",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code")),
    responses(
        (status = 200, description = "The channel", body = StaffChannelView, headers(
            ("ETag" = String, description = "Its version"))),
        Always, Refused,
        (status = 404, description = "No such channel",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get_channel(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams(code): PathParams<Slug>,
    request: Request,
) -> Result<Response, Problem> {
    let ctx = Context { channel: Some(code), ..request.ctx };
    let channel = door.engine().get_channel(&ctx).await?;
    Ok(versioned(StatusCode::OK, channel.version, StaffChannelView::from(channel.as_ref().clone())))
}

/// Makes a channel, or changes one: members that are named take their new value as a whole, and those that are left out
/// stay as they are. The body is the settings, bare or in `settings` as the answer shows them.
///
/// Needs the scope `channels:write`. `If-Match` is needed where the channel exists; `*` changes whatever is
/// there.
#[utoipa::path(
    put, path = "/channels/{code}", operation_id = "admin_put_channel",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code"), IfMatchOptional),
    request_body = SettingsBody,
    responses(
        (status = 200, description = "The channel", body = StaffChannelView, headers(
            ("ETag" = String, description = "Its new version"))),
        (status = 201, description = "The new channel", body = StaffChannelView, headers(
            ("Location" = String, description = "Where the channel is"),
            ("ETag" = String, description = "Its version"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "This cannot be the code of a channel",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 428, description = "The channel exists and the header `If-Match` is missing",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn put_channel(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams(code): PathParams<Slug>,
    write: Write<MergePatch>,
) -> Result<Response, Problem> {
    let mut attempts =
        Attempts::new(required_where_it_exists(&door, &write.ctx, &code, &write.headers).await?);
    let document = write.body.unwrapped("settings");
    let channel = loop {
        let before = find(&door, &write.ctx, &code).await?;
        let version = attempts.version(before.as_ref().map_or(NOTHING, |before| before.version));
        let body: SettingsBody = match &before {
            Some(before) => document.lay_over(SettingsBody::from(before.settings.clone()))?,
            None => document.lay_over(serde_json::Map::new())?,
        };
        let settings = body.try_into()?;
        match door.engine().put_channel(&write.ctx, code.clone(), settings, version).await {
            Err(error) if attempts.again(&error) => {}
            saved => break saved?,
        }
    };
    Ok(once(channel, |channel| {
        let (version, path) = (channel.version, format!("/channels/{}", channel.code));
        let view = StaffChannelView::from(channel);
        match version {
            1 => created(&path, version, view),
            _ => versioned(StatusCode::OK, version, view),
        }
    }))
}

/// Changes what is named of the settings of a channel (RFC 7396).
///
/// Needs the scope `channels:write`.
#[utoipa::path(
    patch, path = "/channels/{code}", operation_id = "admin_change_channel",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code"), IfMatch, IdempotencyKey),
    request_body(content = MergePatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The channel", body = StaffChannelView, headers(
            ("ETag" = String, description = "Its new version"))),
        Always, Refused, BadBody, Stale, Unversioned,
        (status = 404, description = "No such channel",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change_channel(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams(code): PathParams<Slug>,
    write: Write<MergePatch>,
) -> Result<Response, Problem> {
    let mut attempts = Attempts::new(required_version(&write.headers)?);
    let patch = write.body.unwrapped("settings");
    let channel = loop {
        let before = find(&door, &write.ctx, &code).await?.ok_or_else(unknown)?;
        let version = attempts.version(before.version);
        let body: SettingsBody = patch.apply(SettingsBody::from(before.settings.clone()))?;
        match door.engine().put_channel(&write.ctx, code.clone(), body.try_into()?, version).await {
            Err(error) if attempts.again(&error) => {}
            saved => break saved?,
        }
    };
    Ok(once(channel, |channel| {
        versioned(StatusCode::OK, channel.version, StaffChannelView::from(channel))
    }))
}

fn unknown() -> Refusal {
    Refusal::new(Code::ChannelUnknown, "there is no such channel")
}

/// Who makes a channel means to replace nothing, which has the version 0: if another one makes it in the
/// meantime, the versions differ.
const NOTHING: i64 = 0;

/// The version that a body is meant for; needed where the channel exists, and nothing to name where it does not.
async fn required_where_it_exists(
    door: &Door,
    ctx: &Context,
    code: &Slug,
    headers: &HeaderMap,
) -> Result<Option<i64>, Problem> {
    match (find(door, ctx, code).await?, expected_version(headers)?) {
        (Some(_), _) => required_version(headers),
        (None, None) => Ok(Some(NOTHING)),
        (None, Some(_)) => {
            let message = "there is no such channel; leave If-Match out to make it";
            Err(Refusal::new(Code::VersionConflict, message).into())
        }
    }
}

/// A channel by its code, if there is one.
async fn find(door: &Door, ctx: &Context, code: &Slug) -> Result<Option<Arc<Channel>>, Problem> {
    let ctx = Context { channel: Some(code.clone()), ..ctx.clone() };
    match door.engine().get_channel(&ctx).await {
        Ok(channel) => Ok(Some(channel)),
        Err(error) if error.code() == Code::ChannelUnknown => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl From<Channel> for StaffChannelView {
    fn from(channel: Channel) -> Self {
        Self {
            id: channel.id.to_string(),
            code: channel.code.to_string(),
            version: channel.version,
            settings: SettingsBody::from(channel.settings),
        }
    }
}
