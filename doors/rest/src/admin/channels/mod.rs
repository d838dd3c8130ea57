//! Sales channels and their settings.

mod settings;

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
use super::{created, required_version};
use crate::documents::{Always, BadBody, IfMatchOptional, Refused, Stale};
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
    /// Everything that staff may change; what `PUT` takes.
    settings: SettingsBody,
}

/// Every channel with its settings, oldest first.
///
/// Needs the scope `channels:write`.
#[utoipa::path(
    get, path = "/channels", operation_id = "admin_list_channels",
    tag = "admin", security(("api_key" = [])),
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
    tag = "admin", security(("api_key" = [])),
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

/// Makes a channel, or replaces the settings of one. The currency of a channel stays what it is.
///
/// Needs the scope `channels:write`. `If-Match` is needed where the channel exists; `*` changes whatever is
/// there.
#[utoipa::path(
    put, path = "/channels/{code}", operation_id = "admin_put_channel",
    tag = "admin", security(("api_key" = [])),
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
    write: Write<SettingsBody>,
) -> Result<Response, Problem> {
    let expected = version_to_replace(&door, &write.ctx, &code, &write.headers).await?;
    let settings = write.body.try_into()?;
    let channel = door.engine().put_channel(&write.ctx, code, settings, expected).await?;
    Ok(once(channel, |channel| {
        let (version, path) = (channel.version, format!("/channels/{}", channel.code));
        let view = StaffChannelView::from(channel);
        match version {
            1 => created(&path, version, view),
            _ => versioned(StatusCode::OK, version, view),
        }
    }))
}

/// Who makes a channel means to replace nothing, which has the version 0: if somebody else makes it in the
/// meantime, the versions differ.
const NOTHING: i64 = 0;

async fn version_to_replace(
    door: &Door,
    ctx: &Context,
    code: &Slug,
    headers: &HeaderMap,
) -> Result<Option<i64>, Problem> {
    let ctx = Context { channel: Some(code.clone()), ..ctx.clone() };
    match door.engine().get_channel(&ctx).await {
        Ok(_) => required_version(headers),
        Err(error) if error.code() == Code::ChannelUnknown => match expected_version(headers)? {
            None => Ok(Some(NOTHING)),
            Some(_) => {
                let message = "there is no such channel; leave If-Match out to make it";
                Err(Refusal::new(Code::VersionConflict, message).into())
            }
        },
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
