//! Which variant a choice of option values leads to, and which other values go with it.

use super::{ProductOption, Variant};

/// What choosing an option value leads to while the values of the other options stay as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueState {
    /// A variant that can be bought.
    Available,
    /// Only variants that cannot be bought.
    SoldOut,
    /// No variant; another one has the value together with other values.
    OtherCombination,
    /// No variant has the value at all.
    Nowhere,
}

/// A value of an option beside the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionValue<'p> {
    /// The value.
    pub value: &'p str,
    /// Whether it is the chosen one.
    pub is_selected: bool,
    /// What choosing it leads to.
    pub state: ValueState,
    /// The index of the variant that choosing it leads to: the one with the same other values, else the one that shares
    /// most of them, what can be bought before what cannot. None where no variant has the value.
    pub variant: Option<usize>,
}

/// An option with all its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionChoice<'p> {
    /// The name of the option.
    pub name: &'p str,
    /// Its values, in the product's order.
    pub values: Vec<OptionValue<'p>>,
}

/// The values of each option, seen from a selection: one value for each option, none where it is open.
///
/// `can_buy` says whether the variant at an index can be bought.
pub fn option_choices<'p>(
    options: &'p [ProductOption],
    variants: &[Variant],
    selection: &[Option<&str>],
    can_buy: impl Fn(usize) -> bool,
) -> Vec<OptionChoice<'p>> {
    let choice = |(at, option): (usize, &'p ProductOption)| {
        let value = |value: &'p String| {
            let mut wanted = selection.to_vec();
            wanted.resize(options.len(), None);
            let is_selected = wanted[at] == Some(value);
            wanted[at] = Some(value);
            let (state, variant) = lead(variants, &wanted, at, &can_buy);
            OptionValue { value, is_selected, state, variant }
        };
        OptionChoice { name: &option.name, values: option.values.iter().map(value).collect() }
    };
    options.iter().enumerate().map(choice).collect()
}

/// Where a selection leads of which the value at `fixed` was chosen last.
fn lead(
    variants: &[Variant],
    wanted: &[Option<&str>],
    fixed: usize,
    can_buy: impl Fn(usize) -> bool,
) -> (ValueState, Option<usize>) {
    let has = |variant: &Variant, at: usize| {
        wanted[at].is_none_or(|value| variant.option_values.get(at).is_some_and(|own| own == value))
    };
    let shared = |variant: &Variant| (0..wanted.len()).filter(|at| has(variant, *at)).count();
    let rank = |(at, variant): &(usize, &Variant)| {
        // The first of equals wins; `max_by_key` takes the last one.
        (shared(variant), can_buy(*at), std::cmp::Reverse(*at))
    };
    let with_value = variants.iter().enumerate().filter(|(_, variant)| has(variant, fixed));
    let Some((at, variant)) = with_value.max_by_key(rank) else {
        return (ValueState::Nowhere, None);
    };
    let state = match (shared(variant) == wanted.len(), can_buy(at)) {
        (true, true) => ValueState::Available,
        (true, false) => ValueState::SoldOut,
        (false, _) => ValueState::OtherCombination,
    };
    (state, Some(at))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::catalog::Backorder;

    fn variant(values: &[&str]) -> Variant {
        Variant {
            id: crate::id::VariantId::mint(jiff::Timestamp::UNIX_EPOCH, [0; 10]),
            sku: crate::text::Sku::parse("/sku", &format!("V-{}", values.join("-")))
                .expect("a SKU"),
            title: values.join(" / "),
            option_values: values.iter().map(|value| (*value).to_owned()).collect(),
            barcode: None,
            weight_grams: 0,
            requires_shipping: true,
            tracked: true,
            backorder: Backorder::Deny,
            prices: Vec::new(),
        }
    }

    fn option(name: &str, values: &[&str]) -> ProductOption {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        ProductOption { name: name.to_owned(), values }
    }

    #[test]
    fn a_value_says_what_choosing_it_leads_to() {
        use ValueState::{Available, Nowhere, OtherCombination, SoldOut};
        let options = [option("Size", &["S", "M", "L", "XL"]), option("Color", &["Sage", "Chalk"])];
        let variants =
            [&["S", "Sage"], &["S", "Chalk"], &["M", "Sage"], &["L", "Chalk"]].map(|v| variant(v));
        // All but the chalk one in S can be bought.
        let seen = |selection: [Option<&str>; 2]| {
            let choices = option_choices(&options, &variants, &selection, |at| at != 1);
            let values = choices.iter().map(|choice| choice.values.iter());
            let state = |value: &OptionValue<'_>| (value.state, value.variant);
            values.map(|values| values.map(state).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        assert_eq!(
            seen([Some("S"), Some("Sage")]),
            [
                vec![
                    (Available, Some(0)),
                    (Available, Some(2)),
                    (OtherCombination, Some(3)),
                    (Nowhere, None)
                ],
                vec![(Available, Some(0)), (SoldOut, Some(1))],
            ]
        );
        // What is open goes with everything, and what can be bought comes first.
        assert_eq!(seen([None, Some("Chalk")])[1], [(Available, Some(0)), (Available, Some(3))]);
        assert_eq!(seen([Some("S"), None])[0][0], (Available, Some(0)));
    }

    #[test]
    fn a_product_without_options_has_nothing_to_choose() {
        assert!(option_choices(&[], &[variant(&[])], &[], |_| true).is_empty());
    }

    proptest! {
        /// Whatever is chosen, each value leads to a variant that has it, exactly if there is one.
        #[test]
        fn every_value_leads_to_a_variant_that_has_it(
            combinations in proptest::collection::hash_set((0..4usize, 0..4usize), 1..12),
            chosen in (0..4usize, 0..4usize),
            sold_out in proptest::collection::hash_set(0..12usize, 0..6),
        ) {
            const VALUES: [&str; 4] = ["a", "b", "c", "d"];
            let options = [option("One", &VALUES), option("Two", &VALUES)];
            let combinations: Vec<_> = combinations.into_iter().collect();
            let variants: Vec<_> =
                combinations.iter().map(|(one, two)| variant(&[VALUES[*one], VALUES[*two]])).collect();
            let selection = [Some(VALUES[chosen.0]), Some(VALUES[chosen.1])];
            let choices = option_choices(&options, &variants, &selection, |at| !sold_out.contains(&at));
            let there: HashSet<_> = combinations.iter().copied().collect();
            for (at, choice) in choices.iter().enumerate() {
                prop_assert_eq!(choice.values.iter().filter(|value| value.is_selected).count(), 1);
                for (index, value) in choice.values.iter().enumerate() {
                    let exact = if at == 0 { (index, chosen.1) } else { (chosen.0, index) };
                    match value.variant {
                        Some(found) => prop_assert_eq!(&variants[found].option_values[at], value.value),
                        None => prop_assert_eq!(value.state, ValueState::Nowhere),
                    }
                    let is_exact = matches!(value.state, ValueState::Available | ValueState::SoldOut);
                    prop_assert_eq!(is_exact, there.contains(&exact));
                    if let (true, Some(found)) = (is_exact, value.variant) {
                        prop_assert_eq!(combinations[found], exact);
                        prop_assert_eq!(value.state == ValueState::Available, !sold_out.contains(&found));
                    }
                }
            }
        }
    }
}
