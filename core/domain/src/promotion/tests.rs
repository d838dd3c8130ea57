//! Known baskets with known discounts, and what holds for every basket.

mod properties;

use jiff::Timestamp;

use super::*;
use crate::{
    address::Country,
    id::{ChannelId, ProductId, VariantId},
    money::{Currency, Rounding},
    tax::Rate,
};

pub(super) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

pub(super) fn percent(rate_millionths: u32) -> Action {
    Action::Percentage { rate_millionths: Rate::from_millionths(rate_millionths).expect("a rate") }
}

pub(super) fn fixed(amount_minor: i64) -> Action {
    Action::Fixed { amount_minor }
}

pub(super) fn euro() -> Currency {
    "EUR".parse().expect("a currency")
}

/// A promotion that combines with everything. The number is its id and its age.
pub(super) fn promotion(n: u128, class: Class, action: Action) -> Promotion {
    let rules = Rules {
        title: format!("Promotion {n}"),
        is_enabled: true,
        class,
        action,
        currency: Some(euro()),
        channel_id: None,
        conditions: Conditions::default(),
        priority: 0,
        combines_with: CombinesWith::ALL,
        is_exclusive: false,
        starts_at: None,
        ends_at: None,
        usage_limit: None,
        customer_limit: None,
    };
    let rules = rules.checked().expect("valid rules");
    let id = PromotionId::from_u128(n);
    Promotion { id, rules, is_automatic: true, version: 1, created_at: NOW, updated_at: NOW }
}

fn changed(mut promotion: Promotion, change: impl FnOnce(&mut Rules)) -> Promotion {
    change(&mut promotion.rules);
    promotion
}

/// The code of a promotion is `CODE-` with its number.
fn with_code(mut promotion: Promotion) -> Promotion {
    promotion.is_automatic = false;
    promotion
}

pub(super) fn line(n: u128, quantity: i64, subtotal_minor: i64) -> Line {
    Line {
        line_id: LineId::from_u128(n),
        product_id: ProductId::from_u128(n),
        variant_id: VariantId::from_u128(n),
        quantity,
        subtotal_minor,
    }
}

/// A basket that is looked at.
pub(super) struct Basket<'a> {
    pub(super) lines: &'a [Line],
    pub(super) shipping_minor: Option<i64>,
    pub(super) codes: &'a [&'a str],
    pub(super) promotions: &'a [Promotion],
}

impl Basket<'_> {
    pub(super) fn evaluate(&self) -> Outcome {
        self.evaluate_with(|_| (0, 0))
    }

    /// `used` says how often each promotion was used, by everybody and by this buyer.
    fn evaluate_with(&self, used: impl Fn(PromotionId) -> (i64, i64)) -> Outcome {
        let codes: Vec<String> = self.codes.iter().map(|code| (*code).to_owned()).collect();
        let numbered = |promotion: &Promotion| format!("CODE-{}", number(promotion.id));
        let own: Vec<_> = self.promotions.iter().map(numbered).collect();
        let candidate = |(promotion, code)| {
            let promotion: &Promotion = promotion;
            let code: &String = code;
            let code = (!promotion.is_automatic).then_some(code.as_str());
            let (used, used_by_customer) = used(promotion.id);
            Candidate { promotion, code, used, used_by_customer }
        };
        let candidates = self.promotions.iter().zip(&own).map(candidate).collect();
        let channel_id = ChannelId::from_u128(1);
        let deals = Deals { now: NOW, channel_id, codes: &codes, candidates };
        let input = Input {
            lines: self.lines,
            shipping_minor: self.shipping_minor,
            country: Some("DE".parse().expect("a country")),
            currency: euro(),
            rounding: Rounding::HalfEven,
            deals: &deals,
        };
        evaluate(&input).expect("it adds up")
    }
}

fn number(id: PromotionId) -> u128 {
    (0..200).find(|n| PromotionId::from_u128(*n) == id).expect("a promotion of these tests")
}

/// One mug and what is taken off it: number and amount of each discount.
fn off(promotions: &[Promotion], codes: &[&str], subtotal_minor: i64) -> Vec<(u128, i64)> {
    let lines = [line(1, 1, subtotal_minor)];
    let basket = Basket { lines: &lines, shipping_minor: Some(490), codes, promotions };
    amounts(&basket.evaluate())
}

