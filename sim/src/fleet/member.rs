//! One process of a fleet: how it starts, and how it dies.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use handel_engine::Engine;
use handel_ports::{BoxFuture, CrashPoint, Fate, System};
use handel_store::{Database, DatabaseConfig};
use handel_testkit::Tasks;
use jiff::SignedDuration;
use tokio::sync::{Notify, watch};

use super::clock::{FastClock, LateClock};
use crate::{
    dice::Dice,
    door::Entrance,
    site,
    world::{Process, World},
};

/// What every process of a fleet is made from.
pub struct Yard {
    pub world: Arc<World>,
    pub clock: Arc<FastClock>,
    pub random: Arc<Dice>,
    pub config: DatabaseConfig,
    /// Processes that died at each point.
    pub points: Mutex<std::collections::BTreeMap<CrashPoint, u64>>,
}

/// A process that runs.
pub struct Member {
    pub engine: Engine,
    pub process: Process,
    tasks: Arc<Tasks>,
    database: Database,
    doom: Arc<AtPoint>,
    _stop: watch::Sender<bool>,
}

/// Lets a process die at a point.
struct AtPoint {
    point: Option<CrashPoint>,
    is_reached: AtomicBool,
    reached: Notify,
}

impl Fate for AtPoint {
    fn reach(&self, point: CrashPoint) -> BoxFuture<'static, ()> {
        if self.is_reached.load(Ordering::Acquire) || self.point == Some(point) {
            self.is_reached.store(true, Ordering::Release);
            self.reached.notify_one();
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(()))
    }
}

impl Yard {
    /// Starts a process on a machine whose clock is a little late, and that will die at a point, if one is
    /// named.
    pub async fn launch(
        &self,
        late: SignedDuration,
        point: Option<CrashPoint>,
    ) -> Result<Member, String> {
        let tasks = Arc::new(Tasks::default());
        let clock = Arc::new(LateClock { clock: self.clock.clone(), late });
        let doom =
            Arc::new(AtPoint { point, is_reached: AtomicBool::new(false), reached: Notify::new() });
        let system = System::new(clock, self.random.clone(), tasks.clone()).with_fate(doom.clone());
        let database = Database::open(&self.config).await.map_err(|error| error.to_string())?;
        let engine = site::start(self.world.clone(), database.clone(), system.clone()).await;
        let engine = engine.map_err(|error| error.to_string())?;
        let (stop, stopped) = watch::channel(false);
        engine.start_upkeep(stopped);
        let entrance = Entrance::new(engine.clone(), system.clone(), self.world.web.clone());
        let process = Process { entrance, system, is_dead: Arc::default() };
        Ok(Member { engine, process, tasks, database, doom, _stop: stop })
    }

    /// Takes note of a death at a point.
    pub fn note(&self, member: &Member) {
        if let Some(point) = member.doom.point.filter(|_| member.is_doomed()) {
            let mut points = self.points.lock().unwrap_or_else(PoisonError::into_inner);
            *points.entry(point).or_default() += 1;
        }
    }
}

impl Member {
    /// Ends when the process has reached the point at which it dies.
    pub async fn doomed(&self) {
        self.doom.reached.notified().await;
    }

    fn is_doomed(&self) -> bool {
        self.doom.is_reached.load(Ordering::Acquire)
    }

    /// Ends the process in the middle of whatever it does.
    pub async fn kill(self) {
        self.process.is_dead.store(true, Ordering::Release);
        self.tasks.kill().await;
        self.database.close().await;
    }

    /// How many of its tasks panicked.
    pub fn panics(&self) -> usize {
        self.tasks.panics()
    }
}
