//! The header by which a program introduces itself.

use http::HeaderMap;
use sfv::{BareItem, Dictionary, ListEntry, Parser};

/// The header.
pub(crate) const UCP_AGENT: &str = "ucp-agent";

/// The address of the program's profile: the member `profile` of the dictionary `UCP-Agent` (RFC 8941 §3.2). None
/// where the header is missing or malformed.
pub fn profile_of(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(UCP_AGENT).iter();
    let (value, more) = (values.next()?, values.next());
    // A proxy may have added a second one; whose word counts is not for us to say.
    if more.is_some() {
        return None;
    }
    let dictionary: Dictionary = Parser::new(value.as_bytes()).parse().ok()?;
    match dictionary.get("profile")? {
        ListEntry::Item(item) => match &item.bare_item {
            BareItem::String(url) => Some(url.as_str().to_owned()),
            _ => None,
        },
        ListEntry::InnerList(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(UCP_AGENT, value.parse().expect("a header"));
        }
        profile_of(&headers)
    }

    #[test]
    fn programs_say_who_they_are_in_a_dictionary() {
        let url = "https://agent.example/p";
        for good in [
            format!("profile=\"{url}\""),
            format!("a=1, profile=\"{url}\";v=2 , b"),
            format!("profile=\"{url}\", x=(1 2)"),
        ] {
            assert_eq!(read(&[&good]).as_deref(), Some(url), "{good}");
        }
        for bad in [
            "",
            url,
            "profile=https://agent.example",
            "profile",
            "profile=(\"a\")",
            "Profile=\"x\"",
        ] {
            assert_eq!(read(&[bad]), None, "{bad}");
        }
        assert_eq!(read(&[]), None);
        assert_eq!(read(&["profile=\"https://a.example\"", "profile=\"https://b.example\""]), None);
    }
}
