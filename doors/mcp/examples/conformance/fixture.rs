//! The server of the fixtures.

use std::sync::Arc;

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, ClientCapabilities,
        CompleteRequestParams, CompleteResult, CompletionInfo, GetPromptRequestParams,
        GetPromptResponse, Implementation, JsonObject, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
        Prompt, PromptArgument, ReadResourceRequestParams, ReadResourceResponse, Resource,
        ResourceTemplate, ServerCapabilities, ServerConfig, SetLevelRequestParams,
        SubscribeRequestParams, SubscriptionFilter, Tool, UnsubscribeRequestParams,
    },
    service::{RequestContext, SubscriptionContext, SubscriptionSink},
};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::{inputs, questions, texts};

const TTL_MS: u64 = 60_000;
/// Tools without arguments.
const PLAIN_TOOLS: [&str; 24] = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_error_handling",
    "test_tool_with_logging",
    "test_tool_with_progress",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_reconnection",
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_logging_tool",
    "test_trigger_tool_change",
    "test_trigger_prompt_change",
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
];

/// Clones are the same server.
#[derive(Clone, Default)]
pub(crate) struct Fixture {
    listeners: Arc<Mutex<Vec<(u64, SubscriptionSink)>>>,
}

impl Fixture {
    async fn listeners(&self) -> Vec<SubscriptionSink> {
        self.listeners.lock().await.iter().map(|(_, sink)| sink.clone()).collect()
    }

    async fn call(
        &self,
        request: &CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let capabilities = context.meta.client_capabilities().unwrap_or_default();
        let arguments = request.arguments.clone().unwrap_or_default();
        let text = |name: &str| arguments.get(name).and_then(Value::as_str);
        match request.name.as_ref() {
            name if name.starts_with(inputs::PREFIX) => inputs::call(request, &capabilities),
            "test_streaming_elicitation" => Ok(inputs::only_asks()),
            "test_missing_capability" if capabilities.sampling.is_none() => {
                let needed = ClientCapabilities::builder().enable_sampling().build();
                Err(ErrorData::missing_required_client_capability(needed))
            }
            "test_trigger_tool_change" => {
                for listener in self.listeners().await {
                    told(listener.notify_tool_list_changed().await);
                }
                Ok(texts::said("Told that the tools changed").into())
            }
            "test_trigger_prompt_change" => {
                for listener in self.listeners().await {
                    told(listener.notify_prompt_list_changed().await);
                }
                Ok(texts::said("Told that the prompts changed").into())
            }
            "test_custom_header" => match text("value") {
                Some(value) => Ok(texts::said(value).into()),
                None => Err(ErrorData::invalid_params("value must be a text", None)),
            },
            "json_schema_2020_12_tool" | "test_reconnection" | "test_missing_capability" => {
                Ok(texts::said("Done").into())
            }
            name => match texts::content(name) {
                Some(result) => Ok(result.into()),
                None => match questions::answer(name, &arguments, context).await {
                    Some(result) => result.map(Into::into),
                    None => {
                        Err(ErrorData::invalid_params(format!("there is no tool `{name}`"), None))
                    }
                },
            },
        }
    }
}

fn told<E: std::fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        tracing::warn!(%error, "a listener is gone");
    }
}

fn tool(name: &'static str, schema: Value) -> Tool {
    let Value::Object(schema) = schema else { unreachable!("a schema is an object") };
    Tool::new(name, "A fixture of the conformance kit", Arc::<JsonObject>::new(schema))
}

fn tools() -> Vec<Tool> {
    let with = |name: &str| json!({ "type": "object", "properties": { name: { "type": "string" } }, "required": [name] });
    let plain = PLAIN_TOOLS
        .into_iter()
        .map(|name| tool(name, json!({ "type": "object", "properties": {} })));
    plain
        .chain([
            tool("test_sampling", with("prompt")),
            tool("test_elicitation", with("message")),
            tool("json_schema_2020_12_tool", texts::demanding_schema()),
            custom_header(),
        ])
        .collect()
}

/// A tool whose argument is also in a header (SEP-2243).
fn custom_header() -> Tool {
    let value = json!({ "type": "string", "x-mcp-header": "Value" });
    tool(
        "test_custom_header",
        json!({ "type": "object", "properties": { "value": value }, "required": ["value"] }),
    )
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_resources_list_changed()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_logging()
            .enable_completions()
            .build();
        let name = Implementation::new("handel-conformance", env!("CARGO_PKG_VERSION"));
        ServerConfig::new(capabilities).with_server_info(name)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        tools().into_iter().find(|tool| tool.name == name)
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.supported_by(&self.get_info().capabilities))
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        let id = {
            let mut listeners = self.listeners.lock().await;
            let id = listeners.last().map_or(0, |(id, _)| id + 1);
            listeners.push((id, context.sink().clone()));
            id
        };
        context.cancelled().await;
        self.listeners.lock().await.retain(|(other, _)| *other != id);
        Ok(())
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let list = ListToolsResult::with_all_items(tools());
        Ok(list.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.call(&request, &context).await
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resources = vec![
            Resource::new("test://static-text", "Static text").with_mime_type("text/plain"),
            Resource::new("test://static-binary", "Static picture").with_mime_type("image/png"),
            Resource::new("test://watched-resource", "Watched text").with_mime_type("text/plain"),
        ];
        let list = ListResourcesResult::with_all_items(resources);
        Ok(list.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new("test://template/{id}/data", "Data by id");
        let template = template.with_mime_type("application/json");
        let list = ListResourceTemplatesResult::with_all_items(vec![template]);
        Ok(list.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let result = texts::resource(&request.uri)?;
        Ok(result.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Public).into())
    }

    async fn subscribe(
        &self,
        _: SubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn unsubscribe(
        &self,
        _: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let argument = |name: &str| {
            PromptArgument::new(name).with_description("An argument").with_required(true)
        };
        let prompt = |name: &str, arguments: Option<Vec<PromptArgument>>| {
            Prompt::new(name, Some("A fixture of the conformance kit"), arguments)
        };
        let prompts = vec![
            prompt("test_simple_prompt", None),
            prompt("test_prompt_with_arguments", Some(vec![argument("arg1"), argument("arg2")])),
            prompt("test_prompt_with_embedded_resource", Some(vec![argument("resourceUri")])),
            prompt("test_prompt_with_image", None),
            prompt("test_input_required_result_prompt", None),
        ];
        let list = ListPromptsResult::with_all_items(prompts);
        Ok(list.with_ttl_ms(TTL_MS).with_cache_scope(CacheScope::Public))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        if request.name == "test_input_required_result_prompt" {
            return Ok(inputs::prompt(&request));
        }
        let arguments = request.arguments.unwrap_or_default();
        let argument =
            |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        texts::prompt(&request.name, argument).map(Into::into)
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let values = vec!["paris".to_owned(), "park".to_owned(), "party".to_owned()];
        let values = CompletionInfo::new(values);
        Ok(CompleteResult::new(values.map_err(|error| ErrorData::internal_error(error, None))?))
    }

    async fn set_level(
        &self,
        _: SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Ok(())
    }
}
