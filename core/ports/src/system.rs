//! Time, randomness and tasks.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use handel_domain::id::{Id, Kind};
use jiff::{Timestamp, Unit};
use rand::Rng as _;

/// A boxed future that can move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What time it is, and waiting.
pub trait Clock: Send + Sync {
    /// The current time in whole microseconds, as both databases keep it.
    fn now(&self) -> Timestamp;
    /// Ends after the given time.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// Unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills a buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// Tasks that outlive their caller.
pub trait Spawner: Send + Sync {
    /// Runs a future to its end, whether or not somebody waits for it.
    fn spawn(&self, task: BoxFuture<'static, ()>);
}

/// The world below the engine: clock, randomness and tasks.
#[derive(Clone)]
pub struct System {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    spawner: Arc<dyn Spawner>,
}

impl System {
    /// A world made of the given parts, for tests and simulations.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>, spawner: Arc<dyn Spawner>) -> Self {
        Self { clock, random, spawner }
    }

    /// The real world, on Tokio.
    pub fn real() -> Self {
        Self::new(Arc::new(RealClock), Arc::new(RealRandom), Arc::new(RealSpawner))
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Ends after the given time.
    pub fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(duration)
    }

    /// Runs `future` for at most `limit`; `None` if it has not ended by then.
    pub async fn within<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            output = future => Some(output),
            () = self.sleep(limit) => None,
        }
    }

    /// Runs a future to its end, whether or not somebody waits for it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.spawner.spawn(Box::pin(task));
    }

    /// Unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }

    /// A new id.
    pub fn mint<K: Kind>(&self, now: Timestamp) -> Id<K> {
        Id::mint(now, self.bytes())
    }
}

struct RealClock;

impl Clock for RealClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else must use"
    )]
    fn now(&self) -> Timestamp {
        Timestamp::now().round(Unit::Microsecond).unwrap_or(Timestamp::MAX)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else must use"
    )]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

struct RealRandom;

impl Random for RealRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the randomness that everything else must use"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        rand::rng().fill_bytes(buffer);
    }
}

struct RealSpawner;

impl Spawner for RealSpawner {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the spawner that everything else must use"
    )]
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(tokio::spawn(task));
    }
}
