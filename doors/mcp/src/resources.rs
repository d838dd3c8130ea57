//! What an assistant can read about the shop: its profile, its policies, and orders by their id.

use std::sync::Arc;

use handel_domain::channel::Channel;
use handel_ucp::{Call, Operation};
use rmcp::{
    ErrorData,
    model::{
        CacheScope, ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult, Resource,
        ResourceContents, ResourceTemplate,
    },
};
use serde_json::Value;

use crate::{
    asked::Asked,
    operations::{self, agent_of},
    server::{LISTS_TTL_MS, ShopServer},
};

const PROFILE: &str = "shop://profile";
const ORDERS: &str = "shop://orders/";
const ORDER_TEMPLATE: &str = "shop://orders/{id}";
const POLICIES: &str = "shop://policies/";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

/// What can be read without knowing anything: the profile, and the policies of the channel.
pub(crate) async fn list(
    server: &ShopServer,
    asked: &Asked<'_>,
) -> Result<ListResourcesResult, ErrorData> {
    let profile = Resource::new(PROFILE, "profile")
        .with_title("Profile of the shop")
        .with_description(
            "What this shop can do over the Universal Commerce Protocol, and who takes money here",
        )
        .with_mime_type(JSON);
    let channel = channel(server, asked).await?;
    let policies = channel.settings.policies.iter().map(|policy| {
        Resource::new(format!("{POLICIES}{}", policy.kind), policy.kind.to_string())
            .with_title(policy.title.clone())
            .with_description("A policy of the shop")
            .with_mime_type(TEXT)
    });
    let resources = [profile].into_iter().chain(policies).collect();
    Ok(ListResourcesResult::with_all_items(resources)
        .with_ttl_ms(LISTS_TTL_MS)
        .with_cache_scope(CacheScope::Public))
}

async fn channel(server: &ShopServer, asked: &Asked<'_>) -> Result<Arc<Channel>, ErrorData> {
    let channel = server.engine().get_channel(asked.ctx).await;
    channel.map_err(|error| asked.refused(&error))
}

/// What can be read by a name.
pub(crate) fn templates() -> ListResourceTemplatesResult {
    let order = ResourceTemplate::new(ORDER_TEMPLATE, "order")
        .with_title("Order")
        .with_description(
            "An order that was placed with the profile in _meta[\"ucp-agent\"].profile, as get_order shows it",
        )
        .with_mime_type(JSON);
    ListResourceTemplatesResult::with_all_items(vec![order])
        .with_ttl_ms(LISTS_TTL_MS)
        .with_cache_scope(CacheScope::Public)
}

/// Reads one.
pub(crate) async fn read(
    server: &ShopServer,
    asked: &Asked<'_>,
    uri: &str,
    meta: &Value,
) -> Result<ReadResourceResult, ErrorData> {
    if uri == PROFILE {
        let profile = server.profile();
        return Ok(json_of(uri, &profile)
            .with_ttl_ms(LISTS_TTL_MS)
            .with_cache_scope(CacheScope::Public));
    }
    if let Some(kind) = uri.strip_prefix(POLICIES) {
        let channel = channel(server, asked).await?;
        let policies = &channel.settings.policies;
        let policy = policies.iter().find(|policy| policy.kind.as_str() == kind);
        let policy = policy.ok_or_else(|| nothing(uri))?;
        let text = format!("{}\n\n{}", policy.title, policy.text);
        let contents = ResourceContents::text(text, uri).with_mime_type(TEXT);
        return Ok(ReadResourceResult::new(vec![contents])
            .with_ttl_ms(LISTS_TTL_MS)
            .with_cache_scope(CacheScope::Public));
    }
    if let Some(id) = uri.strip_prefix(ORDERS) {
        return order(server, asked, uri, id, meta).await;
    }
    Err(nothing(uri))
}

async fn order(
    server: &ShopServer,
    asked: &Asked<'_>,
    uri: &str,
    id: &str,
    meta: &Value,
) -> Result<ReadResourceResult, ErrorData> {
    let call = Call {
        operation: Operation::GetOrder,
        version: server.version(),
        agent: agent_of(meta),
        id: Some(id.to_owned()),
        payload: Value::Null,
        idempotency: None,
        source: asked.ctx.source,
        request_id: asked.ctx.request_id,
    };
    let body = operations::answer(server.ucp(), asked, &call).await?;
    if body.get("id").is_none() {
        // What belongs to somebody else looks like what does not exist.
        return Err(nothing(uri));
    }
    Ok(json_of(uri, &body).with_ttl_ms(0).with_cache_scope(CacheScope::Private))
}

fn json_of(uri: &str, value: &Value) -> ReadResourceResult {
    ReadResourceResult::new(vec![
        ResourceContents::text(value.to_string(), uri).with_mime_type(JSON),
    ])
}

fn nothing(uri: &str) -> ErrorData {
    let data = serde_json::json!({ "uri": uri });
    ErrorData::resource_not_found("there is no such resource", Some(data))
}
