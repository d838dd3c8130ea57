//! Goal: what a name leads to is checked, and the connection goes to what was checked.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::atomic::Ordering,
};

use handel_ports::{System, WebClient as _, WebError};
use handel_web::SafeWeb;
use rustls::RootCertStore;

use crate::{LONG, Server, fetch, names, post, settings};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));

const HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_without_a_call() {
    let server = Server::answering(HELLO, false).await;
    for answer in [vec![HERE], vec![INSIDE], vec![OUTSIDE, INSIDE], vec![HERE, OUTSIDE]] {
        let (lookup, _) = names(vec![answer]);
        let web = SafeWeb::with(settings(false), System::real(), lookup, RootCertStore::empty());
        let url = format!("https://agent.example:{}/profile", server.port);
        assert!(web.check_url(&url).is_ok(), "the name alone says nothing");
        assert_eq!(web.fetch(fetch(&url, 10, LONG)).await.err(), Some(WebError::Address));
        assert_eq!(web.post(post(&url, LONG)).await.err(), Some(WebError::Address));
    }
    assert_eq!(server.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn a_name_is_resolved_once_a_call_and_its_next_answer_is_checked_again() {
    let server = Server::answering(HELLO, false).await;
    let (lookup, asked) = names(vec![vec![HERE], vec![INSIDE], vec![HERE]]);
    let web = SafeWeb::with(settings(true), System::real(), lookup, RootCertStore::empty());
    let url = format!("http://localhost:{}/profile", server.port);
    let read = || web.fetch(fetch(&url, 10, LONG));
    assert_eq!(read().await.expect("it was checked").body, "hi");
    assert_eq!(asked.load(Ordering::SeqCst), 1, "a second look-up could answer otherwise");
    assert_eq!(read().await.err(), Some(WebError::Address), "no connection is kept from before");
    assert_eq!(read().await.expect("it was checked").body, "hi");
    assert_eq!((asked.load(Ordering::SeqCst), server.heads().len()), (3, 2));
}

#[tokio::test]
async fn an_address_in_any_spelling_is_refused_without_a_call() {
    let server = Server::answering(HELLO, false).await;
    let (lookup, asked) = names(vec![vec![OUTSIDE]]);
    let web = SafeWeb::with(settings(false), System::real(), lookup, RootCertStore::empty());
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0",
        "localhost",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{}/", server.port);
            let refused = web.fetch(fetch(&url, 10, LONG)).await.err();
            // `localhost` is a name like any other where nobody may call this machine.
            let expected = if (scheme, host) == ("https", "localhost") {
                None
            } else {
                Some(WebError::Address)
            };
            assert!(expected.is_none() || refused == expected, "{url}");
        }
    }
    assert!(asked.load(Ordering::SeqCst) <= 1);
    assert_eq!(server.heads(), Vec::<String>::new());
}

#[tokio::test]
async fn without_tls_only_this_machine_is_called() {
    let server = Server::answering(HELLO, false).await;
    let (lookup, _) = names(vec![vec![OUTSIDE]]);
    let web = SafeWeb::with(settings(true), System::real(), lookup, RootCertStore::empty());
    let url = format!("http://localhost:{}/", server.port);
    assert_eq!(web.fetch(fetch(&url, 10, LONG)).await.err(), Some(WebError::Address));
}

#[tokio::test]
async fn a_name_without_an_address_is_unreachable() {
    let (lookup, _) = names(vec![vec![]]);
    let web = SafeWeb::with(settings(false), System::real(), lookup, RootCertStore::empty());
    assert_eq!(
        web.fetch(fetch("https://agent.example/", 10, LONG)).await.err(),
        Some(WebError::Unreachable)
    );
}
