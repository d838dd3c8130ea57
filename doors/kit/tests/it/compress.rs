//! Which responses are compressed, and which are not.

use axum::{
    Router,
    body::Body,
    response::{IntoResponse, Response},
    routing::get,
};
use handel_kit::compressed;
use http::{Request, header};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

const BYTES: usize = 20_000;

/// What a route answers: its type, how long it may be kept, how many bytes, and one more header.
#[derive(Clone, Copy)]
struct Answer {
    kind: &'static str,
    control: &'static str,
    bytes: usize,
    more: (&'static str, &'static str),
}

const PAGE: Answer = Answer {
    kind: "text/html; charset=utf-8",
    control: "private, no-cache",
    bytes: BYTES,
    more: ("etag", "\"a\""),
};

async fn ask(answer: Answer, accepts: &str) -> Response {
    let handler = async move || {
        let headers = [
            (header::CONTENT_TYPE.as_str(), answer.kind),
            (header::CACHE_CONTROL.as_str(), answer.control),
            answer.more,
        ];
        (headers, "word ".repeat(answer.bytes / 5)).into_response()
    };
    let request = Request::get("/").header(header::ACCEPT_ENCODING, accepts);
    let request = request.body(Body::empty()).expect("a request");
    let router = compressed(Router::new().route("/", get(handler)));
    router.oneshot(request).await.expect("a router always answers")
}

/// The encoding of the answer, and how many bytes it has.
async fn compressed_to(answer: Answer, accepts: &str) -> (Option<String>, usize) {
    let response = ask(answer, accepts).await;
    let encoding = response.headers().get(header::CONTENT_ENCODING);
    let encoding = encoding.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = response.into_body().collect().await.expect("the whole answer");
    (encoding, body.to_bytes().len())
}

/// Goal: responses that may be cached get smaller for clients that accept it, and stay as they are for others.
#[tokio::test]
async fn what_may_be_cached_is_compressed_for_clients_that_accept_it() {
    for (accepts, expected) in [("gzip, deflate, br", "br"), ("gzip", "gzip")] {
        let (encoding, bytes) = compressed_to(PAGE, accepts).await;
        assert_eq!(encoding.as_deref(), Some(expected));
        assert!(bytes < BYTES / 10, "{accepts}: {bytes}");
    }
    for kind in ["text/css", "application/json", "image/svg+xml"] {
        assert!(compressed_to(Answer { kind, ..PAGE }, "gzip").await.0.is_some(), "{kind}");
    }
    for accepts in ["", "identity", "gzip;q=0"] {
        assert_eq!(compressed_to(PAGE, accepts).await, (None, BYTES), "{accepts}");
    }
    let response = ask(PAGE, "gzip").await;
    assert_eq!(response.headers()[header::VARY], "accept-encoding");
    assert_eq!(response.headers()[header::ETAG], "W/\"a\"");
    assert_eq!(ask(PAGE, "").await.headers()[header::ETAG], "\"a\"");
}

/// Goal: no length reveals a secret, nothing that is signed is changed, and nothing small is compressed.
#[tokio::test]
async fn secrets_signed_answers_and_small_ones_go_as_they_are() {
    for answer in [
        Answer { control: "no-store", ..PAGE },
        Answer { control: "private, no-store", ..PAGE },
        Answer { more: ("set-cookie", "a=b"), ..PAGE },
        Answer { more: ("content-digest", "sha-256=:AA==:"), ..PAGE },
        Answer { more: ("signature", "sig=:AA==:"), ..PAGE },
        Answer { kind: "image/png", ..PAGE },
        Answer { kind: "text/event-stream", ..PAGE },
        Answer { bytes: 500, ..PAGE },
    ] {
        assert_eq!(compressed_to(answer, "br, gzip").await, (None, answer.bytes));
    }
}
