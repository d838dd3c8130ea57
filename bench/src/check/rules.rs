//! The rules, as pure arithmetic over what was read.

use std::collections::HashMap;

use handel_domain::{
    id::{CheckoutId, OrderId, VariantId},
    order::Status,
};
use serde::Serialize;

use super::{books::Order, ledger::Charged, stock::Shelf};
use crate::client::Purchase;

/// How many violations of a rule are spelled out.
const SHOWN_MAX: usize = 5;

/// Everything that is known after a run.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Orders that buyers were told of.
    pub purchases: &'a [Purchase],
    /// Orders that the shop has.
    pub orders: &'a HashMap<OrderId, Order>,
    /// Whether the lines of every order are known.
    pub is_complete: bool,
    /// Whether nobody but this program ever bought here.
    pub is_fresh: bool,
    /// The stock of what this program sells.
    pub shelves: &'a HashMap<VariantId, Shelf>,
    /// What the provider took, if its books can be read.
    pub charges: Option<&'a HashMap<OrderId, Charged>>,
}

/// What was found of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What must hold.
    pub rule: String,
    /// How many cases were looked at.
    pub checked: usize,
    /// How many of them break the rule.
    pub violations: usize,
    /// Some of those, in words.
    pub examples: Vec<String>,
}

impl Finding {
    /// Looks at every case. A case that breaks the rule comes with words.
    pub fn of(rule: &str, cases: impl IntoIterator<Item = Option<String>>) -> Self {
        let mut finding =
            Self { rule: rule.to_owned(), checked: 0, violations: 0, examples: Vec::new() };
        for violation in cases {
            finding.checked += 1;
            let Some(words) = violation else { continue };
            finding.violations += 1;
            if finding.examples.len() < SHOWN_MAX {
                finding.examples.push(words);
            }
        }
        finding
    }

    /// Counts cases of which there are too many to look at one by one.
    pub fn counted(rule: &str, checked: u64, violations: u64) -> Self {
        let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let (checked, violations) = (number(checked), number(violations));
        Self { rule: rule.to_owned(), checked, violations, examples: Vec::new() }
    }

    /// Whether no case breaks the rule.
    pub fn holds(&self) -> bool {
        self.violations == 0
    }
}

/// Applies every rule that the evidence suffices for.
pub fn judge(evidence: &Evidence<'_>) -> Vec<Finding> {
    let mut findings = vec![acknowledged(evidence), one_order_each(evidence)];
    if evidence.is_complete {
        findings.push(sold_and_moved(evidence));
    } else if evidence.is_fresh {
        findings.push(sold_and_moved_in_sum(evidence));
    }
    findings.push(nothing_oversold(evidence));
    if let Some(charges) = evidence.charges {
        findings.push(charged_once(charges));
        findings.push(charges_belong(evidence, charges));
        findings.push(paid_are_charged(evidence, charges));
    }
    findings
}

fn is_paid(status: Status) -> bool {
    matches!(status, Status::Paid | Status::Packing | Status::Shipped | Status::Delivered)
}

fn acknowledged(evidence: &Evidence<'_>) -> Finding {
    let judge = |purchase: &Purchase| {
        let id = purchase.order_id;
        let Some(order) = evidence.orders.get(&id) else {
            return Some(format!("{id} was acknowledged and is gone"));
        };
        if order.total_minor != purchase.total_minor {
            let (now, then) = (order.total_minor, purchase.total_minor);
            return Some(format!("{id} costs {now} and its buyer was told {then}"));
        }
        let is_lost = purchase.is_paid && !is_paid(order.status);
        is_lost.then(|| format!("{id} was acknowledged as paid and is {}", order.status))
    };
    Finding::of(
        "every acknowledged order is there, as it was told",
        evidence.purchases.iter().map(judge),
    )
}

fn one_order_each(evidence: &Evidence<'_>) -> Finding {
    let mut orders: HashMap<CheckoutId, OrderId> = HashMap::new();
    // A buyer who was told of two orders is as bad as a shop that has them.
    let told = evidence.purchases.iter().map(|purchase| (purchase.checkout_id, purchase.order_id));
    let detailed = evidence
        .orders
        .iter()
        .filter_map(|(id, order)| order.details.as_ref().map(|details| (details.checkout_id, *id)));
    let cases = told.chain(detailed).map(|(checkout_id, order_id)| {
        let first = *orders.entry(checkout_id).or_insert(order_id);
        (first != order_id).then(|| format!("{checkout_id} became {first} and {order_id}"))
    });
    Finding::of("no checkout became two orders", cases.collect::<Vec<_>>())
}