fn amounts(outcome: &Outcome) -> Vec<(u128, i64)> {
    let amount = |off: &AppliedDiscount| (number(off.promotion_id), off.amount_minor);
    outcome.discounts.iter().map(amount).collect()
}

fn reasons(outcome: &Outcome) -> Vec<(&str, Rejection)> {
    outcome.rejected_codes.iter().map(|one| (one.code.as_str(), one.reason)).collect()
}

#[test]
fn codes_are_taken_off_one_after_another() {
    let ten = with_code(promotion(1, Class::Order, percent(100_000)));
    let twenty = with_code(promotion(2, Class::Order, percent(200_000)));
    let five_euros = with_code(promotion(3, Class::Order, fixed(500)));
    let all = [ten, twenty, five_euros];
    assert_eq!(off(&all, &["code-1"], 3_500), [(1, 350)]);
    // 10 % and then 20 % of 3500 leave 2520, whatever comes first.
    assert_eq!(off(&all, &["CODE-1", "CODE-2"], 3_500), [(1, 350), (2, 630)]);
    assert_eq!(off(&all, &["CODE-2", "CODE-1"], 3_500), [(1, 350), (2, 630)]);
    assert_eq!(off(&all, &["Code-3 "], 3_500), [(3, 500)]);
    assert_eq!(off(&all, &[], 3_500), [], "nothing without its code");
}

#[test]
fn classes_follow_one_another_and_each_takes_from_what_is_left() {
    let shipping = promotion(1, Class::Shipping, percent(1_000_000));
    let order = promotion(2, Class::Order, percent(100_000));
    let product = promotion(3, Class::Product, percent(500_000));
    assert_eq!(off(&[shipping, order, product], &[], 1_000), [(3, 500), (2, 50), (1, 490)]);
}

#[test]
fn a_higher_priority_comes_first() {
    let five_euros = promotion(1, Class::Order, fixed(500));
    let half = promotion(2, Class::Order, percent(500_000));
    assert_eq!(off(&[five_euros.clone(), half.clone()], &[], 3_000), [(1, 500), (2, 1_250)]);
    let half = changed(half, |rules| rules.priority = 1);
    assert_eq!(off(&[five_euros, half], &[], 3_000), [(2, 1_500), (1, 500)]);
}

#[test]
fn an_order_discount_is_split_by_largest_remainder_and_ties_go_to_the_earlier_line() {
    let lines = [line(1, 1, 1_000), line(2, 1, 1_000), line(3, 1, 1_000), line(4, 1, 0)];
    let promotions = [promotion(1, Class::Order, fixed(1_000))];
    let basket =
        Basket { lines: &lines, shipping_minor: None, codes: &[], promotions: &promotions };
    let parts: Vec<_> = basket.evaluate().discounts[0]
        .allocations
        .iter()
        .map(|part| (part.line_id, part.amount_minor))
        .collect();
    let of = |n| Some(LineId::from_u128(n));
    assert_eq!(parts, [(of(1), 334), (of(2), 333), (of(3), 333)], "nothing is taken off nothing");
}

#[test]
fn a_percentage_is_rounded_once_per_line_and_an_amount_counts_per_unit() {
    let lines = [line(1, 3, 999), line(2, 2, 300)];
    let of = |action| {
        let promotions = [promotion(1, Class::Product, action)];
        let basket =
            Basket { lines: &lines, shipping_minor: None, codes: &[], promotions: &promotions };
        let outcome = basket.evaluate();
        let parts = &outcome.discounts[0].allocations;
        parts.iter().map(|part| part.amount_minor).collect::<Vec<_>>()
    };
    // 15 % of 9.99 is 149.85 and not three times 49.95; of 3.00 it is 45.
    assert_eq!(of(percent(150_000)), [150, 45]);
    assert_eq!(of(fixed(200)), [600, 300], "never more than the line costs");
}

