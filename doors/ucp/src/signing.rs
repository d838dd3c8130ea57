//! Signatures of requests and answers (UCP, "Message Signatures": RFC 9421 with Content-Digest).

use handel_signatures::{
    AGENT_HEADERS, Jwk, KeySet, Message, Reason, Rules, Seal, SigningKey, Target, content_digest,
    holds_digest, seal_response, verify,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use serde_json::Value;

use crate::{Agreement, Operation, TransportError, Ucp};

/// How old a signature may be that says when it was made, in seconds.
const AGE_MAX_S: i64 = 300;
/// The label of our signatures.
const LABEL: &str = "sig1";

/// A request as it came.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path and the query.
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body, byte by byte as it was sent.
    pub body: &'a [u8],
}

/// The public halves of the keys, for the profile.
pub(crate) fn published(key: &SigningKey) -> Vec<Value> {
    let jwk: Jwk = key.jwk();
    serde_json::to_value(jwk).into_iter().collect()
}

impl Ucp {
    /// Checks the signature of a request, if it has one or needs one, and that its body is the one that it says.
    ///
    /// A request that is not signed proves nothing. It is refused where an installation wants signatures, and where
    /// much depends on who asks and the program has keys to prove it: else anybody could say to be that program by
    /// leaving the signature out.
    pub async fn check_signature(
        &self,
        request: Request<'_>,
        operation: Operation,
        agreement: &Agreement,
    ) -> Result<(), TransportError> {
        let has_digest = request.headers.contains_key("content-digest");
        if has_digest && !holds_digest(request.headers, request.body) {
            let content = "the Content-Digest is not that of the body";
            return Err(TransportError::new(400, "digest_mismatch", content));
        }
        let is_signed = request.headers.contains_key("signature")
            || request.headers.contains_key("signature-input");
        if !is_signed {
            let is_needed = self.settings().require_signatures
                || operation.needs_proof() && agreement.keys().is_usable();
            return match is_needed {
                true => {
                    let content = "requests must be signed with a key of your profile";
                    Err(TransportError::new(401, "signature_missing", content))
                }
                false => Ok(()),
            };
        }
        let not_verified = match self.verify(request, agreement.keys()) {
            Ok(()) => return Ok(()),
            Err(not_verified) => not_verified,
        };
        if !not_verified.unknown_key {
            return Err(told(not_verified.reason));
        }
        // The key may be newer than what we know of the profile.
        let (version, agent) = (agreement.version(), agreement.agent());
        let fresh = self.negotiator().meet_again(version, agent).await?;
        let verified = self.verify(request, fresh.keys());
        verified.map_err(|not_verified| told(not_verified.reason))
    }

    fn verify(
        &self,
        request: Request<'_>,
        keys: &KeySet,
    ) -> Result<(), handel_signatures::NotVerified> {
        // What a client signed is the public address, whatever a proxy made of it.
        let (scheme, authority) =
            self.public_url().split_once("://").unwrap_or(("https", self.public_url()));
        let authority = authority.split('/').next().unwrap_or_default();
        let target = Target {
            method: request.method,
            scheme,
            authority,
            path: request.uri.path(),
            query: request.uri.query(),
        };
        let message = Message::request(target, request.headers, request.body);
        let rules = Rules {
            now_s: self.system().now().as_second(),
            age_max_s: Some(AGE_MAX_S),
            headers: AGENT_HEADERS,
        };
        verify(&message, keys, &rules).map(drop)
    }

    /// Signs an answer, so that whoever passes it on cannot change it.
    pub fn sign(&self, status: StatusCode, headers: &mut HeaderMap, body: &[u8]) {
        headers.insert("content-digest", content_digest(body));
        let seal = Seal {
            key: self.key(),
            label: LABEL,
            created_s: Some(self.system().now().as_second()),
            headers: &[],
        };
        if let Err(error) = seal_response(&seal, status, headers, body) {
            tracing::error!(%error, "an answer could not be signed");
        }
    }
}

fn told(reason: Reason) -> TransportError {
    let (status, code) = match reason {
        Reason::Missing | Reason::Uncovered => (401, "signature_missing"),
        Reason::KeyNotFound => (401, "key_not_found"),
        Reason::AlgorithmUnsupported => (400, "algorithm_unsupported"),
        Reason::DigestMismatch => (400, "digest_mismatch"),
        Reason::Invalid => (401, "signature_invalid"),
    };
    TransportError::new(status, code, reason.to_string())
}

/// The header by which the shop introduces itself.
pub(crate) fn introduction(public_url: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("profile=\"{public_url}{}\"", crate::WELL_KNOWN)).ok()
}
