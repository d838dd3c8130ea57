//! Answers of the UCP door: their shape, and what they mean to a program.

use handel_domain::{
    Code, Refusal,
    id::{CheckoutId, LineId, OrderId, VariantId},
};
use serde::Deserialize;

use crate::door::{
    Call, Reply,
    http::Received,
    reply::{Checkout, Goods, Line, Money, Purchase, Served},
};

/// What an answer says to the program that made a call.
pub(super) fn read(call: &Call, received: &Received) -> Served {
    if !received.status.is_success() {
        return Err(not_worked_on(received)?);
    }
    let envelope: Envelope = received.json()?;
    if received.media_type() != "application/json" || envelope.messages.iter().any(Message::is_odd)
    {
        return Err(received.broken("an answer without the shape of the protocol"));
    }
    match envelope.ucp.status.as_str() {
        "success" => {}
        "error" => return Err(nothing(call, received, &envelope)),
        _ => return Err(received.broken("neither success nor error")),
    }
    let reply = match call {
        Call::ListProducts | Call::ViewProduct { .. } => {
            let catalog: Catalog = received.json()?;
            Reply::Other(format!("{} products", catalog.products.len()))
        }
        Call::SeeOrder { .. } => {
            signed(received)?;
            let order: Order = received.json()?;
            let sums = (order.line_items.len(), order.totals.len());
            Reply::Other(format!("{} of {}: {sums:?}", order.id, order.checkout_id))
        }
        Call::Complete { .. } => {
            signed(received)?;
            Reply::Purchase(purchase(&received.json()?, received)?)
        }
        _ => Reply::Checkout(checkout(&received.json()?, received)?),
    };
    Ok(received.told(reply))
}

/// What money or a promise hangs on is signed.
fn signed(received: &Received) -> Result<(), Refusal> {
    let is_signed = ["signature", "signature-input", "content-digest"]
        .iter()
        .all(|name| received.headers.contains_key(*name));
    if is_signed { Ok(()) } else { Err(received.broken("an answer without a signature")) }
}

/// An error of the transport, or of the limits before the door.
fn not_worked_on(received: &Received) -> Result<Refusal, Refusal> {
    if received.media_type() == "application/problem+json" {
        return received.problem();
    }
    let error: TransportError = received.json()?;
    let code = match (received.status.as_u16(), error.code.as_str()) {
        (409, "idempotency_conflict") => Code::IdempotencyConflict,
        (409, "idempotency_in_flight") => Code::IdempotencyInFlight,
        // The program's own host was away for a while.
        (424, "profile_unreachable") => Code::Overloaded,
        (503, "unavailable") => Code::Overloaded,
        _ => return Err(received.broken("an error that nothing here deserves")),
    };
    if code == Code::Overloaded
        && received.status == 503
        && !received.headers.contains_key("retry-after")
    {
        return Err(received.broken("nobody says when to come back"));
    }
    Ok(Refusal::new(code, error.content))
}

/// An outcome without a resource.
fn nothing(call: &Call, received: &Received, envelope: &Envelope) -> Refusal {
    let Some(first) = envelope.messages.first() else {
        return received.broken("an error that says nothing");
    };
    let code = match first.code.as_str() {
        "not_found" if matches!(call, Call::SeeOrder { .. }) => Code::OrderUnknown,
        "not_found" => Code::CheckoutUnknown,
        _ => match refused(first) {
            Some(code) => code,
            None => return received.broken("an outcome that nothing here deserves"),
        },
    };
    Refusal::new(code, first.content.clone())
}

/// The refusal that a message tells of.
fn refused(message: &Message) -> Option<Code> {
    Some(match message.code.as_str() {
        "already_closed" => Code::CheckoutClosed,
        "complete_in_progress" => Code::PaymentInProgress,
        "totals_changed" => Code::TotalsChanged,
        "checkout_changed" => Code::CartChanged,
        "discount_code_expired" => Code::PromotionUsedUp,
        "out_of_stock" => Code::StockShort,
        "item_unavailable" => Code::VariantUnknown,
        "incomplete" => Code::CheckoutIncomplete,
        _ => return None,
    })
}

fn checkout(body: &CheckoutBody, received: &Received) -> Result<Checkout, Refusal> {
    let first = body.messages.iter().find(|message| message.kind == "error");
    // Other errors are in the way of buying, but not of what was asked.
    if let Some(first) = first
        && matches!(
            first.code.as_str(),
            "already_closed" | "complete_in_progress" | "checkout_changed"
        )
    {
        return Err(refusal(first, body, received));
    }
    Ok(Checkout {
        id: body.id,
        version: None,
        is_canceled: body.status == Status::Canceled,
        has_order: body.order.is_some(),
        goods: body.goods(received)?,
    })
}

