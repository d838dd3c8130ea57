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

/// Declares the crash points once, with what each stands between.
macro_rules! crash_points {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal;)*) => {
        /// A place between two steps of the engine at which a process may die and leave work half done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum CrashPoint {
            $($(#[doc = $doc])+ $name,)*
        }

        impl CrashPoint {
            /// Every crash point.
            pub const ALL: &[CrashPoint] = &[$(CrashPoint::$name),*];

            /// The name in reports.
            pub fn name(self) -> &'static str {
                match self { $(CrashPoint::$name => $text,)* }
            }
        }
    };
}

crash_points! {
    /// The order is placed and the key of its charge is stored; the provider has not been called.
    OrderPlaced = "order.placed";
    /// The provider has answered; nobody has written it down.
    ChargeAnswered = "charge.answered";
    /// The outcome is written down; the caller has not been answered.
    ChargeSettled = "charge.settled";
    /// The provider has said what became of an attempt; nobody has written it down.
    PaymentChecked = "payment.checked";
    /// The provider has answered a refund; nobody has written it down.
    RefundAnswered = "refund.answered";
    /// A webhook is stored; the provider has not been answered.
    WebhookStored = "webhook.stored";
    /// Events were read from the outbox; none is delivered.
    EventsRead = "events.read";
    /// Events were delivered; it has not been noted.
    EventsDelivered = "events.delivered";
    /// News of an order are written and kept; they have not been sent.
    NewsWritten = "news.written";
    /// News of an order were sent; it has not been noted.
    NewsSent = "news.sent";
    /// Jobs are leased; none has run.
    JobsLeased = "jobs.leased";
    /// A job has run; its end has not been noted.
    JobRun = "job.run";
}

/// Who decides whether a process survives a crash point. There is one in simulations only.
pub trait Fate: Send + Sync {
    /// Ends if the process survives, and never if it does not.
    fn reach(&self, point: CrashPoint) -> BoxFuture<'static, ()>;
}

/// The world below the engine: clock, randomness and tasks.
#[derive(Clone)]
pub struct System {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    spawner: Arc<dyn Spawner>,
    fate: Option<Arc<dyn Fate>>,
}

impl System {
    /// A world made of the given parts, for tests and simulations.
    pub fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>, spawner: Arc<dyn Spawner>) -> Self {
        Self { clock, random, spawner, fate: None }
    }

    /// The same world, in which a process may die at every crash point.
    pub fn with_fate(self, fate: Arc<dyn Fate>) -> Self {
        Self { fate: Some(fate), ..self }
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

    /// Passes a crash point, which costs nothing in the real world.
    pub async fn reach(&self, point: CrashPoint) {
        if let Some(fate) = &self.fate {
            fate.reach(point).await;
        }
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
