//! What something costs, as rows that a program shows one below the other and adds up.
//!
//! There is one row with the subtotal and one with the total, and the total is the sum of all other rows (UCP,
//! `totals.json`). Tax that is inside the prices is therefore no row of its own: it is a part of the total.

use handel_domain::{Refusal, totals::LineTotals};

/// Largest integer that every JSON reader keeps exactly.
const EXACT: i64 = (1 << 53) - 1;

/// A row. `amount_minor` is negative where something is taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) kind: Kind,
    pub(crate) text: &'static str,
    pub(crate) amount_minor: i64,
    /// What it is made of; the sum is the amount.
    pub(crate) parts: Vec<(&'static str, i64)>,
}

/// The kind of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Subtotal,
    ItemsDiscount,
    Discount,
    Fulfillment,
    Tax,
    Total,
}

impl Kind {
    /// The word of the protocol.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Subtotal => "subtotal",
            Self::ItemsDiscount => "items_discount",
            Self::Discount => "discount",
            Self::Fulfillment => "fulfillment",
            Self::Tax => "tax",
            Self::Total => "total",
        }
    }
}

/// What the rows are made from. All amounts are in minor units and not negative.
#[derive(Clone, Debug)]
pub(crate) struct Sums<'a> {
    pub(crate) lines: Vec<&'a LineTotals>,
    /// None until a way of sending is chosen.
    pub(crate) shipping: Option<&'a LineTotals>,
    pub(crate) tax_minor: i64,
    pub(crate) total_minor: i64,
    pub(crate) prices_include_tax: bool,
}

impl Sums<'_> {
    /// The rows of a basket. Refuses what no reader of JSON would keep exactly.
    pub(crate) fn rows(&self) -> Result<Vec<Total>, Refusal> {
        let subtotal_minor = self.sum(|line| line.subtotal_minor)?;
        let items_discount_minor = self.sum(|line| line.discount_minor)?;
        let mut rows = vec![row(Kind::Subtotal, "Subtotal", subtotal_minor)];
        if items_discount_minor > 0 {
            rows.push(row(Kind::ItemsDiscount, "Discounts", -items_discount_minor));
        }
        if let Some(shipping) = self.shipping {
            rows.push(row(Kind::Fulfillment, "Shipping", shipping.subtotal_minor));
            if shipping.discount_minor > 0 {
                rows.push(row(Kind::Discount, "Discount on shipping", -shipping.discount_minor));
            }
        }
        let mut total = row(Kind::Total, "Total", self.total_minor);
        if self.prices_include_tax && self.tax_minor > 0 {
            total.parts = vec![
                ("Before tax", self.total_minor - self.tax_minor),
                ("Tax included", self.tax_minor),
            ];
        } else if !self.prices_include_tax {
            rows.push(row(Kind::Tax, "Tax", self.tax_minor));
        }
        rows.push(total);
        checked(rows)
    }

    fn sum(&self, of: fn(&LineTotals) -> i64) -> Result<i64, Refusal> {
        let mut amounts = self.lines.iter().copied().map(of);
        amounts.try_fold(0i64, i64::checked_add).ok_or_else(Refusal::overflow)
    }
}

/// The rows of one line. Tax on top of prices is charged on the basket and is not part of it.
pub(crate) fn of_line(line: &LineTotals) -> Result<Vec<Total>, Refusal> {
    let mut rows = vec![row(Kind::Subtotal, "Subtotal", line.subtotal_minor)];
    if line.discount_minor > 0 {
        rows.push(row(Kind::ItemsDiscount, "Discounts", -line.discount_minor));
    }
    rows.push(row(Kind::Total, "Total", line.subtotal_minor - line.discount_minor));
    checked(rows)
}

fn row(kind: Kind, text: &'static str, amount_minor: i64) -> Total {
    Total { kind, text, amount_minor, parts: Vec::new() }
}

fn checked(rows: Vec<Total>) -> Result<Vec<Total>, Refusal> {
    match rows.iter().all(|row| (-EXACT..=EXACT).contains(&row.amount_minor)) {
        true => Ok(rows),
        false => Err(Refusal::overflow()),
    }
}

