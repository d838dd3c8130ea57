//! Forms that somebody posts who need not be a browser.

use http::{HeaderMap, Method, Request, header, request::Builder};

use crate::front::{Front, SHOP, front, split};

/// Posts forms to each address that takes one; the first byte chooses. The answer is a page or leads to one.
pub(crate) fn page_form(data: &[u8]) {
    let (route, form) = split(data);
    let front = front();
    let mut browser = Browser { front, cookie: String::new() };
    browser.post("/cart/items", "variant=MUG&quantity=2");
    let path = match route % 6 {
        0 => "/cart/items".to_owned(),
        1 => "/cart/codes".to_owned(),
        2 => "/checkout".to_owned(),
        route => {
            let checkout = browser.post("/checkout", "").expect("a form");
            let step = ["/contact", "/delivery", "/complete"][usize::from(route) - 3];
            if route > 3 {
                browser.post(&format!("{checkout}/contact"), CONTACT);
            }
            format!("{checkout}{step}")
        }
    };
    browser.post(&path, form.to_vec());
    browser.post("/checkout", "");
}

const CONTACT: &str = "email=ada%40buyer.example&name=Ada+Buyer&line1=1+Main+Street&city=Berlin&postal_code=10115&\
                       country=DE&billing=same";

/// A browser that keeps the cookie of a cart.
struct Browser<'f> {
    front: &'f Front,
    cookie: String,
}

impl Browser<'_> {
    /// Posts a form; where the answer leads, without its query, if it leads anywhere.
    fn post(&mut self, path: &str, form: impl Into<axum::body::Body>) -> Option<String> {
        let answer = self.front.ask(self.request(path), form)?;
        let of = |headers: &HeaderMap, name| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        if let Some(cookie) = of(&answer.headers, header::SET_COOKIE) {
            self.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        }
        let next = of(&answer.headers, header::LOCATION);
        if next.is_none() {
            let kind = of(&answer.headers, header::CONTENT_TYPE).unwrap_or_default();
            assert!(kind.starts_with("text/html"), "{path}: {} {kind}", answer.status);
        }
        next.map(|next| next.split('?').next().unwrap_or_default().to_owned())
    }

    fn request(&self, path: &str) -> Builder {
        Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::ACCEPT, "text/html")
            .header(header::ORIGIN, SHOP)
            .header("sec-fetch-site", "same-origin")
            .header("handel-channel", "eur")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, &self.cookie)
    }
}
