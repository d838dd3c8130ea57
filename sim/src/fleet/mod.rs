//! Several processes of a shop on one PostgreSQL, in real time that runs faster.
//!
//! What the actors want follows from the seed; who is faster does not. So a run cannot be repeated exactly,
//! but the same promises hold.

mod clock;
mod member;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use handel_engine::Engine;
use handel_ports::{Clock, CrashPoint, System};
use handel_store::{Database, StoreError, Transaction};
use handel_testkit::{Moment, START, Tasks, TestDatabase, audit_books};
use jiff::SignedDuration;

use crate::{
    actors,
    dice::Dice,
    leftovers,
    listener::Listener,
    provider::{Mood, Provider},
    report::Outcome,
    run::{Plan, settle_for_long, stock_up},
    trace::Trace,
    wall,
    world::World,
};
use clock::FastClock;
use member::{Member, Yard};

/// How a fleet is made.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    /// How many processes.
    pub processes: usize,
    /// How many times as fast as real time the shop lives.
    pub speed: u32,
}

/// Runs a plan with several processes.
pub fn run(plan: Plan, fleet: Fleet) -> Result<Outcome, String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(run_here(plan, fleet))
}

async fn run_here(plan: Plan, fleet: Fleet) -> Result<Outcome, String> {
    let started = wall::now();
    let test = TestDatabase::postgres().await.ok_or("TEST_POSTGRES_URL names no server")?;
    let clock = Arc::new(FastClock::new(fleet.speed));
    let tasks = Arc::new(Tasks::default());
    let yard = Arc::new(yard(&plan, &test, clock.clone(), tasks.clone()));
    let world = yard.world.clone();
    open_shop(&yard, plan.seed).await?;
    for place in 0..fleet.processes {
        world.system.spawn(tend(yard.clone(), place));
    }
    world.system.spawn(weather(world.clone(), test.database().clone()));
    actors::enter(&world, plan.cast, plan.hours);
    let end = START + SignedDuration::from_secs(3_600 * i64::try_from(plan.hours).unwrap_or(1));
    while clock.now() < end && !world.trace.is_violated() {
        world.sleep(Duration::from_secs(30)).await;
    }
    let crashes = close_shop(&yard, &tasks, test.database()).await?;
    let points = yard.points.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let trace = &world.trace;
    Ok(Outcome {
        plan,
        fleet: Some(fleet),
        hash: trace.hash(),
        steps: 0,
        crashes,
        points,
        counts: trace.counts(),
        orders: world.acknowledged().len(),
        violations: trace.violations(),
        last: trace.last(),
        wall: wall::since(started),
    })
}

fn yard(plan: &Plan, test: &TestDatabase, clock: Arc<FastClock>, tasks: Arc<Tasks>) -> Yard {
    let seed = plan.seed;
    let system = System::new(clock.clone(), Arc::new(Dice::new(seed, "world")), tasks);
    let trace = Arc::new(Trace::new(clock.clone(), plan.is_loud));
    let provider = Provider::new(system.clone(), Dice::new(seed, "provider"), trace.clone());
    let listener = Listener::new(system.clone(), Dice::new(seed, "listener"), trace.clone());
    let world = World::new(system, seed, plan.doors, trace, Arc::new(provider), Arc::new(listener));
    Yard {
        world: Arc::new(world),
        clock,
        // Another seed than that of an embedded run: ids must differ between processes.
        random: Arc::new(Dice::new(seed, "engines")),
        config: test.config().clone(),
        points: Mutex::default(),
    }
}

async fn open_shop(yard: &Yard, seed: u64) -> Result<(), String> {
    let member = yard.launch(SignedDuration::ZERO, None).await?;
    let holds = Dice::new(seed, "channel").percent(40);
    stock_up(&member.engine, holds).await;
    member.kill().await;
    Ok(())
}

/// Keeps one place filled: a process starts, dies sooner or later, and another takes its place.
async fn tend(yard: Arc<Yard>, place: usize) {
    let world = yard.world.clone();
    let dice = Dice::new(world.seed, &format!("machine {place}"));
    loop {
        let late = SignedDuration::from_millis(dice.range(0, 2_000));
        let point = dice.percent(60).then(|| *dice.pick(CrashPoint::ALL));
        match yard.launch(late, point).await {
            Ok(member) => {
                world.set_process(place, Some(member.process.clone()));
                live(&world, &dice, &member).await;
                world.trace.note(format!("process {place} dies"));
                world.trace.count("crashes");
                world.set_process(place, None);
                yard.note(&member);
                if member.panics() > 0 {
                    world.trace.violation("a task of a process panicked");
                }
                member.kill().await;
            }
            Err(error) => world.trace.note(format!("process {place} cannot start: {error}")),
        }
        world.sleep(dice.millis(500, 20_000)).await;
    }
}

async fn live(world: &World, dice: &Dice, member: &Member) {
    let longest_ms = if world.is_closing() { 10_000_000 } else { 240_000 };
    tokio::select! {
        () = member.doomed() => {}
        () = world.sleep(dice.millis(longest_ms / 20, longest_ms)) => {}
    }
}

async fn weather(world: Arc<World>, database: Database) {
    let dice = Dice::new(world.seed, "weather");
    loop {
        world.sleep(dice.millis(5_000, 60_000)).await;
        if world.is_closing() {
            return;
        }
        match dice.below(5) {
            0 => world.provider.set_mood(Mood::Flaky),
            1 => world.provider.set_mood(Mood::Down),
            2 => world.listener.set_down(true),
            3 => cut_connections(&world, &database).await,
            _ => {}
        }
        world.sleep(dice.millis(5_000, 60_000)).await;
        if !world.is_closing() {
            world.provider.set_mood(Mood::Usual);
            world.listener.set_down(false);
        }
    }
}

/// Ends every connection to the database, in the middle of whatever runs on it.
async fn cut_connections(world: &World, database: &Database) {
    world.trace.note("trouble: all connections are cut");
    world.trace.count("connections cut");
    let cut = database.write(async |tx: &mut Transaction<'_>| {
        tx.batch(
            "select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await
    });
    if let Err(error) = cut.await {
        let error: StoreError = error;
        world.trace.note(format!("connections could not be cut: {error}"));
    }
}

async fn close_shop(yard: &Yard, tasks: &Tasks, database: &Database) -> Result<u64, String> {
    let world = &yard.world;
    world.trace.note("closing");
    world.close();
    world.provider.set_mood(Mood::Perfect);
    world.listener.heal();
    world.sleep(Duration::from_secs(300)).await;
    let crashes = world.trace.counts().get("crashes").copied().unwrap_or(0);
    tasks.kill().await;
    world.provider.set_mood(Mood::Perfect);
    world.listener.heal();
    for place in 0..64 {
        world.set_process(place, None);
    }
    if world.trace.is_violated() {
        return Ok(crashes);
    }
    let member = yard.launch(SignedDuration::ZERO, None).await?;
    let engine: &Engine = &member.engine;
    settle_for_long(engine, world, |time| yard.clock.advance(time)).await;
    let mut found = audit_books(database, &world.provider.books(), Moment::AtRest).await;
    found.extend(leftovers::find(database, yard.clock.now()).await);
    let acknowledged = world.acknowledged();
    found.extend(leftovers::compare_orders(database, &acknowledged, &world.listener).await);
    found.extend(leftovers::compare_news(database, &world.web).await);
    found.into_iter().for_each(|sentence| world.trace.violation(sentence));
    member.kill().await;
    Ok(crashes)
}
