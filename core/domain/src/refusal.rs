//! Why the shop says no: one list of stable codes for every door.
//!
//! A refusal knows nothing of HTTP or of any protocol. Each door translates its [`Kind`] in one
//! table, and shows the [`Code`] as it is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    id::{OrderId, VariantId},
    order::Status,
};

/// The class of a refusal: what the caller can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request itself is wrong; it will never succeed as it is.
    Invalid,
    /// Nobody knows who is calling.
    Unauthenticated,
    /// The caller is known and may not do this.
    Forbidden,
    /// There is no such thing for this caller.
    NotFound,
    /// Somebody else was faster, or the caller looked at old data.
    Conflict,
    /// The request is right, but the rules of the shop forbid it now.
    Refused,
    /// The payment was declined.
    PaymentFailed,
    /// Too much or too many.
    Limited,
    /// Not now; the same request may succeed later.
    Unavailable,
    /// A mistake of the shop itself.
    Internal,
}

/// Declares every code once, with its kind and what it means.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $kind:ident;)*) => {
        /// A stable, documented reason. The text never changes once released.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)*
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The stable text, such as `stock.short`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// The class of refusal.
            pub fn kind(self) -> Kind {
                match self { $(Code::$name => Kind::$kind,)* }
            }

            /// What the code means, for the documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$name => concat!($($doc),+).trim_ascii(),)* }
            }
        }
    };
}

