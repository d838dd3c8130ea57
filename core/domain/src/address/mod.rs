//! Countries and postal addresses, read as people write them and kept in one form.

mod country;
mod fold;
mod format;
mod postal_code;
mod region;
mod table;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(crate) use self::region::contradiction;
pub use self::{
    country::Country,
    format::{Part, Usage},
    table::Region,
};
use crate::{
    refusal::{FieldError, FieldErrors, Refusal},
    text,
};

/// A postal address. Which parts a country has differs, so most are optional; what a country
/// demands is checked by [`Address::checked`]. Of an address that is not known whole yet, the parts that are missing are
/// absent or empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Name of the person or company.
    pub name: String,
    /// Street and number.
    pub line1: String,
    /// Apartment, floor, company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// City or town.
    pub city: String,
    /// State, province or county, where the country has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code, where the country has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Country.
    pub country: Country,
    /// Phone number for the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl Address {
    /// Checks the parts against length limits and the rules of the country, and trims them.
    ///
    /// `pointer` is the JSON pointer of the address itself, such as `/shipping_address`.
    pub fn checked(self, pointer: &str) -> Result<Self, Refusal> {
        self.check(pointer, true)
    }

    /// The same for an address of which no more than the country may be known: what is there must be right.
    pub fn checked_in_part(self, pointer: &str) -> Result<Self, Refusal> {
        self.check(pointer, false)
    }

    /// What an address that was checked lacks before anything can be sent there.
    pub fn missing(&self, pointer: &str) -> Vec<FieldError> {
        match self.clone().checked(pointer) {
            Ok(_) => Vec::new(),
            Err(refusal) => refusal.details.errors,
        }
    }

    fn check(self, pointer: &str, is_whole: bool) -> Result<Self, Refusal> {
        let at = |field: &str| format!("{pointer}/{field}");
        if let Some(field) = self.field_with_card_number() {
            return Err(Refusal::card_number(at(field)));
        }
        let country = self.country;
        let is_needed = |part| is_whole && country.usage(part) == Usage::Required;
        let mut errors = FieldErrors::default();
        let mut line = |field: &str, value: &str, max: usize, is_needed: bool| {
            let check = if is_needed { text::line } else { text::optional_line };
            errors.take(check(&at(field), value, max)).unwrap_or_default()
        };
        let name = line("name", &self.name, text::NAME_MAX, is_whole);
        let line1 = line("line1", &self.line1, 200, is_whole);
        let city = line("city", &self.city, 100, is_needed(Part::City));
        let mut optional = |field: &str, value: Option<String>, max: usize| {
            Some(line(field, value.as_deref().unwrap_or(""), max, false))
                .filter(|text| !text.is_empty())
        };
        let line2 = optional("line2", self.line2, 200);
        let region = optional("region", self.region, 100);
        let postal_code = optional("postal_code", self.postal_code, 20);
        let phone = optional("phone", self.phone, PHONE_MAX);
        let postal_code = checked_postal_code(country, postal_code);
        let known = postal_code.as_ref().ok().and_then(Option::as_deref);
        let region = checked_region(country, region, &city, known);
        let region = errors.take(region.map_err(|why| Refusal::field(at("region"), why))).flatten();
        let is_there = region.is_some() || !errors.is_empty_at(&at("region"));
        errors.check(is_there || !is_needed(Part::Region), at("region"), country.missing_region());
        let why = |why: String| Refusal::field(at("postal_code"), why);
        let postal_code = errors.take(postal_code.map_err(why)).flatten();
        let is_there = postal_code.is_some() || !errors.is_empty_at(&at("postal_code"));
        errors.check(
            is_there || !is_needed(Part::PostalCode),
            at("postal_code"),
            format!("is needed for addresses in {}", country.in_sentence()),
        );
        errors.finish()?;
        Ok(Self { name, line1, line2, city, region, postal_code, country, phone })
    }

    fn field_with_card_number(&self) -> Option<&'static str> {
        let texts = [
            ("name", Some(&self.name)),
            ("line1", Some(&self.line1)),
            ("line2", self.line2.as_ref()),
            ("city", Some(&self.city)),
            ("region", self.region.as_ref()),
            ("postal_code", self.postal_code.as_ref()),
            ("phone", self.phone.as_ref().filter(|phone| !may_be_dialed(phone))),
        ];
        let found = texts
            .into_iter()
            .find(|(_, text)| text.is_some_and(|text: &String| text::looks_like_card_number(text)));
        found.map(|(field, _)| field)
    }
}

