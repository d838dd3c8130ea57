//! Origins of web pages (RFC 6454) that may call the shop from a browser.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;

/// The origin of a page: scheme, host and port, such as `https://store.example`. Written as browsers send it, so two
/// origins are equal if their texts are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WebOrigin(String);

/// Longest origin, in bytes.
const ORIGIN_MAX: usize = 300;

impl WebOrigin {
    /// Any page.
    const ANY: &str = "*";

    /// Reads an origin, or `*` for any; `pointer` names the field in the refusal.
    ///
    /// Capitals and the default port of the scheme are dropped, because browsers do not send them.
    pub fn parse(pointer: &str, text: &str) -> Result<Self, Refusal> {
        let text = text.trim().to_ascii_lowercase();
        if text == Self::ANY {
            return Ok(Self(text));
        }
        let normal = normal_form(&text).filter(|_| text.len() <= ORIGIN_MAX);
        normal.map(Self).ok_or_else(|| {
            Refusal::field(
                pointer,
                "must be an origin such as https://store.example, without a path, or *",
            )
        })
    }

    /// Whether pages of an origin, as a browser sends it, are meant.
    pub fn covers(&self, origin: &str) -> bool {
        self.0 == Self::ANY || self.0 == origin
    }
}

impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn normal_form(text: &str) -> Option<String> {
    let (scheme, authority) = text.split_once("://")?;
    let default_port = match scheme {
        "https" => "443",
        "http" => "80",
        _ => return None,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let is_name = |host: &str| {
        host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
    };
    let is_ipv6 = |host: &str| {
        host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|inside| {
            !inside.is_empty()
                && inside.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':')
        })
    };
    if host.is_empty() || !(is_name(host) || is_ipv6(host)) {
        return None;
    }
    match port {
        None => Some(format!("{scheme}://{host}")),
        Some(port) if port == default_port => Some(format!("{scheme}://{host}")),
        Some(port) => port.parse::<u16>().ok().map(|port| format!("{scheme}://{host}:{port}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_written_as_browsers_send_them() {
        for (written, sent) in [
            ("https://Store.Example", "https://store.example"),
            (" https://store.example:443 ", "https://store.example"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://127.0.0.1:80", "http://127.0.0.1"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            let origin = WebOrigin::parse("", written).expect(written);
            assert!(origin.covers(sent), "{written} is {origin}");
            assert!(!origin.covers("https://other.example"), "{written}");
        }
        assert!(WebOrigin::parse("", "*").expect("any").covers("https://other.example"));
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for wrong in [
            "",
            "store.example",
            "https://",
            "https://store.example/",
            "https://store.example/shop",
            "ftp://store.example",
            "https://user@store.example",
            "https://store.example:99999",
            "https://sto re.example",
            "null",
            "https://*.example",
            "http://[zz]",
        ] {
            let refusal = WebOrigin::parse("/cors_origins/0", wrong).expect_err(wrong);
            assert_eq!(refusal.details.errors[0].pointer, "/cors_origins/0", "{wrong}");
        }
    }
}
