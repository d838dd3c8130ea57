//! The `ucp` member of every response, messages, and answers without a resource.

use serde_json::{Value, json};

use super::Object;
use crate::{
    handlers::Handler,
    negotiate::Agreement,
    neutral::{
        Message,
        message::{Kind, Severity},
    },
    operation::Operation,
};

/// The `ucp` member of a response that has a resource: version, and what is agreed on and matters here.
pub(crate) fn of(agreement: &Agreement, operation: Operation) -> Object {
    let active = agreement
        .relevant(operation)
        .map(|name| (name.to_owned(), json!([{ "version": agreement.version().name() }])));
    Object::new()
        .with("version", agreement.version().name())
        .with("status", "success")
        .with("capabilities", Value::Object(active.collect()))
}

/// The same with the ways to pay, which every response with a checkout has.
pub(crate) fn with_handlers(
    agreement: &Agreement,
    operation: Operation,
    handlers: &[Handler],
) -> Object {
    let version = agreement.version().name();
    of(agreement, operation).with("payment_handlers", Value::Object(handler_map(handlers, version)))
}

/// Handlers by the name of their kind.
pub(crate) fn handler_map(handlers: &[Handler], version: &str) -> serde_json::Map<String, Value> {
    let entry = |handler: &Handler| {
        json!([{
            "id": handler.id,
            "version": version,
            "available_instruments": [{ "type": handler.instrument }],
            "config": handler.config,
        }])
    };
    handlers.iter().map(|handler| (handler.name.clone(), entry(handler))).collect()
}

/// The `ucp` member of something that nobody asked for.
pub(crate) fn unasked(version: &str, capability: &str) -> Value {
    json!({
        "version": version,
        "status": "success",
        "capabilities": { capability: [{ "version": version }] },
    })
}

/// An answer without a resource (UCP, `error_response.json`).
pub(crate) fn outcome(version: &str, messages: &[Message], continue_url: Option<&str>) -> Value {
    let ucp = json!({ "version": version, "status": "error", "capabilities": {} });
    Object::new()
        .with("ucp", ucp)
        .with("messages", self::messages(messages))
        .with_some("continue_url", continue_url)
        .into()
}

/// Messages in their order.
pub(crate) fn messages(messages: &[Message]) -> Vec<Value> {
    messages.iter().map(message).collect()
}

fn message(message: &Message) -> Value {
    let (kind, severity) = match message.kind {
        Kind::Error(severity) => ("error", Some(word(severity))),
        Kind::Warning => ("warning", None),
        Kind::Info => ("info", None),
    };
    Object::new()
        .with("type", kind)
        .with("code", message.code)
        .with("content", message.content.as_str())
        .with_some("path", message.path.as_deref())
        .with_some("severity", severity)
        .into()
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Recoverable => "recoverable",
        Severity::NeedsInput => "requires_buyer_input",
        Severity::NeedsReview => "requires_buyer_review",
        Severity::Unrecoverable => "unrecoverable",
    }
}
