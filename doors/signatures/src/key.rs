//! Keys that sign, and keys that check.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::Signer as _;
use p256::ecdsa::signature::Verifier as _;
use sha2::{Digest as _, Sha256};

use crate::jwk::Jwk;

/// A private key. It prints without its secret.
pub struct SigningKey {
    secret: Secret,
    kid: String,
}

enum Secret {
    Es256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

impl SigningKey {
    /// A key on P-256, made of 32 secret bytes. The same bytes give the same key.
    pub fn es256(seed: &[u8; 32]) -> Self {
        // Nearly every hash is a key; the next one is taken where one is not.
        let candidate = |n: u8| {
            let hash =
                Sha256::new().chain_update(b"handel es256").chain_update([n]).chain_update(seed);
            p256::ecdsa::SigningKey::from_slice(&hash.finalize()).ok()
        };
        let secret = (0..=u8::MAX).find_map(candidate).expect("one of 256 hashes is a key");
        Self::named(Secret::Es256(secret))
    }

    /// A key on Ed25519 from its 32 secret bytes (RFC 8032 §5.1.5).
    pub fn ed25519(secret: &[u8; 32]) -> Self {
        Self::named(Secret::Ed25519(ed25519_dalek::SigningKey::from_bytes(secret)))
    }

    fn named(secret: Secret) -> Self {
        let kid = secret.public().jwk(None).thumbprint().expect("our own key is well-formed");
        Self { secret, kid }
    }

    /// The name of the key: its thumbprint (RFC 7638).
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public half, for publication.
    pub fn jwk(&self) -> Jwk {
        self.secret.public().jwk(Some(self.kid.clone()))
    }

    /// Signs a body as a detached JWS whose payload stays as it is (RFC 7515 appendix F, RFC 7797).
    pub fn sign_detached(&self, body: &[u8]) -> String {
        let alg = match &self.secret {
            Secret::Es256(_) => "ES256",
            Secret::Ed25519(_) => "EdDSA",
        };
        let kid = &self.kid;
        let header = format!(r#"{{"alg":"{alg}","b64":false,"crit":["b64"],"kid":"{kid}"}}"#);
        let header = URL_SAFE_NO_PAD.encode(header);
        let text = [header.as_bytes(), b".", body].concat();
        format!("{header}..{}", URL_SAFE_NO_PAD.encode(self.sign_bytes(&text)))
    }

    /// Signs a text. 64 bytes, for ECDSA r and s next to each other (RFC 9421 §3.3.4).
    pub(crate) fn sign_bytes(&self, text: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Es256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(text);
                signature.to_bytes().to_vec()
            }
            Secret::Ed25519(key) => key.sign(text).to_bytes().to_vec(),
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Secret {
    fn public(&self) -> PublicKey {
        match self {
            Self::Es256(key) => PublicKey::Es256(*key.verifying_key()),
            Self::Ed25519(key) => PublicKey::Ed25519(key.verifying_key()),
        }
    }
}

/// A public key of a kind that we can check with.
#[derive(Clone, Debug)]
pub(crate) enum PublicKey {
    Es256(p256::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

impl PublicKey {
    /// Whether a signature is right. One that is not 64 bytes long, such as ASN.1, is not.
    pub fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(text, &signature).is_ok()),
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(text, &signature).is_ok()),
        }
    }
}
