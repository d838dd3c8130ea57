//! A page as it was answered, read as HTML.

use std::fmt;

use http::{HeaderMap, StatusCode};
use scraper::{ElementRef, Html, Selector};

#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) path: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// A form with what stands in its fields.
#[derive(Debug)]
pub(crate) struct Form {
    action: String,
    pairs: Vec<(String, String)>,
    /// Names that can be filled, also where nothing is chosen yet.
    names: Vec<String>,
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a selector")
}

fn words(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Page {
    pub(super) fn blank() -> Self {
        Self {
            path: String::new(),
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            text: String::new(),
        }
    }

    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{self}");
        self
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn location(&self) -> Option<String> {
        (self.status == StatusCode::SEE_OTHER).then(|| self.header("location").to_owned())
    }

    /// The words of all elements that are meant.
    pub(crate) fn all(&self, css: &str) -> Vec<String> {
        let html = Html::parse_document(&self.text);
        html.select(&selector(css)).map(words).collect()
    }

    /// The words of the one element that is meant.
    #[track_caller]
    pub(crate) fn one(&self, css: &str) -> String {
        let mut found = self.all(css);
        assert_eq!(found.len(), 1, "{css}: {found:?} in {self}");
        found.remove(0)
    }

    pub(crate) fn has(&self, css: &str) -> bool {
        !self.all(css).is_empty()
    }

    /// An attribute of the first element that is meant.
    #[track_caller]
    pub(crate) fn attribute(&self, css: &str, name: &str) -> String {
        let html = Html::parse_document(&self.text);
        let element = html.select(&selector(css)).next();
        let element = element.unwrap_or_else(|| panic!("no {css} in {self}"));
        element.attr(name).unwrap_or_else(|| panic!("no {name} at {css} in {self}")).to_owned()
    }

    /// Where a link leads, by its text.
    #[track_caller]
    pub(super) fn link(&self, text: &str) -> String {
        let html = Html::parse_document(&self.text);
        let link = html.select(&selector("a[href]")).find(|link| words(*link).contains(text));
        let link = link.unwrap_or_else(|| panic!("no link {text:?} in {self}"));
        link.attr("href").expect("it was selected by it").to_owned()
    }

    /// The form whose address ends like this.
    #[track_caller]
    pub(crate) fn form(&self, action: &str) -> Form {
        let html = Html::parse_document(&self.text);
        let form = html
            .select(&selector("form[method=post]"))
            .find(|form| form.attr("action").is_none_or(|address| address.ends_with(action)));
        let form = form.unwrap_or_else(|| panic!("no form to {action} in {self}"));
        let address = form.attr("action").unwrap_or(&self.path).to_owned();
        let mut read = Form { action: address, pairs: Vec::new(), names: Vec::new() };
        for element in form.select(&selector("input, select")) {
            let (Some(name), None) = (element.attr("name"), element.attr("disabled")) else {
                continue;
            };
            read.names.push(name.to_owned());
            let value = match (element.value().name(), element.attr("type")) {
                ("select", _) => element
                    .select(&selector("option[selected]"))
                    .next()
                    .and_then(|o| o.attr("value")),
                (_, Some("radio" | "checkbox")) => {
                    element.attr("checked").and(element.attr("value"))
                }
                _ => element.attr("value"),
            };
            if let Some(value) = value {
                read.pairs.push((name.to_owned(), value.to_owned()));
            }
        }
        read
    }

    /// What stands in a field of a form.
    #[track_caller]
    pub(crate) fn value(&self, action: &str, name: &str) -> String {
        let form = self.form(action);
        let pair = form.pairs.into_iter().find(|(known, _)| known == name);
        pair.unwrap_or_else(|| panic!("no {name} in {self}")).1
    }
}

impl Form {
    /// What a browser sends.
    #[track_caller]
    pub(crate) fn fill(self, values: &[(&str, &str)]) -> (String, Vec<(String, String)>) {
        let Self { action, mut pairs, names } = self;
        for (name, value) in values {
            assert!(names.iter().any(|known| known == name), "the form has no {name}: {names:?}");
            pairs.retain(|(known, _)| known != name);
            pairs.push(((*name).to_owned(), (*value).to_owned()));
        }
        (action, pairs)
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}\n{}", self.path, self.status, self.headers, self.text)
    }
}
