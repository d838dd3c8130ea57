//! The real clock, which only says how long a run took.

use std::time::Duration;

/// A moment in real time.
pub type Moment = std::time::Instant;

/// Now.
#[expect(clippy::disallowed_methods, reason = "how long a run took is said in real time")]
pub fn now() -> Moment {
    Moment::now()
}

/// How long ago that was.
pub fn since(moment: Moment) -> Duration {
    now().duration_since(moment)
}
