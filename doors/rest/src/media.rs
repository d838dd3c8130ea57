//! Pictures and other files of the shop.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use handel_domain::{Code, Refusal};
use handel_kit::{PathParams, Problem};
use handel_ports::{BlobError, BlobStore};
use http::header;

/// `GET /media/{key}`.
pub(crate) fn router(blobs: Arc<dyn BlobStore>) -> Router {
    Router::new().route("/media/{*key}", get(get_media)).with_state(blobs)
}

/// A file may be kept for a day; pictures get a new name when they change. It may do nothing but be shown:
/// an SVG is a document, and its scripts would be the shop's own.
async fn get_media(
    State(blobs): State<Arc<dyn BlobStore>>,
    PathParams(key): PathParams<String>,
) -> Result<Response, Problem> {
    let unknown = || Problem::from(Refusal::new(Code::NotFound, "there is no such file"));
    let found = blobs.get(&format!("media/{key}")).await;
    let blob = match found {
        Ok(blob) => blob.ok_or_else(unknown)?,
        Err(BlobError::Key) => return Err(unknown()),
        Err(BlobError::Storage(error)) => {
            tracing::error!(%error, "a file could not be read");
            return Err(Refusal::new(
                Code::StorageUnavailable,
                "the file cannot be read at the moment",
            )
            .into());
        }
    };
    let headers = [
        (header::CONTENT_TYPE, blob.content_type),
        (header::CACHE_CONTROL, "public, max-age=86400".to_owned()),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; sandbox".to_owned(),
        ),
    ];
    Ok((headers, blob.bytes).into_response())
}
