//! What a basket gets off, decided from what is known at this moment.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::{
    AppliedDiscount, CouponCode, Promotion, RejectedCode, Rejection,
    apply::{self, Left},
    select,
};
use crate::{
    address::Country,
    id::{ChannelId, LineId, ProductId, PromotionId, VariantId},
    money::{Currency, Rounding},
    refusal::Refusal,
};

/// The promotions that may matter for a basket, and the codes that the buyer gave.
#[derive(Clone, Debug)]
pub struct Deals<'a> {
    /// What time it is.
    pub now: Timestamp,
    /// The channel of the basket.
    pub channel_id: ChannelId,
    /// The codes as the buyer gave them.
    pub codes: &'a [String],
    /// The promotions, in any order.
    pub candidates: Vec<Candidate<'a>>,
}

/// A promotion that may matter, with how often it was used.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The promotion.
    pub promotion: &'a Promotion,
    /// The code by which it was found, in capitals; none where it needs none.
    pub code: Option<&'a str>,
    /// How many orders use it.
    pub used: i64,
    /// How many orders of this buyer use it; 0 where nobody knows the buyer yet.
    pub used_by_customer: i64,
}

/// A line as promotions see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Identity.
    pub line_id: LineId,
    /// The product.
    pub product_id: ProductId,
    /// The variant.
    pub variant_id: VariantId,
    /// How many; positive.
    pub quantity: i64,
    /// What they cost before any discount, in minor units; not negative.
    pub subtotal_minor: i64,
}

/// Everything that decides what a basket gets off.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The lines that are for sale.
    pub lines: &'a [Line],
    /// What shipping costs, once chosen, in minor units; not negative.
    pub shipping_minor: Option<i64>,
    /// Where the goods go, once the buyer has said so.
    pub country: Option<Country>,
    /// The currency of every amount.
    pub currency: Currency,
    /// Which way a half goes.
    pub rounding: Rounding,
    /// The promotions and codes.
    pub deals: &'a Deals<'a>,
}

/// What a basket gets off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The discounts in the order in which they were applied. Each is of what the ones before it left.
    pub discounts: Vec<AppliedDiscount>,
    /// The codes that do nothing, in the order in which they were given. A code whose promotion is fine but
    /// has nothing to take off yet, such as free shipping before shipping is chosen, is not among them.
    pub rejected_codes: Vec<RejectedCode>,
}

impl Outcome {
    /// What is taken off each line, and off shipping where there is no line, in minor units.
    pub fn by_line(&self) -> HashMap<Option<LineId>, i64> {
        let mut off = HashMap::new();
        for part in self.discounts.iter().flat_map(|discount| &discount.allocations) {
            *off.entry(part.line_id).or_default() += part.amount_minor;
        }
        off
    }
}

/// A promotion that this basket may use.
#[derive(Clone, Copy)]
pub(super) struct Eligible<'a> {
    pub(super) promotion: &'a Promotion,
    /// The place of its code among those that the buyer gave.
    pub(super) code_at: Option<usize>,
    /// What it would take off alone, in minor units.
    pub(super) saving_minor: i64,
}

impl Deals<'_> {
    /// Whether a code, as the buyer gave it, is of a promotion that holds in certain countries only.
    pub fn is_for_countries(&self, code: &str) -> bool {
        let code = CouponCode::meant_by(code);
        let found = self.candidates.iter().find(|known| known.code == Some(code.as_str()));
        found.is_some_and(|found| !found.promotion.rules.conditions.countries.is_empty())
    }
}

/// Decides which promotions apply to a basket and how much each takes off.
///
/// It does not depend on the order of the candidates. Fails where the amounts do not add up in 64 bits.
pub fn evaluate(input: &Input<'_>) -> Result<Outcome, Refusal> {
    if input.deals.candidates.is_empty() && input.deals.codes.is_empty() {
        return Ok(Outcome::default());
    }
    let shipping_minor = input.shipping_minor.unwrap_or(0);
    let all_minor = input
        .lines
        .iter()
        .try_fold(shipping_minor, |sum, line| sum.checked_add(line.subtotal_minor))
        .ok_or_else(Refusal::overflow)?;
    let subtotal_minor = all_minor - shipping_minor;
    let (eligible, mut rejected) = eligible(input, subtotal_minor);
    let chosen = select::choose(input, &eligible);
    for lost in &eligible {
        if let Some(at) = lost.code_at
            && lost.saving_minor > 0
            && !chosen.iter().any(|one| one.promotion.id == lost.promotion.id)
        {
            rejected.push((at, Rejection::NotCombinable));
        }
    }
    rejected.sort_unstable_by_key(|(at, _)| *at);
    let code = |at: usize| input.deals.codes[at].clone();
    Ok(Outcome {
        discounts: apply_all(input, &chosen),
        rejected_codes: rejected
            .into_iter()
            .map(|(at, reason)| RejectedCode { code: code(at), reason })
            .collect(),
    })
}

