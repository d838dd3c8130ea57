//! Goal: every answer has an end, and none leads anywhere else.

use handel_ports::{WebClient as _, WebError};
use http::{HeaderValue, StatusCode, header};

use crate::{LONG, SHORT, Server, fetch, local, post};

#[tokio::test]
async fn a_document_is_read_whole() {
    let server = Server::answering(
        "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 5\r\n\r\nhello",
        false,
    )
    .await;
    let mut reading = fetch(server.url(), 5, LONG);
    reading.headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"b\""));
    reading.headers.insert(header::HOST, HeaderValue::from_static("other.example"));
    let answer = local().fetch(reading).await.expect("it answers");
    assert_eq!((answer.status, &answer.body[..]), (StatusCode::OK, &b"hello"[..]));
    assert_eq!(answer.headers[header::ETAG], "\"a\"");
    let head = server.heads()[0].to_ascii_lowercase();
    assert!(head.starts_with("get /profile?a=1 http/1.1\r\n"), "{head}");
    assert!(head.contains(&format!("host: 127.0.0.1:{}\r\n", server.port)), "{head}");
    assert!(
        head.contains("if-none-match: \"b\"\r\n") && head.contains("user-agent: handel-test\r\n"),
        "{head}"
    );
    assert!(!head.contains("cookie") && !head.contains("other.example"), "{head}");
}

#[tokio::test]
async fn what_has_not_changed_says_so() {
    let server = Server::answering("HTTP/1.1 304 Not Modified\r\n\r\n", false).await;
    let answer = local().fetch(fetch(server.url(), 5, LONG)).await.expect("it answers");
    assert_eq!(answer.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn nobody_goes_where_a_redirect_leads() {
    let inside =
        Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret", false).await;
    for status in [300, 301, 302, 303, 307, 308, 399] {
        let head = format!(
            "HTTP/1.1 {status} Elsewhere\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n",
            inside.url()
        );
        let server = Server::answering(head, false).await;
        assert_eq!(
            local().fetch(fetch(server.url(), 100, LONG)).await.err(),
            Some(WebError::Redirect)
        );
        assert_eq!(local().post(post(server.url(), LONG)).await.err(), Some(WebError::Redirect));
    }
    assert_eq!(inside.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_huge_document_is_left_before_it_is_read() {
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1 << 20));
    let server = Server::answering(endless, true).await;
    assert_eq!(
        local().fetch(fetch(server.url(), 1_000, LONG)).await.err(),
        Some(WebError::TooLarge)
    );
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n{}\r\n",
        "x".repeat(4_095)
    );
    let server = Server::answering(chunked, true).await;
    assert_eq!(
        local().fetch(fetch(server.url(), 1_000, LONG)).await.err(),
        Some(WebError::TooLarge)
    );
}

#[tokio::test]
async fn of_an_answer_to_a_message_only_the_beginning_is_read() {
    let long = format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{}", "x".repeat(100));
    let server = Server::answering(long, true).await;
    let answer = local().post(post(server.url(), LONG)).await.expect("the status counts");
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 16));
}

#[tokio::test]
async fn a_huge_head_is_no_answer() {
    let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(200 << 10));
    let server = Server::answering(head, true).await;
    assert_eq!(
        local().fetch(fetch(server.url(), 10, LONG)).await.err(),
        Some(WebError::Unreachable)
    );
}

#[tokio::test]
async fn a_peer_that_drags_it_out_is_left() {
    let silent = Server::answering("", true).await;
    let half_a_head = Server::answering("HTTP/1.1 200 OK\r\nX-A", true).await;
    let half_a_body =
        Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel", true).await;
    for server in [&silent, &half_a_head, &half_a_body] {
        assert_eq!(
            local().fetch(fetch(server.url(), 100, SHORT)).await.err(),
            Some(WebError::Timeout)
        );
        assert_eq!(local().post(post(server.url(), SHORT)).await.err(), Some(WebError::Timeout));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_and_nonsense_are_no_answer() {
    for bytes in ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel", "SSH-2.0-OpenSSH_9.2\r\n"]
    {
        let server = Server::answering(bytes, false).await;
        assert_eq!(
            local().fetch(fetch(server.url(), 100, LONG)).await.err(),
            Some(WebError::Unreachable),
            "{bytes}"
        );
    }
    let closed = Server::answering("", false).await.url();
    assert_eq!(local().fetch(fetch(closed, 100, LONG)).await.err(), Some(WebError::Unreachable));
}
