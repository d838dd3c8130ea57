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
    /// City or town; empty where the country has none, such as Singapore.
    #[serde(default)]
    #[schema(example = "New York")]
    city: String,
    /// State, province or the like, where the country has them. Reads ISO 3166-2 codes, names in a language of the country
    /// and usual abbreviations; answers the code without the country. `GET /countries/{code}` lists them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "NY")]
    region: Option<String>,
    /// Postal code, where the country has them. Reads it with and without blanks and hyphens; answers the usual form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "10001")]
    postal_code: Option<String>,
    /// Country. Reads ISO 3166-1 codes of two and three letters in any case, and names; answers the alpha-2 code.
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
            country: Country::read(&format!("{pointer}/country"), &self.country)?,
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
