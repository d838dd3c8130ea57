//! Goal: a signed request cannot be changed, and what is not covered does not count as signed.

use handel_signatures::{
    Component, KeySet, Message, Params, Reason, Rules, Seal, SigningKey, content_digest,
    seal_response, verify,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use crate::{NOW_S, Request, keys, rules, set};

/// The components that a request is signed over, less those that a test leaves out.
fn components(without: &str) -> Vec<Component> {
    let names = [
        "@method",
        "@authority",
        "@path",
        "content-digest",
        "content-type",
        "ucp-agent",
        "idempotency-key",
    ];
    names.iter().filter(|name| **name != without).map(|name| Component::new(name)).collect()
}

/// Signs exactly these components, as a careless program might.
fn sign(
    mut request: Request,
    key: &SigningKey,
    components: Vec<Component>,
    params: Params,
) -> Request {
    request.headers.insert("content-digest", content_digest(&request.body));
    let params = Params { keyid: Some(params.keyid.unwrap_or(key.kid().to_owned())), ..params };
    let signed =
        key.sign(&request.message(), components, params, "sig1").expect("it can be signed");
    request.headers.extend(signed);
    request
}

fn reason(request: &Request, keys: &KeySet) -> Reason {
    request.verify(keys).expect_err("it does not count").reason
}

#[test]
fn a_signed_request_is_known_by_its_key() {
    for key in keys() {
        let verified = Request::post().seal(&key).verify(&set(&key)).unwrap();
        assert_eq!((verified.label.as_str(), verified.kid.as_str()), ("sig1", key.kid()));
        assert_eq!(verified.components, components(""));
        assert_eq!(verified.params.created, Some(NOW_S));
    }
}

#[test]
fn no_part_of_a_signed_request_can_be_changed() {
    type Change = fn(&mut Request);
    let changes: [(&str, Change); 8] = [
        ("method", |request| request.method = Method::PUT),
        ("authority", |request| request.authority = "other.example".to_owned()),
        ("path", |request| request.path.push_str("/chk_1/complete")),
        ("query", |request| request.query = Some("a=1".to_owned())),
        ("agent", |request| request.set("ucp-agent", r#"profile="https://evil.example/""#)),
        ("key", |request| request.set("idempotency-key", "another")),
        ("type", |request| request.set("content-type", "text/plain")),
        ("digest", |request| {
            request.body.push(b' ');
            request.headers.insert("content-digest", content_digest(&request.body));
        }),
    ];
    for key in keys() {
        let signed = Request::post().seal(&key);
        for (what, change) in changes {
            let mut changed = signed.clone();
            change(&mut changed);
            assert!(changed.verify(&set(&key)).is_err(), "the {what} was changed unnoticed");
        }
    }
}

#[test]
fn a_body_without_its_digest_is_a_mismatch() {
    for key in keys() {
        let mut signed = Request::post().seal(&key);
        signed.body.push(b' ');
        assert_eq!(reason(&signed, &set(&key)), Reason::DigestMismatch);
    }
}

#[test]
fn everything_that_must_be_covered_is_demanded() {
    let [key, _] = keys();
    for component in components("") {
        let signed = sign(Request::post(), &key, components(component.name()), Params::default());
        assert_eq!(reason(&signed, &set(&key)), Reason::Uncovered, "{}", component.name());
    }
    let mut searching = Request::post();
    searching.query = Some("q=mug".to_owned());
    let signed = sign(searching, &key, components(""), Params::default());
    assert_eq!(reason(&signed, &set(&key)), Reason::Uncovered);
}

#[test]
fn a_query_is_covered() {
    let [key, _] = keys();
    let mut searching = Request::post();
    searching.query = Some("q=mug".to_owned());
    let mut signed = searching.seal(&key);
    assert!(signed.verify(&set(&key)).is_ok());
    signed.query = Some("q=cup".to_owned());
    assert_eq!(reason(&signed, &set(&key)), Reason::Invalid);
}

#[test]
fn a_request_without_a_body_needs_no_digest() {
    let [key, _] = keys();
    let mut reading = Request::post();
    (reading.method, reading.body) = (Method::GET, Vec::new());
    reading.headers.remove("content-type");
    let signed = reading.seal(&key);
    assert!(!signed.headers.contains_key("content-digest"));
    assert!(signed.verify(&set(&key)).is_ok());
}

#[test]
fn the_port_and_case_of_the_authority_do_not_count() {
    let [key, _] = keys();
    let mut signed = Request::post().seal(&key);
    signed.authority = "SHOP.example:443".to_owned();
    assert!(signed.verify(&set(&key)).is_ok());
    signed.authority = "shop.example:8443".to_owned();
    assert_eq!(reason(&signed, &set(&key)), Reason::Invalid);
}

#[test]
fn one_right_signature_among_several_is_enough() {
    let [key, other] = keys();
    let mut request = Request::post().seal(&other);
    let (mut inputs, mut signatures) = (HeaderMap::new(), HeaderMap::new());
    let first = request.clone();
    inputs.insert("a", first.headers["signature-input"].clone());
    signatures.insert("a", first.headers["signature"].clone());
    let params = Params { keyid: Some(key.kid().to_owned()), ..Params::default() };
    let signed = key.sign(&request.message(), components(""), params, "sig2").unwrap();
    request.headers.append("signature-input", signed["signature-input"].clone());
    request.headers.append("signature", signed["signature"].clone());

    assert_eq!(request.verify(&set(&key)).unwrap().label, "sig2");
    assert_eq!(request.verify(&set(&other)).unwrap().label, "sig1");
    let neither = request.verify(&KeySet::default()).unwrap_err();
    assert!(neither.unknown_key && neither.reason == Reason::KeyNotFound);
}

#[test]
fn what_is_missing_or_makes_no_sense_is_no_signature() {
    let [key, _] = keys();
    assert_eq!(reason(&Request::post(), &set(&key)), Reason::Missing);
    let signed = Request::post().seal(&key);
    let broken = |name: &'static str, value: &'static str| {
        let mut request = signed.clone();
        request.headers.insert(name, HeaderValue::from_static(value));
        reason(&request, &set(&key))
    };
    assert_eq!(broken("signature-input", "(((("), Reason::Invalid);
    assert_eq!(broken("signature-input", "sig1=1"), Reason::Invalid);
    assert_eq!(broken("signature-input", r#"sig1=("@method" "@method")"#), Reason::Invalid);
    assert_eq!(broken("signature-input", r#"sig1=("@method";req)"#), Reason::Invalid);
    assert_eq!(broken("signature-input", r#"sig1=("@method");created="now""#), Reason::Invalid);
    assert_eq!(broken("signature", "sig1=:AAAA:"), Reason::Invalid);
    assert_eq!(broken("signature", "sig2=:AAAA:"), Reason::Missing);
    assert_eq!(broken("signature", "sig1=12"), Reason::Missing);
}

#[test]
fn time_counts_where_a_signature_speaks_of_it() {
    let [key, _] = keys();
    let at = |created, expires| {
        let params = Params { created, expires, ..Params::default() };
        sign(Request::post(), &key, components(""), params)
    };
    let check = |request: &Request, age_max_s| {
        let rules = Rules { age_max_s, ..rules() };
        verify(&request.message(), &set(&key), &rules).is_ok()
    };
    assert!(check(&at(None, None), Some(300)), "saying when is optional");
    assert!(check(&at(Some(NOW_S - 300), None), Some(300)));
    assert!(!check(&at(Some(NOW_S - 301), None), Some(300)));
    assert!(check(&at(Some(NOW_S - 301), None), None));
    assert!(check(&at(Some(NOW_S + 60), None), Some(300)), "clocks differ a little");
    assert!(!check(&at(Some(NOW_S + 61), None), Some(300)));
    assert!(check(&at(None, Some(NOW_S)), None));
    assert!(!check(&at(None, Some(NOW_S - 1)), None));
}

#[test]
fn an_algorithm_that_somebody_states_changes_nothing() {
    let [key, other] = keys();
    let mut signed = Request::post().seal(&key);
    let stated =
        format!("{};alg=\"hmac-sha256\"", signed.headers["signature-input"].to_str().unwrap());
    signed.set("signature-input", &stated);
    assert_eq!(reason(&signed, &set(&key)), Reason::Invalid, "it was not signed");
    assert_eq!(reason(&signed, &set(&other)), Reason::KeyNotFound);
}

#[test]
fn a_response_is_signed_with_its_status_and_body() {
    let [key, _] = keys();
    let (seal, body) = (Seal { key: &key, label: "sig1", created_s: None, headers: &[] }, b"{}");
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    seal_response(&seal, StatusCode::CREATED, &mut headers, body).unwrap();
    let check = |status, body: &[u8]| {
        verify(&Message::response(status, &headers, body), &set(&key), &rules())
            .map_err(|failed| failed.reason)
    };
    let names: Vec<_> = check(StatusCode::CREATED, body).unwrap().components;
    assert_eq!(names, ["@status", "content-digest", "content-type"].map(Component::new));
    assert_eq!(check(StatusCode::OK, body), Err(Reason::Invalid));
    assert_eq!(check(StatusCode::CREATED, b"{ }"), Err(Reason::DigestMismatch));
}

mod web_bot_auth {
    use super::*;

    fn signed(key: &SigningKey, member: &str, expires: Option<i64>) -> Request {
        let mut request = Request::post();
        request.set("signature-agent", r#"sig1="https://agent.example";type=jwks_uri"#);
        let mut covered = components("");
        covered.push(Component::member("signature-agent", member));
        let params = Params {
            created: Some(NOW_S),
            expires,
            tag: Some("web-bot-auth".to_owned()),
            ..Params::default()
        };
        sign(request, key, covered, params)
    }

    #[test]
    fn the_member_about_the_signature_stands_for_the_header() {
        let [_, key] = keys();
        assert!(signed(&key, "sig1", Some(NOW_S + 60)).verify(&set(&key)).is_ok());
        assert_eq!(reason(&signed(&key, "sig1", None), &set(&key)), Reason::Invalid, "it must end");
    }

    #[test]
    fn the_key_is_named_by_its_thumbprint() {
        let [_, key] = keys();
        let mut jwk = key.jwk();
        jwk.kid = Some("mine".to_owned());
        let params = Params {
            keyid: jwk.kid.clone(),
            created: Some(NOW_S),
            expires: Some(NOW_S + 60),
            tag: Some("web-bot-auth".to_owned()),
            ..Params::default()
        };
        let mut request = Request::post();
        request.set("signature-agent", r#"sig1="https://agent.example""#);
        let mut covered = components("");
        covered.push(Component::member("signature-agent", "sig1"));
        let request = sign(request, &key, covered, params);
        assert_eq!(reason(&request, &KeySet::new([jwk])), Reason::Invalid);
    }
}
