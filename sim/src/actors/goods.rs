//! What the shop sells, and when it costs less.

use handel_domain::{
    catalog::{Backorder, Price, ProductInput},
    promotion::{Action, Class, Rules},
};
use handel_testkit::fixtures;

/// A product with one variant.
pub struct Good {
    pub sku: &'static str,
    pub price_minor: i64,
    pub on_hand: i64,
    pub backorder: Backorder,
    pub is_tracked: bool,
}

/// What everybody wants and there is too little of.
pub const SCARCE: &str = "CONSOLE";

const fn good(sku: &'static str, price_minor: i64, on_hand: i64, backorder: Backorder) -> Good {
    Good { sku, price_minor, on_hand, backorder, is_tracked: true }
}

/// Everything.
pub const ALL: &[Good] = &[
    good(SCARCE, 49_900, 5, Backorder::Deny),
    good("MUG", 1_290, 400, Backorder::Deny),
    good("TEE", 1_990, 60, Backorder::Deny),
    good("LAMP", 8_900, 12, Backorder::UpTo(3)),
    good("BOOK", 2_400, 20, Backorder::Allow),
    good("PEN", 7, 900, Backorder::Deny),
    good("CHAIR", 23_333, 8, Backorder::Deny),
    Good {
        sku: "VOUCHER",
        price_minor: 2_500,
        on_hand: 0,
        backorder: Backorder::Deny,
        is_tracked: false,
    },
];

/// Codes that people try: one that holds for long, two that are soon used up, one that each may use once, and
/// one that never existed.
pub const CODES: &[&str] = &["welcome10", "FIRST20", "LASTCHANCE", "once", "NOPE"];

/// The promotions of the shop with their codes. One of them needs none.
pub fn promotions() -> Vec<(Rules, Vec<String>)> {
    let order = |percent| fixtures::promotion_rules(Class::Order, fixtures::percent(percent));
    let code = |code: &str| vec![code.to_owned()];
    let first = Rules { usage_limit: Some(20), ..order(20) };
    let last = Rules {
        usage_limit: Some(3),
        priority: 1,
        ..fixtures::promotion_rules(Class::Order, Action::Fixed { amount_minor: 500 })
    };
    let once = Rules { customer_limit: Some(1), is_exclusive: true, ..order(15) };
    let mut free = fixtures::promotion_rules(Class::Shipping, fixtures::percent(100));
    free.conditions.minimum_subtotal_minor = Some(5_000);
    vec![
        (order(10), code("WELCOME10")),
        (first, code("FIRST20")),
        (last, code("LASTCHANCE")),
        (once, code("ONCE")),
        (free, Vec::new()),
    ]
}

impl Good {
    /// How staff enter it.
    pub fn input(&self) -> ProductInput {
        let mut input = fixtures::product_input(self.sku, self.price_minor);
        for variant in &mut input.variants {
            variant.backorder = self.backorder;
            variant.tracked = self.is_tracked;
        }
        input
    }

    /// Its price in all currencies.
    pub fn prices(price_minor: i64) -> Vec<Price> {
        let price = |code: &str| Price {
            currency: code.parse().expect("a currency"),
            amount_minor: price_minor,
            compare_at_minor: None,
        };
        vec![price("EUR"), price("USD")]
    }
}
