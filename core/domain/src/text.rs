//! Texts that come from outside: bounded, trimmed and free of control characters.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::refusal::Refusal;

/// Longest name or title, in characters.
pub const NAME_MAX: usize = 200;
/// Longest description, in characters.
pub const DESCRIPTION_MAX: usize = 50_000;

/// Checks a one-line text: trimmed, not empty, at most `max` characters, no control characters.
pub fn line(pointer: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::field(pointer, "must not be empty"));
    }
    optional_line(pointer, text, max)
}

/// Checks a one-line text that may be empty.
pub fn optional_line(pointer: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().count() > max {
        return Err(Refusal::field(pointer, format!("must not be longer than {max} characters")));
    }
    if text.chars().any(char::is_control) {
        return Err(Refusal::field(pointer, "must not contain control characters"));
    }
    Ok(text.to_owned())
}

/// Checks a text of several lines.
pub fn block(pointer: &str, text: &str, max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().count() > max {
        return Err(Refusal::field(pointer, format!("must not be longer than {max} characters")));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Refusal::field(pointer, "must not contain control characters"));
    }
    Ok(text.to_owned())
}

/// Makes a slug from a title: lowercase letters and digits with single hyphens between.
pub fn slugify(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(Slug::MAX);
    slug.trim_end_matches('-').to_owned()
}

/// Declares a text that keeps a rule from the moment it is parsed.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Refusal;

            fn from_str(text: &str) -> Result<Self, Refusal> {
                Self::parse("", text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<str>::deserialize(deserializer)?;
                Self::parse("", &text).map_err(|refusal| {
                    let message = refusal.details.errors.into_iter().map(|error| error.message).next();
                    de::Error::custom(message.unwrap_or(refusal.message))
                })
            }
        }
    };
}

checked_text! {
    /// The part of an address on the web that names a product, category or channel: lowercase
    /// letters and digits with single hyphens between.
    Slug
}

impl Slug {
    const MAX: usize = 100;

    /// Reads a slug; `pointer` names the field in the refusal.
    pub fn parse(pointer: &str, text: &str) -> Result<Self, Refusal> {
        let well_formed = text.split('-').all(|word| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        if text.len() > Self::MAX || !well_formed {
            return Err(Refusal::field(
                pointer,
                "must be lowercase letters and digits with single hyphens, at most 100 characters",
            ));
        }
        Ok(Self(text.into()))
    }
}

checked_text! {
    /// A stock keeping unit: the merchant's own name of a variant, unique in the shop.
    Sku
}

impl Sku {
    /// Reads a SKU: 1 to 64 printable ASCII characters without spaces at the ends.
    pub fn parse(pointer: &str, text: &str) -> Result<Self, Refusal> {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        if text.is_empty() || text.len() > 64 || !printable || text.trim() != text {
            return Err(Refusal::field(pointer, "must be 1 to 64 printable ASCII characters"));
        }
        Ok(Self(text.into()))
    }
}

checked_text! {
    /// An e-mail address, as far as it can be checked without writing to it.
    Email
}

impl Email {
    /// Reads an address: one `@`, a local part, and a domain with a dot.
    pub fn parse(pointer: &str, text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let shaped = text.len() <= 254
            && text.split_once('@').is_some_and(|(local, domain)| {
                !local.is_empty()
                    && local.len() <= 64
                    && !domain.contains('@')
                    && domain.contains('.')
                    && domain.split('.').all(|label| {
                        !label.is_empty()
                            && label.len() <= 63
                            && !label.starts_with('-')
                            && !label.ends_with('-')
                            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
                    })
            })
            && !text
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || "<>()[],;:\\\"".contains(c));
        if !shaped {
            return Err(Refusal::field(pointer, "must be an e-mail address"));
        }
        Ok(Self(text.into()))
    }
}

/// Whether a text holds what looks like a payment card number: 13 to 19 digits, perhaps with
/// spaces or hyphens between, that pass the Luhn check and start like a card.
pub fn looks_like_card_number(text: &str) -> bool {
    let mut run: Vec<u8> = Vec::new();
    for byte in text.bytes().chain([b'\n']) {
        match byte {
            b'0'..=b'9' => run.push(byte - b'0'),
            b' ' | b'-' if !run.is_empty() => {}
            _ => {
                if is_card_number(&run) {
                    return true;
                }
                run.clear();
            }
        }
    }
    false
}

fn is_card_number(digits: &[u8]) -> bool {
    if !(13..=19).contains(&digits.len()) || !matches!(digits[0], 2..=6) {
        return false;
    }
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| {
            let doubled = u32::from(*digit) * if at % 2 == 1 { 2 } else { 1 };
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slugs_are_made_and_checked() {
        assert_eq!(slugify("  Ocean Blue -- Shirt! "), "ocean-blue-shirt");
        assert_eq!(slugify("Käse & Brot"), "k-se-brot");
        for bad in ["", "-a", "a-", "a--b", "A", "a b", "ä"] {
            assert!(bad.parse::<Slug>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn addresses_are_checked() {
        for good in ["a@b.co", "first.last+tag@mail.example.com", "x@xn--bcher-kva.example"] {
            assert!(good.parse::<Email>().is_ok(), "{good}");
        }
        for bad in
            ["", "a", "a@b", "a@@b.co", "a b@c.de", "a@b..c", "a@-b.co", "a\n@b.co", "<a@b.co>"]
        {
            assert!(bad.parse::<Email>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn control_characters_and_long_texts_are_refused() {
        assert!(line("/name", "a\u{0}b", 10).is_err());
        assert!(line("/name", "a\nb", 10).is_err());
        assert!(line("/name", "12345678901", 10).is_err());
        assert_eq!(line("/name", " ok ", 10).ok().as_deref(), Some("ok"));
    }

    #[test]
    fn card_numbers_are_seen() {
        for card in [
            "4242424242424242",
            "4242 4242 4242 4242",
            "card: 5555-5555-5555-4444.",
            "378282246310005",
        ] {
            assert!(looks_like_card_number(card), "{card}");
        }
        for other in [
            "4242424242424243",
            "tok_ok",
            "0171 2345678",
            "12345678901234",
            "ord_01jd6z3v9q8x7k2m4n5p6r7s8t",
        ] {
            assert!(!looks_like_card_number(other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn what_slugify_makes_is_a_slug(title in "\\PC{0,150}") {
            let slug = slugify(&title);
            prop_assert!(slug.is_empty() || slug.parse::<Slug>().is_ok(), "{}", slug);
        }
    }
}
