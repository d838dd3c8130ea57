//! One shop behind its doors, for all inputs of a process.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use axum::body::{Body, Bytes};
use handel_engine::Scope;
use handel_kit::{Door, DoorSettings, Metrics, layered};
use handel_local::FileBlobs;
use handel_mcp::TransportSettings;
use handel_ports::System;
use handel_testkit::{SeededRandom, Tasks, TestDatabase, TestShop, fixtures::slug};
use handel_ucp::{Ucp, UcpSettings};
use http::{HeaderMap, Method, Request, StatusCode, header, request::Builder};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{runtime::Runtime, sync::watch};
use tower::ServiceExt as _;

/// The address of the shop.
pub(crate) const SHOP: &str = "https://shop.example";

/// A shop that sells `MUG` without end, and `HAT` at changing prices, with a key of staff who may do everything.
pub(crate) struct Front {
    runtime: Runtime,
    router: axum::Router,
    pub(crate) shop: TestShop,
    pub(crate) key: String,
    sent: AtomicUsize,
    _files: TempDir,
    /// Sessions end with it.
    _serving: watch::Sender<bool>,
}

/// An answer that is no fault of the shop.
#[derive(Debug)]
pub(crate) struct Raw {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

/// An answer that is what an answer must be.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

/// The shop of this process.
pub(crate) fn front() -> &'static Front {
    static FRONT: OnceLock<Front> = OnceLock::new();
    FRONT.get_or_init(Front::open)
}

impl Front {
    fn open() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            // The work of a whole shop is too large for the stack of a test.
            .thread_stack_size(8 << 20)
            .enable_all()
            .build()
            .expect("a runtime");
        let (shop, key) = runtime.block_on(async {
            let shop = Box::pin(TestShop::start(TestDatabase::sqlite().await)).await;
            shop.product("MUG", 1_999, 1_000_000_000).await;
            shop.product("HAT", 1_999, 1_000_000_000).await;
            let (staff, scopes) = (shop.staff(), Scope::ALL.to_vec());
            let made = shop.engine.create_api_key(&staff, "fuzz", scopes, None).await;
            let key = made.expect("a key").secret.expose().clone();
            (shop, key)
        });
        let random = Arc::new(SeededRandom::fresh());
        let system = System::new(shop.clock.clone(), random, Arc::new(Tasks::default()));
        let files = TempDir::with_prefix("handel-fuzz-").expect("a temporary directory");
        let blobs = Arc::new(FileBlobs::open(files.path()).expect("a store of files"));
        let settings = DoorSettings { public_url: SHOP.to_owned(), ..DoorSettings::default() };
        let door = Door::new(shop.engine.clone(), system, Arc::new(Metrics::default()), settings);
        let settings = UcpSettings { channel: Some(slug("eur")), ..UcpSettings::default() };
        let ucp = Ucp::new(door.clone(), shop.web.clone(), settings);
        let (serving, stopped) = watch::channel(false);
        let transport =
            TransportSettings { public_url: SHOP.to_owned(), ..TransportSettings::default() };
        let routes = {
            // The task that ends sessions needs the runtime.
            let _entered = runtime.enter();
            handel_mcp::router(&door, &ucp, &transport, stopped)
        };
        let routes = routes.merge(ucp.router()).merge(handel_rest::router(&door, blobs));
        let routes = routes.merge(handel_pages::router(&door));
        let router = handel_pages::dressed(&door, layered(&door, routes));
        let sent = AtomicUsize::new(0);
        Self { runtime, router, shop, key, sent, _files: files, _serving: serving }
    }

    /// A number that no other input got.
    pub(crate) fn count(&self) -> usize {
        self.sent.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a request to the REST interface. None if no client could send it either.
    ///
    /// # Panics
    /// If the answer is a fault of the shop, or an error that is no problem document.
    pub(crate) fn send(&self, request: Builder, body: impl Into<Body>) -> Option<Answer> {
        let Raw { status, headers, bytes } = self.ask(request, body)?;
        let body: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_client_error() {
            let text = || String::from_utf8_lossy(&bytes).into_owned();
            let kind = headers.get(header::CONTENT_TYPE).map(http::HeaderValue::as_bytes);
            assert_eq!(kind, Some(&b"application/problem+json"[..]), "{status} {}", text());
            assert!(body["code"].is_string() && body["detail"].is_string(), "{}", text());
            assert_eq!(body["status"], status.as_u16(), "{}", text());
        }
        Some(Answer { status, body })
    }

    /// Sends a request. None if no client could send it either.
    ///
    /// # Panics
    /// If the answer is a fault of the shop.
    pub(crate) fn ask(&self, request: Builder, body: impl Into<Body>) -> Option<Raw> {
        let request = request.header(header::HOST, "shop.example").body(body.into()).ok()?;
        let about = format!("{} {}", request.method(), request.uri());
        let raw = self.runtime.block_on(async {
            let answered = self.router.clone().oneshot(request).await;
            let (parts, body) = answered.expect("a router always answers").into_parts();
            let bytes = body.collect().await.expect("the whole answer").to_bytes();
            Raw { status: parts.status, headers: parts.headers, bytes }
        });
        let text = || String::from_utf8_lossy(&raw.bytes).into_owned();
        assert!(!raw.status.is_server_error(), "{about}: {} {}", raw.status, text());
        Some(raw)
    }

    /// A request with a JSON body.
    pub(crate) fn json(&self, request: Builder, body: &[u8]) -> Option<Answer> {
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.send(request, body.to_vec())
    }

    /// A new cart with a mug in it, in a channel: its token.
    pub(crate) fn cart(&self, channel: &str) -> String {
        let add = request(Method::POST, "/cart/items").header("handel-channel", channel);
        let body = json!({ "sku": "MUG" }).to_string();
        let made = self.json(add, body.as_bytes()).expect("a request");
        made.body["token"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned()
    }

    /// A request of staff.
    pub(crate) fn staff(&self, method: Method, path: &str) -> Builder {
        let key = format!("Bearer {}", self.key);
        request(method, path).header(header::AUTHORIZATION, key).header(header::IF_MATCH, "*")
    }
}

/// A request below the prefix of the interface.
pub(crate) fn request(method: Method, path: &str) -> Builder {
    Request::builder().method(method).uri(format!("{}{path}", handel_rest::PREFIX))
}

/// The first byte, and the rest.
pub(crate) fn split(data: &[u8]) -> (u8, &[u8]) {
    data.split_first().map_or((0, data), |(first, rest)| (*first, rest))
}