fn purchase(body: &CheckoutBody, received: &Received) -> Result<Purchase, Refusal> {
    let first = body.messages.iter().find(|message| message.kind == "error");
    let money = match (body.status, first) {
        (Status::Completed, _) => Money::Paid,
        (_, Some(first)) if first.code == "payment_failed" => match failure(first) {
            Some(code) => Money::Declined(code),
            None => return Err(Refusal::new(Code::PaymentSuperseded, first.content.clone())),
        },
        (Status::RequiresEscalation, Some(first)) if first.code == "payment_action_required" => {
            Money::WaitsForBuyer
        }
        (_, Some(first)) => return Err(refusal(first, body, received)),
        (Status::CompleteInProgress, None) => Money::UnderWay,
        (Status::Canceled, None) => {
            return Err(Refusal::new(Code::CheckoutClosed, "it was canceled meanwhile"));
        }
        _ => return Err(received.broken("neither bought nor refused")),
    };
    let has_order = body.order.is_some();
    if has_order != (body.status == Status::Completed) {
        return Err(received.broken("an order is shown exactly when nothing is owed"));
    }
    Ok(Purchase {
        checkout: Some(body.id),
        order: body.order.as_ref().map(|order| order.id),
        is_canceled: false,
        goods: Some(body.goods(received)?),
        money,
    })
}

/// A refusal that shows the checkout with its total.
fn refusal(message: &Message, body: &CheckoutBody, received: &Received) -> Refusal {
    let Some(code) = refused(message) else {
        return received.broken("a message that nothing here deserves");
    };
    let mut refusal = Refusal::new(code, message.content.clone());
    refusal.details.total_minor = body.goods(received).ok().map(|goods| goods.total_minor);
    refusal
}

/// Why a payment failed, which the protocol tells to people alone. None if this one was not tried.
fn failure(message: &Message) -> Option<Code> {
    let says = |words| message.content.contains(words);
    if says("cannot be reached") {
        return Some(Code::ProviderUnavailable);
    }
    let tried = says("was declined") || says("another amount") || says("the payment failed");
    tried.then_some(Code::PaymentDeclined)
}

#[derive(Deserialize)]
struct Envelope {
    ucp: Meta,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Meta {
    status: String,
}

#[derive(Deserialize)]
struct Message {
    #[serde(rename = "type")]
    kind: String,
    code: String,
    content: String,
    severity: Option<String>,
}

impl Message {
    /// Whether it is none that the protocol knows: errors, and nothing else, have a severity.
    fn is_odd(&self) -> bool {
        !matches!(self.kind.as_str(), "error" | "warning" | "info")
            || self.content.is_empty()
            || (self.kind == "error") != self.severity.is_some()
    }
}

#[derive(Deserialize)]
struct TransportError {
    code: String,
    content: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Incomplete,
    RequiresEscalation,
    ReadyForComplete,
    CompleteInProgress,
    Completed,
    Canceled,
}

#[derive(Deserialize)]
struct CheckoutBody {
    id: CheckoutId,
    status: Status,
    line_items: Vec<LineBody>,
    totals: Vec<TotalBody>,
    #[serde(default)]
    messages: Vec<Message>,
    order: Option<Confirmation>,
}

#[derive(Deserialize)]
struct LineBody {
    id: LineId,
    item: ItemBody,
    quantity: i64,
}

#[derive(Deserialize)]
struct ItemBody {
    id: VariantId,
}

#[derive(Deserialize)]
struct TotalBody {
    #[serde(rename = "type")]
    kind: String,
    amount: i64,
}

#[derive(Deserialize)]
struct Confirmation {
    id: OrderId,
}

#[derive(Deserialize)]
struct Catalog {
    products: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Order {
    id: OrderId,
    checkout_id: CheckoutId,
    line_items: Vec<serde_json::Value>,
    totals: Vec<TotalBody>,
}

impl CheckoutBody {
    /// The total is the sum of the other rows.
    fn goods(&self, received: &Received) -> Result<Goods, Refusal> {
        let total = self.totals.iter().find(|row| row.kind == "total").map(|row| row.amount);
        let others = self.totals.iter().filter(|row| row.kind != "total");
        let sum: i64 = others.map(|row| row.amount).sum();
        let total = total.filter(|total| *total == sum);
        let total_minor = total.ok_or_else(|| received.broken("totals do not add up"))?;
        let line = |line: &LineBody| Line {
            id: line.id,
            variant_id: line.item.id,
            quantity: line.quantity,
        };
        Ok(Goods { lines: self.line_items.iter().map(line).collect(), total_minor })
    }
}
