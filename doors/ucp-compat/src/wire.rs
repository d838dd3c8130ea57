//! What platforms send of a checkout. Fields that the shop decides on its own, such as titles and prices, are
//! not even read.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::address::PostalAddress;

/// A checkout as a platform wants it. Parts that are absent stay as they were.
#[derive(Deserialize)]
pub(crate) struct CheckoutBody {
    pub(crate) line_items: Option<Vec<LineItemBody>>,
    pub(crate) buyer: Option<BuyerBody>,
    pub(crate) fulfillment: Option<FulfillmentBody>,
    pub(crate) discounts: Option<DiscountsBody>,
}

#[derive(Deserialize)]
pub(crate) struct LineItemBody {
    pub(crate) id: Option<String>,
    pub(crate) item: ItemBody,
    pub(crate) quantity: i64,
}

#[derive(Deserialize)]
pub(crate) struct ItemBody {
    /// The SKU.
    pub(crate) id: String,
}

#[derive(Deserialize)]
pub(crate) struct BuyerBody {
    pub(crate) first_name: Option<String>,
    pub(crate) last_name: Option<String>,
    /// The suite writes it in two ways.
    #[serde(alias = "fullName")]
    pub(crate) full_name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone_number: Option<String>,
    /// Purpose and decision.
    pub(crate) consent: Option<BTreeMap<String, bool>>,
}

#[derive(Deserialize)]
pub(crate) struct DiscountsBody {
    #[serde(default)]
    pub(crate) codes: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct FulfillmentBody {
    #[serde(default)]
    pub(crate) methods: Vec<MethodBody>,
}

#[derive(Deserialize)]
pub(crate) struct MethodBody {
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) destinations: Option<Vec<DestinationBody>>,
    pub(crate) selected_destination_id: Option<String>,
    pub(crate) groups: Option<Vec<GroupBody>>,
}

#[derive(Deserialize)]
pub(crate) struct DestinationBody {
    pub(crate) id: Option<String>,
    #[serde(flatten)]
    pub(crate) address: PostalAddress,
}

#[derive(Deserialize)]
pub(crate) struct GroupBody {
    pub(crate) selected_option_id: Option<String>,
}
