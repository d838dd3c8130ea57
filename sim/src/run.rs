//! One seed from the first shopper to the last check.

use std::{path::Path, pin::Pin, sync::Arc, sync::Mutex, time::Duration};

use handel_engine::{Engine, ReplayDeliveries};
use handel_ports::{Clock, System};
use handel_testkit::{Moment, START, SimulatedClock, audit_books, fixtures};
use jiff::SignedDuration;
use tempfile::TempDir;

use crate::{
    actors::{self, Cast, goods},
    dice::Dice,
    door::Doors,
    executor::{Executor, Owner, Scheduler, SpawnFor, Stepped, poll_once},
    leftovers,
    listener::Listener,
    provider::Provider,
    report::Outcome,
    site::{self, Site},
    trace::Trace,
    weather,
    world::World,
};

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// How long the shop is open, in hours of its own time.
    pub hours: u64,
    /// Who comes.
    pub cast: Cast,
    /// Through which doors.
    pub doors: Doors,
    /// Whether every step is printed.
    pub is_loud: bool,
}

/// How often the books are looked at while everything moves.
const EPISODE: SignedDuration = SignedDuration::from_mins(15);
/// How many steps may be taken without time passing. More is a loop that never ends.
const STEPS_AT_ONCE_MAX: u64 = 2_000_000;
/// Longer than anything is kept or waited for.
const LONG_AFTER_HOURS: u64 = 80;

/// Runs a plan to its end.
pub fn run(plan: Plan) -> Outcome {
    let started = crate::wall::now();
    let mut simulation = Simulation::new(plan);
    simulation.open_shop();
    simulation.run_day();
    simulation.close_shop();
    simulation.outcome(started)
}

struct Simulation {
    plan: Plan,
    clock: Arc<SimulatedClock>,
    executor: Executor,
    dice: Dice,
    site: Arc<Site>,
    world: Arc<World>,
    steps: u64,
    crashes: u64,
    _directory: TempDir,
}

impl Simulation {
    fn new(plan: Plan) -> Self {
        let seed = plan.seed;
        let directory = directory();
        let clock = Arc::new(SimulatedClock::default());
        let scheduler = Arc::new(Scheduler::default());
        let spawner = SpawnFor { scheduler: scheduler.clone(), owner: Owner::World };
        let random = Arc::new(Dice::new(seed, "world"));
        let system = System::new(clock.clone(), random, Arc::new(spawner));
        let trace = Arc::new(Trace::new(clock.clone(), plan.is_loud));
        let provider = Provider::new(system.clone(), Dice::new(seed, "provider"), trace.clone());
        let listener = Listener::new(system.clone(), Dice::new(seed, "listener"), trace.clone());
        let world =
            World::new(system, seed, plan.doors, trace, Arc::new(provider), Arc::new(listener));
        let data = directory.path().join("data");
        Self {
            plan,
            clock: clock.clone(),
            executor: Executor::new(scheduler.clone()),
            dice: Dice::new(seed, "scheduler"),
            site: Arc::new(Site::new(scheduler, clock, seed, data)),
            world: Arc::new(world),
            steps: 0,
            crashes: 0,
            _directory: directory,
        }
    }

    /// Makes the shop with its goods, in fair weather.
    fn open_shop(&mut self) {
        let (site, world) = (self.site.clone(), self.world.clone());
        let holds = Dice::new(self.plan.seed, "channel").percent(40);
        self.block_on(async move {
            let database = site.open();
            let now = world.system.now();
            database.migrate(now).await.expect("a fresh database migrates");
            let started = site::start(world, database, site.system(Owner::Closing));
            let engine = started.await.expect("a fresh shop starts");
            stock_up(&engine, holds).await;
        });
        self.executor.kill(Owner::Closing);
        self.site.lose_hand();
    }

