//! A message as signatures see it, and the values of its components (RFC 9421 §2).

use http::{HeaderMap, Method, StatusCode};
use sfv::{Dictionary, Item, ItemSerializer, ListEntry, ListSerializer, Parser};

use crate::base::Component;

/// The target of a request, as its client meant it. Behind a proxy that is not what the server sees.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The method.
    pub method: &'a Method,
    /// `https`, or `http` on loopback.
    pub scheme: &'a str,
    /// Host, and port if it is not the usual one.
    pub authority: &'a str,
    /// The path as it was sent, without query.
    pub path: &'a str,
    /// The query as it was sent, without question mark.
    pub query: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// The target of a request to an absolute address; `None` if the address is not absolute.
    pub fn of(method: &'a Method, uri: &'a http::Uri) -> Option<Self> {
        let (scheme, authority) = (uri.scheme_str()?, uri.authority()?.as_str());
        Some(Self { method, scheme, authority, path: uri.path(), query: uri.query() })
    }

    /// Lowercase and without the port that the scheme implies (RFC 9421 §2.2.3).
    fn authority(&self) -> String {
        let authority = self.authority.to_ascii_lowercase();
        let implied = match self.scheme {
            "https" => ":443",
            _ => ":80",
        };
        authority.strip_suffix(implied).map(ToOwned::to_owned).unwrap_or(authority)
    }

    fn path(&self) -> &str {
        if self.path.is_empty() { "/" } else { self.path }
    }

    fn query(&self) -> String {
        self.query.map(|query| format!("?{query}")).unwrap_or_default()
    }
}

/// A message, whole.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    start: Start<'a>,
    /// The headers.
    pub(crate) headers: &'a HeaderMap,
    /// The body, byte by byte as it was sent.
    pub(crate) body: &'a [u8],
}

#[derive(Clone, Copy, Debug)]
enum Start<'a> {
    Request(Target<'a>),
    Response(StatusCode),
}

impl<'a> Message<'a> {
    /// A request.
    pub fn request(target: Target<'a>, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self { start: Start::Request(target), headers, body }
    }

    /// A response.
    pub fn response(status: StatusCode, headers: &'a HeaderMap, body: &'a [u8]) -> Self {
        Self { start: Start::Response(status), headers, body }
    }

    pub(crate) fn target(&self) -> Option<&Target<'a>> {
        match &self.start {
            Start::Request(target) => Some(target),
            Start::Response(_) => None,
        }
    }

    /// The value of a component; `None` if the message has none or the component is of a kind that is not supported.
    pub(crate) fn value(&self, component: &Component) -> Option<String> {
        match (&self.start, component.name()) {
            (_, name) if !name.starts_with('@') => self.field(name, component.key()),
            _ if component.key().is_some() => None,
            (Start::Response(status), "@status") => Some(status.as_str().to_owned()),
            (Start::Request(target), name) => derived(target, name),
            _ => None,
        }
    }

    fn field(&self, name: &str, key: Option<&str>) -> Option<String> {
        let text = field(self.headers, name)?;
        match key {
            None => Some(text),
            Some(key) => member(&text, key),
        }
    }
}

fn derived(target: &Target<'_>, name: &str) -> Option<String> {
    let (path, query) = (target.path(), target.query());
    Some(match name {
        "@method" => target.method.as_str().to_owned(),
        "@authority" => target.authority(),
        "@scheme" => target.scheme.to_ascii_lowercase(),
        "@target-uri" => format!("{}://{}{path}{query}", target.scheme, target.authority()),
        "@request-target" => format!("{path}{query}"),
        "@path" => path.to_owned(),
        // Without a query the value is the question mark alone (RFC 9421 §2.2.7).
        "@query" if query.is_empty() => "?".to_owned(),
        "@query" => query,
        _ => return None,
    })
}

/// The value of a header, several of the same name joined (RFC 9421 §2.1).
pub(crate) fn field(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(name).iter().map(|value| value.to_str().ok());
    let values = values.collect::<Option<Vec<_>>>()?;
    (!values.is_empty())
        .then(|| values.iter().map(|value| value.trim()).collect::<Vec<_>>().join(", "))
}

/// A member of a header that is a dictionary (RFC 9421 §2.1.2).
fn member(text: &str, key: &str) -> Option<String> {
    let dictionary: Dictionary = Parser::new(text).parse().ok()?;
    Some(match dictionary.get(key)? {
        ListEntry::Item(item) => item_text(item),
        list @ ListEntry::InnerList(_) => {
            let mut serializer = ListSerializer::new();
            serializer.members([list]);
            serializer.finish()?
        }
    })
}

pub(crate) fn item_text(item: &Item) -> String {
    ItemSerializer::new().bare_item(&item.bare_item).parameters(&item.params).finish()
}
