//! Files: product pictures and documents.

use async_trait::async_trait;
use bytes::Bytes;

/// A stored file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// The content.
    pub bytes: Bytes,
    /// Its media type, such as `image/svg+xml`.
    pub content_type: String,
}

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The key is not made of lowercase letters, digits, `-`, `_`, `.` and single `/`.
    #[error("the key is malformed")]
    Key,
    /// The store does not work.
    #[error("the blob store does not work")]
    Storage(#[source] std::io::Error),
}

/// A place for files. Keys look like `media/mug-1.svg`; the extension decides the media type.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores a file durably, replacing what was there. Readers see the old or the new one, never a part.
    async fn put(&self, key: &str, bytes: Bytes) -> Result<(), BlobError>;
    /// Reads a file.
    async fn get(&self, key: &str) -> Result<Option<Blob>, BlobError>;
    /// Deletes a file, if it is there.
    async fn delete(&self, key: &str) -> Result<(), BlobError>;
}