    /// Lets everybody in, and looks at the books from time to time.
    fn run_day(&mut self) {
        let (site, world) = (self.site.clone(), self.world.clone());
        self.world.system.spawn(site::keep_alive(site.clone(), world.clone()));
        self.world.system.spawn(weather::blow(site, world.clone()));
        actors::enter(&world, self.plan.cast, self.plan.hours);
        let end = START
            + SignedDuration::from_secs(3_600)
                .checked_mul(i32::try_from(self.plan.hours).expect("few"))
                .expect("a run is not that long");
        let mut next = START + EPISODE;
        while self.clock.now() < end && !self.world.trace.is_violated() {
            self.run_until(next.min(end));
            self.audit(Moment::Moving);
            next += EPISODE;
        }
    }

    /// Sends everybody home, waits long after the last deadline, and looks at everything.
    fn close_shop(&mut self) {
        if self.world.trace.is_violated() {
            return;
        }
        self.world.trace.note("closing");
        self.world.close();
        weather::clear_up(&self.site, &self.world);
        let soon = self.clock.now() + SignedDuration::from_mins(10);
        self.run_until(soon);
        self.executor.kill(Owner::World);
        // The last trouble may have begun when the others were told to end.
        weather::clear_up(&self.site, &self.world);
        self.crash("the last process ends");
        let (site, world, clock) = (self.site.clone(), self.world.clone(), self.clock.clone());
        self.block_on(async move {
            let system = site.system(Owner::Closing);
            let started = site::start(world.clone(), site.open(), system);
            let engine = started.await.expect("the shop starts again");
            settle_for_long(&engine, &world, |time| clock.advance(time)).await;
        });
        self.audit(Moment::AtRest);
        let now = self.clock.now();
        let Some(database) = self.site.database() else { return };
        let world = self.world.clone();
        let found = self.read(Box::pin(async move {
            let mut found = leftovers::find(&database, now).await;
            let acknowledged = world.acknowledged();
            found
                .extend(leftovers::compare_orders(&database, &acknowledged, &world.listener).await);
            found.extend(leftovers::compare_news(&database, &world.web).await);
            found
        }));
        self.report_all(found);
    }

    fn run_until(&mut self, until: jiff::Timestamp) {
        let mut steps = 0;
        while !self.world.trace.is_violated() {
            if self.step() {
                steps += 1;
                if steps > STEPS_AT_ONCE_MAX {
                    self.world.trace.violation("steps are taken for ever, and no time passes");
                }
                continue;
            }
            steps = 0;
            if self.clock.now() >= until || !self.clock.advance_to_next() {
                return;
            }
        }
    }

    /// Runs a task of who looks after the shop, and everything else beside it.
    fn block_on(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        let done = Arc::new(Mutex::new(false));
        let mark = done.clone();
        self.site.system(Owner::Closing).spawn(async move {
            future.await;
            *mark.lock().expect("nobody panics") = true;
        });
        while !*done.lock().expect("nobody panics") {
            if !self.step() && !self.clock.advance_to_next() {
                self.world.trace.violation("everybody waits, and nothing can happen");
                return;
            }
        }
    }

    /// One step of somebody. False if nobody can do anything before time passes.
    fn step(&mut self) -> bool {
        let (writes, reads) = self.site.waiting();
        let others = usize::from(writes) + usize::from(reads);
        let stepped = self.executor.step(&self.dice, others);
        self.steps += 1;
        let trace = &self.world.trace;
        let is_of_process = match stepped {
            Stepped::Nothing => return false,
            Stepped::Task(id, owner) => {
                trace.step(id);
                owner == Owner::Process
            }
            Stepped::Other(0) if writes => {
                trace.step(u64::MAX);
                self.site.write();
                true
            }
            Stepped::Other(_) => {
                trace.step(u64::MAX - 1);
                self.site.read();
                true
            }
        };
        if is_of_process && self.site.is_last_step() {
            self.crash("the process dies");
        }
        true
    }

