//! Addresses of 2026-01-11, of which every part may be absent, and addresses of the shop, which are whole.
//!
//! What a platform leaves out stands in the shop as a text that says so, and is left out again when the
//! platform reads it. Only a sandbox may do this: no parcel finds such an address.

use handel_domain::{
    Refusal,
    address::{Address, Country, Part, Usage},
};
use serde::{Deserialize, Serialize};

/// What stands in the shop for a text that nobody gave.
const UNSAID: &str = "(not given)";

/// What stands for a region that nobody gave where the shop takes no other text: few people live there.
const UNSAID_REGIONS: [(&str, &str); 5] =
    [("US", "AA"), ("CA", "NU"), ("AU", "JBT"), ("BR", "AC"), ("IN", "LD")];

/// A postal address of 2026-01-11 (`types/postal_address.json`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PostalAddress {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) full_name: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) first_name: Option<String>,
    #[serde(default, skip_serializing)]
    pub(crate) last_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) street_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) extended_address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address_locality: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address_region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) postal_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address_country: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone_number: Option<String>,
}

impl PostalAddress {
    /// The address as the shop keeps it. Only the country is needed; `pointer` names the address in refusals.
    pub(crate) fn into_shop(self, pointer: &str) -> Result<Address, Refusal> {
        let at = format!("{pointer}/address_country");
        let country = Country::read(&at, &said(self.address_country).unwrap_or_default())?;
        let name = said(self.full_name).or_else(|| {
            let parts = [said(self.first_name), said(self.last_name)];
            said(Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" ")))
        });
        let unsaid = || UNSAID.to_owned();
        let known = Address {
            name: name.unwrap_or_else(unsaid),
            line1: said(self.street_address).unwrap_or_else(unsaid),
            line2: said(self.extended_address),
            city: said(self.address_locality).unwrap_or_default(),
            region: said(self.address_region),
            postal_code: said(self.postal_code),
            country,
            phone: said(self.phone_number),
        };
        let known = known.checked_in_part(pointer)?;
        let is_needed = |part| country.usage(part) == Usage::Required;
        let region = is_needed(Part::Region).then(|| unsaid_region(country).to_owned());
        Address {
            city: said(Some(known.city)).unwrap_or_else(unsaid),
            region: known.region.or(region),
            postal_code: known
                .postal_code
                .or_else(|| unsaid_postal_code(country).filter(|_| is_needed(Part::PostalCode))),
            ..known
        }
        .checked(pointer)
    }

    /// The address as the platform gave it.
    pub(crate) fn of_shop(address: &Address) -> Self {
        let said = |text: &str| (!text.eq_ignore_ascii_case(UNSAID)).then(|| text.to_owned());
        let postal_code = address.postal_code.as_deref();
        Self {
            full_name: said(&address.name),
            first_name: None,
            last_name: None,
            street_address: said(&address.line1),
            extended_address: address.line2.clone(),
            address_locality: said(&address.city),
            address_region: address
                .region_in_words()
                .filter(|_| address.region.as_deref() != Some(unsaid_region(address.country)))
                .and_then(said),
            postal_code: postal_code
                .filter(|code| Some(*code) != unsaid_postal_code(address.country).as_deref())
                .map(str::to_owned),
            address_country: Some(address.country.to_string()),
            phone_number: address.phone.clone(),
        }
    }

    /// Whether a parcel could find it, so that it is worth being kept for the next time.
    pub(crate) fn is_whole(&self) -> bool {
        [&self.street_address, &self.address_locality, &self.address_country]
            .into_iter()
            .all(|part| part.as_deref().is_some_and(|text| !text.trim().is_empty()))
    }

    /// Whether two addresses lead to the same place, whoever lives there.
    pub(crate) fn is_same_place(&self, other: &Self) -> bool {
        self.place() == other.place()
    }

    /// What tells one place from another, in one way of writing.
    pub(crate) fn place(&self) -> [String; 6] {
        [
            &self.street_address,
            &self.extended_address,
            &self.address_locality,
            &self.address_region,
            &self.postal_code,
            &self.address_country,
        ]
        .map(|part| part.as_deref().unwrap_or_default().trim().to_lowercase())
    }
}

/// A text that says something.
fn said(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn unsaid_region(country: Country) -> &'static str {
    let mut regions = UNSAID_REGIONS.iter();
    regions.find(|(code, _)| *code == country.as_str()).map_or(UNSAID, |(_, region)| *region)
}

/// The code of the country with the smallest digits and letters that are one; none where there are no codes.
fn unsaid_postal_code(country: Country) -> Option<String> {
    let example = country.postal_code_example()?;
    let smallest = |c: char| match c {
        '0'..='9' => '0',
        'A'..='Z' => 'A',
        c => c,
    };
    let code: String = example.chars().map(smallest).collect();
    Some(country.postal_code(&code).unwrap_or_else(|| example.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_country(code: &str) -> PostalAddress {
        PostalAddress { address_country: Some(code.to_owned()), ..PostalAddress::default() }
    }

    #[test]
    fn a_country_alone_is_an_address_and_comes_back_alone() {
        for country in Country::all() {
            let sent = in_country(country.as_str());
            let kept = sent.clone().into_shop("").unwrap_or_else(|no| panic!("{country}: {no}"));
            assert_eq!(PostalAddress::of_shop(&kept), sent, "{country}");
        }
    }

    #[test]
    fn what_was_given_comes_back() {
        let sent = PostalAddress {
            full_name: Some("John Doe".into()),
            street_address: Some("123 Main St".into()),
            extended_address: Some("Floor 2".into()),
            address_locality: Some("Springfield".into()),
            address_region: Some("IL".into()),
            postal_code: Some("62704".into()),
            phone_number: Some("+1 555 0100".into()),
            ..in_country("US")
        };
        let kept = sent.clone().into_shop("").expect("a whole address");
        assert_eq!(PostalAddress::of_shop(&kept), sent);
        assert!(sent.is_whole() && !in_country("US").is_whole());
    }

    #[test]
    fn two_halves_of_a_name_are_one_name() {
        let halves = PostalAddress {
            first_name: Some("Jane".into()),
            last_name: Some("Doe".into()),
            ..in_country("IE")
        };
        assert_eq!(halves.into_shop("").expect("an address").name, "Jane Doe");
    }

    #[test]
    fn a_place_without_a_country_is_nowhere() {
        let refusal = PostalAddress::default().into_shop("/d/0").expect_err("no country");
        assert_eq!(refusal.details.errors[0].pointer, "/d/0/address_country");
    }

    #[test]
    fn a_card_number_is_refused_here_too() {
        let hidden = PostalAddress {
            street_address: Some("4242 4242 4242 4242".into()),
            ..in_country("IE")
        };
        let refusal = hidden.into_shop("").expect_err("a card number");
        assert_eq!(refusal.code, handel_domain::Code::CardNumberRefused);
    }
}
