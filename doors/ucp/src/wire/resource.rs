//! Parts of carts and checkouts.

use handel_domain::{address::Address, checkout::Buyer};
use serde_json::{Value, json};

use super::Object;
use crate::neutral::{
    basket::{Item, Line},
    checkout::Confirmation,
    delivery::{self, Delivery, DeliveryOption, GROUP, METHOD},
    discount::{Applied, Discounts},
    policy::{Link, Policy},
    totals::Total,
};

/// Rows of amounts.
pub(crate) fn totals(rows: &[Total]) -> Vec<Value> {
    rows.iter().map(total).collect()
}

fn total(row: &Total) -> Value {
    let parts = row.parts.iter();
    let parts = parts.map(|(text, amount)| json!({ "display_text": text, "amount": amount }));
    Object::new()
        .with("type", row.kind.as_str())
        .with("display_text", row.text)
        .with("amount", row.amount_minor)
        .with_list("lines", parts.collect())
        .into()
}

/// Lines in their order.
pub(crate) fn lines(lines: &[Line]) -> Vec<Value> {
    let line = |line: &Line| {
        json!({
            "id": line.id,
            "item": item(&line.item),
            "quantity": line.quantity,
            "totals": totals(&line.totals),
        })
    };
    lines.iter().map(line).collect()
}

/// What is on a line.
pub(crate) fn item(item: &Item) -> Value {
    Object::new()
        .with("id", item.id.as_str())
        .with("title", item.title.as_str())
        .with("price", item.price_minor)
        .with_some("image_url", item.image_url.as_deref())
        .into()
}

/// Who buys, without consents, which every version writes in its own way.
pub(crate) fn buyer(buyer: &Buyer) -> Object {
    Object::new()
        .with_some("email", buyer.email.as_ref().map(ToString::to_string))
        .with_some("first_name", buyer.first_name.as_deref())
        .with_some("last_name", buyer.last_name.as_deref())
        .with_some("phone_number", buyer.phone.as_deref())
}

/// An address (UCP, `postal_address.json`).
pub(crate) fn address(address: &Address) -> Object {
    let spelled = delivery::spelled(address);
    Object::new()
        .with_some("first_name", spelled.first_name)
        .with_some("last_name", spelled.last_name)
        .with_some("street_address", spelled.street)
        .with_some("extended_address", spelled.extended)
        .with_some("address_locality", spelled.locality)
        .with_some("address_region", spelled.region)
        .with_some("postal_code", spelled.postal_code)
        .with_some("address_country", spelled.country)
        .with_some("phone_number", spelled.phone)
}

/// Where goods can go and how. `destination` writes an address as the version does.
pub(crate) fn fulfillment(
    delivery: &Delivery,
    destination: impl Fn(&str, &Address) -> Value,
) -> Value {
    let destinations = delivery.destinations.iter();
    let destinations = destinations.map(|(id, address)| destination(id, address));
    let groups = json!([{
        "id": GROUP,
        "line_item_ids": delivery.line_ids,
        "options": delivery.options.iter().map(option).collect::<Vec<_>>(),
        "selected_option_id": delivery.option,
    }]);
    let method = Object::new()
        .with("id", METHOD)
        .with("type", METHOD)
        .with("line_item_ids", delivery.line_ids.clone())
        .with("destinations", destinations.collect::<Vec<_>>())
        .with("selected_destination_id", delivery.destination.clone())
        .with("groups", groups);
    json!({ "methods": [Value::from(method)] })
}

fn option(option: &DeliveryOption) -> Value {
    json!({
        "id": option.id,
        "title": option.title,
        "totals": [{ "type": "total", "display_text": "Total", "amount": option.amount_minor }],
    })
}

/// Codes and what they take off.
pub(crate) fn discounts(discounts: &Discounts) -> Value {
    let applied: Vec<_> = discounts.applied.iter().map(applied).collect();
    json!({ "codes": discounts.codes, "applied": applied })
}

fn applied(applied: &Applied) -> Value {
    let allocations = applied.allocations.iter();
    let allocations = allocations.map(|(path, amount)| json!({ "path": path, "amount": amount }));
    Object::new()
        .with_some("code", applied.code.as_deref())
        .with("title", applied.title.as_str())
        .with("amount", applied.amount_minor)
        .with("automatic", applied.code.is_none())
        .with_list("allocations", allocations.collect())
        .into()
}

/// Texts of the shop.
pub(crate) fn links(links: &[Link]) -> Vec<Value> {
    let link = |link: &Link| json!({ "type": link.kind, "url": link.url, "title": link.title });
    links.iter().map(link).collect()
}

/// Rules of the shop.
pub(crate) fn policies(policies: &[Policy]) -> Vec<Value> {
    let policy = |policy: &Policy| {
        json!({
            "type": policy.kind,
            "description": { "plain": policy.summary },
            "url": policy.url,
        })
    };
    policies.iter().map(policy).collect()
}

/// The order of a checkout.
pub(crate) fn confirmation(order: &Confirmation) -> Value {
    json!({ "id": order.id, "label": order.label, "permalink_url": order.permalink_url })
}
