//! Promotions: staff keep them, baskets are priced with them, and orders use them up.

mod deals;
mod manage;
mod sql;
mod uses;

use handel_domain::promotion::Promotion;
use serde::{Deserialize, Serialize};

pub(crate) use deals::{Asked, Known};
pub(crate) use sql::{automatic, read_all};
pub(crate) use uses::{Uses, release};

/// A promotion in a list, with how often it is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionSummary {
    /// The promotion.
    pub promotion: Promotion,
    /// How many orders use it that were not canceled.
    pub used: i64,
}

/// A promotion with its codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionDetails {
    /// The promotion.
    pub promotion: Promotion,
    /// The codes by which buyers get it, in capitals and sorted; none where it needs none.
    pub codes: Vec<String>,
    /// How many orders use it that were not canceled.
    pub used: i64,
}
