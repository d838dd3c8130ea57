//! A call of a tool as a question to the UCP service, and its answer as a result (UCP, MCP bindings of checkout,
//! cart, catalog and order).

use handel_domain::order::Source;
use handel_engine::Idempotency;
use handel_kit::digest;
use handel_ucp::{Answer, Call, TransportError, Ucp, Version};
use http::{HeaderMap, StatusCode};
use rmcp::{
    ErrorData,
    model::{ErrorCode, JsonObject},
};
use serde_json::{Value, json};

use crate::{
    asked::{Asked, REFUSED},
    tools::UcpTool,
};

/// Discovery and the choice of a version failed.
const DISCOVERY: ErrorCode = ErrorCode(-32001);
const META: &str = "meta";

/// Understands the arguments of a call.
pub(crate) fn question(
    tool: &UcpTool,
    version: Version,
    asked: &Asked<'_>,
    mut arguments: JsonObject,
) -> Result<Call, ErrorData> {
    let meta = arguments.remove(META).unwrap_or_default();
    let wrong = |text: String| {
        let data = json!({ "code": "invalid_request", "content": text });
        let error = ErrorData::invalid_params(text, Some(data));
        asked.failed(StatusCode::BAD_REQUEST, error, None)
    };
    let key = key_of(&meta).map_err(wrong)?;
    if tool.is_keyed && key.is_none() {
        return Err(wrong("meta[\"idempotency-key\"] is missing; send a fresh UUID".to_owned()));
    }
    // A retry has another JSON-RPC id and may have another meta, so the key is bound to what is asked.
    let idempotency = key.map(|key| (key, digest_of(&arguments)));
    let id = match (tool.operation.takes_id(), arguments.remove("id")) {
        (false, _) => None,
        (true, Some(Value::String(id))) => Some(id),
        (true, _) => return Err(wrong("id is missing; it is a text".to_owned())),
    };
    let payload = match tool.payload {
        None => Value::Null,
        Some(name) => match arguments.remove(name) {
            Some(payload @ Value::Object(_)) => payload,
            _ => return Err(wrong(format!("{name} is missing; it is an object"))),
        },
    };
    Ok(Call {
        operation: tool.operation,
        version,
        agent: agent_of(&meta),
        id,
        payload,
        idempotency,
        source: Source::Mcp,
        request_id: asked.ctx.request_id,
    })
}

/// The profile by which a program introduces itself. Whether it is right is for the service to say.
pub(crate) fn agent_of(meta: &Value) -> Option<String> {
    meta.pointer("/ucp-agent/profile").and_then(Value::as_str).map(str::to_owned)
}

fn key_of(meta: &Value) -> Result<Option<String>, String> {
    match meta.get("idempotency-key") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(key)) => {
            Idempotency::read_key(key).map(Some).map_err(|refusal| refusal.message)
        }
        Some(_) => Err("meta[\"idempotency-key\"] must be a text".to_owned()),
    }
}

/// SHA-256 over the arguments as RFC 8785 writes them.
fn digest_of(arguments: &JsonObject) -> String {
    let bytes = serde_json::to_vec(arguments).expect("what was read as JSON can be written");
    digest(&HeaderMap::new(), &bytes)
}

/// Asks the service, as the REST binding does: who calls is met first, then a signature is checked if there is one or
/// must be.
pub(crate) async fn answer(ucp: &Ucp, asked: &Asked<'_>, call: &Call) -> Result<Value, ErrorData> {
    let answer = async {
        let agreement = ucp.meet(call.version, call.agent.as_deref()).await?;
        ucp.check_signature(asked.sent(), call.operation, &agreement).await?;
        ucp.charge(call.operation, asked.client(), asked.sent().body.len())?;
        Ok(ucp.answer_agreed(call, &agreement).await)
    };
    match answer.await {
        Ok(Answer::Resource { body, .. }) => Ok(body),
        Ok(Answer::Transport(error)) | Err(error) => Err(failure(asked, error)),
    }
}

/// What was not worked on is an error of JSON-RPC, under the HTTP status of the REST binding.
fn failure(asked: &Asked<'_>, error: TransportError) -> ErrorData {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let TransportError { code, content, retry_after_ms, .. } = error;
    let mut data = json!({ "code": code, "content": content });
    if let Some(ms) = retry_after_ms {
        data["retry_after"] = json!(ms.div_ceil(1_000).max(1));
    }
    let error = ErrorData::new(code_of(code, status), content, Some(data));
    asked.failed(status, error, retry_after_ms)
}

/// UCP overview, "Error Handling", the table of codes over JSON-RPC.
fn code_of(code: &str, status: StatusCode) -> ErrorCode {
    match (code, status.as_u16()) {
        (
            "invalid_profile_url"
            | "profile_malformed"
            | "profile_unreachable"
            | "profile_not_trusted"
            | "version_unsupported",
            _,
        ) => DISCOVERY,
        ("digest_mismatch" | "algorithm_unsupported", _) => ErrorCode::INVALID_REQUEST,
        (_, 400 | 404 | 413 | 422) => ErrorCode::INVALID_PARAMS,
        (_, 503) | (_, 400..500) => REFUSED,
        _ => ErrorCode::INTERNAL_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(value: Value) -> JsonObject {
        (*crate::tools::object(value)).clone()
    }

    #[test]
    fn a_repetition_is_known_by_its_meaning() {
        let one = arguments(json!({ "id": "a", "checkout": { "payment": { "x": 1, "y": null } } }));
        let text = r#"{"checkout":{"payment":{"y":null,"x":1.0}},"id":"a"}"#;
        let same = arguments(serde_json::from_str(text).expect("JSON"));
        let other =
            arguments(json!({ "id": "a", "checkout": { "payment": { "x": 2, "y": null } } }));
        assert_eq!(digest_of(&one), digest_of(&same));
        assert_ne!(digest_of(&one), digest_of(&other));
    }

    #[test]
    fn errors_have_the_codes_of_the_protocol() {
        for (code, status, expected) in [
            ("invalid_profile_url", 400, -32001),
            ("profile_unreachable", 424, -32001),
            ("version_unsupported", 422, -32001),
            ("profile_not_trusted", 403, -32001),
            ("digest_mismatch", 400, -32600),
            ("request_too_large", 400, -32602),
            ("invalid_request", 400, -32602),
            ("idempotency_conflict", 409, -32000),
            ("rate_limited", 429, -32000),
            ("unauthorized", 401, -32000),
            ("unavailable", 503, -32000),
            ("internal", 500, -32603),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(code_of(code, status).0, expected, "{code}");
        }
    }
}
