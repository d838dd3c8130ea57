//! Which of the promotions that a basket may use are applied together.
//!
//! Where promotions stand in each other's way, the one that saves the buyer most alone wins; then the one with
//! the higher priority, then the older one. An exclusive one is weighed against all that could be applied
//! without it.

use std::cmp::Reverse;

use super::{
    Class, Input, Promotion,
    apply::is_for,
    evaluate::{Eligible, apply_all},
};
use crate::id::PromotionId;

/// The promotions that are applied, in the order in which they are.
pub(super) fn choose<'a>(input: &Input<'_>, eligible: &[Eligible<'a>]) -> Vec<Eligible<'a>> {
    let mut ranked: Vec<_> = eligible.iter().filter(|one| one.saving_minor > 0).copied().collect();
    ranked.sort_by_key(|one| {
        (Reverse(one.saving_minor), Reverse(one.promotion.rules.priority), one.promotion.id)
    });
    let mut together: Vec<Eligible<'a>> = Vec::new();
    for one in ranked.iter().filter(|one| !one.promotion.rules.is_exclusive) {
        if together.iter().all(|other| combine(input, one, other)) {
            together.push(*one);
        }
    }
    together.sort_by_key(|one| turn(one.promotion));
    let best_alone = ranked.iter().find(|one| one.promotion.rules.is_exclusive);
    match best_alone {
        Some(alone) if weight_alone(alone) > weight(input, &together) => vec![*alone],
        _ => together,
    }
}

/// Promotions are applied by class, the higher priority first, the older first.
fn turn(promotion: &Promotion) -> (Class, Reverse<i64>, PromotionId) {
    (promotion.rules.class, Reverse(promotion.rules.priority), promotion.id)
}

/// By what an exclusive promotion and a combination are compared: what they save, then the highest priority.
fn weight_alone(alone: &Eligible<'_>) -> (i64, i64) {
    (alone.saving_minor, alone.promotion.rules.priority)
}

fn weight(input: &Input<'_>, together: &[Eligible<'_>]) -> (i64, i64) {
    let saving_minor =
        apply_all(input, together).iter().map(|discount| discount.amount_minor).sum();
    let priority = together.iter().map(|one| one.promotion.rules.priority).max();
    (saving_minor, priority.unwrap_or(i64::MIN))
}

/// Whether two promotions may be applied together: both allow it, or they take from different products.
fn combine(input: &Input<'_>, one: &Eligible<'_>, other: &Eligible<'_>) -> bool {
    let (one, other) = (&one.promotion.rules, &other.promotion.rules);
    let both_allow = one.combines_with.allows(other.class) && other.combines_with.allows(one.class);
    let are_products = one.class == Class::Product && other.class == Class::Product;
    let meet = || input.lines.iter().any(|line| is_for(one, line) && is_for(other, line));
    both_allow || (are_products && !meet())
}
