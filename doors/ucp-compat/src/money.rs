//! Amounts as 2026-01-11 shows them: all positive, discounts too, and shipping with its discount taken off.

use handel_domain::{
    checkout::Quote,
    id::LineId,
    order::Order,
    promotion::{AppliedDiscount, Class},
    totals::LineTotals,
};
use serde_json::{Value, json};

/// What a basket or an order costs, from either.
pub(crate) struct Sums<'a> {
    subtotal_minor: i64,
    discounts: &'a [AppliedDiscount],
    /// None until a method is chosen.
    shipping: Option<&'a LineTotals>,
    /// What comes on top of the prices; none where they contain it.
    tax_minor: Option<i64>,
    total_minor: i64,
}

impl<'a> Sums<'a> {
    /// The sums of a basket, in which shipping may be chosen or not.
    pub(crate) fn of_quote(quote: &'a Quote, is_shipping_chosen: bool) -> Self {
        let totals = &quote.totals;
        Self {
            subtotal_minor: totals.subtotal_minor,
            discounts: &quote.discounts,
            shipping: is_shipping_chosen.then_some(&totals.shipping),
            tax_minor: (!totals.prices_include_tax).then_some(totals.tax_minor),
            total_minor: totals.total_minor,
        }
    }

    /// The sums of an order.
    pub(crate) fn of_order(order: &'a Order) -> Self {
        Self {
            subtotal_minor: order.subtotal_minor,
            discounts: &order.discounts,
            shipping: order.shipping_method.is_some().then_some(&order.shipping),
            tax_minor: (!order.prices_include_tax).then_some(order.tax_minor),
            total_minor: order.total_minor,
        }
    }

    /// The list `totals`. Everything but the discounts adds up to the total when they are taken off.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let off = |class| {
            let discounts = self.discounts.iter().filter(|discount| discount.class == class);
            discounts.map(|discount| discount.amount_minor).sum::<i64>()
        };
        let mut entries = vec![entry("subtotal", self.subtotal_minor)];
        let some = |kind, amount: i64| (amount > 0).then(|| entry(kind, amount));
        entries.extend(some("items_discount", off(Class::Product)));
        entries.extend(some("discount", off(Class::Order)));
        entries.extend(self.shipping.map(|shipping| {
            entry("fulfillment", shipping.subtotal_minor - shipping.discount_minor)
        }));
        entries.extend(self.tax_minor.and_then(|tax_minor| some("tax", tax_minor)));
        entries.push(entry("total", self.total_minor));
        entries
    }

    /// The list `totals` of a line, with what is taken off this line alone.
    pub(crate) fn of_line(&self, id: LineId, totals: &LineTotals) -> Vec<Value> {
        let on_lines = self.discounts.iter().filter(|discount| discount.class == Class::Product);
        let parts = on_lines.flat_map(|discount| &discount.allocations);
        let off: i64 =
            parts.filter(|part| part.line_id == Some(id)).map(|part| part.amount_minor).sum();
        let mut entries = vec![entry("subtotal", totals.subtotal_minor)];
        entries.extend((off > 0).then(|| entry("items_discount", off)));
        entries.push(entry("total", totals.subtotal_minor - off));
        entries
    }

    /// The list `discounts.applied`. What comes off shipping stands in the price of shipping already.
    pub(crate) fn applied(&self, lines: &[LineId]) -> Vec<Value> {
        let goods = self.discounts.iter().filter(|discount| discount.class != Class::Shipping);
        goods.map(|discount| applied(discount, lines)).collect()
    }
}

fn applied(discount: &AppliedDiscount, lines: &[LineId]) -> Value {
    let parts = discount.allocations.iter().filter_map(|part| {
        let at = lines.iter().position(|line| Some(*line) == part.line_id)?;
        Some(json!({ "path": format!("$.line_items[{at}]"), "amount": part.amount_minor }))
    });
    let mut view = json!({
        "title": discount.title,
        "amount": discount.amount_minor,
        "automatic": discount.code.is_none(),
        "allocations": parts.collect::<Vec<_>>(),
    });
    if let Some(code) = &discount.code {
        view["code"] = json!(code);
    }
    view
}

/// An entry of a list `totals`.
pub(crate) fn entry(kind: &str, amount_minor: i64) -> Value {
    json!({ "type": kind, "amount": amount_minor })
}
