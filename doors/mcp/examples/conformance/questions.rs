//! Tools that ask the client while they run, and tell it how far they are.

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolResult, ContentBlock, CreateMessageRequestParams, ElicitRequestParams, JsonObject,
        LoggingLevel, LoggingMessageNotificationParam, ProgressNotificationParam, SamplingMessage,
        SamplingMessageContentBlock,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use crate::texts::said;

const LOGGER: &str = "conformance";

pub(crate) async fn answer(
    tool: &str,
    arguments: &JsonObject,
    context: &RequestContext<RoleServer>,
) -> Option<Result<CallToolResult, ErrorData>> {
    let text =
        |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or("Hello").to_owned();
    Some(Ok(match tool {
        "test_tool_with_logging" => with_logging(context).await,
        "test_logging_tool" => with_wanted_logging(context).await,
        "test_tool_with_progress" => with_progress(context).await,
        "test_sampling" => sample(&text("prompt"), context).await,
        "test_elicitation" => elicit(&text("message"), who(), context).await,
        "test_elicitation_sep1034_defaults" => elicit("Please review", defaults(), context).await,
        "test_elicitation_sep1330_enums" => elicit("Please choose", choices(), context).await,
        _ => return None,
    }))
}

async fn log(level: LoggingLevel, text: &str, context: &RequestContext<RoleServer>) {
    let message = LoggingMessageNotificationParam::new(level, json!(text)).with_logger(LOGGER);
    if let Err(error) = context.peer.notify_logging_message(message).await {
        tracing::warn!(%error, "the client did not hear it");
    }
}

async fn with_logging(context: &RequestContext<RoleServer>) -> CallToolResult {
    for text in ["Tool execution started", "Tool processing data", "Tool execution completed"] {
        log(LoggingLevel::Info, text, context).await;
    }
    said("Logged three times")
}

/// Since 2026-07-28 each request says whether it wants to hear logs.
async fn with_wanted_logging(context: &RequestContext<RoleServer>) -> CallToolResult {
    if let Some(level) = context.meta.log_level() {
        log(level, "You wanted to hear it", context).await;
    }
    said("Logged what was wanted")
}

async fn with_progress(context: &RequestContext<RoleServer>) -> CallToolResult {
    if let Some(token) = context.meta.get_progress_token() {
        for progress in [0.0, 50.0, 100.0] {
            let progress =
                ProgressNotificationParam::new(token.clone(), progress).with_total(100.0);
            if let Err(error) = context.peer.notify_progress(progress).await {
                tracing::warn!(%error, "the client did not hear it");
            }
        }
    }
    said("Progress was reported")
}

async fn sample(prompt: &str, context: &RequestContext<RoleServer>) -> CallToolResult {
    let message = SamplingMessage::user_text(prompt);
    let asked = context.peer.create_message(CreateMessageRequestParams::new(vec![message], 100));
    match asked.await {
        Ok(answer) => {
            let text =
                answer.message.content.first().and_then(SamplingMessageContentBlock::as_text);
            said(format!("LLM response: {}", text.map_or("", |text| &text.text)))
        }
        Err(error) => failed(&error),
    }
}

async fn elicit(
    message: &str,
    schema: Value,
    context: &RequestContext<RoleServer>,
) -> CallToolResult {
    let question = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema: serde_json::from_value(schema).expect("the schemas here are right"),
    };
    match context.peer.create_elicitation(question).await {
        Ok(answer) => {
            let (action, content) = (json!(answer.action), json!(answer.content));
            said(format!(
                "User response: action={}, content={content}",
                action.as_str().unwrap_or_default()
            ))
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &impl std::fmt::Display) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(format!("the client did not answer: {error}"))])
}

fn who() -> Value {
    json!({
        "type": "object",
        "properties": {
            "username": { "type": "string", "description": "User's response" },
            "email": { "type": "string", "description": "User's email address" }
        },
        "required": ["username", "email"]
    })
}

fn defaults() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "default": "John Doe" },
            "age": { "type": "integer", "default": 30 },
            "score": { "type": "number", "default": 95.5 },
            "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
            "verified": { "type": "boolean", "default": true }
        }
    })
}

fn choices() -> Value {
    let titled = |names: [&str; 3]| {
        let values = ["value1", "value2", "value3"].into_iter().zip(names);
        values.map(|(value, title)| json!({ "const": value, "title": title })).collect::<Value>()
    };
    let options = json!(["option1", "option2", "option3"]);
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": options },
            "titledSingle": {
                "type": "string", "oneOf": titled(["First Option", "Second Option", "Third Option"])
            },
            "legacyEnum": {
                "type": "string", "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"]
            },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": options } },
            "titledMulti": {
                "type": "array",
                "items": { "anyOf": titled(["First Choice", "Second Choice", "Third Choice"]) }
            }
        }
    })
}