codes! {
    /// A field of the request is missing, malformed or out of range; `errors` names each.
    InputInvalid = "input.invalid", Invalid;
    /// The currency is not an ISO 4217 code with minor units.
    CurrencyUnknown = "currency.unknown", Invalid;
    /// The page cursor was not made by this shop, or for another query.
    CursorInvalid = "cursor.invalid", Invalid;
    /// The calculation leaves the range of 64-bit amounts.
    AmountOverflow = "amount.overflow", Invalid;
    /// The request looks like it carries a card number, which Handel never takes.
    CardNumberRefused = "card_number.refused", Invalid;
    /// The request needs an API key or a token.
    Unauthenticated = "auth.required", Unauthenticated;
    /// The API key or token is unknown, expired or revoked.
    CredentialInvalid = "auth.invalid", Unauthenticated;
    /// The caller lacks the scope that this needs.
    ScopeMissing = "auth.scope_missing", Forbidden;
    /// A request that relies on a cookie came from another origin.
    OriginRefused = "auth.origin_refused", Forbidden;
    /// There is no such page or resource.
    NotFound = "not_found", NotFound;
    /// The address exists, but does not take this method; `Allow` lists those that it takes.
    MethodNotAllowed = "method_not_allowed", NotFound;
    /// The sales channel does not exist.
    ChannelUnknown = "channel.unknown", NotFound;
    /// The product does not exist or is not for sale here.
    ProductUnknown = "product.unknown", NotFound;
    /// The variant does not exist or is not for sale here.
    VariantUnknown = "variant.unknown", NotFound;
    /// The category does not exist.
    CategoryUnknown = "category.unknown", NotFound;
    /// The stock location does not exist.
    LocationUnknown = "location.unknown", NotFound;
    /// The cart does not exist or is not the caller's.
    CartUnknown = "cart.unknown", NotFound;
    /// The cart has no such line.
    CartLineUnknown = "cart.line_unknown", NotFound;
    /// The checkout does not exist or is not the caller's.
    CheckoutUnknown = "checkout.unknown", NotFound;
    /// The order does not exist or is not the caller's.
    OrderUnknown = "order.unknown", NotFound;
    /// The promotion does not exist.
    PromotionUnknown = "promotion.unknown", NotFound;
    /// The API key does not exist.
    ApiKeyUnknown = "api_key.unknown", NotFound;
    /// The key exists, but its secret is shown only once.
    SecretShownOnce = "api_key.secret_shown_once", Conflict;
    /// No payment provider is configured, so nothing that costs money can be bought.
    PaymentsNotConfigured = "payment.not_configured", Refused;
    /// The payment provider does not exist or is not enabled.
    ProviderUnknown = "payment.provider_unknown", NotFound;
    /// The stored row has another version than the request expects.
    VersionConflict = "version.conflict", Conflict;
    /// Too many writers at once; the same request may be sent again.
    WriteConflict = "write.conflict", Conflict;
    /// Another product of the shop has this slug.
    SlugTaken = "product.slug_taken", Conflict;
    /// Another variant of the shop has this SKU.
    SkuTaken = "variant.sku_taken", Conflict;
    /// Another category of the shop has this slug.
    CategorySlugTaken = "category.slug_taken", Conflict;
    /// Another promotion of the shop has this code.
    PromotionCodeTaken = "promotion.code_taken", Conflict;
    /// The variant, category or promotion is still in use and cannot be deleted.
    StillInUse = "still_in_use", Conflict;
    /// A category cannot be moved below itself, nor deeper than the limit.
    CategoryLoop = "category.loop", Refused;
    /// The cart became an order and takes no more changes.
    CartClosed = "cart.closed", Conflict;
    /// The cart has no lines.
    CartEmpty = "cart.empty", Refused;
    /// The cart holds as many lines as a cart may.
    CartFull = "cart.full", Refused;
    /// The product cannot be bought in the currency of this cart.
    NotPriced = "variant.not_priced", Refused;
    /// Less is available than was asked for; `shortages` says how much is.
    StockShort = "stock.short", Conflict;
    /// The change would leave less on hand than is already promised to buyers.
    StockBelowAllocated = "stock.below_allocated", Refused;
    /// The variant's stock is not tracked.
    StockUntracked = "stock.untracked", Refused;
    /// The checkout was completed, canceled or has expired.
    CheckoutClosed = "checkout.closed", Conflict;
    /// Something that the checkout needs is missing; `errors` names each.
    CheckoutIncomplete = "checkout.incomplete", Refused;
    /// The cart changed after this checkout was made from it; make the checkout again.
    CartChanged = "checkout.cart_changed", Conflict;
    /// The total is not the one that the buyer agreed to; `total_minor` is the current one.
    TotalsChanged = "checkout.totals_changed", Conflict;
    /// A code of the checkout was used as often as it may be; remove it to buy without.
    PromotionUsedUp = "promotion.used_up", Conflict;
    /// The shop does not sell to this country.
    CountryRefused = "checkout.country_refused", Refused;
    /// The shipping method does not exist or does not go to this country.
    ShippingMethodUnknown = "checkout.shipping_method_unknown", Refused;
    /// No tax rate covers the destination, and the channel blocks such sales.
    TaxRateMissing = "checkout.tax_rate_missing", Refused;
    /// The provider declined the payment.
    PaymentDeclined = "payment.declined", PaymentFailed;
    /// The provider declined the payment for lack of funds.
    InsufficientFunds = "payment.insufficient_funds", PaymentFailed;
    /// The provider charged another amount than was asked for; it is being returned.
    AmountMismatch = "payment.amount_mismatch", PaymentFailed;
    /// The provider cannot be reached; nothing was charged.
    ProviderUnavailable = "payment.provider_unavailable", Unavailable;
    /// A payment of this order is under way; ask again when it has ended.
    PaymentInProgress = "payment.in_progress", Conflict;
    /// Another attempt to pay took the place of this one.
    PaymentSuperseded = "payment.superseded", Conflict;
    /// The payment token is malformed.
    PaymentTokenInvalid = "payment.token_invalid", Invalid;
    /// The webhook's signature is missing, wrong or too old.
    WebhookRefused = "webhook.refused", Unauthenticated;
    /// The order's status does not allow this; `allowed` lists what it allows.
    TransitionRefused = "order.transition_refused", Conflict;
    /// More was asked to be shipped, canceled or returned than is left.
    QuantityExceeded = "order.quantity_exceeded", Refused;
    /// The request needs an `Idempotency-Key`.
    IdempotencyKeyRequired = "idempotency.key_required", Invalid;
    /// The key was used before for a different request.
    IdempotencyConflict = "idempotency.conflict", Refused;
    /// The first request with this key is still being worked on.
    IdempotencyInFlight = "idempotency.in_flight", Conflict;
    /// The request needs an `If-Match` with the current version.
    PreconditionRequired = "version.required", Invalid;
    /// The request is larger than the limit.
    TooLarge = "request.too_large", Limited;
    /// Too many requests at once; try again after the given time.
    Overloaded = "request.overloaded", Unavailable;
    /// The client made too many changes in a short time; try again after the given time.
    RateLimited = "request.rate_limited", Limited;
    /// The request was not done within its time limit.
    DeadlineExceeded = "request.timeout", Unavailable;
    /// The database cannot be reached or cannot write.
    StorageUnavailable = "storage.unavailable", Unavailable;
    /// Something went wrong inside; it was logged with the id of the request.
    Internal = "internal", Internal;
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let known = Code::ALL.iter().find(|code| code.as_str() == text).copied();
        known.ok_or_else(|| serde::de::Error::custom("unknown refusal code"))
    }
}

/// One wrong field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) to the field, such as `/shipping_address/country`.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

/// A line of a purchase that cannot be served from stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// What is short.
    pub variant_id: VariantId,
    /// How many were asked for, over all lines.
    pub requested: i64,
    /// How many there are.
    pub available: i64,
}

