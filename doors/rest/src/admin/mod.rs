//! What staff do. Every handler's use case demands the scope that its documentation names.

use handel_kit::Door;
use utoipa_axum::router::OpenApiRouter;

/// The routes of staff.
pub(crate) fn router() -> OpenApiRouter<Door> {
    OpenApiRouter::new()
}
