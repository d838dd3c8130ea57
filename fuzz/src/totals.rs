//! The arithmetic of baskets: with any amounts the parts are the total to the last minor unit, or it is refused.

use arbitrary::{Arbitrary, Unstructured};
use handel_domain::{
    Code,
    money::Rounding,
    tax::{Destination, MissingRate, Rate, RoundPer, TaxPolicy, TaxRate},
    totals::{Input, LineInput, LineTotals, ShippingInput, Totals, compute},
};

/// A basket with prices from nothing to more than 64 bits can hold together.
#[derive(Arbitrary, Debug)]
struct Basket {
    lines: Vec<(i64, i64, i64)>,
    shipping: Option<(i64, i64)>,
    prices_include_tax: bool,
    half_up: bool,
    per_unit: bool,
    rate_millionths: u32,
    shipping_rate_millionths: u32,
    /// Keeps amounts small, which lets more of them be added up.
    shift: u8,
}

/// Prices a basket and adds everything up again.
pub(crate) fn totals(data: &[u8]) {
    let Ok(basket) = Basket::arbitrary(&mut Unstructured::new(data)) else { return };
    let amount = |minor: i64| (minor & i64::MAX) >> (basket.shift % 64);
    let lines: Vec<_> = { basket.lines.iter().take(200) }
        .map(|(unit, quantity, discount)| LineInput {
            quantity: amount(*quantity).max(1),
            unit_price_minor: amount(*unit),
            tax_class: "standard",
            discount_minor: amount(*discount),
        })
        .collect();
    let shipping = basket.shipping.map(|(price, discount)| ShippingInput {
        amount_minor: amount(price),
        tax_class: "shipping",
        discount_minor: amount(discount),
    });
    let policy = policy(&basket);
    let input = Input {
        lines: &lines,
        shipping,
        policy: &policy,
        destination: &Destination { country: "DE".parse().expect("a country"), region: None },
    };
    match compute(&input) {
        Ok(totals) => check(&input, &totals),
        Err(refusal) => assert_eq!(refusal.code, Code::AmountOverflow),
    }
}

fn policy(basket: &Basket) -> TaxPolicy {
    let rate = |class: &str, millionths: u32| TaxRate {
        class: class.to_owned(),
        country: "DE".parse().expect("a country"),
        region: None,
        rate_millionths: Rate::from_millionths(millionths % 1_000_001).expect("at most 100 %"),
        name: "VAT".to_owned(),
    };
    TaxPolicy {
        prices_include_tax: basket.prices_include_tax,
        rounding: if basket.half_up { Rounding::HalfUp } else { Rounding::HalfEven },
        round_per: if basket.per_unit { RoundPer::Unit } else { RoundPer::Line },
        missing_rate: MissingRate::Block,
        rates: vec![
            rate("standard", basket.rate_millionths),
            rate("shipping", basket.shipping_rate_millionths),
        ],
    }
}

/// Adds up in 128 bits, so that the check cannot make the mistakes that it looks for.
fn check(input: &Input<'_>, totals: &Totals) {
    assert_eq!(totals.lines.len(), input.lines.len());
    let parts = || totals.lines.iter().chain([&totals.shipping]);
    let sum = |of: fn(&LineTotals) -> i64| parts().map(|part| i128::from(of(part))).sum::<i128>();
    assert_eq!(sum(|part| part.total_minor), i128::from(totals.total_minor), "the printed lines");
    assert_eq!(sum(|part| part.tax_minor), i128::from(totals.tax_minor));
    assert_eq!(sum(|part| part.discount_minor), i128::from(totals.discount_minor));
    let gross: i128 = totals.lines.iter().map(|line| i128::from(line.subtotal_minor)).sum();
    assert_eq!(gross, i128::from(totals.subtotal_minor));
    for (line, wanted) in totals.lines.iter().zip(input.lines) {
        let subtotal = i128::from(wanted.unit_price_minor) * i128::from(wanted.quantity);
        assert_eq!(i128::from(line.subtotal_minor), subtotal);
        assert_eq!(line.discount_minor, wanted.discount_minor.min(line.subtotal_minor), "{line:?}");
    }
    for part in parts() {
        assert!(
            part.discount_minor >= 0 && part.tax_minor >= 0 && part.total_minor >= 0,
            "{part:?}"
        );
        assert!(part.discount_minor <= part.subtotal_minor, "{part:?}");
        let on_top = if totals.prices_include_tax { 0 } else { part.tax_minor };
        let paid = part.subtotal_minor - part.discount_minor;
        assert_eq!(i128::from(paid) + i128::from(on_top), i128::from(part.total_minor), "{part:?}");
        assert!(part.tax_minor <= paid, "no rate is over 100 %: {part:?}");
    }
}
