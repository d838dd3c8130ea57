//! Where programs find the shop: `/.well-known/ucp`, and a profile of its own for each version.

use axum::{
    Router,
    extract::{Path, State},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

use crate::{Ucp, Version, WELL_KNOWN, rest};

/// How long others may keep a profile, in seconds. Signatures by a new key are not believed before.
const FRESH: &str = "public, max-age=300";

pub(crate) fn router(ucp: &Ucp) -> Router {
    Router::new()
        .route(WELL_KNOWN, get(root))
        .route(&format!("{WELL_KNOWN}/{{version}}"), get(of_version))
        .with_state(ucp.clone())
}

async fn root(State(ucp): State<Ucp>, headers: HeaderMap) -> Response {
    answer(&ucp.profile(), &headers)
}

async fn of_version(
    State(ucp): State<Ucp>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    match Version::of(&name) {
        Some(version) => answer(&ucp.leaf_profile(version), &headers),
        None => rest::nothing_here(),
    }
}

/// A profile, or that it is still the one that the caller has.
fn answer(profile: &serde_json::Value, headers: &HeaderMap) -> Response {
    let body = profile.to_string();
    let tag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..16]));
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|known| {
        known.split(',').any(|known| {
            let known = known.trim();
            known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag
        })
    });
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(FRESH));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    // Any page may read what everybody may know.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
