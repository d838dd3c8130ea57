//! What the engine says, in the words of those who asked.

use std::fmt::Debug;

use handel_domain::{
    checkout::CheckoutStatus,
    order::{self, PaymentStatus},
    payment::{AttemptStatus, NextAction},
};
use handel_engine::{CheckoutView, Completion, Once, OwnedCart};

use super::Said;
use crate::door::reply::{Cart, Checkout, Goods, Line, Money, Order, Purchase, Reply, Told};

pub(super) fn told<T: Debug>(said: &T, reply: impl FnOnce(&T) -> Reply) -> Told {
    Told { words: format!("{said:?}"), reply: reply(said) }
}

pub(super) fn once<T: Debug>(once: &Once<T>, reply: impl FnOnce(&T) -> Reply) -> Said {
    Ok(told(&once.reply, reply))
}

pub(super) fn cart(owned: &OwnedCart) -> Reply {
    let cart = &owned.view.cart;
    Reply::Cart(Cart {
        id: cart.id,
        token: owned.token.clone(),
        lines: cart.lines.iter().map(|line| line.id).collect(),
        has_codes: !cart.codes.is_empty(),
        is_reduced: !owned.view.quote.discounts.is_empty(),
    })
}

pub(super) fn checkout(view: &CheckoutView) -> Reply {
    let checkout = &view.checkout;
    let lines = checkout.lines.iter();
    Reply::Checkout(Checkout {
        id: checkout.id,
        version: Some(checkout.version),
        is_canceled: checkout.status == CheckoutStatus::Canceled,
        has_order: checkout.order_id.is_some(),
        goods: Goods {
            lines: lines
                .map(|line| Line {
                    id: line.id,
                    variant_id: line.variant_id,
                    quantity: line.quantity,
                })
                .collect(),
            total_minor: match &view.completion {
                Some(done) => done.order.total_minor,
                None => view.quote.totals.total_minor,
            },
        },
    })
}

pub(super) fn purchase(completion: &Completion) -> Reply {
    let order = &completion.order;
    let lines = order.lines.iter();
    Reply::Purchase(Purchase {
        checkout: Some(order.checkout_id),
        order: Some(order.id),
        is_canceled: order.status == order::Status::Canceled,
        goods: Some(Goods {
            lines: lines
                .map(|line| Line {
                    id: line.id,
                    variant_id: line.variant_id,
                    quantity: line.ordered,
                })
                .collect(),
            total_minor: order.total_minor,
        }),
        money: money(completion),
    })
}

fn money(completion: &Completion) -> Money {
    let Some(payment) = &completion.payment else { return Money::Paid };
    if let Some(refusal) = completion.payment_refusal() {
        return Money::Declined(refusal.code);
    }
    let waits = payment.attempt.as_ref().is_some_and(|attempt| {
        attempt.status == AttemptStatus::RequiresAction
            && matches!(attempt.next_action, Some(NextAction::Redirect { .. }))
    });
    match payment.status {
        PaymentStatus::Paid => Money::Paid,
        _ if waits => Money::WaitsForBuyer,
        _ => Money::UnderWay,
    }
}

impl From<&order::Order> for Order {
    fn from(order: &order::Order) -> Self {
        Self {
            id: order.id,
            status: order.status.to_string(),
            lines: order.lines.iter().map(|line| line.id).collect(),
        }
    }
}
