//! The look: one style sheet and one picture, under names that change with their content, so that browsers keep
//! them for good; and the same picture where browsers ask for it unbidden.

use std::sync::LazyLock;

use axum::{
    Router,
    extract::Path,
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use handel_domain::{Code, Refusal};
use handel_kit::Problem;
use http::{HeaderValue, header};
use sha2::{Digest as _, Sha256};

const STYLE: &str = include_str!("../assets/style.css");
const ICON: &str = include_str!("../assets/icon.svg");

const FAVICON: &[u8] = include_bytes!("../assets/favicon.ico");

/// Where the style sheet is.
pub(crate) static STYLE_URL: LazyLock<String> = LazyLock::new(|| address("style", STYLE, "css"));
/// Where the picture of the shop is that browsers show in tabs.
pub(crate) static ICON_URL: LazyLock<String> = LazyLock::new(|| address("icon", ICON, "svg"));

/// As much of a digest as two versions of a file will never share.
const DIGEST_BYTES: usize = 12;

pub(crate) fn router() -> Router {
    Router::new().route("/assets/{name}", get(serve)).route("/favicon.ico", get(favicon))
}

fn address(name: &str, content: &str, kind: &str) -> String {
    let digest = Sha256::digest(content);
    format!("/assets/{name}-{}.{kind}", URL_SAFE_NO_PAD.encode(&digest[..DIGEST_BYTES]))
}

async fn favicon() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "image/x-icon"),
        (header::CACHE_CONTROL, "public, max-age=86400"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
    ];
    (headers, FAVICON).into_response()
}

/// A file. One whose name is not that of its content is not there: a cache would keep the wrong one.
async fn serve(Path(name): Path<String>) -> Result<Response, Problem> {
    let asked = format!("/assets/{name}");
    let (content, kind) = if asked == *STYLE_URL {
        (STYLE, "text/css; charset=utf-8")
    } else if asked == *ICON_URL {
        (ICON, "image/svg+xml")
    } else {
        return Err(Refusal::new(Code::NotFound, "there is no such file").into());
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'")),
    ];
    Ok((headers, content).into_response())
}
