//! What searches and look-ups in the catalog find.

use handel_domain::id::VariantId;

use super::{
    Message,
    product::{OptionValue, Product, Signals, Variant},
    request::WantedFilters,
};

/// A page of products.
#[derive(Clone, Debug, Default)]
pub(crate) struct Products {
    pub(crate) items: Vec<Product>,
    /// What to ask for the next page; none on the last one, and where there are no pages.
    pub(crate) next_cursor: Option<String>,
    pub(crate) messages: Vec<Message>,
}

/// Whether a product, with the variants that it has here, passes filters. `price` counts in the currency of the
/// shop.
pub(crate) fn passes(
    product: &Product,
    filters: &WantedFilters,
    price: Option<(i64, i64)>,
) -> bool {
    let in_category = filters.categories.is_empty()
        || filters.categories.iter().any(|wanted| product.categories.contains(wanted));
    let (lowest, highest) = product.price_range;
    in_category && price.is_none_or(|(min, max)| highest >= min && lowest <= max)
}

/// Narrows a product to what is selected (UCP, catalog look-up, "get_product").
///
/// `selected` counts as far as variants exist for it: where none does, options are given up from the end of
/// `preferences`, and then from the end of `selected`. A variant that was asked for by its id comes first and is
/// what is selected.
pub(crate) fn narrow(
    product: &mut Product,
    asked: Option<VariantId>,
    selected: &[(String, String)],
    preferences: &[String],
) {
    product.feature_available();
    if let Some(id) = asked {
        product.feature(id);
    }
    let mut kept = relaxed(&product.variants, selected, preferences);
    if selected.is_empty() || asked.is_some() {
        kept = product.variants.first().map(|variant| variant.options.clone()).unwrap_or_default();
    } else {
        product.variants.retain(|variant| has_all(variant, &kept));
    }
    let all = product.variants.clone();
    for option in &mut product.options {
        for value in &mut option.values {
            value.signals = Some(signals(&all, &kept, &option.name, value));
        }
    }
    if !product.options.is_empty() {
        product.selected = Some(kept);
    }
}

/// As much of the selection as some variant has.
fn relaxed(
    variants: &[Variant],
    selected: &[(String, String)],
    preferences: &[String],
) -> Vec<(String, String)> {
    let mut kept = selected.to_vec();
    // What is named last is given up first; what is not named is given up before.
    let rank = |name: &str| preferences.iter().position(|wanted| wanted == name);
    while !kept.is_empty() && !variants.iter().any(|variant| has_all(variant, &kept)) {
        let at = (0..kept.len())
            .max_by_key(|at| (rank(&kept[*at].0).unwrap_or(usize::MAX), *at))
            .unwrap_or_default();
        kept.remove(at);
    }
    kept
}

fn has_all(variant: &Variant, wanted: &[(String, String)]) -> bool {
    wanted.iter().all(|pair| has(variant, pair))
}

fn has(variant: &Variant, (name, label): &(String, String)) -> bool {
    variant
        .options
        .iter()
        .any(|(own, value)| own.eq_ignore_ascii_case(name) && value.eq_ignore_ascii_case(label))
}

/// What is known of a value beside the other options that are selected.
fn signals(
    variants: &[Variant],
    selected: &[(String, String)],
    name: &str,
    value: &OptionValue,
) -> Signals {
    let others: Vec<_> = selected
        .iter()
        .filter(|(option, _)| !option.eq_ignore_ascii_case(name))
        .cloned()
        .chain([(name.to_owned(), value.label.clone())])
        .collect();
    let fitting = variants.iter().filter(|variant| has_all(variant, &others));
    fitting.fold(Signals::default(), |found, variant| Signals {
        exists: true,
        is_available: found.is_available || variant.supply.can_be_bought(),
    })
}

#[cfg(test)]
mod tests {
    use handel_engine::Supply;

    use super::*;
    use crate::neutral::product::ProductOption;

    fn variant(id: u128, color: &str, size: &str, supply: Supply) -> Variant {
        Variant {
            id: VariantId::from_u128(id).to_string(),
            sku: format!("{color}-{size}"),
            title: String::new(),
            barcode: None,
            price_minor: 100,
            list_price_minor: None,
            supply,
            options: vec![("Color".into(), color.into()), ("Size".into(), size.into())],
            inputs: Vec::new(),
        }
    }

    fn shirt() -> Product {
        let values = |labels: [&str; 2]| {
            labels.map(|label| OptionValue { label: label.into(), signals: None }).to_vec()
        };
        Product {
            id: "prod_1".into(),
            handle: "shirt".into(),
            title: "Shirt".into(),
            plain: "Shirt".into(),
            html: None,
            url: String::new(),
            categories: Vec::new(),
            currency: "EUR".into(),
            media: Vec::new(),
            options: vec![
                ProductOption { name: "Color".into(), values: values(["Blue", "Red"]) },
                ProductOption { name: "Size".into(), values: values(["S", "L"]) },
            ],
            selected: None,
            variants: vec![
                variant(1, "Blue", "S", Supply::SoldOut),
                variant(2, "Blue", "L", Supply::InStock),
                variant(3, "Red", "S", Supply::InStock),
            ],
            tags: Vec::new(),
            price_range: (100, 100),
            list_price_range: None,
        }
    }

    fn pair(name: &str, label: &str) -> (String, String) {
        (name.to_owned(), label.to_owned())
    }

    #[test]
    fn the_variant_that_was_asked_for_comes_first() {
        let mut product = shirt();
        narrow(&mut product, Some(VariantId::from_u128(1)), &[], &[]);
        assert_eq!(product.variants[0].sku, "Blue-S", "also where it cannot be bought");
        assert_eq!(product.selected, Some(vec![pair("Color", "Blue"), pair("Size", "S")]));
        assert_eq!(product.variants.len(), 3);
    }

    #[test]
    fn values_say_whether_they_exist_and_can_be_bought() {
        let mut product = shirt();
        narrow(&mut product, Some(VariantId::from_u128(2)), &[], &[]);
        let signals: Vec<_> = product
            .options
            .iter()
            .flat_map(|option| &option.values)
            .map(|value| value.signals.expect("they were asked for"))
            .map(|signals| (signals.exists, signals.is_available))
            .collect();
        // Selected is Blue and L: Red in L does not exist, Blue in S is sold out.
        assert_eq!(signals, [(true, true), (false, false), (true, false), (true, true)]);
    }

    #[test]
    fn what_does_not_exist_is_relaxed_from_the_end_of_the_preferences() {
        let wanted = [pair("Color", "Red"), pair("Size", "L")];
        let mut product = shirt();
        narrow(&mut product, None, &wanted, &["Color".into(), "Size".into()]);
        assert_eq!(product.selected, Some(vec![pair("Color", "Red")]));
        let mut product = shirt();
        narrow(&mut product, None, &wanted, &["Size".into(), "Color".into()]);
        assert_eq!(product.selected, Some(vec![pair("Size", "L")]));
    }
}
