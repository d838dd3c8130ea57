//! Goal: a host proves who it is, or nothing is said to it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use handel_ports::{System, WebClient as _, WebError};
use handel_web::SafeWeb;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{RootCertStore, ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use crate::{LONG, fetch, names, settings, spawn};

/// A server with a certificate for `agent.example`; its port, and who believes it.
async fn secure_server() -> (u16, RootCertStore) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["agent.example".to_owned()]).expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).expect("a certificate");
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the usual versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("they belong together");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut head = [0; 16];
            if stream.read_exact(&mut head).await.is_ok() {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
                // The client may have gone.
                let _gone = stream.write_all(answer).await;
                let _gone = stream.shutdown().await;
            }
        }
    });
    (port, roots)
}

fn web(roots: RootCertStore) -> SafeWeb {
    let (lookup, _) = names(vec![vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]]);
    SafeWeb::with(settings(true), System::real(), lookup, roots)
}

#[tokio::test]
async fn a_host_that_proves_who_it_is_is_called() {
    let (port, roots) = secure_server().await;
    let url = format!("https://agent.example:{port}/profile");
    let answer = web(roots).fetch(fetch(url, 10, LONG)).await.expect("it is who it says");
    assert_eq!(answer.body, "hi");
}

#[tokio::test]
async fn a_host_that_proves_nothing_or_something_else_is_left() {
    let (port, roots) = secure_server().await;
    let other = format!("https://other.example:{port}/");
    assert_eq!(web(roots).fetch(fetch(other, 10, LONG)).await.err(), Some(WebError::Tls));
    let unknown = format!("https://agent.example:{port}/");
    assert_eq!(
        web(RootCertStore::empty()).fetch(fetch(unknown, 10, LONG)).await.err(),
        Some(WebError::Tls)
    );
    let plain = format!("https://agent.example:{}/", plain_server().await);
    assert_eq!(
        web(RootCertStore::empty()).fetch(fetch(plain, 10, LONG)).await.err(),
        Some(WebError::Tls)
    );
}

/// A server that knows no TLS and speaks first; its port.
async fn plain_server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            // The client may have gone.
            let _gone = stream.write_all(b"220 mail.example ESMTP\r\n").await;
            let _gone = stream.read(&mut [0; 64]).await;
        }
    });
    port
}
