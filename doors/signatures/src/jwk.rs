//! Public keys as JSON (RFC 7517, RFC 7518 §6.2, RFC 8037) and their thumbprints (RFC 7638).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::key::PublicKey;

/// Most keys that are read of a set.
const KEYS_MAX: usize = 64;
/// Longest member of a key that is kept, in bytes; those of keys that we can check with are much shorter.
const MEMBER_MAX: usize = 256;

/// A public key as it is published. Members that we do not know are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// The name by which signatures refer to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// `EC` or `OKP`; others are allowed and of no use to us.
    pub kty: String,
    /// `P-256` or `Ed25519`; others are allowed and of no use to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// The key, or its first coordinate, in base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// The second coordinate, in base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// The algorithm; it follows from the curve where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig`; keys for `enc` are not for us.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub use_: Option<String>,
}

impl Jwk {
    /// The SHA-256 over the members that make the key, in base64url (RFC 7638 §3). `None` if one is missing.
    pub fn thumbprint(&self) -> Option<String> {
        // The words come from a stranger, so they are escaped as JSON demands.
        let quoted = |text: &Option<String>| serde_json::to_string(text.as_ref()?).ok();
        let (crv, x) = (quoted(&self.crv)?, quoted(&self.x)?);
        let members = match self.kty.as_str() {
            "EC" => format!(r#"{{"crv":{crv},"kty":"EC","x":{x},"y":{}}}"#, quoted(&self.y)?),
            "OKP" => format!(r#"{{"crv":{crv},"kty":"OKP","x":{x}}}"#),
            _ => return None,
        };
        Some(URL_SAFE_NO_PAD.encode(Sha256::digest(members)))
    }

    fn is_small(&self) -> bool {
        let Self { kid, kty, crv, x, y, alg, use_ } = self;
        let members = [kid, crv, x, y, alg, use_].into_iter().flatten();
        members.chain([kty]).all(|member| member.len() <= MEMBER_MAX)
    }

    /// The key, if it is of a kind that we can check with, and says nothing that contradicts it.
    pub(crate) fn public(&self) -> Option<PublicKey> {
        let x = coordinate(self.x.as_deref()?)?;
        match (self.kty.as_str(), self.crv.as_deref()?, self.alg.as_deref()) {
            ("EC", "P-256", None | Some("ES256")) => {
                let y = coordinate(self.y.as_deref()?)?;
                let point = [&[4], &x[..], &y[..]].concat();
                p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok().map(PublicKey::Es256)
            }
            ("OKP", "Ed25519", None | Some("EdDSA" | "Ed25519")) => {
                ed25519_dalek::VerifyingKey::from_bytes(&x).ok().map(PublicKey::Ed25519)
            }
            _ => None,
        }
    }
}

impl PublicKey {
    pub(crate) fn jwk(&self, kid: Option<String>) -> Jwk {
        let text = |bytes: &[u8]| Some(URL_SAFE_NO_PAD.encode(bytes));
        let (kty, crv, x, y, alg) = match self {
            Self::Es256(key) => {
                let point = key.to_sec1_bytes();
                let point = point.as_ref();
                ("EC", "P-256", text(&point[1..33]), text(&point[33..65]), "ES256")
            }
            Self::Ed25519(key) => ("OKP", "Ed25519", text(key.as_bytes()), None, "EdDSA"),
        };
        Jwk {
            kid,
            kty: kty.to_owned(),
            crv: Some(crv.to_owned()),
            x,
            y,
            alg: Some(alg.to_owned()),
            use_: Some("sig".to_owned()),
        }
    }
}

fn coordinate(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// The keys that somebody published.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Jwk>);

impl KeySet {
    /// Reads the array of keys of a profile or of a JWK set. What is no key is passed over, and a key of a kind that
    /// we do not know stays in the set: it must not spoil the others. At most 64 keys are read, and none with a
    /// member of more than 256 bytes, so that a set stays small whatever somebody published.
    pub fn read(keys: &serde_json::Value) -> Self {
        let keys = keys.as_array().map(Vec::as_slice).unwrap_or_default();
        let read = |key: &serde_json::Value| Jwk::deserialize(key).ok();
        Self::new(keys.iter().take(KEYS_MAX).filter_map(read).filter(Jwk::is_small))
    }

    /// A set of these keys, without those for encryption.
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Self {
        Self(keys.into_iter().filter(|key| key.use_.as_deref() != Some("enc")).collect())
    }

    /// Whether there is no key in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether signatures can be checked with one of the keys: it is of a kind that we know, and has a name.
    pub fn is_usable(&self) -> bool {
        self.0.iter().any(|key| key.kid.is_some() && key.public().is_some())
    }

    /// The keys.
    pub fn keys(&self) -> &[Jwk] {
        &self.0
    }

    /// The keys of a name. There should be one.
    pub(crate) fn named(&self, kid: &str) -> Vec<&Jwk> {
        self.0.iter().filter(|key| key.kid.as_deref() == Some(kid)).collect()
    }
}
