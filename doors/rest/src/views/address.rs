//! Postal addresses on the wire.

use handel_domain::{
    Refusal,
    address::{Address, Country},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A postal address.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AddressBody {
    /// Name of the person or company.
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// Street and number.
    #[schema(example = "1 Main Street")]
    line1: String,
    /// Apartment, floor, company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line2: Option<String>,
    /// City or town.
    #[schema(example = "New York")]
    city: String,
    /// State or province, where the country has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "NY")]
    region: Option<String>,
    /// Postal code, where the country has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "10001")]
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-2 country code.
    #[schema(example = "US")]
    country: String,
    /// Phone number for the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

impl AddressBody {
    /// Understands the address; `pointer` names it in refusals.
    pub(crate) fn read(self, pointer: &str) -> Result<Address, Refusal> {
        Ok(Address {
            country: Country::parse(&format!("{pointer}/country"), &self.country)?,
            name: self.name,
            line1: self.line1,
            line2: self.line2,
            city: self.city,
            region: self.region,
            postal_code: self.postal_code,
            phone: self.phone,
        })
    }
}

impl From<&Address> for AddressBody {
    fn from(address: &Address) -> Self {
        let Address { name, line1, line2, city, region, postal_code, country, phone } =
            address.clone();
        Self { name, line1, line2, city, region, postal_code, country: country.to_string(), phone }
    }
}