/// Longest phone number, in characters.
const PHONE_MAX: usize = 40;

/// Checks a phone number that stands alone. It may be empty.
pub(crate) fn checked_phone(pointer: &str, phone: &str) -> Result<String, Refusal> {
    if !may_be_dialed(phone) && text::looks_like_card_number(phone) {
        return Err(Refusal::card_number(pointer));
    }
    text::optional_line(pointer, phone, PHONE_MAX)
}

/// Phone numbers in use are shorter than 15 digits, the most that there can be (E.164). One in ten of the longer
/// ones would pass as a card number by chance, while card numbers of 15 digits and more are nearly all there are.
fn may_be_dialed(phone: &str) -> bool {
    phone.bytes().filter(u8::is_ascii_digit).count() < 15
}

/// The code of the region, or what was typed where it decides nothing. Of a region that is absent, what the postal code
/// says, or the city where it is a region itself.
fn checked_region(
    country: Country,
    typed: Option<String>,
    city: &str,
    postal_code: Option<&str>,
) -> Result<Option<String>, String> {
    // A hyphen or a dot is what people type where a form insists.
    let typed = typed.filter(|typed| typed.chars().any(char::is_alphanumeric));
    let Some(typed) = typed else {
        let found = postal_code.and_then(|code| region::of_postal_code(country.entry(), code));
        let of_city = || {
            let is_needed = country.usage(Part::Region) == Usage::Required;
            let region = country.region(city).filter(|_| is_needed && !city.is_empty());
            region.filter(|_| !country.region_decides_tax()).map(|region| region.code)
        };
        return Ok(found.or_else(of_city).map(str::to_owned));
    };
    match country.region(&typed) {
        Some(region) => Ok(Some(region.code.to_owned())),
        None if country.region_decides_tax() => Err(country.unknown_region(&typed)),
        None => Ok(Some(typed)),
    }
}

/// The code in the form of the country, or what was typed where nothing needs it.
fn checked_postal_code(country: Country, typed: Option<String>) -> Result<Option<String>, String> {
    let Some(typed) = typed else { return Ok(None) };
    let entry = country.entry();
    if entry.postal_patterns.is_empty() {
        return Ok(Some(typed).filter(|typed| !postal_code::is_filler(typed)));
    }
    match postal_code::normalized(entry, &typed) {
        Some(code) => Ok(Some(code)),
        None if country.usage(Part::PostalCode) == Usage::Required => Err(format!(
            "must be a {} of {}, such as {}",
            country.label(Part::PostalCode),
            country.in_sentence(),
            entry.postal_example
        )),
        None => Ok(Some(typed)),
    }
}

/// What a kind of region, postal code or city is called in English.
fn label(kind: &str) -> &str {
    match kind {
        "do_si" => "province",
        "zip" => "ZIP code",
        "pin" => "PIN code",
        "eircode" => "Eircode",
        "postal" => "postal code",
        "post_town" => "town",
        kind => kind,
    }
}

/// Things to choose from in a sentence; none if there are none.
fn one_of<T: AsRef<str>>(things: &[T]) -> Option<String> {
    let (last, others) = things.split_last()?;
    let others: Vec<_> = others.iter().map(AsRef::as_ref).collect();
    Some(match others.is_empty() {
        true => last.as_ref().to_owned(),
        false => format!("{} or {}", others.join(", "), last.as_ref()),
    })
}
