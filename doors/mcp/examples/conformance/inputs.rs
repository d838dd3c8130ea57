//! Answers of revision 2026-07-28 that ask for more: the client gets questions back, and calls again with the
//! answers and with the sealed state of the call.

use rmcp::{
    ErrorData,
    model::{
        CallToolRequestParams, CallToolResponse, ClientCapabilities, CreateMessageRequest,
        CreateMessageRequestParams, ElicitRequest, ElicitRequestParams, GetPromptRequestParams,
        GetPromptResponse, GetPromptResult, InputRequest, InputRequests, InputRequiredResult,
        InputResponses, ListRootsRequest, PromptMessage, RequestStateCodec, Role, SamplingMessage,
    },
};
use serde_json::{Map, Value, json};

use crate::texts::said;

/// A key for tests. A real server keeps it from its clients.
const KEY: &[u8] = b"a key that everybody may know, because this is a test";
pub(crate) const PREFIX: &str = "test_input_required_result_";

/// Answers a tool that needs answers of the client first.
pub(crate) fn call(
    request: &CallToolRequestParams,
    capabilities: &ClientCapabilities,
) -> Result<CallToolResponse, ErrorData> {
    let responses = request.input_responses.as_ref();
    let state = request.request_state.as_deref();
    match request.name.strip_prefix(PREFIX).unwrap_or_default() {
        "elicitation" => Ok(match response(responses, "user_name") {
            Some(answer) => said(format!("Hello, {}!", content(answer, "name"))).into(),
            None => asking([("user_name", question("What is your name?", "name"))]),
        }),
        "sampling" => Ok(match response(responses, "capital_question") {
            Some(answer) => said(format!("Sampling response: {}", content(answer, "text"))).into(),
            None => asking([("capital_question", sampling("What is the capital of France?"))]),
        }),
        "list_roots" => Ok(match response(responses, "client_roots") {
            Some(answer) => said(format!("Client roots: {}", json!(answer.get("roots")))).into(),
            None => asking([("client_roots", roots())]),
        }),
        "request_state" | "tampered_state" => match state {
            None => sealed(
                &json!({ "stage": "confirm" }),
                [("confirm", question("Please confirm", "ok"))],
            ),
            Some(state) => open(state).map(|_| said("Confirmed: state-ok").into()),
        },
        "multiple_inputs" => multiple(responses, state),
        "multi_round" => multi_round(state),
        "capabilities" => Ok(for_capabilities(responses, capabilities)),
        name => Err(ErrorData::invalid_params(format!("there is no tool `{PREFIX}{name}`"), None)),
    }
}

/// A prompt that needs an answer first.
pub(crate) fn prompt(request: &GetPromptRequestParams) -> GetPromptResponse {
    match response(request.input_responses.as_ref(), "user_context") {
        Some(answer) => {
            let text = format!("Prompt with elicited context: {}", content(answer, "context"));
            GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).into()
        }
        None => {
            let question = question("What context should the prompt use?", "context");
            InputRequiredResult::from_input_requests(requests([("user_context", question)])).into()
        }
    }
}

/// A tool that only asks.
pub(crate) fn only_asks() -> CallToolResponse {
    asking([("streaming_elicitation", question("Provide a value", "value"))])
}

fn multiple(
    responses: Option<&InputResponses>,
    state: Option<&str>,
) -> Result<CallToolResponse, ErrorData> {
    if let Some(state) = state {
        open(state)?;
        let wanted = ["user_name", "greeting", "client_roots"];
        if wanted.into_iter().all(|name| response(responses, name).is_some()) {
            return Ok(said("All inputs received").into());
        }
    }
    sealed(
        &json!({ "stage": "gather" }),
        [
            ("user_name", question("What is your name?", "name")),
            ("greeting", sampling("Generate a greeting")),
            ("client_roots", roots()),
        ],
    )
}

fn multi_round(state: Option<&str>) -> Result<CallToolResponse, ErrorData> {
    let round = match state {
        None => 0,
        Some(state) => open(state)?.get("round").and_then(Value::as_u64).unwrap_or(0),
    };
    let next = json!({ "round": round + 1 });
    match round {
        0 => sealed(&next, [("step1", question("Step 1: What is your name?", "name"))]),
        1 => sealed(&next, [("step2", question("Step 2: What is your favorite color?", "color"))]),
        _ => Ok(said("Multi-round flow complete").into()),
    }
}

/// Only what the client said that it can answer.
fn for_capabilities(
    responses: Option<&InputResponses>,
    capabilities: &ClientCapabilities,
) -> CallToolResponse {
    let can_elicit = capabilities.elicitation.is_some();
    let can_sample = capabilities.sampling.is_some();
    let has_roots = capabilities.roots.is_some();
    let possible = [
        can_elicit.then(|| ("user_name", question("What is your name?", "name"))),
        can_sample.then(|| ("greeting", sampling("Generate a greeting"))),
        has_roots.then(|| ("client_roots", roots())),
    ];
    let requests = requests(possible.into_iter().flatten());
    if responses.is_some() || requests.is_empty() {
        return said("Asked for what the client can answer").into();
    }
    InputRequiredResult::from_input_requests(requests).into()
}

fn requests(of: impl IntoIterator<Item = (&'static str, InputRequest)>) -> InputRequests {
    let mut requests = InputRequests::new();
    for (name, request) in of {
        requests.insert(name.into(), request);
    }
    requests
}

fn asking(of: impl IntoIterator<Item = (&'static str, InputRequest)>) -> CallToolResponse {
    InputRequiredResult::from_input_requests(requests(of)).into()
}

fn sealed(
    state: &Value,
    of: impl IntoIterator<Item = (&'static str, InputRequest)>,
) -> Result<CallToolResponse, ErrorData> {
    let state = RequestStateCodec::new(KEY).seal_json(state);
    let state = state.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
    Ok(InputRequiredResult::new(Some(requests(of)), Some(state)).into())
}

fn open(state: &str) -> Result<Value, ErrorData> {
    RequestStateCodec::new(KEY)
        .open_json(state)
        .map_err(|_| ErrorData::invalid_params("the requestState is not one of ours", None))
}

/// An answer that can be used. Anything else is asked for again.
fn response<'a>(
    responses: Option<&'a InputResponses>,
    name: &str,
) -> Option<&'a Map<String, Value>> {
    responses.and_then(|responses| responses.get(name)).and_then(Value::as_object)
}

fn content<'a>(answer: &'a Map<String, Value>, name: &str) -> &'a str {
    let value = answer.get("content").and_then(|content| content.get(name));
    value.and_then(Value::as_str).unwrap_or("nobody")
}

fn question(message: &str, field: &str) -> InputRequest {
    let kind = if field == "ok" { "boolean" } else { "string" };
    let schema =
        json!({ "type": "object", "properties": { field: { "type": kind } }, "required": [field] });
    InputRequest::Elicitation(ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: message.to_owned(),
        requested_schema: serde_json::from_value(schema).expect("the schema is right"),
    }))
}

fn sampling(prompt: &str) -> InputRequest {
    let params = CreateMessageRequestParams::new(vec![SamplingMessage::user_text(prompt)], 100);
    InputRequest::CreateMessage(CreateMessageRequest::new(params))
}

fn roots() -> InputRequest {
    InputRequest::ListRoots(ListRootsRequest::default())
}
