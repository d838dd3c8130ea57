//! A checkout as 2026-01-11 shows it.
//!
//! Once it became an order, lines and amounts are those of the order, which no longer change.

use handel_domain::{
    checkout::{Buyer, CheckoutStatus, LineProblem, QuotedLine},
    id::LineId,
    order::{Order, PaymentStatus},
    totals::LineTotals,
};
use handel_engine::{CheckoutView, Completion};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Compat,
    address::PostalAddress,
    buyer,
    money::{Sums, entry},
    profile::{envelope, handlers},
};

/// The one way in which the goods of a checkout go.
const METHOD: &str = "shipping";
/// All lines go in one group.
const GROUP: &str = "all";

/// A checkout as it was when it was written, so that a repetition is answered with the same text.
pub(crate) fn written(compat: &Compat, view: &CheckoutView) -> Value {
    checkout(compat, view, view.checkout.updated_at)
}

/// A checkout as of a time, with the order that it became if it did.
pub(crate) fn checkout(compat: &Compat, view: &CheckoutView, now: Timestamp) -> Value {
    let (engine, checkout) = (compat.door.engine(), &view.checkout);
    let status = status(view, now);
    let (sums, lines) = match &view.completion {
        Some(completion) => of_order(&completion.order),
        None => of_quote(view),
    };
    let mut shown = json!({
        "ucp": envelope(&["checkout", "discount", "fulfillment", "buyer_consent"]),
        "id": checkout.id.to_string(),
        "status": status,
        "currency": view.currency.to_string(),
        "line_items": lines.iter().map(|line| line.view(&sums)).collect::<Vec<_>>(),
        "totals": sums.entries(),
        "links": [],
        "payment": { "handlers": handlers(&compat.settings.base_url), "instruments": [] },
        "expires_at": checkout.expires_at.to_string(),
        "messages": messages(view, status),
    });
    let ids: Vec<_> = lines.iter().map(|line| line.id).collect();
    if !checkout.codes.is_empty() || !sums.applied(&ids).is_empty() {
        shown["discounts"] = json!({ "codes": checkout.codes, "applied": sums.applied(&ids) });
    }
    if let Some(buyer) = buyer::view(&checkout.buyer) {
        shown["buyer"] = buyer;
    }
    if view.quote.needs_shipping() {
        shown["fulfillment"] = json!({ "methods": [method(view, &ids)] });
    }
    match (&view.completion, status) {
        (Some(completion), "completed") => shown["order"] = confirmation(compat, completion),
        (_, "canceled") => {}
        _ => {
            let token = engine.handoff_token(checkout.cart_id, checkout.expires_at);
            let public_url = &compat.door.settings().public_url;
            shown["continue_url"] = json!(format!("{public_url}/continue/{token}"));
        }
    }
    shown
}

/// How far a checkout has come.
pub(crate) fn status(view: &CheckoutView, now: Timestamp) -> &'static str {
    match (&view.completion, view.checkout.status) {
        (_, CheckoutStatus::Canceled) => "canceled",
        (Some(completion), _) => of_payment(completion),
        (None, _) if view.checkout.has_expired(now) => "canceled",
        (None, _) if view.missing.is_empty() && shortage(view).is_none() => "ready_for_complete",
        (None, _) => "incomplete",
    }
}

fn of_payment(completion: &Completion) -> &'static str {
    let Some(payment) = &completion.payment else { return "completed" };
    match payment.status {
        // The order waits for another attempt.
        PaymentStatus::Unpaid | PaymentStatus::PartiallyPaid => "ready_for_complete",
        PaymentStatus::RequiresAction => "requires_escalation",
        PaymentStatus::Processing | PaymentStatus::Unknown => "complete_in_progress",
        PaymentStatus::Paid | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => {
            "completed"
        }
    }
}

/// The SKU of the first line that asks for more than there is.
pub(crate) fn shortage(view: &CheckoutView) -> Option<&str> {
    let is_short = |line: &&QuotedLine| {
        line.problems.iter().any(|problem| matches!(problem, LineProblem::StockShort { .. }))
    };
    let line = view.quote.lines.iter().find(is_short)?;
    Some(line.offer.as_ref().map_or("an item", |offer| offer.sku.as_str()))
}

/// A line of a basket or of an order.
struct Line<'a> {
    id: LineId,
    sku: &'a str,
    title: &'a str,
    image_url: Option<&'a str>,
    price_minor: i64,
    quantity: i64,
    totals: LineTotals,
}

impl Line<'_> {
    fn view(&self, sums: &Sums<'_>) -> Value {
        json!({
            "id": self.id.to_string(),
            "item": item(self.sku, self.title, self.price_minor, self.image_url),
            "quantity": self.quantity,
            "totals": sums.of_line(self.id, &self.totals),
        })
    }
}

