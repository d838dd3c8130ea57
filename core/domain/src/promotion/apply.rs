//! How much a promotion takes off, and from what.

use super::{Action, Allocation, Class, Input, Line, Promotion, Rules};
use crate::money::{divide_rounded, split_by_weight};

/// What is left of a basket after the discounts so far, in minor units.
pub(super) struct Left {
    lines: Vec<i64>,
    shipping: i64,
}

impl Left {
    /// All of it.
    pub(super) fn of(input: &Input<'_>) -> Self {
        Self {
            lines: input.lines.iter().map(|line| line.subtotal_minor).collect(),
            shipping: input.shipping_minor.unwrap_or(0),
        }
    }
}

/// Takes the discount of a promotion off what is left. Parts of nothing are left out.
pub(super) fn apply(promotion: &Promotion, input: &Input<'_>, left: &mut Left) -> Vec<Allocation> {
    let rules = &promotion.rules;
    let parts: Vec<i64> = match rules.class {
        Class::Product => {
            let off = |(line, left): (&Line, &i64)| match is_for(rules, line) {
                true => part_of(*left, line.quantity, rules.action, input),
                false => 0,
            };
            input.lines.iter().zip(&left.lines).map(off).collect()
        }
        Class::Order => {
            let whole_minor = left.lines.iter().sum();
            split_by_weight(part_of(whole_minor, 1, rules.action, input), &left.lines)
        }
        Class::Shipping => {
            let amount_minor = part_of(left.shipping, 1, rules.action, input);
            left.shipping -= amount_minor;
            let allocation = Allocation { line_id: None, amount_minor };
            return Some(allocation).filter(|_| amount_minor > 0).into_iter().collect();
        }
    };
    for (left, part) in left.lines.iter_mut().zip(&parts) {
        *left -= part;
        assert!(*left >= 0, "nothing is taken off that is not there");
    }
    let lines = input.lines.iter().zip(parts).filter(|(_, amount_minor)| *amount_minor > 0);
    lines
        .map(|(line, amount_minor)| Allocation { line_id: Some(line.line_id), amount_minor })
        .collect()
}

/// What a promotion would take off if it were the only one, in minor units.
pub(super) fn alone(promotion: &Promotion, input: &Input<'_>) -> i64 {
    let allocations = apply(promotion, input, &mut Left::of(input));
    allocations.iter().map(|allocation| allocation.amount_minor).sum()
}

/// Whether a line is among the goods that a promotion is for.
pub(super) fn is_for(rules: &Rules, line: &Line) -> bool {
    let goods = &rules.conditions;
    (goods.product_ids.is_empty() && goods.variant_ids.is_empty())
        || goods.product_ids.contains(&line.product_id)
        || goods.variant_ids.contains(&line.variant_id)
}

/// What is taken off an amount: rounded once, and never more than there is.
fn part_of(amount_minor: i64, quantity: i64, action: Action, input: &Input<'_>) -> i64 {
    let part = match action {
        Action::Percentage { rate_millionths } => {
            let part = i128::from(amount_minor) * i128::from(rate_millionths.millionths());
            divide_rounded(part, 1_000_000, input.rounding).unwrap_or(amount_minor)
        }
        Action::Fixed { amount_minor } => amount_minor.saturating_mul(quantity),
    };
    part.clamp(0, amount_minor)
}
