//! A clock that runs faster than the real one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use handel_ports::{BoxFuture, Clock};
use handel_testkit::START;
use jiff::{SignedDuration, Timestamp};

use crate::wall;

/// Real time, so many times as fast, and moved on by hand at the end.
pub struct FastClock {
    started: wall::Moment,
    speed: u32,
    moved_ms: AtomicU64,
}

impl FastClock {
    /// Begins now.
    pub fn new(speed: u32) -> Self {
        Self { started: wall::now(), speed: speed.max(1), moved_ms: AtomicU64::new(0) }
    }

    /// Lets time pass at once.
    pub fn advance(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        self.moved_ms.fetch_add(millis, Ordering::AcqRel);
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let micros = wall::since(self.started).as_micros() * u128::from(self.speed)
            + u128::from(self.moved_ms.load(Ordering::Acquire)) * 1_000;
        START + SignedDuration::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    #[expect(clippy::disallowed_methods, reason = "several processes need real time")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration / self.speed))
    }
}

/// The clock of a machine that is late.
pub struct LateClock {
    pub clock: Arc<FastClock>,
    pub late: SignedDuration,
}

impl Clock for LateClock {
    fn now(&self) -> Timestamp {
        self.clock.now() - self.late
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }
}
