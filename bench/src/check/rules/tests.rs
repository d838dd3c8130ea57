use std::sync::Arc;

use super::*;
use crate::check::books::{Details, Line};

const VARIANT: VariantId = VariantId::from_u128(1);

/// A shop with two paid orders of one unit each, of an article of which there were ten.
struct World {
    purchases: Vec<Purchase>,
    orders: HashMap<OrderId, Order>,
    shelves: HashMap<VariantId, Shelf>,
    charges: HashMap<OrderId, Charged>,
    is_complete: bool,
}

fn order_id(n: u128) -> OrderId {
    OrderId::from_u128(n)
}

fn order(status: Status, checkout: u128, canceled: i64) -> Order {
    let line = Line { variant_id: VARIANT, quantity: 1, canceled, shipped: 0 };
    let details = Details { checkout_id: CheckoutId::from_u128(checkout), lines: vec![line] };
    Order { status, total_minor: 1_500, details: Some(Arc::new(details)) }
}

fn world() -> World {
    let purchase = |n| Purchase {
        order_id: order_id(n),
        checkout_id: CheckoutId::from_u128(n),
        total_minor: 1_500,
        is_paid: true,
    };
    World {
        purchases: vec![purchase(1), purchase(2)],
        orders: (1..=2).map(|n| (order_id(n), order(Status::Paid, n, 0))).collect(),
        shelves: [(VARIANT, Shelf { on_hand: 10, allocated: 2, seeded: Some(10) })].into(),
        charges: (1..=2).map(|n| (order_id(n), Charged { charges: 1, net_minor: 1_500 })).collect(),
        is_complete: true,
    }
}

impl World {
    /// The rules that are broken.
    fn broken(&self) -> Vec<String> {
        let evidence = Evidence {
            purchases: &self.purchases,
            orders: &self.orders,
            is_complete: self.is_complete,
            is_fresh: true,
            shelves: &self.shelves,
            charges: Some(&self.charges),
        };
        let findings = judge(&evidence);
        findings.into_iter().filter(|found| !found.holds()).map(|found| found.rule).collect()
    }
}

#[test]
fn a_shop_whose_numbers_agree_breaks_no_rule() {
    let mut world = world();
    assert_eq!(world.broken(), [""; 0]);
    world.is_complete = false;
    assert_eq!(world.broken(), [""; 0], "the sum agrees as well");
}

#[test]
fn an_acknowledged_order_that_is_gone_or_unpaid_is_found() {
    let mut world = world();
    world.orders.remove(&order_id(1));
    assert_eq!(
        world.broken(),
        [
            "every acknowledged order is there, as it was told",
            "units sold = stock moved, article by article",
            "every charge pays an order, to the cent"
        ]
    );
    world.orders.insert(order_id(1), order(Status::Reserved, 1, 0));
    assert_eq!(
        world.broken(),
        [
            "every acknowledged order is there, as it was told",
            "every charge pays an order, to the cent"
        ]
    );
}

#[test]
fn a_second_order_of_a_checkout_is_found() {
    let mut world = world();
    world.orders.insert(order_id(2), order(Status::Paid, 1, 0));
    assert_eq!(world.broken(), ["no checkout became two orders"]);
}

#[test]
fn stock_that_was_promised_to_nobody_is_found() {
    let mut world = world();
    world.shelves.insert(VARIANT, Shelf { on_hand: 10, allocated: 3, seeded: Some(10) });
    assert_eq!(world.broken(), ["units sold = stock moved, article by article"]);
    world.is_complete = false;
    assert_eq!(world.broken(), ["units sold = stock moved, in sum"]);
}

#[test]
fn canceled_units_went_back_to_the_shelf() {
    let mut world = world();
    world.purchases.pop();
    world.charges.remove(&order_id(2));
    world.orders.insert(order_id(2), order(Status::Canceled, 2, 1));
    world.shelves.insert(VARIANT, Shelf { on_hand: 10, allocated: 1, seeded: Some(10) });
    assert_eq!(world.broken(), [""; 0]);
}

#[test]
fn more_promised_than_there_is_is_found() {
    let mut world = world();
    world.shelves.insert(VARIANT, Shelf { on_hand: 1, allocated: 2, seeded: Some(1) });
    assert_eq!(world.broken(), ["nothing is oversold"]);
}

#[test]
fn money_that_was_taken_twice_or_in_another_amount_is_found() {
    let mut world = world();
    world.charges.insert(order_id(1), Charged { charges: 2, net_minor: 3_000 });
    assert_eq!(
        world.broken(),
        ["no order was charged twice", "every charge pays an order, to the cent"]
    );
    world.charges.insert(order_id(1), Charged { charges: 1, net_minor: 1_499 });
    assert_eq!(world.broken(), ["every charge pays an order, to the cent"]);
}

#[test]
fn a_paid_order_without_money_is_found() {
    let mut world = world();
    world.charges.remove(&order_id(2));
    assert_eq!(world.broken(), ["every paid order was charged"]);
}

#[test]
fn shipped_units_count_as_moved() {
    let shelf = Shelf { on_hand: 7, allocated: 1, seeded: Some(10) };
    assert_eq!(moved(&shelf, 0), 4, "three are missing from a shelf that we filled");
    let shelf = Shelf { seeded: None, ..shelf };
    assert_eq!(moved(&shelf, 3), 4, "three have shipped according to the orders");
}

#[test]
fn only_some_violations_are_spelled_out() {
    let found = Finding::of("rule", (0..20).map(|n| (n % 2 == 0).then(|| n.to_string())));
    assert_eq!((found.checked, found.violations), (20, 10));
    assert_eq!(found.examples, ["0", "2", "4", "6", "8"]);
}
