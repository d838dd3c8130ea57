//! A question to the shop and its answer, whatever the binding.

use handel_domain::{id::RequestId, order::Source};
use serde_json::Value;

use crate::{Operation, Version};

/// What a program asks.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which operation.
    pub operation: Operation,
    /// In which version of the protocol.
    pub version: Version,
    /// The address of the profile by which the program introduced itself.
    pub agent: Option<String>,
    /// What it is about, where the operation takes an id.
    pub id: Option<String>,
    /// What it says; null where the operation takes no body.
    pub payload: Value,
    /// The key that makes a repetition harmless, and the digest by which a repetition is told from a mistake.
    pub idempotency: Option<(String, String)>,
    /// Through which door it came.
    pub source: Source,
    /// The request, for logs and the audit trail.
    pub request_id: RequestId,
}

/// What the shop says.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The resource, or why there is none: an outcome of business, which every binding delivers as a success.
    Resource {
        /// Whether it did not exist before.
        created: bool,
        /// The object of the protocol.
        body: Value,
    },
    /// The request was not worked on.
    Transport(TransportError),
}

/// Why a request was not worked on (UCP overview, "Error Handling").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportError {
    /// The HTTP status.
    pub status: u16,
    /// The stable reason.
    pub code: &'static str,
    /// What happened, for a person.
    pub content: String,
    /// After how many milliseconds it makes sense to ask again.
    pub retry_after_ms: Option<u64>,
}

impl TransportError {
    /// An error without a time to come back.
    pub fn new(status: u16, code: &'static str, content: impl Into<String>) -> Self {
        Self { status, code, content: content.into(), retry_after_ms: None }
    }

    /// The request cannot be understood.
    pub fn malformed(content: impl Into<String>) -> Self {
        Self::new(400, "invalid_request", content)
    }

    /// Says when to come back.
    #[must_use]
    pub fn retry_after_ms(self, ms: u64) -> Self {
        Self { retry_after_ms: Some(ms), ..self }
    }

    /// The object of the protocol.
    pub fn body(&self) -> Value {
        serde_json::json!({ "code": self.code, "content": self.content })
    }
}

impl From<TransportError> for Answer {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}
