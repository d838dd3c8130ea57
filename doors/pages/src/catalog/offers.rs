//! The variants of a product in a channel, and the choice among them: each value of an option is a link to the variant
//! that choosing it leads to.

use handel_domain::catalog::{OptionValue, Product, ValueState, Variant, option_choices};
use handel_engine::{ProductView, Supply, VariantAvailability};

use super::product::VARIANT;
use crate::{format::Format, words::ENGLISH};

/// Few are left if there are at most this many.
const FEW: i64 = 5;

/// A variant in a channel.
pub(super) struct Offer<'v> {
    pub(super) variant: &'v Variant,
    pub(super) price_minor: Option<i64>,
    pub(super) compare_at_minor: Option<i64>,
    stock: VariantAvailability,
}

impl Offer<'_> {
    pub(super) fn can_be_bought(&self) -> bool {
        self.price_minor.is_some() && self.stock.supply.can_be_bought()
    }
}

/// All variants, in the order of the product.
pub(super) fn offers<'v>(view: &'v ProductView, format: &Format) -> Vec<Offer<'v>> {
    let offer = |(variant, stock): (&'v Variant, &VariantAvailability)| {
        let price = variant.prices.iter().find(|price| price.currency == format.currency());
        Offer {
            variant,
            price_minor: price.map(|price| price.amount_minor),
            compare_at_minor: price.and_then(|price| price.compare_at_minor),
            stock: *stock,
        }
    };
    view.product.variants.iter().zip(&view.availability).map(offer).collect()
}

/// An option of the product, with its values as links.
pub(super) struct Chooser {
    pub(super) id: String,
    pub(super) name: String,
    /// The chosen value.
    pub(super) chosen: String,
    pub(super) values: Vec<Value>,
}

/// A value of an option.
pub(super) struct Value {
    pub(super) text: String,
    /// Why it cannot be had with the other values; empty where it can.
    pub(super) note: &'static str,
    /// Where it is chosen; none where no variant has it.
    pub(super) href: Option<String>,
    pub(super) is_chosen: bool,
}

/// The choice among the variants, seen from the one at `chosen`.
pub(super) fn chooser(product: &Product, offers: &[Offer<'_>], chosen: usize) -> Vec<Chooser> {
    let own = &offers[chosen].variant.option_values;
    let selection: Vec<_> = own.iter().map(|value| Some(value.as_str())).collect();
    let can_buy = |at: usize| offers[at].can_be_bought();
    let choices = option_choices(&product.options, &product.variants, &selection, can_buy);
    let value = |value: &OptionValue<'_>| Value {
        text: value.value.to_owned(),
        note: match value.state {
            ValueState::Available => "",
            ValueState::SoldOut => ENGLISH.value_sold_out,
            ValueState::OtherCombination => ENGLISH.value_elsewhere,
            ValueState::Nowhere => ENGLISH.value_nowhere,
        },
        href: value.variant.map(|at| address(product, offers[at].variant)),
        is_chosen: value.is_selected,
    };
    // What has one value alone, and nothing else, is no choice.
    let is_choice = offers.len() > 1;
    let choices = choices.into_iter().zip(own).enumerate().filter(|_| is_choice);
    choices
        .map(|(at, (choice, chosen))| Chooser {
            id: format!("option-{}", at + 1),
            name: choice.name.to_owned(),
            chosen: chosen.clone(),
            values: choice.values.iter().map(value).collect(),
        })
        .collect()
}

/// The page of a product with a variant chosen, at the choice.
fn address(product: &Product, variant: &Variant) -> String {
    format!("/products/{}?{VARIANT}={}#options", product.slug, variant.id)
}

/// Whether a variant can be bought, in words.
pub(super) fn availability(offer: &Offer<'_>) -> String {
    if offer.price_minor.is_none() {
        return ENGLISH.not_for_sale.to_owned();
    }
    match (offer.stock.supply, offer.stock.available) {
        (Supply::SoldOut, _) => ENGLISH.sold_out.to_owned(),
        (Supply::OnOrder, _) => ENGLISH.on_order.to_owned(),
        (Supply::InStock, Some(count)) if count <= FEW => ENGLISH.only_left(count),
        (Supply::InStock, _) => ENGLISH.in_stock.to_owned(),
    }
}
