//! What holds for every basket and every set of promotions.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::id::ProductId;

fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![(1u32..=1_000_000).prop_map(percent), (1i64..5_000).prop_map(fixed)]
}

/// Action, class, priority, flags and goods of a promotion.
type Made = (Action, usize, i64, [bool; 5], Option<u128>);

prop_compose! {
    fn promotions()(made in prop::collection::vec(
        (actions(), 0usize..3, 0i64..3, any::<[bool; 5]>(), prop::option::of(0u128..4)), 0..12,
    )) -> Vec<Promotion> {
        let make = |(n, (action, class, priority, flags, goods)): (u128, Made)| {
            let class = [Class::Product, Class::Order, Class::Shipping][class];
            let mut promotion: Promotion = promotion(n, class, action);
            let [product, order, shipping, is_exclusive, has_code] = flags;
            let rules = &mut promotion.rules;
            rules.priority = priority;
            rules.combines_with = CombinesWith { product, order, shipping };
            rules.is_exclusive = is_exclusive && priority == 2;
            rules.conditions.product_ids = goods.map(ProductId::from_u128).into_iter().collect();
            promotion.is_automatic = !has_code;
            promotion
        };
        (1u128..).zip(made).map(make).collect()
    }
}

prop_compose! {
    fn lines()(made in prop::collection::vec((1i64..20, 0i64..10_000), 0..8)) -> Vec<Line> {
        (0u128..).zip(made).map(|(n, (quantity, unit))| line(n, quantity, unit * quantity)).collect()
    }
}

const CODES: &[&str] = &["CODE-1", "CODE-2", "CODE-3", "CODE-4", "NOPE"];

proptest! {
    /// Nothing is taken off that is not there, and every sum is exact.
    #[test]
    fn discounts_are_positive_exact_and_never_more_than_there_is(
        lines in lines(), promotions in promotions(), shipping_minor in prop::option::of(0i64..3_000),
    ) {
        let basket = Basket { lines: &lines, shipping_minor, codes: CODES, promotions: &promotions };
        let outcome = basket.evaluate();
        let mut off: BTreeMap<Option<LineId>, i64> = BTreeMap::new();
        for discount in &outcome.discounts {
            prop_assert!(discount.amount_minor > 0);
            let parts = discount.allocations.iter().map(|part| part.amount_minor);
            prop_assert_eq!(parts.sum::<i64>(), discount.amount_minor);
            for part in &discount.allocations {
                prop_assert!(part.amount_minor > 0);
                prop_assert_eq!(part.line_id.is_none(), discount.class == Class::Shipping);
                *off.entry(part.line_id).or_default() += part.amount_minor;
            }
        }
        for line in &lines {
            prop_assert!(off.get(&Some(line.line_id)).copied().unwrap_or(0) <= line.subtotal_minor);
        }
        prop_assert!(off.get(&None).copied().unwrap_or(0) <= shipping_minor.unwrap_or(0));
        for (target, amount_minor) in outcome.by_line() {
            prop_assert_eq!(off.get(&target), Some(&amount_minor));
        }
    }

    /// Who asks twice, or lists the promotions in another order, hears the same.
    #[test]
    fn the_order_of_promotions_changes_nothing(
        lines in lines(), promotions in promotions(), shipping_minor in prop::option::of(0i64..3_000), turn in 0usize..12,
    ) {
        let basket = Basket { lines: &lines, shipping_minor, codes: CODES, promotions: &promotions };
        let outcome = basket.evaluate();
        let mut turned = promotions.clone();
        turned.reverse();
        let by = turn % turned.len().max(1);
        turned.rotate_left(by);
        prop_assert_eq!(Basket { promotions: &turned, ..basket }.evaluate(), outcome);
    }

    /// What is applied together may be, and an exclusive promotion is alone.
    #[test]
    fn whatever_is_applied_together_may_be_combined(lines in lines(), promotions in promotions()) {
        let basket = Basket { lines: &lines, shipping_minor: Some(490), codes: CODES, promotions: &promotions };
        let outcome = basket.evaluate();
        let rules = |discount: &AppliedDiscount| {
            let found = promotions.iter().find(|promotion| promotion.id == discount.promotion_id);
            found.expect("a promotion of this test").rules.clone()
        };
        for (at, one) in outcome.discounts.iter().enumerate() {
            prop_assert!(!rules(one).is_exclusive || outcome.discounts.len() == 1);
            for other in &outcome.discounts[at + 1..] {
                let share = one.allocations.iter().any(|part| other.allocations.iter().any(|same| same.line_id == part.line_id));
                let both = rules(one).combines_with.allows(other.class) && rules(other).combines_with.allows(one.class);
                let apart = one.class == Class::Product && other.class == Class::Product && !share;
                prop_assert!(both || apart, "{:?} with {:?}", one, other);
            }
        }
    }

    /// Every code is applied, rejected with a reason, or has nothing to take off; none is both.
    #[test]
    fn no_code_is_applied_and_rejected(lines in lines(), promotions in promotions()) {
        let basket = Basket { lines: &lines, shipping_minor: Some(490), codes: CODES, promotions: &promotions };
        let outcome = basket.evaluate();
        for code in CODES {
            let applied = outcome.discounts.iter().filter(|discount| discount.code.as_deref() == Some(*code)).count();
            let rejected = outcome.rejected_codes.iter().filter(|rejected| rejected.code == *code).count();
            prop_assert!(applied + rejected <= 1, "{}", code);
        }
        prop_assert!(outcome.rejected_codes.iter().any(|rejected| rejected.code == "NOPE"));
    }

    /// A dearer basket never gets less off by one promotion, and a cheaper one never more than it costs.
    #[test]
    fn one_promotion_takes_no_less_off_a_dearer_line(action in actions(), cheap in 0i64..10_000, more in 0i64..10_000) {
        let of = |subtotal_minor| {
            let (lines, promotions) = ([line(1, 1, subtotal_minor)], [promotion(1, Class::Order, action)]);
            let basket = Basket { lines: &lines, shipping_minor: None, codes: &[], promotions: &promotions };
            basket.evaluate().discounts.first().map_or(0, |discount| discount.amount_minor)
        };
        prop_assert!(of(cheap) <= cheap);
        prop_assert!(of(cheap) <= of(cheap + more));
    }
}