#[test]
fn a_product_discount_is_for_its_goods_only() {
    let lines = [line(1, 1, 1_000), line(2, 1, 1_000), line(3, 1, 1_000)];
    let rules = |rules: &mut Rules| {
        rules.conditions.product_ids = [ProductId::from_u128(1)].into();
        rules.conditions.variant_ids = [VariantId::from_u128(3)].into();
    };
    let promotions = [changed(promotion(1, Class::Product, percent(100_000)), rules)];
    let basket =
        Basket { lines: &lines, shipping_minor: None, codes: &[], promotions: &promotions };
    let off = basket.evaluate().by_line();
    let lines = [1, 2, 3].map(|n| off.get(&Some(LineId::from_u128(n))).copied());
    assert_eq!(lines, [Some(100), None, Some(100)]);
}

#[test]
fn both_must_allow_a_combination_and_else_the_better_one_wins() {
    let ten = promotion(1, Class::Order, percent(100_000));
    let twenty = promotion(2, Class::Order, percent(200_000));
    let proud =
        |promotion| changed(promotion, |rules: &mut Rules| rules.combines_with.order = false);
    assert_eq!(off(&[proud(ten.clone()), twenty.clone()], &[], 1_000), [(2, 200)]);
    assert_eq!(off(&[ten.clone(), proud(twenty.clone())], &[], 1_000), [(2, 200)]);
    // Whoever loses is told, and whoever stands in nobody's way is applied all the same.
    let free = promotion(3, Class::Shipping, percent(1_000_000));
    let promotions = [with_code(proud(ten)), twenty, free];
    let lines = [line(1, 1, 1_000)];
    let basket = Basket {
        lines: &lines,
        shipping_minor: Some(490),
        codes: &["CODE-1"],
        promotions: &promotions,
    };
    let outcome = basket.evaluate();
    assert_eq!(amounts(&outcome), [(2, 200), (3, 490)]);
    assert_eq!(reasons(&outcome), [("CODE-1", Rejection::NotCombinable)]);
}

#[test]
fn discounts_on_other_products_do_not_stand_in_each_others_way() {
    let alone = |n: u128, product: u128| {
        changed(promotion(n, Class::Product, percent(100_000)), |rules| {
            rules.combines_with = CombinesWith::default();
            rules.conditions.product_ids = [ProductId::from_u128(product)].into();
        })
    };
    let promotions = [alone(1, 1), alone(2, 2), changed(alone(3, 2), |rules| rules.priority = 1)];
    let lines = [line(1, 1, 1_000), line(2, 1, 1_000)];
    let basket =
        Basket { lines: &lines, shipping_minor: None, codes: &[], promotions: &promotions };
    // One per line; of two that save the same, the one with the higher priority.
    assert_eq!(amounts(&basket.evaluate()), [(3, 100), (1, 100)]);
}

#[test]
fn an_exclusive_promotion_stands_alone_or_not_at_all() {
    let exclusive = |n, rate| {
        changed(promotion(n, Class::Order, percent(rate)), |rules| rules.is_exclusive = true)
    };
    let ten = promotion(1, Class::Order, percent(100_000));
    let free = promotion(2, Class::Shipping, percent(1_000_000));
    let all = [ten.clone(), free.clone(), exclusive(3, 600_000)];
    assert_eq!(off(&all, &[], 1_000), [(3, 600)], "600 are more than 100 and 490");
    let all = [ten.clone(), free.clone(), exclusive(3, 580_000)];
    assert_eq!(off(&all, &[], 1_000), [(1, 100), (2, 490)]);
    // The same saving: the priority decides.
    let high = changed(exclusive(3, 590_000), |rules| rules.priority = 1);
    assert_eq!(
        off(&[ten.clone(), free.clone(), exclusive(3, 590_000)], &[], 1_000),
        [(1, 100), (2, 490)]
    );
    assert_eq!(off(&[ten, free, high], &[], 1_000), [(3, 590)]);
}

