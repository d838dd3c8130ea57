//! Orders, as answers and as news.

use serde_json::{Value, json};

use super::{Object, resource};
use crate::neutral::order::{Adjustment, Expectation, Order, Parcel};

/// Everything of an order but the `ucp` member.
pub(crate) fn order(order: &Order) -> Object {
    let lines = order.goods.lines.iter().zip(&order.progress);
    let lines = lines.map(|(line, progress)| {
        json!({
            "id": line.id,
            "item": resource::item(&line.item),
            "quantity": {
                "original": progress.original, "total": progress.total, "fulfilled": progress.fulfilled,
            },
            "totals": resource::totals(&line.totals),
            "status": progress.status(),
        })
    });
    let fulfillment = json!({
        "expectations": order.expectation.iter().map(expectation).collect::<Vec<_>>(),
        "events": order.parcels.iter().map(parcel).collect::<Vec<_>>(),
    });
    let attribution = Some(&order.attribution).filter(|attribution| !attribution.is_empty());
    Object::new()
        .with("id", order.id.as_str())
        .with("label", order.label.as_str())
        .with("checkout_id", order.checkout_id.as_str())
        .with("permalink_url", order.permalink_url.as_str())
        .with("line_items", lines.collect::<Vec<_>>())
        .with("fulfillment", fulfillment)
        .with_list("adjustments", order.adjustments.iter().map(adjustment).collect())
        .with("currency", order.currency.as_str())
        .with("totals", resource::totals(&order.goods.totals))
        .with_some("attribution", attribution.map(|attribution| json!(attribution)))
}

fn expectation(expectation: &Expectation) -> Value {
    Object::new()
        .with("id", expectation.id)
        .with("line_items", units(&expectation.units))
        .with("method_type", expectation.method)
        .with("destination", resource::address(&expectation.destination))
        .with_some("description", expectation.description.as_deref())
        .into()
}

fn parcel(parcel: &Parcel) -> Value {
    let tracking = &parcel.tracking;
    Object::new()
        .with("id", parcel.id.as_str())
        .with("occurred_at", parcel.occurred_at.to_string())
        .with("type", parcel.kind)
        .with("line_items", units(&parcel.units))
        .with_some("tracking_number", tracking.number.as_deref())
        .with_some("tracking_url", tracking.url.as_deref())
        .with_some("carrier", tracking.carrier.as_deref())
        .into()
}

fn adjustment(adjustment: &Adjustment) -> Value {
    let totals = adjustment
        .amount_minor
        .map(|amount| vec![json!({ "type": "total", "display_text": "Total", "amount": amount })]);
    Object::new()
        .with("id", adjustment.id.as_str())
        .with("type", adjustment.kind)
        .with("occurred_at", adjustment.occurred_at.to_string())
        .with("status", adjustment.status)
        .with_list("line_items", units(&adjustment.units))
        .with_some("totals", totals)
        .with_some("description", adjustment.description.as_deref())
        .into()
}

fn units(units: &[(String, i64)]) -> Vec<Value> {
    units.iter().map(|(id, quantity)| json!({ "id": id, "quantity": quantity })).collect()
}
