//! Countries and postal addresses.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    refusal::{FieldError, FieldErrors, Refusal},
    text,
};

/// An ISO 3166-1 alpha-2 country code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

/// The officially assigned codes.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ \
BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES \
ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO \
IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK \
ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR \
PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK \
TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

impl Country {
    /// Reads a code; `pointer` names the field in the refusal.
    pub fn parse(pointer: &str, code: &str) -> Result<Self, Refusal> {
        match <[u8; 2]>::try_from(code.as_bytes()) {
            Ok(bytes) if COUNTRIES.split(' ').any(|known| known == code) => Ok(Self(bytes)),
            _ => Err(Refusal::field(
                pointer,
                "must be an ISO 3166-1 code of two capitals, such as DE",
            )),
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a country code is ASCII")
    }
}

impl FromStr for Country {
    type Err = Refusal;

    fn from_str(code: &str) -> Result<Self, Refusal> {
        Self::parse("", code)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Cow::<str>::deserialize(deserializer)?;
        code.parse().map_err(|_: Refusal| {
            de::Error::custom("must be an ISO 3166-1 code of two capitals, such as DE")
        })
    }
}

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

/// Countries whose addresses carry a state or province, and whose taxes often depend on it.
const WITH_REGION: [&str; 8] = ["US", "CA", "AU", "BR", "IN", "MX", "CN", "JP"];

/// How a postal code looks: `9` a digit, `A` a letter, everything else itself.
const POSTAL_CODES: [(&str, &[&str]); 22] = [
    ("AT", &["9999"]),
    ("AU", &["9999"]),
    ("BE", &["9999"]),
    ("CA", &["A9A 9A9", "A9A9A9"]),
    ("CH", &["9999"]),
    ("CZ", &["999 99", "99999"]),
    ("DE", &["99999"]),
    ("DK", &["9999"]),
    ("ES", &["99999"]),
    ("FI", &["99999"]),
    ("FR", &["99999"]),
    ("GB", &["A9 9AA", "A99 9AA", "A9A 9AA", "AA9 9AA", "AA99 9AA", "AA9A 9AA"]),
    ("IT", &["99999"]),
    ("JP", &["999-9999", "9999999"]),
    ("LU", &["9999"]),
    ("MX", &["99999"]),
    ("NL", &["9999 AA", "9999AA"]),
    ("NO", &["9999"]),
    ("PL", &["99-999"]),
    ("PT", &["9999-999"]),
    ("SE", &["999 99", "99999"]),
    ("US", &["99999", "99999-9999"]),
];

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
        let mut errors = FieldErrors::default();
        let mut optional = |field: &str, value: Option<String>, max: usize| {
            let value =
                errors.take(text::optional_line(&at(field), value.as_deref().unwrap_or(""), max));
            value.filter(|text| !text.is_empty())
        };
        let line2 = optional("line2", self.line2, 200);
        let region = optional("region", self.region, 100).map(|region| region.to_uppercase());
        let postal_code =
            optional("postal_code", self.postal_code, 20).map(|code| code.to_uppercase());
        let phone = optional("phone", self.phone, PHONE_MAX);
        let mut needed = |field: &str, value: &str, max: usize| {
            let check = if is_whole { text::line } else { text::optional_line };
            errors.take(check(&at(field), value, max)).unwrap_or_default()
        };
        let name = needed("name", &self.name, text::NAME_MAX);
        let line1 = needed("line1", &self.line1, 200);
        let city = needed("city", &self.city, 100);
        let country = self.country.as_str();
        errors.check(
            region.is_some() || !is_whole || !WITH_REGION.contains(&country),
            at("region"),
            format!("is needed for addresses in {country}"),
        );
        if let Some((_, shapes)) = POSTAL_CODES.iter().find(|(known, _)| *known == country) {
            let fits = match postal_code.as_deref() {
                Some(code) => shapes.iter().any(|shape| has_shape(code, shape)),
                None => !is_whole,
            };
            errors.check(fits, at("postal_code"), format!("must be a postal code of {country}"));
        }
        errors.finish()?;
        Ok(Self { name, line1, line2, city, region, postal_code, country: self.country, phone })
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

fn has_shape(code: &str, shape: &str) -> bool {
    code.len() == shape.len()
        && code.bytes().zip(shape.bytes()).all(|(byte, shape)| match shape {
            b'9' => byte.is_ascii_digit(),
            b'A' => byte.is_ascii_uppercase(),
            other => byte == other,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(country: &str, region: Option<&str>, postal_code: Option<&str>) -> Address {
        Address {
            name: "Ada Lovelace".into(),
            line1: "1 Main Street".into(),
            line2: None,
            city: "Somewhere".into(),
            region: region.map(str::to_owned),
            postal_code: postal_code.map(str::to_owned),
            country: country.parse().expect("a country"),
            phone: None,
        }
    }

    #[test]
    fn each_country_has_its_rules() {
        let good = [
            ("US", Some("ny"), Some("10001")),
            ("US", Some("NY"), Some("10001-1234")),
            ("DE", None, Some("10115")),
            ("GB", None, Some("sw1a 1aa")),
            ("NL", None, Some("1012 ab")),
            ("IE", None, None),
            ("HK", None, None),
        ];
        for (country, region, code) in good {
            assert!(address(country, region, code).checked("").is_ok(), "{country} {code:?}");
        }
        let bad = [
            ("US", None, Some("10001")),
            ("US", Some("NY"), None),
            ("DE", None, Some("1011")),
            ("CA", Some("ON"), Some("12345")),
        ];
        for (country, region, code) in bad {
            assert!(address(country, region, code).checked("").is_err(), "{country} {code:?}");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let mut bad = address("US", None, Some("x"));
        bad.name = " ".into();
        let refusal = bad.checked("/shipping_address").expect_err("three fields are wrong");
        let pointers: Vec<_> =
            refusal.details.errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(
            pointers,
            ["/shipping_address/name", "/shipping_address/region", "/shipping_address/postal_code"]
        );
    }

    #[test]
    fn an_address_may_be_known_in_part() {
        let bare = |country: &str| Address {
            name: String::new(),
            line1: " ".into(),
            city: String::new(),
            ..address(country, None, None)
        };
        for (country, lacking) in [
            ("IE", &["/to/name", "/to/line1", "/to/city"][..]),
            ("DE", &["/to/name", "/to/line1", "/to/city", "/to/postal_code"]),
            ("US", &["/to/name", "/to/line1", "/to/city", "/to/region", "/to/postal_code"]),
        ] {
            let known = bare(country).checked_in_part("/to").expect("the country is enough");
            let missing = known.missing("/to");
            let pointers: Vec<_> = missing.iter().map(|error| error.pointer.as_str()).collect();
            assert_eq!(pointers, lacking, "{country}");
            assert!(bare(country).checked("/to").is_err());
        }
        let whole = address("US", Some("ny"), Some("10001"));
        let checked = whole.clone().checked_in_part("").expect("nothing is missing");
        assert_eq!((checked.missing(""), Ok(checked)), (Vec::new(), whole.checked("")));
        for wrong in [
            Address { postal_code: Some("1".into()), ..bare("DE") },
            Address { city: "a\nb".into(), ..bare("DE") },
            Address { line1: "4242 4242 4242 4242".into(), ..bare("DE") },
        ] {
            wrong.checked_in_part("").expect_err("what is there must be right");
        }
    }

    #[test]
    fn a_card_number_is_refused_in_every_part() {
        let card = "4242 4242 4242 4242";
        type Part = fn(&mut Address) -> &mut String;
        let parts: [(&str, Part); 7] = [
            ("/name", |address| &mut address.name),
            ("/line1", |address| &mut address.line1),
            ("/line2", |address| address.line2.get_or_insert_default()),
            ("/city", |address| &mut address.city),
            ("/region", |address| address.region.get_or_insert_default()),
            ("/postal_code", |address| address.postal_code.get_or_insert_default()),
            ("/phone", |address| address.phone.get_or_insert_default()),
        ];
        for (pointer, part) in parts {
            let mut address = address("IE", None, None);
            *part(&mut address) = card.to_owned();
            let refusal = address.checked("").expect_err(pointer);
            assert_eq!(refusal.code, crate::Code::CardNumberRefused, "{pointer}");
            assert_eq!(refusal.details.errors[0].pointer, pointer);
        }
    }

    #[test]
    fn a_long_phone_number_is_no_card_number() {
        // 13 digits that begin like a card and pass its check, as one number in ten does.
        let phone = "+49 1711 2345 674";
        assert!(text::looks_like_card_number(phone), "the example proves nothing");
        let mut address = address("IE", None, None);
        address.phone = Some(phone.to_owned());
        assert!(address.checked("").is_ok());
    }

    #[test]
    fn unknown_countries_are_refused() {
        for code in ["ZZ", "de", "", "DEU", "D ", "XX"] {
            assert!(code.parse::<Country>().is_err(), "{code:?}");
        }
    }
}