    fn crash(&mut self, words: &str) {
        self.crashes += 1;
        self.world.trace.note(words);
        self.world.set_process(0, None);
        self.executor.kill(Owner::Process);
        self.site.lose_hand();
        self.world.died.notify_one();
    }

    /// Looks at the books while everything else stands still.
    fn audit(&mut self, moment: Moment) {
        let Some(database) = self.site.database() else { return };
        let books = self.world.provider.books();
        let found =
            self.read(Box::pin(async move { audit_books(&database, &books, moment).await }));
        self.world.trace.count("audits");
        self.report_all(found);
    }

    fn report_all(&self, found: Vec<String>) {
        for sentence in found {
            self.world.trace.violation(sentence);
        }
    }

    /// Reads from the database without letting anybody else go on.
    fn read<T>(&mut self, mut reading: Pin<Box<dyn Future<Output = T>>>) -> T {
        loop {
            if let Some(read) = poll_once(&mut reading) {
                return read;
            }
            assert!(self.site.waiting().1, "only the database is waited for");
            self.site.read();
        }
    }

    fn outcome(self, started: crate::wall::Moment) -> Outcome {
        let trace = &self.world.trace;
        Outcome {
            plan: self.plan,
            fleet: None,
            hash: trace.hash(),
            steps: self.steps,
            crashes: self.crashes,
            points: self.site.crashes_at_points(),
            counts: trace.counts(),
            orders: self.world.acknowledged().len(),
            violations: trace.violations(),
            last: trace.last(),
            wall: crate::wall::since(started),
        }
    }
}

/// Opens the channel, fills the shelves and puts the promotions into force.
pub(crate) async fn stock_up(engine: &Engine, holds: bool) {
    let ctx = handel_engine::Context::operator(engine.request_id());
    let mut settings: handel_domain::channel::Settings =
        serde_json::from_str(fixtures::EUR_CHANNEL).expect("valid settings");
    settings.hold_ms = if holds { 300_000 } else { 0 };
    let opened = engine.put_channel(&ctx, fixtures::slug("eur"), settings, None).await;
    opened.expect("the channel opens");
    for good in goods::ALL {
        engine.create_product(&ctx, good.input()).await.expect("the product is valid");
        if good.on_hand > 0 {
            let adjusted = engine.adjust_stock(&ctx, fixtures::adjustment(good.sku, good.on_hand));
            adjusted.await.expect("stock arrives");
        }
    }
    for (rules, codes) in goods::promotions() {
        engine.create_promotion(&ctx, rules, codes).await.expect("the promotion is valid");
    }
}

/// Lets days pass in which only the shop itself and the provider's webhooks move.
pub(crate) async fn settle_for_long(engine: &Engine, world: &World, advance: impl Fn(Duration)) {
    let ctx = handel_engine::Context::operator(engine.request_id());
    for _ in 0..LONG_AFTER_HOURS * 6 {
        advance(Duration::from_secs(600));
        for webhook in world.provider.take_due_webhooks() {
            let headers = http::HeaderMap::new();
            let received = engine.receive_webhook(&ctx, "test", &headers, &webhook.body).await;
            if let Err(error) = received {
                world.trace.violation(format!("a webhook is refused at rest: {error}"));
            }
        }
        // Staff look after jobs that failed for good while the provider was away.
        let dead = engine.list_dead_jobs(&ctx, None, 100).await.expect("they can be listed");
        for job in dead.items {
            world.trace.count("dead jobs replayed");
            engine.replay_job(&ctx, job.id).await.expect("it can run again");
        }
        let replay = ReplayDeliveries::default();
        let replayed =
            engine.replay_deliveries(&ctx, replay).await.expect("they can be sent again");
        (0..replayed.reply).for_each(|_| world.trace.count("dead news replayed"));
        if let Err(error) = engine.settle_everything().await {
            world.trace.violation(format!("the upkeep fails at rest: {error}"));
        }
    }
}

fn directory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    made.expect("a directory can be made")
}
