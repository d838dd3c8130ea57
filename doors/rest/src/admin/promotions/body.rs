//! Promotions as staff send them. Parts that are shown as they are sent are named for the way in.

use handel_domain::{
    Currency, Refusal,
    address::Country,
    id::{ChannelId, ProductId, PromotionId, VariantId},
    promotion::{Action, Class, CombinesWith, Conditions, Rules},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{
    document::{ReadOnly, check_id},
    rate::{self, Percent},
};

/// A whole promotion.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PromotionBody {
    /// Given by the shop. A promotion that is changed may carry its own.
    #[serde(default)]
    #[schema(read_only, value_type = Option<String>)]
    id: Option<PromotionId>,
    /// What buyers read.
    #[schema(example = "10 % off everything")]
    title: String,
    /// Whether it is in force; `true` if absent. One that is not is as if it did not exist.
    #[serde(default = "yes")]
    #[schema(default = true)]
    enabled: bool,
    /// What the discount is taken from.
    class: ClassBody,
    /// How much it is.
    action: ActionBody,
    /// ISO 4217 code of its amounts, and of the baskets that it is for. Needed where there is an amount; absent
    /// for any currency.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "USD")]
    currency: Option<Currency>,
    /// The channel that it is for; absent for all.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    channel_id: Option<ChannelId>,
    /// What a basket must fulfill; nothing if absent.
    #[serde(default)]
    conditions: ConditionsBody,
    /// Of promotions that are applied together, the higher ones come first; 0 if absent.
    #[serde(default)]
    #[schema(minimum = -1_000_000, maximum = 1_000_000)]
    priority: i64,
    /// What it may be combined with; nothing if absent. Both must allow it.
    #[serde(default)]
    combines_with: CombinesWithBody,
    /// Whether nothing else is applied if it is; `false` if absent.
    #[serde(default)]
    exclusive: bool,
    /// When it begins; absent for at once.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// When it ends; absent for never.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    ends_at: Option<Timestamp>,
    /// How many orders may use it; absent for any number.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    usage_limit: Option<i64>,
    /// How many orders of one buyer may use it, known by the address for the receipt; absent for any number.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    customer_limit: Option<i64>,
    /// The codes by which buyers get it, at most 1000 of 1 to 64 printable ASCII characters, however they are
    /// capitalized. Without any, everybody gets it.
    #[serde(default)]
    #[schema(example = json!(["WELCOME10"]))]
    codes: Vec<String>,
    /// Whether it has no codes.
    #[serde(default)]
    #[schema(read_only, value_type = bool)]
    automatic: ReadOnly,
    /// Counted by the shop.
    #[serde(default)]
    #[schema(read_only, value_type = i64)]
    used: ReadOnly,
    /// Kept by the shop.
    #[serde(default)]
    #[schema(read_only, value_type = i64)]
    version: ReadOnly,
    /// Kept by the shop.
    #[serde(default)]
    #[schema(read_only, value_type = String, format = DateTime)]
    created_at: ReadOnly,
    /// Kept by the shop.
    #[serde(default)]
    #[schema(read_only, value_type = String, format = DateTime)]
    updated_at: ReadOnly,
}

fn yes() -> bool {
    true
}

wire_enum! {
    /// What a discount is taken from. They are applied in this order.
    ClassBody = Class {
        /// From the lines that it is for, each on its own.
        Product,
        /// From what all lines cost after the discounts on products.
        Order,
        /// From what shipping costs.
        Shipping,
    }
}

/// How much is taken off.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum ActionBody {
    /// A part of what is left. All of it, for shipping, is free shipping.
    Percentage {
        /// In percent, as text with at most four decimals: `"10"`, `"12.5"`.
        #[serde(default)]
        #[schema(value_type = Option<String>, example = "10")]
        rate_percent: Option<Percent>,
        /// In millionths instead: 100000 is 10 %. Answers have `rate_percent`.
        #[serde(default, skip_serializing)]
        #[schema(write_only, minimum = 1, maximum = 1_000_000)]
        rate_millionths: Option<u32>,
    },
    /// An amount: off each unit for products, off the whole otherwise, and never more than is left.
    Fixed {
        /// In minor units.
        #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, example = 500)]
        amount_minor: i64,
    },
}

/// What a basket must fulfill. What is empty or absent is fulfilled by every basket.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConditionsBody {
    /// What all lines together must cost at least before any discount, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64)]
    minimum_subtotal_minor: Option<i64>,
    /// The products that it is for; at most 1000. A discount on products is taken from these only; any other
    /// needs one of them in the basket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    product_ids: Vec<ProductId>,
    /// The variants that it is for, besides the products; at most 1000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    variant_ids: Vec<VariantId>,
    /// ISO 3166-1 codes of the countries where the goods go. Where the buyer has not said so yet, none is
    /// fulfilled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, example = json!(["DE", "AT"]))]
    countries: Vec<Country>,
}

/// The classes of promotions that one may be combined with.
#[derive(Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CombinesWithBody {
    /// Discounts on the same products. Those on other products never stand in each other's way.
    #[serde(default)]
    product: bool,
    /// Discounts on the order.
    #[serde(default)]
    order: bool,
    /// Discounts on shipping.
    #[serde(default)]
    shipping: bool,
}

impl PromotionBody {
    /// The rules and the codes; `id` is none where a promotion is made.
    pub(super) fn read(self, id: Option<PromotionId>) -> Result<(Rules, Vec<String>), Refusal> {
        check_id(self.id, id)?;
        let [ReadOnly, ReadOnly, ReadOnly, ReadOnly, ReadOnly] =
            [self.automatic, self.used, self.version, self.created_at, self.updated_at];
        let action = match self.action {
            ActionBody::Percentage { rate_percent, rate_millionths } => Action::Percentage {
                rate_millionths: rate::read("/action", rate_percent, rate_millionths)?,
            },
            ActionBody::Fixed { amount_minor } => Action::Fixed { amount_minor },
        };
        let ConditionsBody { minimum_subtotal_minor, product_ids, variant_ids, countries } =
            self.conditions;
        let CombinesWithBody { product, order, shipping } = self.combines_with;
        let rules = Rules {
            title: self.title,
            is_enabled: self.enabled,
            class: self.class.into(),
            action,
            currency: self.currency,
            channel_id: self.channel_id,
            conditions: Conditions {
                minimum_subtotal_minor,
                product_ids: product_ids.into_iter().collect(),
                variant_ids: variant_ids.into_iter().collect(),
                countries,
            },
            priority: self.priority,
            combines_with: CombinesWith { product, order, shipping },
            is_exclusive: self.exclusive,
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            usage_limit: self.usage_limit,
            customer_limit: self.customer_limit,
        };
        Ok((rules, self.codes))
    }
}

impl From<Action> for ActionBody {
    fn from(action: Action) -> Self {
        match action {
            Action::Percentage { rate_millionths } => Self::Percentage {
                rate_percent: Some(rate_millionths.into()),
                rate_millionths: None,
            },
            Action::Fixed { amount_minor } => Self::Fixed { amount_minor },
        }
    }
}

impl From<Conditions> for ConditionsBody {
    fn from(conditions: Conditions) -> Self {
        let Conditions { minimum_subtotal_minor, product_ids, variant_ids, countries } = conditions;
        Self {
            minimum_subtotal_minor,
            product_ids: product_ids.into_iter().collect(),
            variant_ids: variant_ids.into_iter().collect(),
            countries,
        }
    }
}

impl From<CombinesWith> for CombinesWithBody {
    fn from(CombinesWith { product, order, shipping }: CombinesWith) -> Self {
        Self { product, order, shipping }
    }
}