#[test]
fn a_code_that_does_nothing_says_why() {
    let base = |n| with_code(promotion(n, Class::Order, percent(100_000)));
    let second = |seconds| Some(Timestamp::from_second(seconds).expect("a time"));
    let promotions = [
        base(1),
        changed(base(2), |rules| rules.is_enabled = false),
        changed(base(3), |rules| rules.channel_id = Some(ChannelId::from_u128(2))),
        changed(base(4), |rules| rules.ends_at = second(0)),
        changed(base(5), |rules| rules.starts_at = second(1)),
        changed(base(6), |rules| rules.usage_limit = Some(3)),
        changed(base(7), |rules| rules.customer_limit = Some(1)),
        changed(base(8), |rules| rules.currency = Some("USD".parse().expect("a currency"))),
        changed(base(9), |rules| rules.conditions.minimum_subtotal_minor = Some(1_001)),
        changed(base(10), |rules| rules.conditions.product_ids = [ProductId::from_u128(9)].into()),
        changed(base(11), |rules| {
            rules.conditions.countries = vec!["AT".parse().expect("a country")];
        }),
        changed(base(12), |rules| {
            rules.usage_limit = Some(4);
            rules.customer_limit = Some(2);
            rules.starts_at = second(0);
            rules.ends_at = second(1);
            rules.conditions.minimum_subtotal_minor = Some(1_000);
            rules.conditions.countries = vec!["DE".parse().expect("a country")];
        }),
    ];
    let used = |_| (3, 1);
    let lines = [line(1, 1, 1_000)];
    let judged = |code: &str| {
        let basket =
            Basket { lines: &lines, shipping_minor: None, codes: &[code], promotions: &promotions };
        let outcome = basket.evaluate_with(used);
        assert_eq!(outcome.discounts.len() + outcome.rejected_codes.len(), 1, "{code}");
        outcome.rejected_codes.first().map(|rejected| rejected.reason)
    };
    let expected = [
        ("CODE-1", None),
        ("CODE-2", Some(Rejection::Unknown)),
        ("CODE-3", Some(Rejection::Unknown)),
        ("CODE-4", Some(Rejection::Expired)),
        ("CODE-5", Some(Rejection::NotYetValid)),
        ("CODE-6", Some(Rejection::UsedUp)),
        ("CODE-7", Some(Rejection::UsedUp)),
        ("CODE-8", Some(Rejection::NotEligible)),
        ("CODE-9", Some(Rejection::NotEligible)),
        ("CODE-10", Some(Rejection::NotEligible)),
        ("CODE-11", Some(Rejection::NotEligible)),
        ("code-12", None),
        ("NOPE", Some(Rejection::Unknown)),
        ("ÄÖÜ \u{1f600}", Some(Rejection::Unknown)),
    ];
    for (code, reason) in expected {
        assert_eq!(judged(code), reason, "{code}");
    }
}

#[test]
fn a_code_counts_once_and_free_shipping_waits_for_shipping() {
    let ten = with_code(promotion(1, Class::Order, percent(100_000)));
    let free = with_code(promotion(2, Class::Shipping, percent(1_000_000)));
    let promotions = [ten, free];
    let lines = [line(1, 1, 1_000)];
    let basket = Basket {
        lines: &lines,
        shipping_minor: None,
        codes: &["code-1", "CODE-2", "CODE-1"],
        promotions: &promotions,
    };
    let outcome = basket.evaluate();
    assert_eq!(amounts(&outcome), [(1, 100)]);
    assert_eq!(outcome.discounts[0].code.as_deref(), Some("code-1"), "as the buyer gave it");
    assert_eq!(reasons(&outcome), [("CODE-1", Rejection::AlreadyApplied)]);
    let basket = Basket { shipping_minor: Some(490), ..basket };
    assert_eq!(amounts(&basket.evaluate()), [(1, 100), (2, 490)]);
}

#[test]
fn two_codes_of_one_promotion_count_once() {
    let ten = with_code(promotion(1, Class::Order, percent(100_000)));
    let codes = ["FIRST".to_owned(), "SECOND".to_owned()];
    let candidate =
        |code| Candidate { promotion: &ten, code: Some(code), used: 0, used_by_customer: 0 };
    let deals = Deals {
        now: NOW,
        channel_id: ChannelId::from_u128(1),
        codes: &codes,
        candidates: vec![candidate("FIRST"), candidate("SECOND")],
    };
    let lines = [line(1, 1, 1_000)];
    let input = Input {
        lines: &lines,
        shipping_minor: None,
        country: None::<Country>,
        currency: euro(),
        rounding: Rounding::HalfEven,
        deals: &deals,
    };
    let outcome = evaluate(&input).expect("it adds up");
    assert_eq!(amounts(&outcome), [(1, 100)]);
    assert_eq!(reasons(&outcome), [("SECOND", Rejection::AlreadyApplied)]);
    let lines = [line(1, 1, i64::MAX), line(2, 1, 1)];
    let overflowing = evaluate(&Input { lines: &lines, ..input });
    assert_eq!(overflowing, Err(crate::Refusal::overflow()));
}

