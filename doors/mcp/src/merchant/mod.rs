//! What the merchant may see and do here: a table of tools, each with the scope that it needs.
//!
//! Nobody without a key with the scope finds them in the list, and for nobody else do they do anything.

mod deliveries;
mod jobs;
mod orders;
mod stock;

use handel_engine::{Engine, Error, Scope};
use handel_kit::status_of;
use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{asked::Asked, tools::object};

/// A tool for the merchant.
pub(crate) struct MerchantTool {
    pub(crate) name: &'static str,
    title: &'static str,
    description: &'static str,
    pub(crate) scope: Scope,
    what: What,
}

/// What a tool does.
#[derive(Clone, Copy)]
enum What {
    ListOrders,
    GetStock,
    ListDeadJobs,
    ReplayJob,
    ListDeliveries,
    ReplayDelivery,
}

/// All of them.
pub(crate) const TOOLS: [MerchantTool; 6] = [
    MerchantTool {
        name: "merchant_list_orders",
        title: "List orders",
        description: "The orders of the shop, newest first: number, status, buyer and total. For the merchant.",
        scope: Scope::OrdersRead,
        what: What::ListOrders,
    },
    MerchantTool {
        name: "merchant_get_stock",
        title: "Get stock",
        description: "How many of a variant lie where, how many are promised, and how many can be sold. For the merchant.",
        scope: Scope::StockRead,
        what: What::GetStock,
    },
    MerchantTool {
        name: "merchant_list_dead_jobs",
        title: "List dead jobs",
        description: "Work of the shop that failed too often and was put aside, newest first, with the last error. For the merchant.",
        scope: Scope::Operations,
        what: What::ListDeadJobs,
    },
    MerchantTool {
        name: "merchant_replay_job",
        title: "Replay a dead job",
        description: "Lets a dead job run again, once its cause is gone. For the merchant.",
        scope: Scope::Operations,
        what: What::ReplayJob,
    },
    MerchantTool {
        name: "merchant_list_deliveries",
        title: "List news of orders",
        description: "What programs were told of their orders, newest first, and what they did not take. For the merchant.",
        scope: Scope::Operations,
        what: What::ListDeliveries,
    },
    MerchantTool {
        name: "merchant_replay_delivery",
        title: "Send news again",
        description: "Sends a dead message about an order again, once the receiver works. For the merchant.",
        scope: Scope::Operations,
        what: What::ReplayDelivery,
    },
];

impl MerchantTool {
    /// The tool as a model sees it.
    pub(crate) fn describe(&self) -> Tool {
        let (input, output) = match self.what {
            What::ListOrders => (orders::input(), orders::output()),
            What::GetStock => (stock::input(), stock::output()),
            What::ListDeadJobs => (jobs::list_input(), jobs::list_output()),
            What::ReplayJob => (jobs::replay_input(), jobs::replay_output()),
            What::ListDeliveries => (deliveries::list_input(), deliveries::list_output()),
            What::ReplayDelivery => (deliveries::replay_input(), deliveries::replay_output()),
        };
        let annotations = ToolAnnotations::new()
            .read_only(!matches!(self.what, What::ReplayJob | What::ReplayDelivery))
            .destructive(false)
            .idempotent(true)
            .open_world(false);
        Tool::new(self.name, self.description, object(input))
            .with_title(self.title)
            .with_raw_output_schema(object(output))
            .with_annotations(annotations)
    }

    /// Does it for those who may. What the shop refuses is a result that says so; a model can read it.
    pub(crate) async fn call(
        &self,
        engine: &Engine,
        asked: &Asked<'_>,
        arguments: JsonObject,
    ) -> Result<CallToolResult, ErrorData> {
        asked.ctx.require(self.scope).map_err(|refusal| asked.refused(&refusal.into()))?;
        let ctx = asked.ctx;
        let answer = match self.what {
            What::ListOrders => orders::list(engine, ctx, read(arguments)?).await,
            What::GetStock => stock::get(engine, ctx, read(arguments)?).await,
            What::ListDeadJobs => jobs::list(engine, ctx, read(arguments)?).await,
            What::ReplayJob => jobs::replay(engine, ctx, read(arguments)?).await,
            What::ListDeliveries => deliveries::list(engine, ctx, read(arguments)?).await,
            What::ReplayDelivery => deliveries::replay(engine, ctx, read(arguments)?).await,
        };
        match answer {
            Ok(value) => Ok(CallToolResult::structured(value)),
            Err(error) if is_for_the_caller(&error) => {
                let text = format!("{}: {}", error.code(), error.refusal.message);
                Ok(CallToolResult::error(vec![ContentBlock::text(text)]))
            }
            Err(error) => Err(asked.refused(&error)),
        }
    }
}

fn is_for_the_caller(error: &Error) -> bool {
    error.source.is_none() && status_of(error.code()).is_client_error()
}

fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, ErrorData> {
    serde_json::from_value(Value::Object(arguments)).map_err(|error| {
        ErrorData::invalid_params(format!("the arguments are wrong: {error}"), None)
    })
}

/// How many entries a page has if nobody says otherwise.
fn page_limit() -> u32 {
    24
}

/// The schema of a page.
fn page_schema(name: &str, entry: &Value) -> Value {
    json!({
        "type": "object",
        "required": [name],
        "properties": {
            name: { "type": "array", "items": entry },
            "next_cursor": { "type": "string", "description": "Send it as cursor for the next page." }
        }
    })
}

/// The properties by which a page is asked for.
fn page_properties() -> Value {
    json!({
        "cursor": { "type": "string", "description": "The next_cursor of the page before." },
        "limit": { "type": "integer", "minimum": 1, "maximum": 100, "default": page_limit() }
    })
}

/// A page as it is answered.
fn page(name: &str, entries: &[Value], next_cursor: Option<String>) -> Value {
    let mut page = json!({ name: entries });
    if let Some(cursor) = next_cursor {
        page["next_cursor"] = Value::String(cursor);
    }
    page
}
