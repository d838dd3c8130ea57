//! What a merchant decides about a promotion.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Class;
use crate::{
    address::Country,
    channel::MINOR_MAX,
    id::{ChannelId, ProductId, VariantId},
    money::Currency,
    refusal::{FieldErrors, Refusal},
    tax::Rate,
    text,
};

/// Most products, and most variants, that a promotion is for.
const GOODS_MAX: usize = 1_000;
/// Most countries that a promotion is for.
const COUNTRIES_MAX: usize = 300;
/// Highest limit of uses.
const USES_MAX: i64 = 1_000_000_000;

/// Everything that a merchant sets for a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// What buyers read.
    pub title: String,
    /// Whether it is in force. One that is not is as if it did not exist.
    #[serde(default = "yes")]
    pub is_enabled: bool,
    /// What the discount is taken from.
    pub class: Class,
    /// How much it is.
    pub action: Action,
    /// The currency of its amounts, and of the baskets that it is for; none for any, where it has no amounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The channel that it is for; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<ChannelId>,
    /// What a basket must fulfill.
    #[serde(default)]
    pub conditions: Conditions,
    /// Of promotions that are applied together, the higher ones come first.
    #[serde(default)]
    pub priority: i64,
    /// What it may be combined with. Both must allow it.
    #[serde(default)]
    pub combines_with: CombinesWith,
    /// Whether nothing else is applied if it is.
    #[serde(default)]
    pub is_exclusive: bool,
    /// When it begins; none for at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// When it ends; none for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// How many orders may use it; none for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_limit: Option<i64>,
    /// How many orders of one buyer may use it, known by the address for the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_limit: Option<i64>,
}

fn yes() -> bool {
    true
}

/// How much is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// A part of what is left. All of it, for shipping, is free shipping.
    Percentage {
        /// In millionths: 100 000 is 10 %.
        rate_millionths: Rate,
    },
    /// An amount: off each unit for products, off the whole otherwise, and never more than is left.
    Fixed {
        /// In minor units.
        amount_minor: i64,
    },
}

/// What a basket must fulfill. What is empty or absent is fulfilled by every basket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// What all lines together must cost at least before any discount, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_subtotal_minor: Option<i64>,
    /// The products that it is for. A discount on products is taken from these only; any other needs one of
    /// them in the basket.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub product_ids: BTreeSet<ProductId>,
    /// The variants that it is for, besides the products.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub variant_ids: BTreeSet<VariantId>,
    /// The countries where the goods go. Where the buyer has not said so yet, no country is fulfilled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<Country>,
}

/// The classes of promotions that one may be combined with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CombinesWith {
    /// Discounts on the same products. Those on other products never stand in each other's way.
    #[serde(default)]
    pub product: bool,
    /// Discounts on the order.
    #[serde(default)]
    pub order: bool,
    /// Discounts on shipping.
    #[serde(default)]
    pub shipping: bool,
}

impl CombinesWith {
    /// Everything.
    pub const ALL: Self = Self { product: true, order: true, shipping: true };

    /// Whether a class is among them.
    pub fn allows(self, class: Class) -> bool {
        match class {
            Class::Product => self.product,
            Class::Order => self.order,
            Class::Shipping => self.shipping,
        }
    }
}

impl Rules {
    /// Checks what a merchant sent.
    pub fn checked(mut self) -> Result<Self, Refusal> {
        let mut errors = FieldErrors::default();
        self.title =
            errors.take(text::line("/title", &self.title, text::NAME_MAX)).unwrap_or_default();
        self.check_amounts(&mut errors);
        let Conditions { product_ids, variant_ids, countries, .. } = &self.conditions;
        for (count, max, pointer) in [
            (product_ids.len(), GOODS_MAX, "/conditions/product_ids"),
            (variant_ids.len(), GOODS_MAX, "/conditions/variant_ids"),
            (countries.len(), COUNTRIES_MAX, "/conditions/countries"),
        ] {
            errors.check(count <= max, pointer, format!("must not be more than {max}"));
        }
        for (limit, pointer) in
            [(self.usage_limit, "/usage_limit"), (self.customer_limit, "/customer_limit")]
        {
            errors.check(
                limit.is_none_or(|limit| (1..=USES_MAX).contains(&limit)),
                pointer,
                format!("must be 1 to {USES_MAX}"),
            );
        }
        let is_ordered = match (self.starts_at, self.ends_at) {
            (Some(starts_at), Some(ends_at)) => starts_at < ends_at,
            _ => true,
        };
        errors.check(is_ordered, "/ends_at", "must be after starts_at");
        errors.check(
            (-1_000_000..=1_000_000).contains(&self.priority),
            "/priority",
            "must be between -1000000 and 1000000",
        );
        errors.finish()?;
        Ok(self)
    }

    fn check_amounts(&self, errors: &mut FieldErrors) {
        let fits = |amount_minor: i64| (1..=MINOR_MAX).contains(&amount_minor);
        match self.action {
            Action::Percentage { rate_millionths } => errors.check(
                (1..=1_000_000).contains(&rate_millionths.millionths()),
                "/action/rate_millionths",
                "must be 1 to 1000000 (100 %)",
            ),
            Action::Fixed { amount_minor } => errors.check(
                fits(amount_minor),
                "/action/amount_minor",
                "must be between 1 and 10^12",
            ),
        }
        let minimum_minor = self.conditions.minimum_subtotal_minor;
        errors.check(
            minimum_minor.is_none_or(fits),
            "/conditions/minimum_subtotal_minor",
            "must be between 1 and 10^12",
        );
        let has_amounts = minimum_minor.is_some() || matches!(self.action, Action::Fixed { .. });
        errors.check(
            !has_amounts || self.currency.is_some(),
            "/currency",
            "is needed where there is an amount",
        );
    }

    /// Whether somebody must count how often it is used.
    pub fn is_limited(&self) -> bool {
        self.usage_limit.is_some() || self.customer_limit.is_some()
    }
}
