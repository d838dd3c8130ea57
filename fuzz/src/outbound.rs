//! Addresses that a stranger names, and signatures that a stranger sends.

use std::{net::IpAddr, sync::LazyLock};

use handel_ports::{System, WebClient as _};
use handel_signatures::{
    AGENT_HEADERS, Component, KeySet, Message, Rules, SigningKey, Target, verify,
};
use handel_web::{SafeWeb, Settings};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// An address that is taken is one that may be called, in a form that does not change any more.
pub fn url(data: &[u8]) {
    static WEB: LazyLock<SafeWeb> = LazyLock::new(|| {
        let user_agent = HeaderValue::from_static("Handel");
        SafeWeb::new(Settings { allow_loopback: false, user_agent }, System::real())
    });
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(url) = WEB.check_url(text) else { return };
    assert_eq!(WEB.check_url(&url).as_deref(), Ok(&*url), "{text} has one form");
    assert!(url.starts_with("https://") && url.is_ascii(), "{url}");
    let uri: http::Uri = url.parse().expect("what is called is an address");
    let authority = uri.authority().expect("it has a host").as_str();
    assert!(!authority.contains('@') && !url.contains('#'), "{url}");
    let host = uri.host().expect("it has a host").trim_matches(['[', ']']);
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => {
            let is_inside =
                address.is_loopback() || address.is_private() || address.is_link_local();
            assert!(!is_inside && !address.is_unspecified() && !address.is_multicast(), "{url}");
        }
        Ok(IpAddr::V6(address)) => {
            let is_inside = address.is_loopback() || address.to_ipv4_mapped().is_some();
            assert!(!is_inside && !address.is_unspecified() && !address.is_multicast(), "{url}");
        }
        // Browsers take a name whose last part is a number for an address.
        Err(_) => {
            let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
            let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
            assert!(!is_number, "{url}");
        }
    }
}

/// Whatever stands in the headers of a signature, it is refused or covers what it must. The first three lines are the
/// headers, the rest is the body.
pub fn signature(data: &[u8]) {
    static KEYS: LazyLock<KeySet> = LazyLock::new(|| {
        KeySet::new([SigningKey::es256(&[7; 32]).jwk(), SigningKey::ed25519(&[7; 32]).jwk()])
    });
    let mut lines = data.splitn(4, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in ["signature-input", "signature", "content-digest"] {
        let value = lines.next().unwrap_or_default();
        let Ok(value) = HeaderValue::from_bytes(value) else { return };
        headers.insert(HeaderName::from_static(name), value);
    }
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("ucp-agent", HeaderValue::from_static(r#"profile="https://agent.example/""#));
    let target = Target {
        method: &Method::POST,
        scheme: "https",
        authority: "shop.example",
        path: "/checkout-sessions",
        query: None,
    };
    let message = Message::request(target, &headers, lines.next().unwrap_or_default());
    let rules = Rules { now_s: 1_767_225_600, age_max_s: None, headers: AGENT_HEADERS };
    if let Ok(verified) = verify(&message, &KEYS, &rules) {
        for name in ["@method", "@authority", "@path", "ucp-agent"] {
            assert!(verified.components.contains(&Component::new(name)), "{name} is not covered");
        }
    }
}
