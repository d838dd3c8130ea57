//! Somebody with a browser without scripts, who buys by sending forms.

use reqwest::{Client, Method, Response, StatusCode, redirect::Policy};
use serde_json::Value;

use crate::support::{Served, answer};

/// A browser that keeps the cookie of a cart, and where it is.
pub(super) struct Person<'s> {
    shop: &'s Served,
    client: Client,
    cookie: String,
    path: String,
}

/// What a buyer in New York types.
const CONTACT: [(&str, &str); 8] = [
    ("email", "ada@buyer.example"),
    ("name", "Ada Buyer"),
    ("line1", "1 Main Street"),
    ("city", "Springfield"),
    ("region", "NY"),
    ("postal_code", "10001"),
    ("country", "US"),
    ("billing", "same"),
];

impl<'s> Person<'s> {
    /// Fills a cart, and goes through the checkout up to the last button.
    pub(super) async fn about_to_pay(
        shop: &'s Served,
        item: &str,
        quantity: u32,
        code: Option<&str>,
    ) -> Self {
        let client = Client::builder().no_proxy().redirect(Policy::none()).build();
        let client = client.expect("a client");
        let mut person = Self { shop, client, cookie: String::new(), path: String::new() };
        let quantity = quantity.to_string();
        person.send("/cart/items", &[("variant", item), ("quantity", &quantity)]).await;
        if let Some(code) = code {
            person.send("/cart/codes", &[("code", code)]).await;
        }
        person.send("/checkout", &[]).await;
        let checkout = person.path.clone();
        person.send(&format!("{checkout}/contact"), &CONTACT).await;
        person.send(&format!("{checkout}/delivery"), &[("method", "standard")]).await;
        assert_eq!(person.path, checkout, "nothing is left but to pay");
        person
    }

    /// Presses the last button; what comes back, whatever it is.
    pub(super) async fn pay(&mut self) -> (StatusCode, String) {
        let page = self.request(Method::GET, &self.path, &[]).await;
        let page = page.text().await.expect("a page");
        let fields = [
            ("key", value(&page, "key")),
            ("expected_total_minor", value(&page, "expected_total_minor")),
            ("reviewed", value(&page, "reviewed")),
            ("payment", value(&page, "payment")),
        ];
        let paid = self.request(Method::POST, &format!("{}/complete", self.path), &fields).await;
        let status = paid.status();
        if let Some(next) = paid.headers().get("location") {
            self.path = next.to_str().expect("an address").to_owned();
        }
        (status, paid.text().await.expect("a page"))
    }

    /// The order that was bought, as REST shows it to whoever has the address of its page.
    pub(super) async fn order(&self) -> Value {
        let request = self.shop.request(Method::GET, &format!("/api/v1{}", self.path));
        let (status, order) = answer(request).await;
        assert_eq!(status, 200, "{}: {order}", self.path);
        order
    }

    /// Sends a form that is taken, and goes where it leads.
    async fn send(&mut self, path: &str, fields: &[(&str, &str)]) {
        let taken = self.request(Method::POST, path, fields).await;
        let status = taken.status();
        if let Some(cookie) = taken.headers().get("set-cookie") {
            let cookie = cookie.to_str().expect("a text");
            self.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        }
        let next = taken.headers().get("location").map(|next| next.to_str().expect("an address"));
        let next = next.map(|next| next.split("?step").next().unwrap_or_default().to_owned());
        match next {
            Some(next) if status == StatusCode::SEE_OTHER => self.path = next,
            _ => panic!("{path}: {status} {}", taken.text().await.expect("a page")),
        }
    }

    async fn request(&self, method: Method, path: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.client.request(method.clone(), format!("{}{path}", self.shop.url));
        let mut request = request
            .header("accept", "text/html")
            .header("sec-fetch-site", "same-origin")
            .header("origin", &self.shop.url);
        if !self.cookie.is_empty() {
            request = request.header("cookie", &self.cookie);
        }
        if method == Method::POST {
            let form = form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields.iter().copied())
                .finish();
            request =
                request.header("content-type", "application/x-www-form-urlencoded").body(form);
        }
        request.send().await.expect("the server answers")
    }
}

/// What stands in the first field of this name.
fn value<'p>(page: &'p str, name: &str) -> &'p str {
    let field = format!("name=\"{name}\" value=\"");
    let value = page.split_once(&field).and_then(|(_, rest)| rest.split_once('"'));
    value.unwrap_or_else(|| panic!("no {name} in {page}")).0
}
