//! Goal: we agree with the examples of RFC 9421, appendix B, which cover less than we would accept.

use base64::{
    Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::json;

use crate::{Component, KeySet, Message, Params, SigningKey, Target, base, content_digest};

const RESPONSE_SIGNATURE: &str =
    "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==";
const REQUEST_SIGNATURE: &str =
    "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==";

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let header = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    pairs.iter().map(header).collect()
}

/// The keys of B.1.3 and B.1.4.
fn published() -> KeySet {
    KeySet::read(&json!([
        { "kid": "test-key-ecc-p256", "kty": "EC", "crv": "P-256",
          "x": "qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA",
          "y": "Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0" },
        { "kid": "test-key-ed25519", "kty": "OKP", "crv": "Ed25519",
          "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs" },
    ]))
}

/// The base of the signature that a header describes.
fn base_of(input: &str, label: &str, message: &Message<'_>) -> (base::Input, String) {
    let dictionary = base::dictionary(input).unwrap();
    let input = base::Input::read(dictionary.get(label).unwrap()).unwrap();
    let base = input.base(message).unwrap();
    (input, base)
}

fn is_right(input: &base::Input, base: &str, signature: &str) -> bool {
    let keys = published();
    let key = keys.named(input.params.keyid.as_deref().unwrap())[0].public().unwrap();
    key.verifies(base.as_bytes(), &STANDARD.decode(signature).unwrap())
}

/// B.2.4: a response on P-256.
#[test]
fn the_response_of_the_rfc_is_right() {
    let digest = "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:";
    let headers = headers(&[
        ("content-type", "application/json"),
        ("content-digest", digest),
        ("content-length", "23"),
    ]);
    let message = Message::response(StatusCode::OK, &headers, b"{\"message\": \"good dog\"}\n");
    let input = r#"sig-b24=("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256""#;
    let (input, base) = base_of(input, "sig-b24", &message);
    let expected = format!(
        "\"@status\": 200\n\"content-type\": application/json\n\"content-digest\": {digest}\n\
         \"content-length\": 23\n\"@signature-params\": (\"@status\" \"content-type\" \"content-digest\" \
         \"content-length\");created=1618884473;keyid=\"test-key-ecc-p256\"",
    );
    assert_eq!(base, expected);
    assert!(is_right(&input, &base, RESPONSE_SIGNATURE));
    assert!(!is_right(&input, &base.replace("200", "404"), RESPONSE_SIGNATURE));
}

/// B.2.6: a request on Ed25519, whose signatures always are the same.
#[test]
fn the_request_of_the_rfc_is_right_and_we_sign_it_alike() {
    let headers = headers(&[
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-length", "18"),
    ]);
    let target = Target {
        method: &Method::POST,
        scheme: "https",
        authority: "example.com",
        path: "/foo",
        query: Some("param=Value&Pet=dog"),
    };
    let message = Message::request(target, &headers, b"{\"hello\": \"world\"}");
    let text = r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
    let (input, base) = base_of(text, "sig-b26", &message);
    assert!(is_right(&input, &base, REQUEST_SIGNATURE));

    let secret = URL_SAFE_NO_PAD.decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU").unwrap();
    let key = SigningKey::ed25519(&secret.try_into().unwrap());
    let params = Params {
        created: Some(1_618_884_473),
        keyid: Some("test-key-ed25519".to_owned()),
        ..Params::default()
    };
    let names = ["date", "@method", "@path", "@authority", "content-type", "content-length"];
    let components = names.iter().map(|name| Component::new(name)).collect();
    let signed = key.sign(&message, components, params, "sig-b26").unwrap();
    assert_eq!(signed["signature-input"], text);
    assert_eq!(signed["signature"], format!("sig-b26=:{REQUEST_SIGNATURE}:"));
}

/// RFC 9530, appendix D: the digest of the example.
#[test]
fn the_digest_of_the_rfc_is_ours() {
    let digest = content_digest(b"{\"hello\": \"world\"}\n");
    assert_eq!(digest, "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:");
}

/// RFC 8037, appendix A.3: the thumbprint of the example.
#[test]
fn the_thumbprint_of_the_rfc_is_ours() {
    let keys = KeySet::read(&json!([
        { "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
    ]));
    let thumbprint = keys.keys()[0].thumbprint().unwrap();
    assert_eq!(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}