/// Facts that go with a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// The wrong fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// What is short.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortages: Vec<Shortage>,
    /// The statuses that the order may go to from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed: Option<Vec<Status>>,
    /// The total that holds now, in minor units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_minor: Option<i64>,
    /// The version that is stored now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    /// The order that is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// After how many milliseconds it makes sense to ask again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

/// A typed no, with everything that the caller may know about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Refusal {
    /// The stable reason.
    pub code: Code,
    /// One sentence for a person, in lowercase and without internals.
    pub message: String,
    /// The facts. Boxed, because refusals travel in every `Result`.
    pub details: Box<Details>,
}

impl Refusal {
    /// A refusal without further facts.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Box::default() }
    }

    /// A refusal of one field.
    pub fn field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { pointer: pointer.into(), message: message.into() }])
    }

    /// A refusal of several fields.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let mut refusal = Self::new(Code::InputInvalid, "the request has invalid fields");
        refusal.details.errors = errors;
        refusal
    }

    /// The refusal of a field that holds what looks like a card number. The text never repeats it.
    pub fn card_number(pointer: impl Into<String>) -> Self {
        let mut refusal =
            Self::field(pointer, "looks like a card number; this shop takes tokens only");
        refusal.code = Code::CardNumberRefused;
        refusal
    }

    /// The refusal of a version that is no longer the stored one.
    pub fn version_conflict(current: i64) -> Self {
        let mut refusal = Self::new(
            Code::VersionConflict,
            "somebody else changed this; read it again and repeat the change",
        );
        refusal.details.version = Some(current);
        refusal
    }

    /// The refusal of an amount that leaves 64 bits.
    pub fn overflow() -> Self {
        Self::new(Code::AmountOverflow, "the amounts are too large to be added up")
    }

    /// Adds when to ask again.
    #[must_use]
    pub fn retry_after_ms(mut self, retry_after_ms: u64) -> Self {
        self.details.retry_after_ms = Some(retry_after_ms);
        self
    }
}

/// Collects the wrong fields of one request, so that the caller learns of all at once.
///
/// A card number among them decides the code: whoever sent it must learn that before anything else.
#[derive(Debug, Default)]
pub struct FieldErrors {
    errors: Vec<FieldError>,
    has_card_number: bool,
}

impl FieldErrors {
    /// Adds a wrong field.
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError { pointer: pointer.into(), message: message.into() });
    }

    /// Adds a field if a condition does not hold.
    pub fn check(&mut self, holds: bool, pointer: impl Into<String>, message: impl Into<String>) {
        if !holds {
            self.add(pointer, message);
        }
    }

    /// Takes over the value of a parse, or notes what is wrong with it.
    pub fn take<T>(&mut self, result: Result<T, Refusal>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(mut refusal) => {
                self.has_card_number |= refusal.code == Code::CardNumberRefused;
                if refusal.details.errors.is_empty() {
                    self.add("", refusal.message);
                }
                self.errors.append(&mut refusal.details.errors);
                None
            }
        }
    }

    /// Whether nothing was wrong so far.
    pub fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    /// Whether nothing was wrong with one field so far.
    pub fn is_empty_at(&self, pointer: &str) -> bool {
        self.errors.iter().all(|error| error.pointer != pointer)
    }

    /// Ends the check: no wrong field, or a refusal that lists them all.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.errors.is_empty() {
            return Ok(());
        }
        let mut refusal = Refusal::fields(self.errors);
        if self.has_card_number {
            refusal.code = Code::CardNumberRefused;
        }
        Err(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_text_of_its_own() {
        let mut texts: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), Code::ALL.len());
    }

    #[test]
    fn a_card_number_decides_the_code_and_no_wrong_field_is_lost() {
        let mut errors = FieldErrors::default();
        errors.add("/city", "must not be empty");
        assert_eq!(errors.take::<()>(Err(Refusal::card_number("/line1"))), None);
        errors.add("/phone", "must not be longer than 40 characters");
        let refusal = errors.finish().expect_err("three fields are wrong");
        assert_eq!(refusal.code, Code::CardNumberRefused);
        let pointers: Vec<_> = refusal.details.errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(pointers, ["/city", "/line1", "/phone"]);
    }

    #[test]
    fn a_refusal_without_fields_is_not_lost_among_fields() {
        let mut errors = FieldErrors::default();
        assert_eq!(errors.take::<()>(Err(Refusal::overflow())), None);
        let refusal = errors.finish().expect_err("it was refused");
        assert_eq!(refusal.details.errors[0].message, Refusal::overflow().message);
    }
}
