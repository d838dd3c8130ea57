//! Answers of the REST door, and what they mean to a shopper.

use handel_domain::{
    Refusal,
    id::{CartId, CheckoutId, LineId, OrderId, VariantId},
    refusal::Kind,
};
use serde::Deserialize;
use serde_json::Value;

use crate::door::{
    Call, Reply,
    http::Received,
    reply::{Cart, Checkout, Goods, Line, Money, Order, Purchase, Served, Told},
};

/// What an answer says to the shopper who made a call.
pub(super) fn read(call: &Call, received: &Received) -> Served {
    if !received.status.is_success() {
        return problem(call, received.problem()?);
    }
    if received.media_type() != "application/json" {
        return Err(received.broken("an answer that is no JSON"));
    }
    let reply = match call {
        Call::ListProducts => {
            let list: List = received.json()?;
            Reply::Other(format!("{} products", list.items.len()))
        }
        Call::ViewProduct { .. } | Call::Webhook { .. } => {
            received.json::<Value>()?;
            Reply::Other("as it should be".to_owned())
        }
        Call::CreateCheckout { .. } | Call::UpdateCheckout { .. } | Call::SeeCheckout { .. } => {
            Reply::Checkout(received.json::<CheckoutBody>()?.into())
        }
        Call::Complete { .. } | Call::Submit { .. } => {
            Reply::Purchase(received.json::<CompletionBody>()?.into())
        }
        Call::SeeOrder { .. } => Reply::Order(received.json::<OrderBody>()?.into()),
        _ => Reply::Cart(received.json::<CartBody>()?.into()),
    };
    Ok(received.told(reply))
}

/// A declined payment is told as a problem, with the order that can be paid in another way.
fn problem(call: &Call, refusal: Refusal) -> Served {
    let checkout = match call {
        Call::Complete { checkout, .. } => Some(*checkout),
        _ => None,
    };
    let fails = matches!(refusal.code.kind(), Kind::PaymentFailed | Kind::Unavailable);
    match refusal.details.order_id.filter(|_| fails) {
        Some(order) => Ok(Told {
            // The document names the request, which is another each time.
            words: format!("{} {order}: {refusal}", refusal.code),
            reply: Reply::Purchase(Purchase {
                checkout,
                order: Some(order),
                is_canceled: false,
                goods: None,
                money: Money::Declined(refusal.code),
            }),
        }),
        None => Err(refusal),
    }
}

#[derive(Deserialize)]
struct List {
    items: Vec<Value>,
}

#[derive(Deserialize)]
struct CartBody {
    id: CartId,
    token: String,
    lines: Vec<LineBody>,
    codes: Vec<String>,
    discounts: Vec<Value>,
}

#[derive(Deserialize)]
struct LineBody {
    id: LineId,
    variant_id: VariantId,
    quantity: i64,
}

#[derive(Deserialize)]
struct CheckoutBody {
    id: CheckoutId,
    status: String,
    version: i64,
    lines: Vec<LineBody>,
    total_minor: i64,
    order: Option<OrderBody>,
}

#[derive(Deserialize)]
struct CompletionBody {
    checkout_id: CheckoutId,
    order: OrderBody,
    payment: Option<PaymentBody>,
}

#[derive(Deserialize)]
struct OrderBody {
    id: OrderId,
    status: String,
    lines: Vec<LineBody>,
    total_minor: i64,
}

#[derive(Deserialize)]
struct PaymentBody {
    status: String,
    next_action: Option<String>,
}

impl From<CartBody> for Cart {
    fn from(body: CartBody) -> Self {
        Self {
            id: body.id,
            token: body.token,
            lines: body.lines.iter().map(|line| line.id).collect(),
            has_codes: !body.codes.is_empty(),
            is_reduced: !body.discounts.is_empty(),
        }
    }
}

impl From<CheckoutBody> for Checkout {
    fn from(body: CheckoutBody) -> Self {
        Self {
            id: body.id,
            version: Some(body.version),
            is_canceled: body.status == "canceled",
            has_order: body.order.is_some(),
            goods: goods(&body.lines, body.total_minor),
        }
    }
}

impl From<CompletionBody> for Purchase {
    fn from(body: CompletionBody) -> Self {
        let money = match &body.payment {
            None => Money::Paid,
            Some(payment) if payment.status == "paid" => Money::Paid,
            Some(payment) if payment.next_action.as_deref() == Some("redirect") => {
                Money::WaitsForBuyer
            }
            Some(_) => Money::UnderWay,
        };
        Self {
            checkout: Some(body.checkout_id),
            order: Some(body.order.id),
            is_canceled: body.order.status == "canceled",
            goods: Some(goods(&body.order.lines, body.order.total_minor)),
            money,
        }
    }
}

impl From<OrderBody> for Order {
    fn from(body: OrderBody) -> Self {
        let lines = body.lines.iter().map(|line| line.id).collect();
        Self { id: body.id, status: body.status, lines }
    }
}

fn goods(lines: &[LineBody], total_minor: i64) -> Goods {
    let line = |line: &LineBody| Line {
        id: line.id,
        variant_id: line.variant_id,
        quantity: line.quantity,
    };
    Goods { lines: lines.iter().map(line).collect(), total_minor }
}
