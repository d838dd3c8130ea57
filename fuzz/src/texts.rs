//! Texts that keep a rule from the moment they are parsed: what is taken says itself again and is taken again.

use std::{fmt::Display, str::FromStr};

use handel_domain::{
    Currency,
    address::{Address, Country},
    id::{OrderId, VariantId},
    text::{self, Email, Sku, Slug},
};
use serde_json::{from_value, json};

/// Reads a text as everything that it may be.
pub(crate) fn text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    says_itself::<Slug>(text);
    says_itself::<Sku>(text);
    says_itself::<Email>(text);
    says_itself::<Country>(text);
    says_itself::<Currency>(text);
    says_itself::<OrderId>(text);
    says_itself::<VariantId>(text);
    let slug = text::slugify(text);
    assert!(slug.is_empty() || slug.parse::<Slug>().is_ok(), "{text:?} became {slug:?}");
    for line in
        [text::line("", text, 40), text::optional_line("", text, 40), text::block("", text, 40)]
    {
        let Ok(line) = line else { continue };
        assert!(line.chars().count() <= 40 && line.trim() == line, "{line:?}");
        assert!(!line.contains('\0'), "{line:?}");
    }
    address(text);
}

/// An address whose parts are lines of the text; one that was taken is taken again as it is.
fn address(text: &str) {
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let parts = json!({
        "country": next(), "name": next(), "line1": next(), "city": next(), "postal_code": next(),
        "region": next(), "phone": next(), "line2": next(),
    });
    let Ok(address) = from_value::<Address>(parts) else { return };
    let Ok(taken) = address.checked("/address") else { return };
    for part in [Some(&taken.name), Some(&taken.line1), taken.line2.as_ref(), Some(&taken.city)] {
        assert!(!part.is_some_and(|part| text::looks_like_card_number(part)), "{taken:?}");
    }
    assert_eq!(taken.clone().checked("/address"), Ok(taken));
}

fn says_itself<T: FromStr + Display + PartialEq>(text: &str) {
    let Ok(parsed) = text.parse::<T>() else { return };
    let said = parsed.to_string();
    assert!(said.parse::<T>().is_ok_and(|again| again == parsed), "{text:?} became {said:?}");
}
