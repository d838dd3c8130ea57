//! What the shop sells.

use handel_domain::catalog::{Backorder, Price, ProductInput};
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