/// Takes the discounts of some promotions off, one after another.
pub(super) fn apply_all(input: &Input<'_>, chosen: &[Eligible<'_>]) -> Vec<AppliedDiscount> {
    let mut left = Left::of(input);
    let apply = |one: &Eligible<'_>| {
        let allocations = apply::apply(one.promotion, input, &mut left);
        let amount_minor = allocations.iter().map(|allocation| allocation.amount_minor).sum();
        (amount_minor > 0).then(|| AppliedDiscount {
            promotion_id: one.promotion.id,
            code: one.code_at.map(|at| input.deals.codes[at].clone()),
            title: one.promotion.rules.title.clone(),
            class: one.promotion.rules.class,
            amount_minor,
            allocations,
        })
    };
    chosen.iter().filter_map(apply).collect()
}

/// The promotions that this basket may use, and the codes that it may not.
fn eligible<'a>(
    input: &Input<'a>,
    subtotal_minor: i64,
) -> (Vec<Eligible<'a>>, Vec<(usize, Rejection)>) {
    let deals = input.deals;
    let (mut eligible, mut rejected) = (Vec::new(), Vec::new());
    let (mut codes, mut taken) = (BTreeSet::new(), BTreeSet::<PromotionId>::new());
    let mut judge = |candidate: &Candidate<'a>, code_at| {
        standing(candidate, input, subtotal_minor)?;
        if !taken.insert(candidate.promotion.id) {
            return Err(Rejection::AlreadyApplied);
        }
        let saving_minor = apply::alone(candidate.promotion, input);
        eligible.push(Eligible { promotion: candidate.promotion, code_at, saving_minor });
        Ok(())
    };
    for (at, code) in deals.codes.iter().enumerate() {
        let code = CouponCode::meant_by(code);
        let found = deals.candidates.iter().find(|known| known.code == Some(code.as_str()));
        let judged = match found {
            _ if !codes.insert(code.clone()) => Err(Rejection::AlreadyApplied),
            None => Err(Rejection::Unknown),
            Some(candidate) => judge(candidate, Some(at)),
        };
        rejected.extend(judged.err().map(|reason| (at, reason)));
    }
    let is_automatic =
        |known: &&Candidate<'a>| known.code.is_none() && known.promotion.is_automatic;
    for candidate in deals.candidates.iter().filter(is_automatic) {
        // Nobody asked for it, so nobody needs to hear why not.
        let _silent = judge(candidate, None);
    }
    (eligible, rejected)
}

/// Whether a promotion is there for this basket at this moment, before it is weighed against others.
fn standing(
    candidate: &Candidate<'_>,
    input: &Input<'_>,
    subtotal_minor: i64,
) -> Result<(), Rejection> {
    let (rules, deals) = (&candidate.promotion.rules, input.deals);
    let is_here = rules.channel_id.is_none_or(|channel_id| channel_id == deals.channel_id);
    if !rules.is_enabled || !is_here {
        return Err(Rejection::Unknown);
    }
    if rules.starts_at.is_some_and(|starts_at| starts_at > deals.now) {
        return Err(Rejection::NotYetValid);
    }
    if rules.ends_at.is_some_and(|ends_at| ends_at <= deals.now) {
        return Err(Rejection::Expired);
    }
    if rules.usage_limit.is_some_and(|limit| candidate.used >= limit)
        || rules.customer_limit.is_some_and(|limit| candidate.used_by_customer >= limit)
    {
        return Err(Rejection::UsedUp);
    }
    let conditions = &rules.conditions;
    let goes_there = conditions.countries.is_empty()
        || input.country.is_some_and(|country| conditions.countries.contains(&country));
    let has_goods = (conditions.product_ids.is_empty() && conditions.variant_ids.is_empty())
        || input.lines.iter().any(|line| apply::is_for(rules, line));
    let is_enough = conditions.minimum_subtotal_minor.is_none_or(|least| subtotal_minor >= least);
    let is_payable = rules.currency.is_none_or(|currency| currency == input.currency);
    if goes_there && has_goods && is_enough && is_payable {
        return Ok(());
    }
    Err(Rejection::NotEligible)
}
