//! A browser without scripts: it keeps a cookie, follows redirects, and sends the forms that it was shown.

use axum::{Router, body::Body};
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::Page;

/// Most redirects in a row.
const REDIRECTS_MAX: usize = 5;

/// Clones are windows of one browser, each with its page.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    cookie: Option<String>,
    page: Page,
    headers: Vec<(&'static str, String)>,
}

impl Browser {
    pub(super) fn new(router: Router) -> Self {
        let headers = vec![
            ("host", "shop.example".to_owned()),
            ("accept", "text/html,application/xhtml+xml,*/*;q=0.8".to_owned()),
            ("handel-channel", "eur".to_owned()),
            ("sec-fetch-site", "same-origin".to_owned()),
            ("origin", "https://shop.example".to_owned()),
        ];
        Self { router, cookie: None, page: Page::blank(), headers }
    }

    /// Changes a header of all that follows; an empty one is not sent.
    pub(crate) fn says(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        if !value.is_empty() {
            self.headers.push((name, value.to_owned()));
        }
        self
    }

    /// The same with the cart of another browser.
    pub(crate) fn with_cookie_of(self, other: &Browser) -> Self {
        Self { cookie: other.cookie.clone(), ..self }
    }

    /// The page that is shown.
    pub(crate) fn page(&self) -> &Page {
        &self.page
    }

    /// The address to which the page goes by itself, and after how many seconds.
    pub(crate) fn reload(&self) -> Option<(u32, String)> {
        let refresh = self.page.headers.get("refresh")?.to_str().ok()?;
        let (seconds, address) = refresh.split_once("; url=")?;
        Some((seconds.parse().ok()?, address.to_owned()))
    }

    pub(crate) fn cookie(&self) -> Option<&str> {
        self.cookie.as_deref()
    }

    /// Goes to an address, and on to where it leads.
    pub(crate) async fn open(&mut self, path: &str) -> &Page {
        self.go(Method::GET, path.to_owned(), None).await;
        &self.page
    }

    /// Goes to the link of an agent, and goes on with its cart.
    pub(crate) async fn take_over(&mut self, link: &str) -> &Page {
        self.open(link).await.expect(200);
        self.send(link, &[]).await
    }

    /// Follows a link of the page by its text.
    pub(crate) async fn click(&mut self, text: &str) -> &Page {
        let href = self.page.link(text);
        self.open(&href).await
    }

    /// Fills the form whose address ends like this, sends it, and goes on to where that leads. Only what the form
    /// has can be filled.
    pub(crate) async fn send(&mut self, action: &str, values: &[(&str, &str)]) -> &Page {
        let (address, pairs) = self.page.form(action).fill(values);
        self.post(&address, &pairs).await
    }

    /// Presses a button of the form that has a name.
    pub(crate) async fn press(&mut self, action: &str, button: (&str, &str)) -> &Page {
        let (address, mut pairs) = self.page.form(action).fill(&[]);
        pairs.push((button.0.to_owned(), button.1.to_owned()));
        self.post(&address, &pairs).await
    }

    /// Fills a form and presses a button of it that has a name.
    pub(crate) async fn press_with(
        &mut self,
        action: &str,
        values: &[(&str, &str)],
        button: (&str, &str),
    ) -> &Page {
        let (address, mut pairs) = self.page.form(action).fill(values);
        pairs.push((button.0.to_owned(), button.1.to_owned()));
        self.post(&address, &pairs).await
    }

    /// Sends what no form of the page says.
    pub(crate) async fn post(&mut self, path: &str, pairs: &[(String, String)]) -> &Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        self.go(Method::POST, path.to_owned(), Some(body)).await;
        &self.page
    }

    async fn go(&mut self, method: Method, path: String, body: Option<String>) {
        self.page = self.request(method, &path, body).await;
        for _ in 0..REDIRECTS_MAX {
            let Some(next) = self.page.location() else { return };
            self.page = self.request(Method::GET, &next, None).await;
        }
        panic!("it never ends: {}", self.page);
    }

    /// One request, without following where it leads.
    pub(crate) async fn request(
        &mut self,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Page {
        let path = path.strip_prefix("https://shop.example").unwrap_or(path);
        let path = path.split('#').next().unwrap_or_default();
        let mut request =
            Request::builder().method(&method).uri(path).body(Body::empty()).expect("a request");
        for (name, value) in &self.headers {
            if *name != "origin" || method != Method::GET {
                let value = HeaderValue::from_str(value).expect("a header");
                request.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        if let Some(cookie) = &self.cookie {
            let cookie = HeaderValue::from_str(&format!("theme=dark; {cookie}")).expect("a cookie");
            request.headers_mut().insert(header::COOKIE, cookie);
        }
        if let Some(body) = body {
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
            *request.body_mut() = Body::from(body);
        }
        let response = self.router.clone().oneshot(request).await.expect("a router always answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the whole page").to_bytes();
        if let Some(cookie) = parts.headers.get(header::SET_COOKIE) {
            let cookie = cookie.to_str().expect("a text");
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let text = String::from_utf8_lossy(&body).into_owned();
        Page { path: path.to_owned(), status: parts.status, headers: parts.headers, text }
    }
}
