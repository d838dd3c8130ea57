//! A browser that is driven by the WebDriver protocol.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Client, Method};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::eventually;

/// How a browser looks at the shop.
#[derive(Clone, Copy)]
pub struct Looks {
    /// What its pictures are called.
    pub name: &'static str,
    /// Of the page, in CSS pixels.
    pub width: u32,
    pub height: u32,
    pub has_scripts: bool,
    pub is_dark: bool,
}

/// A browser of its own, killed when it is dropped.
pub struct Driver {
    child: Child,
    /// The browser itself, which outlives a driver that is killed.
    browser: Option<Pid>,
    client: Client,
    session: String,
    looks: Looks,
    _profile: tempfile::TempDir,
}

/// Where Debian and others put the driver.
const DRIVERS: [&str; 3] = [
    "/usr/bin/chromedriver",
    "/usr/local/bin/chromedriver",
    "/usr/lib/chromium-browser/chromedriver",
];
/// The name of an element in answers, fixed by the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long the browser may take for one thing; a page may take less.
const LIMIT: Duration = Duration::from_secs(45);
/// Most steps from one thing to the next with the tabulator key.
const TABS_MAX: usize = 80;
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

impl Driver {
    /// Starts a browser; none where none is installed.
    pub async fn start(looks: Looks) -> Option<Self> {
        let Some(driver) = DRIVERS.iter().find(|path| Path::new(path).exists()) else {
            eprintln!("skipped: no chromedriver is installed");
            return None;
        };
        let mut command = Command::new(driver);
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the driver can be started");
        let output = BufReader::new(child.stdout.take().expect("the output is piped"));
        let port = output.lines().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("started successfully on port ")?;
            rest.trim_end_matches('.').parse::<u16>().ok()
        });
        let port = port.expect("the driver says where it listens");
        let client = Client::builder().no_proxy().timeout(LIMIT).build().expect("a client");
        let profile = tempfile::tempdir().expect("a temporary directory");
        let url = format!("http://127.0.0.1:{port}/session");
        let wanted = capabilities(looks, profile.path());
        let made = send(client.post(&url).json(&wanted)).await;
        let id = made["sessionId"].as_str().expect("a session has an id");
        let session = format!("{url}/{id}");
        let browser = made["capabilities"]["goog:processID"].as_i64();
        let browser = browser.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Some(Self { child, browser, client, session, looks, _profile: profile })
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> Value {
        let request = self.client.request(method.clone(), format!("{}{path}", self.session));
        send(if method == Method::GET { request } else { request.json(body) }).await
    }

    async fn cdp(&self, command: &str, parameters: Value) -> Option<Value> {
        self.try_ask("/goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    pub async fn open(&self, url: &str) {
        self.ask(Method::POST, "/url", &json!({ "url": url })).await;
    }

    async fn find(&self, css: &str) -> String {
        let body = json!({ "using": "css selector", "value": css });
        let found = self.ask(Method::POST, "/element", &body).await;
        found[ELEMENT].as_str().unwrap_or_else(|| panic!("no {css}")).to_owned()
    }

    pub async fn click(&self, css: &str) {
        let element = self.find(css).await;
        self.ask(Method::POST, &format!("/element/{element}/click"), &json!({})).await;
    }

    pub async fn fill(&self, css: &str, text: &str) {
        let element = self.find(css).await;
        let body = json!({ "text": text });
        self.ask(Method::POST, &format!("/element/{element}/value"), &body).await;
    }

    /// Waits until the page has it.
    pub async fn is_there(&self, css: &str) {
        self.find(css).await;
    }

    /// What somebody reads there.
    pub async fn text(&self, css: &str) -> String {
        let element = self.find(css).await;
        let text = self.ask(Method::GET, &format!("/element/{element}/text"), &Value::Null).await;
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page says something.
    pub async fn comes(&self, css: &str, text: &str) {
        eventually(text, async || {
            let body = json!({ "using": "css selector", "value": css });
            let found = self.try_ask("/element", &body).await;
            let Some(element) = found.as_ref().and_then(|found| found[ELEMENT].as_str()) else {
                return false;
            };
            let path = format!("{}/element/{element}/text", self.session);
            let said = try_send(self.client.get(path)).await;
            said.is_ok_and(|said| said.as_str() == Some(text))
        })
        .await;
    }

    async fn try_ask(&self, path: &str, body: &Value) -> Option<Value> {
        try_send(self.client.post(format!("{}{path}", self.session)).json(body)).await.ok()
    }

    /// How large the whole page is, in CSS pixels; none while there is no page.
    async fn size(&self) -> Option<(u64, u64)> {
        let layout = self.cdp("Page.getLayoutMetrics", json!({})).await?;
        let length = |name: &str| layout["cssContentSize"][name].as_u64();
        Some((length("width")?, length("height")?)).filter(|(_, height)| *height > 0)
    }

    /// Waits until the page has something, checks that the whole page fits the width, and keeps a picture of it.
    pub async fn look(&self, name: &str, there: &str) {
        self.is_there(there).await;
        let picture = std::cell::RefCell::new(None);
        // Between two pages there is nothing to be seen.
        eventually("a picture of the page", async || {
            let taken = self.picture(name).await;
            picture.replace(taken).is_none() && picture.borrow().is_some()
        })
        .await;
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        fs::create_dir_all(&directory).expect("a directory for pictures");
        let path = directory.join(format!("{}-{name}.png", self.looks.name));
        fs::write(path, picture.take().expect("it was taken")).expect("a picture can be kept");
    }

    /// A picture of the whole page; none while there is no page.
    async fn picture(&self, name: &str) -> Option<Vec<u8>> {
        let (width, height) = self.size().await?;
        assert!(width <= u64::from(self.looks.width), "{name} is {width} pixels wide");
        let whole = json!({ "format": "png", "captureBeyondViewport": true, "clip": {
            "x": 0, "y": 0, "width": self.looks.width, "height": height, "scale": 1 } });
        let picture = self.cdp("Page.captureScreenshot", whole).await?;
        STANDARD.decode(picture["data"].as_str()?).ok()
    }

    /// Types on the keyboard, wherever the focus is.
    pub async fn keys(&self, text: &str) {
        let press = |c: char| {
            [
                json!({ "type": "keyDown", "value": c.to_string() }),
                json!({ "type": "keyUp", "value": c.to_string() }),
            ]
        };
        let actions: Vec<_> = text.chars().flat_map(press).collect();
        if actions.is_empty() {
            return;
        }
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.ask(Method::POST, "/actions", &body).await;
    }

    pub async fn enter(&self) {
        self.keys(ENTER).await;
    }

    /// Goes to the next thing until it is the one that is meant.
    async fn tab_until(&self, what: &str, is_it: impl AsyncFn(&str) -> bool) {
        for _ in 0..TABS_MAX {
            self.keys(TAB).await;
            let active = self.ask(Method::GET, "/element/active", &Value::Null).await;
            let element = active[ELEMENT].as_str().expect("something has the focus").to_owned();
            if is_it(&element).await {
                return;
            }
        }
        panic!("the keyboard does not get to {what}");
    }

    /// Goes to what says this, and presses it.
    pub async fn press_at(&self, text: &str) {
        self.tab_until(text, async |element| {
            let path = format!("/element/{element}/text");
            let said = self.ask(Method::GET, &path, &Value::Null).await;
            said.as_str().is_some_and(|said| said.starts_with(text))
        })
        .await;
        self.enter().await;
    }

    pub async fn tab_to_class(&self, class: &str) {
        self.tab_until(class, async |element| {
            let path = format!("/element/{element}/attribute/class");
            let said = self.ask(Method::GET, &path, &Value::Null).await;
            said.as_str().is_some_and(|said| said.split(' ').any(|name| name == class))
        })
        .await;
    }

    /// Goes to the next field in which one can write.
    pub async fn tab_to_field(&self) {
        self.tab_until("a field", async |element| {
            let name =
                self.ask(Method::GET, &format!("/element/{element}/name"), &Value::Null).await;
            name == "input" || name == "select"
        })
        .await;
    }

    pub async fn stop(mut self) {
        self.ask(Method::DELETE, "", &json!({})).await;
        self.browser = None;
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // They may have ended on their own.
        if let Some(browser) = self.browser {
            let _ended = kill_process(browser, Signal::KILL);
        }
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

fn capabilities(looks: Looks, profile: &Path) -> Value {
    let mut arguments = vec![
        "--headless=new".to_owned(),
        "--no-sandbox".to_owned(),
        "--disable-gpu".to_owned(),
        "--disable-quic".to_owned(),
        "--no-first-run".to_owned(),
        "--disable-background-networking".to_owned(),
        "--disable-component-update".to_owned(),
        "--disable-sync".to_owned(),
        "--disable-dev-shm-usage".to_owned(),
        "--hide-scrollbars".to_owned(),
        format!("--user-data-dir={}", profile.display()),
    ];
    if looks.is_dark {
        arguments.push("--force-dark-mode".to_owned());
    }
    let metrics = json!({ "width": looks.width, "height": looks.height, "pixelRatio": 1, "touch": false, "mobile": false });
    let scripts = if looks.has_scripts { 1 } else { 2 };
    json!({ "capabilities": { "alwaysMatch": {
        "browserName": "chrome",
        "timeouts": { "implicit": 5_000, "pageLoad": 30_000 },
        "goog:chromeOptions": {
            "args": arguments,
            "mobileEmulation": { "deviceMetrics": metrics },
            "prefs": { "profile.managed_default_content_settings.javascript": scripts },
        },
    } } })
}

async fn send(request: reqwest::RequestBuilder) -> Value {
    try_send(request).await.unwrap_or_else(|error| panic!("{error}"))
}

async fn try_send(request: reqwest::RequestBuilder) -> Result<Value, String> {
    let answer = request.send().await.map_err(|error| error.to_string())?;
    let status = answer.status();
    let mut body: Value = answer.json().await.map_err(|error| error.to_string())?;
    if status.is_success() { Ok(body["value"].take()) } else { Err(body.to_string()) }
}
