//! The shipping methods of a channel, each a resource of its own.

use axum::{Json, extract::State, response::Response};
use handel_domain::{
    Code, Refusal,
    channel::{Channel, Settings},
    shipping::ShippingMethod,
    text::Slug,
};
use handel_engine::Page;
use handel_kit::{
    Door, PathParams, Problem, ProblemBody, Request, Staff, Write, expected_version, needs,
};
use serde_json::{Map, Value};

use super::{
    super::{NoBody, document::MergePatch},
    find,
    part::{PartChange, change, named},
    settings::ShippingMethodBody,
};
use crate::documents::{Always, BadBody, IdempotencyKey, IfMatchOptional, Refused, Stale};
use crate::replies::PageBody;

/// The shipping methods of a channel in the order of its settings.
///
/// Needs the scope `channels:write`.
#[utoipa::path(
    get, path = "/channels/{code}/shipping-methods", operation_id = "admin_list_shipping_methods",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code")),
    responses(
        (status = 200, description = "The methods, on one page", body = PageBody<ShippingMethodBody>),
        Always, Refused,
        (status = 404, description = "No such channel",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(in crate::admin) async fn list_shipping_methods(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams(code): PathParams<Slug>,
    request: Request,
) -> Result<Json<PageBody<ShippingMethodBody>>, Problem> {
    let channel = find(&door, &request.ctx, &code).await?.ok_or_else(super::unknown)?;
    let items = channel.settings.shipping_methods.clone();
    Ok(Json(PageBody::from(Page { items, next_cursor: None })))
}

/// Makes a shipping method, or replaces the one with this code; the others stay.
///
/// Needs the scope `channels:write`.
#[utoipa::path(
    put, path = "/channels/{code}/shipping-methods/{method}", operation_id = "admin_put_shipping_method",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code"),
        ("method" = String, Path, description = "The method's code"), IfMatchOptional, IdempotencyKey),
    request_body = ShippingMethodBody,
    responses(
        (status = 200, description = "The method", body = ShippingMethodBody, headers(
            ("ETag" = String, description = "The new version of the channel"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such channel",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(in crate::admin) async fn put_shipping_method(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams((code, method)): PathParams<(Slug, Slug)>,
    write: Write<Map<String, Value>>,
) -> Result<Response, Problem> {
    let body: ShippingMethodBody = named("code", &method, write.body)?;
    let (body, of) = (ShippingMethod::from(body), method.clone());
    let apply = Box::new(move |settings: &mut Settings| {
        let methods = &mut settings.shipping_methods;
        match methods.iter_mut().find(|known| known.code == of) {
            Some(known) => known.clone_from(&body),
            None => methods.push(body.clone()),
        }
        Ok(())
    });
    let part = PartChange { code, expected: expected_version(&write.headers)?, apply };
    change(&door, &write.ctx, part, |channel| saved(channel, &method)).await
}

/// Changes what is named of a shipping method (RFC 7396); the others stay.
///
/// Needs the scope `channels:write`.
#[utoipa::path(
    patch, path = "/channels/{code}/shipping-methods/{method}", operation_id = "admin_change_shipping_method",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code"),
        ("method" = String, Path, description = "The method's code"), IfMatchOptional, IdempotencyKey),
    request_body(content = MergePatch, content_type = "application/merge-patch+json"),
    responses(
        (status = 200, description = "The method", body = ShippingMethodBody, headers(
            ("ETag" = String, description = "The new version of the channel"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such channel or method",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(in crate::admin) async fn change_shipping_method(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams((code, method)): PathParams<(Slug, Slug)>,
    write: Write<MergePatch>,
) -> Result<Response, Problem> {
    let (patch, of) = (write.body, method.clone());
    let apply = Box::new(move |settings: &mut Settings| {
        let mut methods = settings.shipping_methods.iter_mut();
        let known = methods.find(|known| known.code == of).ok_or_else(unknown)?;
        let body: ShippingMethodBody = patch.apply(ShippingMethodBody::from(known.clone()))?;
        if body.code != of {
            return Err(Refusal::field("/code", "is not the one in the address"));
        }
        *known = body.into();
        Ok(())
    });
    let part = PartChange { code, expected: expected_version(&write.headers)?, apply };
    change(&door, &write.ctx, part, |channel| saved(channel, &method)).await
}

/// Deletes a shipping method; the others stay. Orders keep what they were sent by.
///
/// Needs the scope `channels:write`. Answers with the methods that are left.
#[utoipa::path(
    delete, path = "/channels/{code}/shipping-methods/{method}", operation_id = "admin_delete_shipping_method",
    tag = "admin-channels", security(("api_key" = [])),
    params(("code" = String, Path, description = "The channel's code"),
        ("method" = String, Path, description = "The method's code"), IfMatchOptional, IdempotencyKey),
    responses(
        (status = 200, description = "The methods that are left", body = PageBody<ShippingMethodBody>, headers(
            ("ETag" = String, description = "The new version of the channel"))),
        Always, Refused, BadBody, Stale,
        (status = 404, description = "No such channel or method",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(in crate::admin) async fn delete_shipping_method(
    _: Staff<needs::ChannelsWrite>,
    State(door): State<Door>,
    PathParams((code, method)): PathParams<(Slug, Slug)>,
    write: Write<NoBody>,
) -> Result<Response, Problem> {
    let apply = Box::new(move |settings: &mut Settings| {
        let before = settings.shipping_methods.len();
        settings.shipping_methods.retain(|known| known.code != method);
        if settings.shipping_methods.len() == before { Err(unknown()) } else { Ok(()) }
    });
    let part = PartChange { code, expected: expected_version(&write.headers)?, apply };
    change(&door, &write.ctx, part, |channel| {
        let items = channel.settings.shipping_methods;
        Ok(PageBody::<ShippingMethodBody>::from(Page { items, next_cursor: None }))
    })
    .await
}

fn saved(channel: Channel, method: &Slug) -> Result<ShippingMethodBody, Problem> {
    let mut methods = channel.settings.shipping_methods.into_iter();
    let saved = methods.find(|known| known.code == *method).ok_or_else(unknown)?;
    Ok(ShippingMethodBody::from(saved))
}

fn unknown() -> Refusal {
    Refusal::new(Code::NotFound, "the channel has no such shipping method")
}