/// An item by its SKU, which is what the suite buys by.
pub(crate) fn item(sku: &str, title: &str, price_minor: i64, image_url: Option<&str>) -> Value {
    let mut item = json!({ "id": sku, "title": title, "price": price_minor });
    if let Some(url) = image_url {
        item["image_url"] = json!(url);
    }
    item
}

fn of_quote(view: &CheckoutView) -> (Sums<'_>, Vec<Line<'_>>) {
    let is_shipping_chosen =
        view.checkout.buyer.shipping_method.is_some() && view.quote.needs_shipping();
    let lines = view.quote.lines.iter().map(line_of_quote).collect();
    (Sums::of_quote(&view.quote, is_shipping_chosen), lines)
}

fn line_of_quote(quoted: &QuotedLine) -> Line<'_> {
    let offer = quoted.offer.as_ref();
    let price_minor = offer.and_then(|offer| offer.unit_price_minor);
    Line {
        id: quoted.line.id,
        sku: offer.map_or("", |offer| offer.sku.as_str()),
        title: offer.map_or("", |offer| offer.title.as_str()),
        image_url: offer.and_then(|offer| offer.image_url.as_deref()),
        price_minor: price_minor.unwrap_or_default(),
        quantity: quoted.line.quantity,
        totals: quoted.totals,
    }
}

fn of_order(order: &Order) -> (Sums<'_>, Vec<Line<'_>>) {
    let lines = order.lines.iter().map(|line| Line {
        id: line.id,
        sku: line.sku.as_str(),
        title: &line.title,
        image_url: line.image_url.as_deref(),
        price_minor: line.unit_price_minor,
        quantity: line.ordered,
        totals: line.totals,
    });
    (Sums::of_order(order), lines.collect())
}

fn method(view: &CheckoutView, lines: &[LineId]) -> Value {
    let buyer = &view.checkout.buyer;
    let ids: Vec<_> = lines.iter().map(ToString::to_string).collect();
    let mut method = json!({ "id": METHOD, "type": METHOD, "line_item_ids": ids });
    if !buyer.destinations.is_empty() {
        method["destinations"] = json!(destinations(buyer));
    }
    let Some(selected) = &buyer.selected_destination else { return method };
    method["selected_destination_id"] = json!(selected);
    let mut group = json!({ "id": GROUP, "line_item_ids": ids });
    if view.completion.is_none() {
        group["options"] = json!(options(view));
    }
    if let Some(code) = &buyer.shipping_method {
        group["selected_option_id"] = json!(code.as_str());
    }
    method["groups"] = json!([group]);
    method
}

fn destinations(buyer: &Buyer) -> Vec<Value> {
    let shown = buyer.destinations.iter().map(|destination| {
        let mut shown = json!(PostalAddress::of_shop(&destination.address));
        shown["id"] = json!(destination.id);
        shown
    });
    shown.collect()
}

fn options(view: &CheckoutView) -> Vec<Value> {
    view.shipping_prices()
        .map(|(option, price_minor)| {
            let discount_minor = option.amount_minor - price_minor;
            json!({
                "id": option.code.as_str(),
                "title": option_title(&option.name, option.amount_minor, discount_minor),
                "totals": [entry("subtotal", price_minor), entry("total", price_minor)],
            })
        })
        .collect()
}

/// The title of an option, which says so where a promotion pays for it.
pub(crate) fn option_title(name: &str, amount_minor: i64, discount_minor: i64) -> String {
    match discount_minor > 0 && discount_minor == amount_minor {
        true => format!("{name} (Free)"),
        false => name.to_owned(),
    }
}

fn confirmation(compat: &Compat, completion: &Completion) -> Value {
    let Completion { order, order_token, .. } = completion;
    let public_url = &compat.door.settings().public_url;
    json!({
        "id": order.id.to_string(),
        "permalink_url": format!("{public_url}/orders/{}?token={order_token}", order.id),
    })
}

/// What stands between a checkout and its completion.
fn messages(view: &CheckoutView, status: &str) -> Vec<Value> {
    let error = |code: &str, content: &str, severity: &str| json!({ "type": "error", "code": code, "content": content, "severity": severity });
    let mut messages = Vec::new();
    if status == "requires_escalation" {
        let content = "the payment provider asks the buyer to confirm the payment";
        messages.push(error("payment_action", content, "requires_buyer_review"));
    }
    if let Some(sku) = shortage(view).filter(|_| view.completion.is_none()) {
        let content = format!("Insufficient stock for {sku}");
        messages.push(error("out_of_stock", &content, "recoverable"));
    }
    for missing in &view.missing {
        let content = format!("{} {}", missing.pointer.trim_start_matches('/'), missing.message);
        messages.push(error("missing", &content, "recoverable"));
    }
    let open = view.completion.is_none();
    for rejected in view.quote.rejected_codes.iter().filter(|_| open) {
        let content = format!("the code {} changes nothing", rejected.code);
        messages.push(
            json!({ "type": "warning", "code": "discount_code_invalid", "content": content }),
        );
    }
    messages
}
