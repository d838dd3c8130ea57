//! Promotions as staff see them.

use handel_domain::promotion::{Promotion, Rules};
use handel_engine::{PromotionDetails, PromotionSummary};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{ActionBody, ClassBody, CombinesWithBody, ConditionsBody};

/// A promotion as staff see it.
#[derive(Serialize, ToSchema)]
pub(crate) struct StaffPromotionView {
    /// Identity.
    #[schema(example = "prm_01jd6z3v9q8x7k2m4n5p6r7s8t")]
    id: String,
    /// What buyers read.
    title: String,
    /// Whether it is in force.
    enabled: bool,
    /// Whether everybody gets it, without a code.
    automatic: bool,
    /// What the discount is taken from.
    class: ClassBody,
    /// How much it is.
    action: ActionBody,
    /// ISO 4217 code of its amounts, and of the baskets that it is for; absent for any.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// The channel that it is for; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<String>,
    /// What a basket must fulfill.
    conditions: ConditionsBody,
    /// Of promotions that are applied together, the higher ones come first.
    priority: i64,
    /// What it may be combined with.
    combines_with: CombinesWithBody,
    /// Whether nothing else is applied if it is.
    exclusive: bool,
    /// When it begins; absent for at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    starts_at: Option<String>,
    /// When it ends; absent for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// How many orders may use it; absent for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage_limit: Option<i64>,
    /// How many orders of one buyer may use it; absent for any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_limit: Option<i64>,
    /// How many orders use it that were not canceled.
    used: i64,
    /// The codes by which buyers get it, in capitals; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    codes: Option<Vec<String>>,
    /// Grows with every change; the ETag.
    version: i64,
    /// When it was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl StaffPromotionView {
    fn new(promotion: Promotion, used: i64, codes: Option<Vec<String>>) -> Self {
        let Promotion { id, rules, is_automatic, version, created_at, updated_at } = promotion;
        let Rules { currency, channel_id, starts_at, ends_at, .. } = rules;
        let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
        Self {
            id: id.to_string(),
            title: rules.title,
            enabled: rules.is_enabled,
            automatic: is_automatic,
            class: rules.class.into(),
            action: rules.action.into(),
            currency: currency.map(|currency| currency.to_string()),
            channel_id: channel_id.map(|id| id.to_string()),
            conditions: rules.conditions.into(),
            priority: rules.priority,
            combines_with: rules.combines_with.into(),
            exclusive: rules.is_exclusive,
            starts_at: text(starts_at),
            ends_at: text(ends_at),
            usage_limit: rules.usage_limit,
            customer_limit: rules.customer_limit,
            used,
            codes,
            version,
            created_at: created_at.to_string(),
            updated_at: updated_at.to_string(),
        }
    }
}

impl From<PromotionDetails> for StaffPromotionView {
    fn from(PromotionDetails { promotion, codes, used }: PromotionDetails) -> Self {
        Self::new(promotion, used, Some(codes))
    }
}

impl From<PromotionSummary> for StaffPromotionView {
    fn from(PromotionSummary { promotion, used }: PromotionSummary) -> Self {
        Self::new(promotion, used, None)
    }
}
