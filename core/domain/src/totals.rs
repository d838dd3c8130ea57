//! What a basket costs: one calculation for carts, checkouts and orders.
//!
//! Line by line: `subtotal = unit × quantity`, minus what promotions take off the line, its share of the
//! order's discounts included, is what tax is charged on, rounded once per line. Every total is the sum of
//! what is printed on the lines and on shipping; nothing is ever computed from a total.

use serde::{Deserialize, Serialize};

use crate::{
    refusal::Refusal,
    tax::{Destination, Rate, TaxPolicy},
};

/// A line to be priced.
#[derive(Clone, Debug)]
pub struct LineInput<'a> {
    /// How many; positive.
    pub quantity: i64,
    /// The price of one in minor units; not negative.
    pub unit_price_minor: i64,
    /// The tax class of the goods.
    pub tax_class: &'a str,
    /// What promotions take off this line, its share of discounts on the order included, in minor units;
    /// capped at the line.
    pub discount_minor: i64,
}

/// Shipping to be priced.
#[derive(Clone, Debug)]
pub struct ShippingInput<'a> {
    /// The price in minor units; not negative.
    pub amount_minor: i64,
    /// The tax class of shipping.
    pub tax_class: &'a str,
    /// What promotions take off shipping, in minor units; capped at the price.
    pub discount_minor: i64,
}

/// Everything that decides what a basket costs.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The lines.
    pub lines: &'a [LineInput<'a>],
    /// Shipping, once chosen.
    pub shipping: Option<ShippingInput<'a>>,
    /// How tax is charged.
    pub policy: &'a TaxPolicy,
    /// Where the goods go.
    pub destination: &'a Destination,
}

/// What one line, or shipping, costs. All amounts are in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineTotals {
    /// Unit price times quantity.
    pub subtotal_minor: i64,
    /// What is taken off, as a positive amount.
    pub discount_minor: i64,
    /// The tax in, or on top of, the discounted amount.
    pub tax_minor: i64,
    /// The rate of that tax, in millionths.
    pub tax_rate_millionths: u32,
    /// What the buyer pays for it, tax included.
    pub total_minor: i64,
}

/// What a basket costs. All amounts are in minor units.
///
/// `total = subtotal − discount + shipping (+ tax where prices do not include it)`, and equally the
/// sum of the totals of the lines and of shipping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Whether the subtotals contain the tax.
    pub prices_include_tax: bool,
    /// The lines, in the order of the input.
    pub lines: Vec<LineTotals>,
    /// Shipping; zero until chosen.
    pub shipping: LineTotals,
    /// Sum of the lines' subtotals.
    pub subtotal_minor: i64,
    /// Sum of all discounts, on lines and on shipping.
    pub discount_minor: i64,
    /// Sum of all taxes, of lines and of shipping.
    pub tax_minor: i64,
    /// What the buyer pays.
    pub total_minor: i64,
}

/// Computes what a basket costs.
///
/// Fails where an amount leaves 64 bits, or where no tax rate is configured and the policy blocks.
pub fn compute(input: &Input<'_>) -> Result<Totals, Refusal> {
    let mut lines = Vec::with_capacity(input.lines.len());
    for line in input.lines {
        assert!(line.quantity > 0 && line.unit_price_minor >= 0 && line.discount_minor >= 0);
        let subtotal_minor =
            line.unit_price_minor.checked_mul(line.quantity).ok_or_else(Refusal::overflow)?;
        let discount_minor = line.discount_minor.min(subtotal_minor);
        lines.push(LineTotals { subtotal_minor, discount_minor, ..LineTotals::default() });
    }
    for (line, totals) in input.lines.iter().zip(&mut lines) {
        charge(totals, line.quantity, line.tax_class, input)?;
    }
    let mut shipping = LineTotals::default();
    if let Some(chosen) = &input.shipping {
        assert!(chosen.amount_minor >= 0 && chosen.discount_minor >= 0);
        shipping.subtotal_minor = chosen.amount_minor;
        shipping.discount_minor = chosen.discount_minor.min(chosen.amount_minor);
        charge(&mut shipping, 1, chosen.tax_class, input)?;
    }
    let sum = |of: fn(&LineTotals) -> i64, start: i64| {
        lines
            .iter()
            .try_fold(start, |sum, line| sum.checked_add(of(line)))
            .ok_or_else(Refusal::overflow)
    };
    Ok(Totals {
        prices_include_tax: input.policy.prices_include_tax,
        subtotal_minor: sum(|line| line.subtotal_minor, 0)?,
        discount_minor: sum(|line| line.discount_minor, shipping.discount_minor)?,
        tax_minor: sum(|line| line.tax_minor, shipping.tax_minor)?,
        total_minor: sum(|line| line.total_minor, shipping.total_minor)?,
        shipping,
        lines,
    })
}

