//! Prefixed, sortable identifiers.

use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    str::FromStr,
};

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// What an [`Id`] identifies. The prefix is part of the text and never changes.
pub trait Kind {
    /// The text before the underscore, such as `ord`.
    const PREFIX: &'static str;
}

/// An identifier such as `ord_01jd6z3v9q8x7k2m4n5p6r7s8t`.
///
/// The prefix names the kind, so an id of the wrong kind is refused at the edge and every id can be
/// recognized in a log. The rest is 48 bits of Unix milliseconds and 80 random bits in lowercase
/// Crockford base32 (the layout of a ULID), so ids sort by creation time, primary keys stay
/// append-mostly, and nobody can guess a neighbor.
pub struct Id<K> {
    body: [u8; BODY_LEN],
    kind: PhantomData<fn() -> K>,
}

const BODY_LEN: usize = 26;
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// The value of each letter and digit of the alphabet, and `NO_DIGIT` for every other byte. Ids are read so often
/// that a search would be seen.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0_u8;
    while (value as usize) < ALPHABET.len() {
        digits[ALPHABET[value as usize] as usize] = value;
        value += 1;
    }
    digits
};
const NO_DIGIT: u8 = u8::MAX;

/// A text that is not an id of the expected kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an id that starts with `{expected}_` and goes on with 26 letters and digits")]
pub struct WrongId {
    /// The prefix that was expected.
    pub expected: &'static str,
}

impl<K: Kind> Id<K> {
    /// Makes an id from the time of creation and 80 bits of entropy.
    pub fn mint(now: Timestamp, entropy: [u8; 10]) -> Self {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&entropy);
        Self::from_u128(u128::from_be_bytes(bytes))
    }

    /// Makes an id from its 128 bits. For fixed ids such as the default tenant's.
    pub const fn from_u128(bits: u128) -> Self {
        let mut body = [0; BODY_LEN];
        let mut at = 0;
        while at < BODY_LEN {
            let shift = 5 * (BODY_LEN - 1 - at);
            body[at] = ALPHABET[((bits >> shift) & 31) as usize];
            at += 1;
        }
        Self { body, kind: PhantomData }
    }

    /// When it was minted, to the millisecond.
    pub fn minted_at(&self) -> Timestamp {
        let digit = |byte: &u8| u128::from(DIGITS[usize::from(*byte)]);
        let bits = self.body.iter().fold(0, |bits, byte| (bits << 5) | digit(byte));
        let millis = i64::try_from(bits >> 80).unwrap_or(i64::MAX);
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
    }

    /// The part after the prefix.
    pub fn body(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is made of ASCII letters and digits")
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = WrongId;

    fn from_str(text: &str) -> Result<Self, WrongId> {
        let body = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(|body| <[u8; BODY_LEN]>::try_from(body.as_bytes()).ok())
            .filter(|body| body.iter().all(|byte| DIGITS[usize::from(*byte)] != NO_DIGIT));
        match body {
            Some(body) => Ok(Self { body, kind: PhantomData }),
            None => Err(WrongId { expected: K::PREFIX }),
        }
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.body())
    }
}

impl<K: Kind> From<Id<K>> for String {
    /// Makes the same text as `Display`, without the machinery of formatting.
    fn from(id: Id<K>) -> Self {
        [K::PREFIX, "_", id.body()].concat()
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.body == other.body
    }
}

impl<K> Eq for Id<K> {}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.body.hash(state);
    }
}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.body.cmp(&other.body)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Declares the kinds of ids in one place, so that no two share a prefix.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident = $prefix:literal;)*) => {
        $(
            #[doc = concat!("Marks ids that start with `", $prefix, "_`.")]
            pub enum $kind {}

            impl Kind for $kind {
                const PREFIX: &'static str = $prefix;
            }

            $(#[$doc])*
            pub type $alias = Id<$kind>;
        )*

        /// Every prefix that exists.
        pub const PREFIXES: &[&str] = &[$($prefix),*];
    };
}

kinds! {
    /// A merchant.
    TenantKind, TenantId = "ten";
    /// A sales channel of a merchant.
    ChannelKind, ChannelId = "chn";
    /// A product.
    ProductKind, ProductId = "prod";
    /// A variant of a product: what is priced, stocked and bought.
    VariantKind, VariantId = "var";
    /// A category of products.
    CategoryKind, CategoryId = "cat";
    /// A place that holds stock.
    LocationKind, LocationId = "loc";
    /// A temporary claim on stock.
    HoldKind, HoldId = "hold";
    /// A row of the stock ledger.
    MovementKind, MovementId = "mov";
    /// A cart.
    CartKind, CartId = "cart";
    /// A line of a cart, and of the checkout and order made from it.
    LineKind, LineId = "line";
    /// A checkout.
    CheckoutKind, CheckoutId = "chk";
    /// A promotion.
    PromotionKind, PromotionId = "prm";
    /// An order.
    OrderKind, OrderId = "ord";
    /// A payment intent: what an order owes.
    PaymentKind, PaymentId = "pay";
    /// One attempt to collect a payment.
    AttemptKind, AttemptId = "att";
    /// One movement of money at a provider.
    OperationKind, OperationId = "op";
    /// A domain event.
    EventKind, EventId = "evt";
    /// A message to a program about one of its orders.
    DeliveryKind, DeliveryId = "whd";
    /// A background job.
    JobKind, JobId = "job";
    /// An API key.
    ApiKeyKind, ApiKeyId = "key";
    /// A request.
    RequestKind, RequestId = "req";
    /// A running process.
    ProcessKind, ProcessId = "proc";
}

impl TenantId {
    /// The tenant of an installation that serves one merchant.
    pub const DEFAULT: Self = Self::from_u128(1);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_id_reads_back_as_itself(bits: u128) {
            let id = OrderId::from_u128(bits);
            prop_assert_eq!(id.to_string().parse::<OrderId>().ok(), Some(id));
        }

        #[test]
        fn an_id_knows_when_it_was_minted(ms in 0i64..200_000_000_000_000, entropy: [u8; 10]) {
            let now = Timestamp::from_millisecond(ms).expect("in range");
            let id = OrderId::mint(now, entropy);
            prop_assert_eq!(id.minted_at(), now);
            prop_assert_eq!(String::from(id), id.to_string());
        }

        #[test]
        fn ids_sort_by_time(a in 0i64..200_000_000_000_000, b in 0i64..200_000_000_000_000, x: [u8; 10], y: [u8; 10]) {
            prop_assume!(a < b);
            let mint = |ms, entropy| OrderId::mint(Timestamp::from_millisecond(ms).expect("in range"), entropy);
            prop_assert!(mint(a, x) < mint(b, y));
            prop_assert!(mint(a, x).to_string() < mint(b, y).to_string());
        }

        #[test]
        fn any_other_text_is_refused(text in "\\PC{0,40}") {
            if let Ok(id) = text.parse::<OrderId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let cart = CartId::from_u128(7).to_string();
        assert_eq!(cart.parse::<OrderId>(), Err(WrongId { expected: "ord" }));
    }

    #[test]
    fn no_two_kinds_share_a_prefix() {
        let mut prefixes = PREFIXES.to_vec();
        prefixes.sort_unstable();
        prefixes.dedup();
        assert_eq!(prefixes.len(), PREFIXES.len());
    }
}
