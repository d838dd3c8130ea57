//! Checks the signatures of a message (RFC 9421 §3.2).

use sfv::{BareItem, Dictionary, ListEntry};

use crate::{
    base::{Component, Input, Params, dictionary},
    coverage,
    digest::{self, holds_digest},
    jwk::KeySet,
    message::{Message, field},
};

/// Most signatures that are looked at.
const SIGNATURES_MAX: usize = 8;
/// By how much the clock of a signer may be ahead, in seconds.
const AHEAD_MAX_S: i64 = 60;
/// The tag of Web Bot Auth, which makes demands of its own.
const BOT_AUTH: &str = "web-bot-auth";

/// What a signature must satisfy beside being right.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// The time, in seconds since 1970.
    pub now_s: i64,
    /// How old a signature that says when it was made may be, in seconds.
    pub age_max_s: Option<i64>,
    /// Headers that must be covered where the message has them, beside what must always be covered.
    pub headers: &'a [&'a str],
}

/// A signature that is right, and covers what it must.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its label.
    pub label: String,
    /// The name of the key that made it.
    pub kid: String,
    /// What it says about itself.
    pub params: Params,
    /// What it covers.
    pub components: Vec<Component>,
}

/// Why no signature of a message counts: the reason of the one that came farthest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct NotVerified {
    /// The reason.
    pub reason: Reason,
    /// Whether a signature names a key that is not in the set, so that reading the keys anew may help.
    pub unknown_key: bool,
}

/// Why a signature does not count. Ordered by how far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    /// There is none.
    #[error("there is no signature")]
    Missing,
    /// It does not cover what it must, so it proves nothing about this message.
    #[error("the signature does not cover what it must")]
    Uncovered,
    /// No key has the name that it gives.
    #[error("the key of the signature is not known")]
    KeyNotFound,
    /// The key is of a kind that we do not know.
    #[error("the key of the signature is of an unsupported kind")]
    AlgorithmUnsupported,
    /// The body is not the one that was signed.
    #[error("the body does not have the digest that was signed")]
    DigestMismatch,
    /// It is malformed, too old, or wrong.
    #[error("the signature is wrong")]
    Invalid,
}

/// Finds a signature that counts: made by a key of the set, over all that it must cover, and still good. Others
/// beside it do no harm.
pub fn verify(
    message: &Message<'_>,
    keys: &KeySet,
    rules: &Rules<'_>,
) -> Result<Verified, NotVerified> {
    let no = |reason| NotVerified { reason, unknown_key: false };
    let both = field(message.headers, "signature-input").zip(field(message.headers, "signature"));
    let (inputs, signatures) = both.ok_or(no(Reason::Missing))?;
    let inputs = dictionary(&inputs).ok_or(no(Reason::Invalid))?;
    let signatures = dictionary(&signatures).ok_or(no(Reason::Invalid))?;
    let candidate = Candidates { message, keys, rules, signatures: &signatures };
    let mut failed = no(Reason::Missing);
    for (label, entry) in inputs.iter().take(SIGNATURES_MAX) {
        match candidate.verify(label.as_str(), entry) {
            Ok(verified) => return Ok(verified),
            Err(reason) => {
                failed.reason = failed.reason.max(reason);
                failed.unknown_key |= reason == Reason::KeyNotFound;
            }
        }
    }
    Err(failed)
}

struct Candidates<'a> {
    message: &'a Message<'a>,
    keys: &'a KeySet,
    rules: &'a Rules<'a>,
    signatures: &'a Dictionary,
}

impl Candidates<'_> {
    fn verify(&self, label: &str, entry: &ListEntry) -> Result<Verified, Reason> {
        let input = Input::read(entry).ok_or(Reason::Invalid)?;
        let signature = self.signature(label).ok_or(Reason::Missing)?;
        if !coverage::covers(&input, &coverage::demanded(self.message, self.rules.headers)) {
            return Err(Reason::Uncovered);
        }
        let kid = input.params.keyid.clone().ok_or(Reason::KeyNotFound)?;
        let named = self.keys.named(&kid);
        if named.is_empty() {
            return Err(Reason::KeyNotFound);
        }
        let bot_auth = input.params.tag.as_deref() == Some(BOT_AUTH);
        let usable = |key: &&&crate::Jwk| !bot_auth || key.thumbprint().as_deref() == Some(&kid);
        let usable: Vec<_> = named.iter().filter(usable).filter_map(|key| key.public()).collect();
        if usable.is_empty() {
            return Err(if bot_auth { Reason::Invalid } else { Reason::AlgorithmUnsupported });
        }
        let digested = input.components.iter().any(|component| component.name() == digest::NAME);
        if digested && !holds_digest(self.message.headers, self.message.body) {
            return Err(Reason::DigestMismatch);
        }
        let base = input.base(self.message).map_err(|_| Reason::Invalid)?;
        let right = usable.iter().any(|key| key.verifies(base.as_bytes(), signature));
        if !right || !self.is_timely(&input.params) || bot_auth && !is_bot_auth(label, &input) {
            return Err(Reason::Invalid);
        }
        let Input { params, components, .. } = input;
        Ok(Verified { label: label.to_owned(), kid, params, components })
    }

    fn signature(&self, label: &str) -> Option<&[u8]> {
        let ListEntry::Item(item) = self.signatures.get(label)? else { return None };
        match &item.bare_item {
            BareItem::ByteSequence(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn is_timely(&self, params: &Params) -> bool {
        let now = self.rules.now_s;
        let oldest = self.rules.age_max_s.map(|age| now.saturating_sub(age));
        let made = params.created.is_none_or(|created| {
            created <= now.saturating_add(AHEAD_MAX_S)
                && oldest.is_none_or(|oldest| created >= oldest)
        });
        made && params.expires.is_none_or(|expires| expires >= now)
    }
}

/// What Web Bot Auth demands of a signature with its tag: it ends, and covers the member of `Signature-Agent` that
/// is about itself.
fn is_bot_auth(label: &str, input: &Input) -> bool {
    let own = Component::member("signature-agent", label);
    input.params.created.is_some()
        && input.params.expires.is_some()
        && input.components.contains(&own)
}
