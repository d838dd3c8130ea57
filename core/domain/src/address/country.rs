//! Countries: their codes, and what people call them.

use std::{borrow::Cow, fmt, str::FromStr, sync::LazyLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{
    fold::{capitals, fold},
    postal_code,
    table::{Entry, Region, countries},
};
use crate::refusal::Refusal;

/// An ISO 3166-1 alpha-2 country code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

const STRICT: &str = "must be an ISO 3166-1 code of two capitals, such as DE";

/// Countries whose names have an article in a sentence.
const WITH_ARTICLE: &str =
    "AE BS CC CF CD CG CK DO FK FO GB GM IM IO KM KY MH MP MV NL PH PS SB SC TC UM US VA VG VI";

impl Country {
    /// Reads a code, as settings have it; `pointer` names the field in the refusal.
    pub fn parse(pointer: &str, code: &str) -> Result<Self, Refusal> {
        Self::of_code(code).ok_or_else(|| Refusal::field(pointer, STRICT))
    }

    /// Reads what people and agents write: a code of two or three letters in any case, or a name.
    ///
    /// `pointer` names the field in the refusal, which suggests what may have been meant.
    pub fn read(pointer: &str, text: &str) -> Result<Self, Refusal> {
        let folded = fold(text);
        if let Some(found) = countries().names().find(&folded) {
            return Ok(Self::of_entry(&countries().all()[found]));
        }
        if folded.is_empty() {
            return Err(Refusal::field(pointer, "is needed"));
        }
        let near = countries().names().near(&folded, 3).into_iter();
        let near = near.map(|place| &countries().all()[place]);
        let near: Vec<_> = near.map(|entry| format!("{} ({})", entry.name, entry.code)).collect();
        let message = match super::one_of(&near) {
            Some(near) => format!("is not a country; did you mean {near}?"),
            None => "is not a country; give its name or its ISO 3166-1 code, such as DE".to_owned(),
        };
        Err(Refusal::field(pointer, message))
    }

    /// All countries in the order of their names.
    pub fn all() -> &'static [Self] {
        static SORTED: LazyLock<Vec<Country>> = LazyLock::new(Country::sorted);
        &SORTED
    }

    fn sorted() -> Vec<Self> {
        let mut all: Vec<_> = countries()
            .all()
            .iter()
            .map(|entry| (fold(entry.name), Self::of_entry(entry)))
            .collect();
        all.sort_unstable();
        all.into_iter().map(|(_, country)| country).collect()
    }

    fn of_code(code: &str) -> Option<Self> {
        countries().of_code(code).map(Self::of_entry)
    }

    fn of_entry(entry: &Entry) -> Self {
        Self(entry.code.as_bytes().try_into().expect("a code has two letters"))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a country code is ASCII")
    }

    /// The name in English, such as `United States`.
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The name as it stands in a sentence, such as `the United States`.
    pub fn in_sentence(self) -> String {
        let article = if WITH_ARTICLE.contains(self.as_str()) { "the " } else { "" };
        format!("{article}{}", self.name())
    }

    /// The regions that are known of it, in the order in which the country lists them.
    pub fn regions(self) -> &'static [Region] {
        &self.entry().regions
    }

    /// The region that a text means: its code with or without the country, its name in a language of the country, or a
    /// usual abbreviation. None where it means no region, or two.
    pub fn region(self, text: &str) -> Option<&'static Region> {
        let entry = self.entry();
        let upper = capitals(text);
        let after =
            upper.strip_prefix(entry.code).and_then(|rest| rest.strip_prefix(['-', '/', '_', ' ']));
        let code = after.unwrap_or(&upper).trim();
        let of_code = entry.regions.iter().find(|region| region.code == code);
        let of_name = || entry.region_names().find(&fold(text)).map(|at| &entry.regions[at]);
        of_code.or_else(of_name)
    }

    /// A postal code in the form of the country; none if the text is none of the country's.
    pub fn postal_code(self, text: &str) -> Option<String> {
        postal_code::normalized(self.entry(), text)
    }

    pub(super) fn entry(self) -> &'static Entry {
        countries().of_code(self.as_str()).expect("a country is one of the table")
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
        code.parse().map_err(|_: Refusal| de::Error::custom(STRICT))
    }
}
