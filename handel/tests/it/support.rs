//! Runs the program, and talks to its server.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use handel_ports::System;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How often a condition is looked at before the test fails, and how long apart.
const TRIES: usize = 1_000;
const PAUSE: Duration = Duration::from_millis(10);

/// A place where the program runs, with nothing in it.
pub struct Place {
    directory: TempDir,
    /// Settings that every command gets.
    variables: Vec<(&'static str, String)>,
}

/// What a command said and how it ended.
pub struct Said {
    pub code: Option<i32>,
    pub output: String,
    pub errors: String,
}

impl Place {
    pub fn new() -> Self {
        Self::with(&[])
    }

    /// A place where every command has these settings.
    pub fn with(variables: &[(&'static str, &str)]) -> Self {
        let variables = variables.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self { directory, variables: variables.collect() }
    }

    /// Changes a setting of the commands that follow.
    pub fn set(&mut self, name: &'static str, value: &str) {
        self.variables.retain(|(known, _)| *known != name);
        self.variables.push((name, value.to_owned()));
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file in a temporary directory");
        path
    }

    /// The program with no settings but its arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handel"));
        command.args(arguments).current_dir(self.directory.path()).env_clear();
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        Said::of(&self.command(arguments).output().expect("the program can be started"))
    }

    /// Runs a command that must succeed, and returns its output.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(0), "{arguments:?}: {}{}", said.output, said.errors);
        said.output
    }

    /// Runs a command that must fail, and returns its complaint.
    pub fn fail(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.code, Some(1), "{arguments:?}: {}{}", said.output, said.errors);
        assert!(!said.errors.contains("backtrace"), "{}", said.errors);
        said.errors
    }

    pub fn serve(&self) -> Served {
        self.serve_with(&["serve"], &[])
    }

    /// Starts a server on a free port, and waits until it listens.
    pub fn serve_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Served {
        let started = self.start(arguments, variables);
        started.unwrap_or_else(|complaint| panic!("the server does not listen: {complaint}"))
    }

    /// Starts a server that may refuse to start; then it says why.
    pub fn try_serve(&self) -> Result<Served, String> {
        self.start(&["serve"], &[])
    }

    fn start(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Served, String> {
        let mut command = self.command(arguments);
        command.args(["--listen", "127.0.0.1:0"]).envs(variables.iter().copied());
        let log = std::fs::File::create(self.path("server.log")).expect("a file for the log");
        let mut child = command.stderr(log).spawn().expect("the program can be started");
        let output = BufReader::new(child.stdout.take().expect("the output is piped"));
        let mut url = None;
        let mut lines = Vec::new();
        for line in output.lines().map_while(Result::ok) {
            let address =
                line.strip_prefix("Listening on ").and_then(|rest| rest.split(' ').next());
            url = address.map(str::to_owned);
            lines.push(line);
            if url.is_some() {
                break;
            }
        }
        let log = self.path("server.log");
        let client = Client::builder().no_proxy().build().expect("a client");
        match url {
            Some(url) => Ok(Served { child, url, said: lines.join("\n"), log, client }),
            None => {
                child.wait().expect("the server is our child");
                Err(std::fs::read_to_string(&log).unwrap_or_default())
            }
        }
    }
}

impl Said {
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            code: output.status.code(),
            output: text(&output.stdout),
            errors: text(&output.stderr),
        }
    }
}

/// A running server, killed when it is dropped.
pub struct Served {
    child: Child,
    pub url: String,
    /// What it said when it started.
    pub said: String,
    log: PathBuf,
    pub client: Client,
}

impl Served {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// The answer to a GET, which must be a success.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = answer(self.request(Method::GET, path)).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Puts units of a variant into a new cart, has the shop show what it costs, and returns its token.
    pub async fn cart_with(&self, sku: &str, quantity: u32) -> String {
        let add = self.request(Method::POST, "/api/v1/cart/items");
        let (status, cart) = answer(add.json(&json!({ "sku": sku, "quantity": quantity }))).await;
        assert_eq!(status, 201, "{cart}");
        let token = cart["token"].as_str().expect("a cart has a token").to_owned();
        let (status, checkout) = answer(self.quote(&token)).await;
        assert_eq!(status, 201, "{checkout}");
        token
    }

    /// The request whose answer shows a buyer what a cart costs. Only that is charged.
    pub fn quote(&self, cart_token: &str) -> RequestBuilder {
        let request = self.request(Method::POST, "/api/v1/checkout");
        request.header("Cart-Token", cart_token).json(&buyer())
    }

    /// The request that buys a cart.
    pub fn buy(&self, cart_token: &str, payment_token: &str) -> RequestBuilder {
        self.buy_with_key(cart_token, payment_token, &format!("buy-{cart_token}"))
    }

    /// The same with another key.
    pub fn buy_with_key(&self, cart_token: &str, payment_token: &str, key: &str) -> RequestBuilder {
        let mut body = buyer();
        body["payment"] = json!({ "token": payment_token });
        self.request(Method::POST, "/api/v1/checkout")
            .header("Cart-Token", cart_token)
            .header("Idempotency-Key", key)
            .json(&body)
    }

    /// Sends a signal to the server.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        let id = rustix::process::Pid::from_raw(id).expect("a process id");
        rustix::process::kill_process(id, signal).expect("the server runs");
    }

    pub fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Waits until the server has ended, and returns its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        for _ in 0..TRIES {
            if let Some(status) = self.child.try_wait().expect("the server is our child") {
                return status.code();
            }
            System::real().sleep(PAUSE).await;
        }
        panic!("the server does not end: {}", self.log_text());
    }

    /// Stops the server in order.
    pub async fn stop(mut self) {
        self.terminate();
        assert_eq!(self.ended().await, Some(0), "{}", self.log_text());
    }

    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended on its own.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
        let mut rest = String::new();
        if let Some(output) = &mut self.child.stdout {
            let _read = output.read_to_string(&mut rest);
        }
    }
}

/// Sends a request and reads its answer.
pub async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("the server answers");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("the answer is whole");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Looks at a condition until it holds.
pub async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    for _ in 0..TRIES {
        if holds().await {
            return;
        }
        System::real().sleep(PAUSE).await;
    }
    panic!("it never happened: {what}");
}

/// The file of products that imports are tried with.
pub fn sample() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/products.csv").display().to_string()
}

/// What a buyer says.
fn buyer() -> Value {
    json!({
        "email": "ada@buyer.example",
        "shipping_address": {
            "name": "Ada Buyer", "line1": "1 Main Street", "city": "Springfield", "region": "NY",
            "postal_code": "10001", "country": "US",
        },
        "shipping_method": "standard",
    })
}