/// Units of an article that orders account for.
#[derive(Clone, Copy, Debug, Default)]
struct Units {
    /// Sold and not canceled.
    sold: i64,
    /// Of these, how many have shipped.
    shipped: i64,
}

fn units(orders: &HashMap<OrderId, Order>) -> HashMap<VariantId, Units> {
    let mut units: HashMap<VariantId, Units> = HashMap::new();
    for order in orders.values().filter(|order| order.status != Status::Canceled) {
        for line in order.details.iter().flat_map(|details| &details.lines) {
            let of_variant = units.entry(line.variant_id).or_default();
            of_variant.sold += line.quantity - line.canceled;
            of_variant.shipped += line.shipped;
        }
    }
    units
}

/// What left the shelf or is promised away. Where this program filled the shelf, what is missing from it has
/// shipped; elsewhere the orders are believed about that part.
fn moved(shelf: &Shelf, shipped: i64) -> i64 {
    shelf.allocated + shelf.seeded.map_or(shipped, |seeded| seeded - shelf.on_hand)
}

fn sold_and_moved(evidence: &Evidence<'_>) -> Finding {
    let units = units(evidence.orders);
    let cases = evidence.shelves.iter().map(|(id, shelf)| {
        let Units { sold, shipped } = units.get(id).copied().unwrap_or_default();
        let moved = moved(shelf, shipped);
        (sold != moved).then(|| format!("of {id} {sold} were sold and {moved} moved"))
    });
    Finding::of("units sold = stock moved, article by article", cases)
}

/// Without the lines of every order: every order of this program has one unit.
fn sold_and_moved_in_sum(evidence: &Evidence<'_>) -> Finding {
    let live = evidence.orders.values().filter(|order| order.status != Status::Canceled).count();
    let moved: i64 = evidence.shelves.values().map(|shelf| moved(shelf, 0)).sum();
    let is_equal = i64::try_from(live).is_ok_and(|live| live == moved);
    let case = (!is_equal).then(|| format!("{live} orders of one unit each, and {moved} moved"));
    Finding::of("units sold = stock moved, in sum", [case])
}

fn nothing_oversold(evidence: &Evidence<'_>) -> Finding {
    let cases = evidence.shelves.iter().map(|(id, shelf)| {
        let Shelf { on_hand, allocated, .. } = shelf;
        (allocated > on_hand || *allocated < 0)
            .then(|| format!("of {id} {on_hand} are on hand and {allocated} promised"))
    });
    Finding::of("nothing is oversold", cases)
}

fn charged_once(charges: &HashMap<OrderId, Charged>) -> Finding {
    let cases = charges.iter().map(|(id, charged)| {
        (charged.charges != 1).then(|| format!("{id} was charged {} times", charged.charges))
    });
    Finding::of("no order was charged twice", cases)
}

fn charges_belong(evidence: &Evidence<'_>, charges: &HashMap<OrderId, Charged>) -> Finding {
    let cases = charges.iter().map(|(id, charged)| {
        let net_minor = charged.net_minor;
        match evidence.orders.get(id) {
            None => Some(format!("{net_minor} were charged for {id}, which does not exist")),
            Some(order) if !is_paid(order.status) => {
                Some(format!("{net_minor} were charged for {id}, which is {}", order.status))
            }
            Some(order) if order.total_minor != net_minor => {
                Some(format!("{net_minor} were charged for {id}, not {}", order.total_minor))
            }
            Some(_) => None,
        }
    });
    Finding::of("every charge pays an order, to the cent", cases)
}

fn paid_are_charged(evidence: &Evidence<'_>, charges: &HashMap<OrderId, Charged>) -> Finding {
    let paid =
        evidence.orders.iter().filter(|(_, order)| is_paid(order.status) && order.total_minor > 0);
    let cases = paid.map(|(id, _)| {
        (!charges.contains_key(id)).then(|| format!("{id} is paid and was never charged"))
    });
    Finding::of("every paid order was charged", cases)
}

#[cfg(test)]
mod tests;