#[cfg(test)]
mod tests {
    use handel_domain::{
        money::Rounding,
        tax::{Destination, MissingRate, Rate, RoundPer, TaxPolicy, TaxRate},
        totals::{self, Input, LineInput, ShippingInput},
    };
    use proptest::prelude::*;

    use super::*;

    fn policy(prices_include_tax: bool, millionths: u32) -> TaxPolicy {
        TaxPolicy {
            prices_include_tax,
            rounding: Rounding::HalfEven,
            round_per: RoundPer::Line,
            missing_rate: MissingRate::Zero,
            rates: vec![TaxRate {
                class: "standard".into(),
                country: "DE".parse().expect("a country"),
                region: None,
                rate_millionths: Rate::from_millionths(millionths).expect("at most 100 %"),
                name: "VAT".into(),
            }],
        }
    }

    fn sums<'a>(computed: &'a totals::Totals, has_shipping: bool) -> Sums<'a> {
        Sums {
            lines: computed.lines.iter().collect(),
            shipping: has_shipping.then_some(&computed.shipping),
            tax_minor: computed.tax_minor,
            total_minor: computed.total_minor,
            prices_include_tax: computed.prices_include_tax,
        }
    }

    #[test]
    fn amounts_that_readers_of_json_would_round_are_refused() {
        let line = LineTotals {
            subtotal_minor: EXACT + 1,
            total_minor: EXACT + 1,
            ..LineTotals::default()
        };
        assert_eq!(of_line(&line), Err(Refusal::overflow()));
    }

    proptest! {
        /// The contract of the protocol, for whatever the engine may compute.
        #[test]
        fn the_rows_are_the_total(
            basket in prop::collection::vec((0i64..1_000_000, 1i64..100, 0i64..2_000_000), 0..20),
            ship in prop::option::of((0i64..10_000, 0i64..20_000)),
            inclusive: bool,
            millionths in 0u32..500_000,
        ) {
            let lines: Vec<_> = basket.iter().map(|(unit, quantity, discount)| LineInput {
                quantity: *quantity, unit_price_minor: *unit, tax_class: "standard", discount_minor: *discount,
            }).collect();
            let shipping = ship.map(|(amount_minor, discount_minor)| ShippingInput { amount_minor, tax_class: "standard", discount_minor });
            let computed = totals::compute(&Input {
                lines: &lines, shipping, policy: &policy(inclusive, millionths),
                destination: &Destination { country: "DE".parse().expect("a country"), region: None },
            }).expect("fits");
            let rows = sums(&computed, ship.is_some()).rows().expect("fits");
            let of = |kind| rows.iter().filter(|row| row.kind == kind).collect::<Vec<_>>();
            prop_assert_eq!((of(Kind::Subtotal).len(), of(Kind::Total).len()), (1, 1));
            let others: i64 = rows.iter().filter(|row| row.kind != Kind::Total).map(|row| row.amount_minor).sum();
            prop_assert_eq!(others, computed.total_minor);
            prop_assert_eq!(of(Kind::Total)[0].amount_minor, computed.total_minor);
            for row in &rows {
                let is_off = matches!(row.kind, Kind::ItemsDiscount | Kind::Discount);
                prop_assert!(if is_off { row.amount_minor < 0 } else { row.amount_minor >= 0 }, "{:?}", row);
                let parts: i64 = row.parts.iter().map(|(_, amount)| amount).sum();
                prop_assert!(row.parts.is_empty() || parts == row.amount_minor, "{:?}", row);
            }
            // What is taken off the lines is what the rows say is taken off the lines.
            let mut off_lines = 0;
            for line in &computed.lines {
                let rows = of_line(line).expect("fits");
                let total = rows.iter().find(|row| row.kind == Kind::Total).expect("a total").amount_minor;
                prop_assert_eq!(rows.iter().filter(|row| row.kind != Kind::Total).map(|row| row.amount_minor).sum::<i64>(), total);
                off_lines += rows.iter().filter(|row| row.kind == Kind::ItemsDiscount).map(|row| row.amount_minor).sum::<i64>();
            }
            prop_assert_eq!(of(Kind::ItemsDiscount).iter().map(|row| row.amount_minor).sum::<i64>(), off_lines);
        }
    }
}
