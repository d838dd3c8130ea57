//! Flat shipping methods by country.

use serde::{Deserialize, Serialize};

use crate::{address::Country, text::Slug};

/// A way to send goods, at one price per order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingMethod {
    /// The name that checkouts choose it by, such as `standard`.
    pub code: Slug,
    /// What the buyer reads.
    pub name: String,
    /// Where it goes; empty for every country of the channel.
    #[serde(default)]
    pub countries: Vec<Country>,
    /// The price in minor units of the channel's currency, taxed like the goods: inclusive where
    /// prices include tax.
    pub amount_minor: i64,
    /// The tax class of shipping itself.
    pub tax_class: String,
}

impl ShippingMethod {
    /// Whether the method goes to a country.
    pub fn serves(&self, country: Country) -> bool {
        self.countries.is_empty() || self.countries.contains(&country)
    }
}
