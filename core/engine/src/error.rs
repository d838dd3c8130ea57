//! What a use case answers when it does not succeed.

use handel_domain::{Code, Refusal, refusal::Kind};
use handel_store::StoreError;

/// A refusal for the caller, and for the log what was behind it, if it was not the caller's doing.
///
/// The source never leaves the process: doors show the refusal and log the source once.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
pub struct Error {
    /// What the caller is told.
    pub refusal: Refusal,
    /// What failed below.
    #[source]
    pub source: Option<StoreError>,
}

impl Error {
    /// A mistake of the shop itself; the text goes to the log only.
    pub(crate) fn internal(what: impl Into<String>) -> Self {
        StoreError::Unit(what.into()).into()
    }

    /// The code that the caller sees.
    pub fn code(&self) -> Code {
        self.refusal.code
    }

    /// Whether nobody outside can do anything about it.
    pub fn is_fault(&self) -> bool {
        self.source.is_some() || self.refusal.code.kind() == Kind::Internal
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self { refusal, source: None }
    }
}

/// How long a caller should wait after the database was busy or away, in milliseconds.
const RETRY_MS: u64 = 1_000;

/// The refusal of a name that somebody else took between the look at it and the write.
fn taken(index: &str) -> Option<Refusal> {
    let (code, message) = match index {
        "products_by_slug" => (Code::SlugTaken, "another product has this slug"),
        "variants_by_sku" => (Code::SkuTaken, "another product has this SKU"),
        "categories_by_slug" => (Code::CategorySlugTaken, "another category has this slug"),
        "promotion_codes_by_code" => {
            (Code::PromotionCodeTaken, "another promotion has one of these codes")
        }
        _ => return None,
    };
    Some(Refusal::new(code, message))
}

impl From<StoreError> for Error {
    fn from(source: StoreError) -> Self {
        if let StoreError::Unique(index) = &source
            && let Some(refusal) = taken(index)
        {
            return refusal.into();
        }
        if let StoreError::Unstorable(_) = &source {
            let message = "a text has the character U+0000, which no text here may have";
            return Refusal::new(Code::InputInvalid, message).into();
        }
        let refusal = match &source {
            StoreError::Contention => Refusal::new(
                Code::WriteConflict,
                "too many changes at once; send the request again",
            )
            .retry_after_ms(RETRY_MS),
            StoreError::NotWritable(_)
            | StoreError::Unavailable(_)
            | StoreError::Corrupt(_)
            | StoreError::Locked(_) => Refusal::new(
                Code::StorageUnavailable,
                "the shop cannot read or write its data at the moment",
            )
            .retry_after_ms(RETRY_MS),
            _ => Refusal::new(
                Code::Internal,
                "something went wrong; it was logged with the id of this request",
            ),
        };
        Self { refusal, source: Some(source) }
    }
}
