//! What a person can ask an assistant to do here, in words that it understands.

use rmcp::{
    ErrorData,
    model::{
        CacheScope, GetPromptResult, JsonObject, ListPromptsResult, Prompt, PromptArgument,
        PromptMessage, Role,
    },
};
use serde_json::Value;

use crate::server::LISTS_TTL_MS;

const FIND_AND_BUY: &str = "find_and_buy";
const TRACK_ORDER: &str = "track_order";

/// The prompts.
pub(crate) fn list() -> ListPromptsResult {
    let argument = |name: &str, description: &str, is_required: bool| {
        PromptArgument::new(name).with_description(description).with_required(is_required)
    };
    let find_and_buy = Prompt::new(
        FIND_AND_BUY,
        Some("Find something in this shop and buy it, with a question before the money moves"),
        Some(vec![
            argument("what", "What is wanted, such as two red mugs", true),
            argument("budget", "What it may cost at most, such as 40 EUR", false),
            argument("ship_to", "Where it goes: name, address and email", false),
        ]),
    );
    let track_order = Prompt::new(
        TRACK_ORDER,
        Some("See how far an order has come"),
        Some(vec![argument("order_id", "The id of the order, such as ord_01…", true)]),
    );
    let prompts =
        vec![find_and_buy.with_title("Find and buy"), track_order.with_title("Track an order")];
    ListPromptsResult::with_all_items(prompts)
        .with_ttl_ms(LISTS_TTL_MS)
        .with_cache_scope(CacheScope::Public)
}

/// A prompt with its arguments filled in.
pub(crate) fn get(name: &str, arguments: &JsonObject) -> Result<GetPromptResult, ErrorData> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::trim);
    let needed = |name: &str| {
        text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
            ErrorData::invalid_params(format!("the argument `{name}` is missing"), None)
        })
    };
    let (text, description) = match name {
        FIND_AND_BUY => {
            let text = find_and_buy(needed("what")?, text("budget"), text("ship_to"));
            (text, "Find something and buy it")
        }
        TRACK_ORDER => (track_order(needed("order_id")?), "See how far an order has come"),
        _ => return Err(ErrorData::invalid_params(format!("there is no prompt `{name}`"), None)),
    };
    let message = PromptMessage::new_text(Role::User, text);
    Ok(GetPromptResult::new(vec![message]).with_description(description))
}

fn find_and_buy(what: &str, budget: Option<&str>, ship_to: Option<&str>) -> String {
    let budget =
        budget.map_or_else(String::new, |budget| format!(" It may cost {budget} at most."));
    let ship_to = match ship_to {
        Some(ship_to) => format!("It goes to: {ship_to}."),
        None => "Ask me where it goes, and for my email, when you need them.".to_owned(),
    };
    format!(
        "Please buy this for me: {what}.{budget} {ship_to}\n\n\
         1. Look for it with search_catalog. Show me at most three that fit, with prices, and let me choose. Use \
         get_product if there are sizes or colors.\n\
         2. Call create_checkout with what I chose. Read its messages, and say what is missing with \
         update_checkout, each time with everything that was said before. Offer me the ways of shipping that it \
         lists.\n\
         3. When the status is ready_for_complete, show me every entry of totals and ask whether to buy.\n\
         4. Only after I said yes, call complete_checkout with a fresh idempotency-key. If the answer gets lost, \
         repeat the call with the same key.\n\
         5. If the status is requires_escalation, give me the continue_url and look again with get_checkout \
         after I come back.\n\
         6. Tell me the number of the order and its permalink_url."
    )
}

fn track_order(order_id: &str) -> String {
    format!(
        "How far has my order {order_id} come? Call get_order and tell me in two or three sentences what was \
         sent and what was not, with the tracking links, when the rest is expected, and whether money came back."
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(name: &str, arguments: Value) -> Result<String, ErrorData> {
        let result = get(name, &crate::tools::object(arguments))?;
        Ok(json!(result)["messages"][0]["content"]["text"].as_str().expect("a text").to_owned())
    }

    #[test]
    fn prompts_say_what_was_asked_for() {
        let text = text("find_and_buy", json!({ "what": "a mug", "budget": "20 EUR" }));
        let text = text.expect("a prompt");
        assert!(text.contains("a mug. It may cost 20 EUR at most. Ask me where"), "{text}");
        assert!(text.contains("Only after I said yes"), "{text}");
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        assert!(text("find_and_buy", json!({ "what": " " })).is_err());
        assert!(text("track_order", json!({})).is_err());
        assert!(text("haggle", json!({})).is_err());
        assert!(text("track_order", json!({ "order_id": "ord_1" })).is_ok());
    }
}