/// Fills in tax and total of an amount whose subtotal and discount are known.
fn charge(
    totals: &mut LineTotals,
    quantity: i64,
    tax_class: &str,
    input: &Input<'_>,
) -> Result<(), Refusal> {
    let rate: Rate = input.policy.rate(tax_class, input.destination)?;
    let taxable_minor = totals.subtotal_minor - totals.discount_minor;
    assert!(taxable_minor >= 0, "a discount never exceeds what it is taken from");
    totals.tax_rate_millionths = rate.millionths();
    totals.tax_minor = input.policy.tax_minor(taxable_minor, quantity, rate)?;
    let on_top = if input.policy.prices_include_tax { 0 } else { totals.tax_minor };
    totals.total_minor = taxable_minor.checked_add(on_top).ok_or_else(Refusal::overflow)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        money::Rounding,
        tax::{MissingRate, RoundPer, TaxRate},
    };

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

    fn destination() -> Destination {
        Destination { country: "DE".parse().expect("a country"), region: None }
    }

    fn line(unit_price_minor: i64, quantity: i64) -> LineInput<'static> {
        LineInput { quantity, unit_price_minor, tax_class: "standard", discount_minor: 0 }
    }

    fn shipping(amount_minor: i64) -> Option<ShippingInput<'static>> {
        Some(ShippingInput { amount_minor, tax_class: "standard", discount_minor: 0 })
    }

    fn totals(
        lines: &[LineInput<'_>],
        shipping: Option<ShippingInput<'_>>,
        policy: &TaxPolicy,
    ) -> Totals {
        let input = Input { lines, shipping, policy, destination: &destination() };
        compute(&input).expect("fits")
    }

    #[test]
    fn sums_match_the_printed_lines() {
        // 45 + 49 with 21 % inside, and shipping 6.00 with 21 % inside.
        let totals =
            totals(&[line(4_500, 1), line(4_900, 1)], shipping(600), &policy(true, 210_000));
        assert_eq!((totals.subtotal_minor, totals.total_minor), (9_400, 10_000));
        assert_eq!(totals.tax_minor, 781 + 850 + 104);
    }

    #[test]
    fn tax_on_top_is_added_once() {
        // 24.99 at 10.75 % and shipping of 6.44 free of tax: 2.69 tax, 34.12 in all.
        let free = Some(ShippingInput { amount_minor: 644, tax_class: "none", discount_minor: 0 });
        let totals = totals(&[line(2_499, 1)], free, &policy(false, 107_500));
        assert_eq!((totals.tax_minor, totals.total_minor), (269, 3_412));
    }

    #[test]
    fn overflow_is_refused() {
        let lines = [line(i64::MAX / 2, 3)];
        let policy = policy(false, 0);
        let input =
            Input { lines: &lines, shipping: None, policy: &policy, destination: &destination() };
        assert_eq!(compute(&input), Err(Refusal::overflow()));
        let lines = [line(i64::MAX, 1), line(1, 1)];
        assert_eq!(compute(&Input { lines: &lines, ..input }), Err(Refusal::overflow()));
    }

    proptest! {
        #[test]
        fn the_parts_are_the_total(
            basket in prop::collection::vec((0i64..1_000_000, 1i64..100, 0i64..2_000_000), 0..20),
            ship in prop::option::of((0i64..10_000, 0i64..20_000)),
            inclusive: bool,
            millionths in 0u32..500_000,
        ) {
            let lines: Vec<_> = basket.iter().map(|(unit, quantity, discount)| LineInput {
                discount_minor: *discount, ..line(*unit, *quantity)
            }).collect();
            let shipping = ship.map(|(amount_minor, discount_minor)| ShippingInput { amount_minor, tax_class: "standard", discount_minor });
            let totals = totals(&lines, shipping, &policy(inclusive, millionths));
            let printed: i64 = totals.lines.iter().map(|line| line.total_minor).sum();
            prop_assert_eq!(printed + totals.shipping.total_minor, totals.total_minor);
            let on_top = if inclusive { 0 } else { totals.tax_minor };
            prop_assert_eq!(totals.subtotal_minor - totals.discount_minor + totals.shipping.subtotal_minor + on_top, totals.total_minor);
            for line in totals.lines.iter().chain([&totals.shipping]) {
                prop_assert!(line.total_minor >= 0 && line.discount_minor >= 0 && line.tax_minor >= 0);
                prop_assert!(line.discount_minor <= line.subtotal_minor);
            }
            let wanted: i64 = lines.iter().zip(&totals.lines).map(|(l, t)| l.discount_minor.min(t.subtotal_minor)).sum();
            let given: i64 = totals.lines.iter().map(|line| line.discount_minor).sum();
            prop_assert_eq!(given, wanted);
        }

        #[test]
        fn inclusive_and_exclusive_prices_agree(net in 0i64..10_000_000, millionths in 0u32..500_000) {
            let on_top = totals(&[line(net, 1)], None, &policy(false, millionths));
            let inside = totals(&[line(on_top.total_minor, 1)], None, &policy(true, millionths));
            prop_assert_eq!(inside.total_minor, on_top.total_minor);
            prop_assert!((inside.tax_minor - on_top.tax_minor).abs() <= 1);
        }
    }
}