/// The words that go out are those that are stored.
#[test]
fn words_are_written_one_way() {
    for class in [Class::Product, Class::Order, Class::Shipping] {
        assert_eq!(serde_json::to_value(class).expect("a word"), class.as_str());
    }
    for reason in [
        Rejection::Unknown,
        Rejection::Expired,
        Rejection::NotYetValid,
        Rejection::UsedUp,
        Rejection::NotEligible,
        Rejection::NotCombinable,
        Rejection::AlreadyApplied,
    ] {
        assert_eq!(serde_json::to_value(reason).expect("a word"), reason.as_str());
    }
}

#[test]
fn rules_that_make_no_sense_are_refused_with_their_field() {
    let good = promotion(1, Class::Order, fixed(500)).rules;
    type Spoil = fn(&mut Rules);
    let bad: [(Spoil, &str); 12] = [
        (|rules| rules.title = " ".to_owned(), "/title"),
        (|rules| rules.action = fixed(0), "/action/amount_minor"),
        (|rules| rules.action = fixed(i64::MAX), "/action/amount_minor"),
        (|rules| rules.action = percent(0), "/action/rate_millionths"),
        (|rules| rules.currency = None, "/currency"),
        (
            |rules| rules.conditions.minimum_subtotal_minor = Some(-1),
            "/conditions/minimum_subtotal_minor",
        ),
        (|rules| rules.usage_limit = Some(0), "/usage_limit"),
        (|rules| rules.customer_limit = Some(-1), "/customer_limit"),
        (|rules| rules.priority = i64::MAX, "/priority"),
        (
            |rules| {
                rules.starts_at = Some(NOW);
                rules.ends_at = Some(NOW);
            },
            "/ends_at",
        ),
        (
            |rules| rules.conditions.product_ids = (0..1_001).map(ProductId::from_u128).collect(),
            "/conditions/product_ids",
        ),
        (
            |rules| rules.conditions.variant_ids = (0..1_001).map(VariantId::from_u128).collect(),
            "/conditions/variant_ids",
        ),
    ];
    for (change, pointer) in bad {
        let mut rules = good.clone();
        change(&mut rules);
        let refusal = rules.checked().expect_err(pointer);
        assert_eq!(refusal.details.errors[0].pointer, pointer);
    }
    let too_much: Result<Rules, _> = serde_json::from_str(
        r#"{"title": "x", "class": "order", "action": {"kind": "percentage", "rate_millionths": 1000001}}"#,
    );
    let refusal = too_much.expect("readable").checked().expect_err("more than everything");
    assert_eq!(refusal.details.errors[0].pointer, "/action/rate_millionths");
}

#[test]
fn codes_are_checked_and_compared_in_capitals() {
    let checked = |codes: &[&str]| {
        let codes: Vec<_> = codes.iter().map(|code| (*code).to_owned()).collect();
        CouponCode::checked("/codes", &codes)
    };
    let codes = checked(&["10off", "10OFF", " Welcome-20 "]).expect("valid codes");
    assert_eq!(codes.iter().map(CouponCode::as_str).collect::<Vec<_>>(), ["10OFF", "WELCOME-20"]);
    let long = "x".repeat(65);
    for bad in ["", " ", "a b", "ä", "a\nb", &long] {
        let refusal = checked(&["fine", bad]).expect_err(bad);
        assert_eq!(refusal.details.errors[0].pointer, "/codes/1");
    }
    let given = |codes: &[&str]| {
        checked_codes(&codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>())
    };
    assert_eq!(
        given(&[" any ", "Äpfel 10 %"]).ok(),
        Some(vec!["any".to_owned(), "Äpfel 10 %".to_owned()])
    );
    for bad in ["", "a\u{0}b", &long, "4242 4242 4242 4242"] {
        let refusal = given(&["fine", bad]).expect_err(bad);
        assert_eq!(refusal.details.errors[0].pointer, "/codes/1");
    }
    assert!(given(&["x"; 11]).is_err() && given(&["x"; 10]).is_ok());
    assert_eq!(customer_of(&"Ada@Example.com".parse().expect("an address")), "ada@example.com");
}
