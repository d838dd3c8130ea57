//! Where the simulated process of the shop runs: its disk, its crashes and its restarts.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use handel_engine::{Engine, Error, Limits, Parts, WebhookFormat, signature_seed};
use handel_ports::{BoxFuture, Cache, CacheKey, Clock, CrashPoint, Fate, System};
use handel_store::{Database, Hand};
use handel_testkit::PlainNews;
use handel_ucp::OrderNewsFormat;
use tokio::sync::{oneshot, watch};

use crate::{
    dice::Dice,
    door::{Entrance, SHOP},
    executor::{Owner, Scheduler, SpawnFor},
    world::{Process, World},
};

/// What is wrong with the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    /// Nothing.
    None,
    /// It is full.
    Full,
    /// Nothing that is written arrives.
    Dead,
    /// Some commits fail.
    Shaky,
}

/// When the process is to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doom {
    /// After so many steps of its own, wherever it is then.
    Steps(u64),
    /// When it next reaches this point.
    Point(CrashPoint),
}

/// A machine with a disk that may run one process of the shop.
pub struct Site {
    pub scheduler: Arc<Scheduler>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<Dice>,
    pub directory: PathBuf,
    state: Mutex<State>,
    is_doomed_now: AtomicBool,
}

struct State {
    hand: Option<Hand>,
    database: Option<Database>,
    fault: DiskFault,
    doom: Option<Doom>,
    points: BTreeMap<CrashPoint, u64>,
    /// How many processes have ended here.
    lives: u64,
    dice: Dice,
}

impl Site {
    /// A machine that runs nothing yet.
    pub fn new(
        scheduler: Arc<Scheduler>,
        clock: Arc<dyn Clock>,
        seed: u64,
        directory: PathBuf,
    ) -> Self {
        let state = State {
            hand: None,
            database: None,
            fault: DiskFault::None,
            doom: None,
            points: BTreeMap::new(),
            lives: 0,
            dice: Dice::new(seed, "disk"),
        };
        Self {
            scheduler,
            clock,
            random: Arc::new(Dice::new(seed, "engine")),
            directory,
            state: Mutex::new(state),
            is_doomed_now: AtomicBool::new(false),
        }
    }

    /// Tasks of the process, or of who comes after it.
    pub fn system(&self, owner: Owner) -> System {
        let spawner = SpawnFor { scheduler: self.scheduler.clone(), owner };
        System::new(self.clock.clone(), self.random.clone(), Arc::new(spawner))
    }

    /// Opens the database of the machine.
    pub fn open(&self) -> Database {
        let (database, hand) =
            Database::open_by_hand(&self.directory).expect("what a crash leaves behind opens");
        let mut state = self.state();
        hand.set_full(state.fault == DiskFault::Full).expect("a limit can be set");
        state.hand = Some(hand);
        state.database = Some(database.clone());
        database
    }

    /// The database that is open.
    pub fn database(&self) -> Option<Database> {
        self.state().database.clone()
    }

    /// Starts a process, which may die while it does.
    pub async fn start(self: &Arc<Self>, world: &Arc<World>) -> Option<Process> {
        let system = self.system(Owner::Process).with_fate(self.clone());
        let (answer, answered) = oneshot::channel();
        let starting = start(world.clone(), self.open(), system.clone());
        let life = self.state().lives;
        system.spawn(async move {
            let _gone = answer.send(starting.await);
        });
        let started = answered.await.ok()?;
        if self.state().lives != life {
            // It died between its start and this look at it.
            return None;
        }
        let engine = match started {
            Ok(engine) => engine,
            Err(error) => {
                world.trace.note(format!("the start failed: {error}"));
                self.lose_hand();
                return None;
            }
        };
        // The loops end with the process, never before.
        let (stop, stopped) = watch::channel(false);
        engine.start_upkeep(stopped);
        system.spawn(async move {
            stop.closed().await;
        });
        let entrance = Entrance::new(engine, system.clone(), world.web.clone());
        Some(Process { entrance, system, is_dead: Arc::default() })
    }

    /// Lets the process die soon.
    pub fn set_doom(&self, doom: Option<Doom>) {
        self.state().doom = doom;
    }

    fn doom_now(&self) {
        self.is_doomed_now.store(true, Ordering::Release);
    }

