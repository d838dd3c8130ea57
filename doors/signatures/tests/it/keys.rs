//! Goal: keys are stable, and a key that we cannot use spoils nothing.

use handel_signatures::{KeySet, Reason, SigningKey};
use serde_json::json;

use crate::{Request, keys, set};

#[test]
fn the_same_secret_gives_the_same_key_in_every_process() {
    for (one, again) in keys().iter().zip(keys()) {
        assert_eq!((one.kid(), one.jwk()), (again.kid(), again.jwk()));
    }
    assert_ne!(SigningKey::es256(&[1; 32]).kid(), SigningKey::es256(&[2; 32]).kid());
    // Stored signatures and published keys refer to this name: it must never change.
    assert_eq!(SigningKey::es256(&[7; 32]).kid(), "4uw23sQAbBNM2hd2lfJ_TOMq_aRNteQ-P_j5HRB2OCA");
}

#[test]
fn a_published_key_says_what_it_is_and_nothing_secret() {
    let [p256, ed25519] = keys().map(|key| serde_json::to_value(key.jwk()).unwrap());
    assert_eq!(
        (&p256["kty"], &p256["crv"], &p256["alg"], &p256["use"]),
        (&json!("EC"), &json!("P-256"), &json!("ES256"), &json!("sig"))
    );
    assert_eq!(
        (&ed25519["kty"], &ed25519["crv"], &ed25519["alg"]),
        (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"))
    );
    for key in [p256, ed25519] {
        assert!(key.get("d").is_none());
        assert_eq!(key["x"].as_str().unwrap().len(), 43);
    }
    assert!(!format!("{:?}", keys()[0]).contains("Es256"), "a key prints without its secret");
}

#[test]
fn keys_that_we_do_not_know_spoil_nothing() {
    let [key, _] = keys();
    let ours = serde_json::to_value(key.jwk()).unwrap();
    let keys = KeySet::read(&json!([
        "nonsense",
        { "kid": 5 },
        { "kid": "rsa", "kty": "RSA", "n": "AQAB", "e": "AQAB" },
        { "kid": "p384", "kty": "EC", "crv": "P-384", "x": "AA", "y": "AA" },
        { "kid": "bent", "kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA" },
        { "kid": "future", "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "extra": { "a": 1 } },
        ours,
    ]));
    assert!(Request::post().seal(&key).verify(&keys).is_ok());
    assert!(keys.is_usable());
    let unusable = keys.keys().iter().filter(|known| **known != key.jwk()).cloned();
    assert!(!KeySet::new(unusable).is_usable());
    let nameless = handel_signatures::Jwk { kid: None, ..key.jwk() };
    assert!(!KeySet::new([nameless]).is_usable(), "no signature can refer to it");
}

#[test]
fn a_set_stays_small_whatever_is_published() {
    let [key, _] = keys();
    let ours = serde_json::to_value(key.jwk()).unwrap();
    let mut published = vec![ours.clone()];
    published.extend((0..10_000).map(|at| json!({ "kid": at.to_string(), "kty": "junk" })));
    let keys = KeySet::read(&json!(published));
    assert_eq!(keys.keys().len(), 64);
    assert!(Request::post().seal(&key).verify(&keys).is_ok());
    for member in ["kid", "kty", "crv", "x", "y", "alg", "use"] {
        let mut long = json!({ "kid": "long", "kty": "EC" });
        long[member] = json!("x".repeat(257));
        let keys = KeySet::read(&json!([long, ours]));
        assert_eq!(keys.keys(), [key.jwk()], "{member}");
    }
}

#[test]
fn a_key_of_an_unknown_kind_is_unsupported_and_one_for_encryption_is_not_there() {
    let [key, other] = keys();
    let signed = Request::post().seal(&key);
    let with = |change: fn(&mut handel_signatures::Jwk)| {
        let mut jwk = key.jwk();
        change(&mut jwk);
        signed.verify(&KeySet::new([jwk])).unwrap_err()
    };
    assert_eq!(with(|jwk| jwk.crv = Some("P-384".to_owned())).reason, Reason::AlgorithmUnsupported);
    assert_eq!(with(|jwk| jwk.alg = Some("ES384".to_owned())).reason, Reason::AlgorithmUnsupported);
    assert_eq!(with(|jwk| jwk.use_ = Some("enc".to_owned())).reason, Reason::KeyNotFound);

    let mut posing = other.jwk();
    posing.kid = Some(key.kid().to_owned());
    assert_eq!(signed.verify(&KeySet::new([posing])).unwrap_err().reason, Reason::Invalid);
    assert!(signed.verify(&set(&key)).is_ok());
}
