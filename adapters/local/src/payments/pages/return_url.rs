//! Where a buyer may be sent back to.

use http::{HeaderValue, Uri, uri::Authority};

/// A path of this site, or an `http` or `https` address, that is safe in a header and in a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReturnUrl {
    url: String,
    origin: Option<String>,
}

impl ReturnUrl {
    /// Reads an address; none if a browser might take it for anything else than it seems.
    pub(super) fn parse(url: &str) -> Option<Self> {
        // Browsers read a backslash as a slash, so `/\evil.example` would leave the site.
        if !url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return None;
        }
        if url.starts_with('/') {
            let is_path = !url.starts_with("//");
            return is_path.then(|| Self { url: url.to_owned(), origin: None });
        }
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
        let authority = uri.authority().filter(|authority| is_plain(authority))?;
        Some(Self { url: url.to_owned(), origin: Some(format!("{scheme}://{authority}")) })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.url
    }

    /// The value of a `Location` header.
    pub(super) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.url).expect("the text was checked to be printable ASCII")
    }

    /// The other site that it leads to, such as `https://shop.example`.
    pub(super) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }
}

/// Host and port alone: no user, and nothing that would mean something in a security policy.
fn is_plain(authority: &Authority) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    !authority.host().is_empty() && authority.as_str().bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::ReturnUrl;

    #[test]
    fn paths_and_web_addresses_are_taken() {
        for (url, origin) in [
            ("/orders/1?paid=yes#top", None),
            ("https://shop.example/orders/1", Some("https://shop.example")),
            ("http://127.0.0.1:8080/", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080/a", Some("http://[::1]:8080")),
        ] {
            let parsed = ReturnUrl::parse(url).expect(url);
            assert_eq!((parsed.as_str(), parsed.origin()), (url, origin));
            assert_eq!(parsed.header(), url);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for url in [
            "",
            "orders",
            "//evil.example/",
            "/\\evil.example",
            "https:\\\\evil.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "ftp://shop.example/",
            "https://user@shop.example/",
            "https://shop.example;script-src/",
            "https:///path",
            "/a\r\nset-cookie: a=b",
            "/ä",
        ] {
            assert_eq!(ReturnUrl::parse(url), None, "{url:?}");
        }
    }
}