    /// Counts a step of the process. True if it is its last.
    pub fn is_last_step(&self) -> bool {
        let mut state = self.state();
        if let Some(Doom::Steps(left)) = &mut state.doom {
            if *left == 0 {
                state.doom = None;
                return true;
            }
            *left -= 1;
        }
        self.is_doomed_now.swap(false, Ordering::AcqRel)
    }

    /// The end of a process, as far as the disk knows: what waits is lost.
    pub fn lose_hand(&self) {
        let mut state = self.state();
        let (hand, database) = (state.hand.take(), state.database.take());
        state.lives += 1;
        drop(state);
        drop((hand, database));
        self.is_doomed_now.store(false, Ordering::Release);
    }

    /// Breaks or repairs the disk.
    pub fn set_fault(&self, fault: DiskFault) {
        let mut state = self.state();
        state.fault = fault;
        if let Some(hand) = &state.hand {
            hand.set_full(fault == DiskFault::Full).expect("a limit can be set");
        }
    }

    /// How often each crash point was reached, and a process died there.
    pub fn crashes_at_points(&self) -> BTreeMap<CrashPoint, u64> {
        self.state().points.clone()
    }

    /// Whether units wait that write, and whether units wait that read.
    pub fn waiting(&self) -> (bool, bool) {
        let state = self.state();
        let hand = state.hand.as_ref();
        hand.map_or((false, false), |hand| (hand.has_writes(), hand.has_reads()))
    }

    /// Lets the disk write what waits.
    pub fn write(&self) {
        let State { hand, fault, dice, .. } = &mut *self.state();
        let Some(hand) = hand else { return };
        let fails = match fault {
            DiskFault::None | DiskFault::Full => false,
            DiskFault::Dead => true,
            DiskFault::Shaky => dice.percent(30),
        };
        if fails { hand.write_in_vain() } else { hand.write() }
    }

    /// Lets the disk read for one unit.
    pub fn read(&self) {
        if let Some(hand) = &mut self.state().hand {
            hand.read();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fate for Site {
    fn reach(&self, point: CrashPoint) -> BoxFuture<'static, ()> {
        let mut state = self.state();
        if state.doom == Some(Doom::Point(point)) {
            state.doom = None;
            *state.points.entry(point).or_default() += 1;
            drop(state);
            self.doom_now();
            return Box::pin(std::future::pending());
        }
        Box::pin(std::future::ready(()))
    }
}

/// Starts the shop on a database.
pub async fn start(world: Arc<World>, database: Database, system: System) -> Result<Engine, Error> {
    let seed = signature_seed(&database, &system).await?;
    let ucp = OrderNewsFormat::all(SHOP, &seed).into_iter();
    let ucp = ucp.map(|format| Arc::new(format) as Arc<dyn WebhookFormat>);
    let plain: Arc<dyn WebhookFormat> = Arc::new(PlainNews);
    let parts = Parts {
        database,
        system,
        providers: vec![world.provider.clone()],
        cache: Arc::new(Forgetful::new(Dice::new(world.seed, "cache"))),
        subscribers: vec![world.listener.clone()],
        web: world.web.clone(),
        webhook_formats: ucp.chain([plain]).collect(),
        limits: Limits::default(),
    };
    Engine::start(parts).await
}

/// Brings the shop back after each crash, sooner or later.
pub async fn keep_alive(site: Arc<Site>, world: Arc<World>) {
    let dice = Dice::new(world.seed, "operator");
    loop {
        if world.process(0).is_none() {
            let down_ms = if dice.percent(10) { 90_000 } else { 4_000 };
            world.sleep(dice.millis(0, down_ms)).await;
            match site.start(&world).await {
                Some(process) => {
                    world.trace.note("the shop is up");
                    world.set_process(0, Some(process));
                }
                None => world.sleep(Duration::from_millis(100)).await,
            }
        } else {
            world.died.notified().await;
        }
    }
}

/// A cache that forgets at any time.
pub struct Forgetful {
    answers: Mutex<std::collections::HashMap<CacheKey, Bytes>>,
    dice: Dice,
}

impl Forgetful {
    /// One that knows nothing yet.
    pub fn new(dice: Dice) -> Self {
        Self { answers: Mutex::default(), dice }
    }
}

impl Cache for Forgetful {
    fn get(&self, key: &CacheKey) -> Option<Bytes> {
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if self.dice.percent(10) {
            answers.clear();
        }
        answers.get(key).cloned()
    }

    fn put(&self, key: CacheKey, answer: Bytes) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(key, answer);
    }
}
