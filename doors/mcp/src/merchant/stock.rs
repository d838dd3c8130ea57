//! Stock, as the merchant looks at it.

use handel_domain::id::VariantId;
use handel_engine::{Context, Engine, Error, StockView};
use serde::Deserialize;
use serde_json::{Value, json};

/// Of what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    variant_id: VariantId,
}

pub(super) fn input() -> Value {
    json!({
        "type": "object",
        "required": ["variant_id"],
        "properties": {
            "variant_id": { "type": "string", "description": "The id of a variant, such as search_catalog shows it." }
        },
        "additionalProperties": false
    })
}

pub(super) fn output() -> Value {
    json!({
        "type": "object",
        "required": ["levels"],
        "properties": {
            "levels": {
                "type": "array",
                "description": "One for each place where it lies.",
                "items": {
                    "type": "object",
                    "required": ["location_id", "on_hand", "allocated", "held", "safety"],
                    "properties": {
                        "location_id": { "type": "string" },
                        "on_hand": { "type": "integer", "description": "How many lie there." },
                        "allocated": { "type": "integer", "description": "Promised to orders that have not shipped." },
                        "held": { "type": "integer", "description": "Held by open checkouts." },
                        "safety": { "type": "integer", "description": "Never sold." },
                        "available": { "type": "integer", "description": "Can be sold now; absent where that has no limit." }
                    }
                }
            }
        }
    })
}

pub(super) async fn get(engine: &Engine, ctx: &Context, wanted: Wanted) -> Result<Value, Error> {
    let levels = engine.get_stock(ctx, wanted.variant_id).await?;
    Ok(json!({ "levels": levels.iter().map(view).collect::<Vec<_>>() }))
}

fn view(StockView { level, available }: &StockView) -> Value {
    let mut view = json!({
        "location_id": level.location_id.to_string(),
        "on_hand": level.on_hand,
        "allocated": level.allocated,
        "held": level.held,
        "safety": level.safety,
    });
    if let Some(available) = available {
        view["available"] = json!(available);
    }
    view
}
