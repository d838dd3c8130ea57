//! The open loop: iterations begin when their time has come, whether or not earlier ones were answered.
//!
//! A closed loop asks a slow server less often, and so never sees how long others would have waited. Here the
//! latency of an iteration begins when it should have begun.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::ValueEnum;
use rand::{RngExt as _, SeedableRng as _, rngs::SmallRng};
use tokio::{sync::mpsc, task::JoinSet};

use crate::{
    client::{Client, Failed, Log},
    load::Outcome,
    scenario::{Memory, Scenario},
    series::Window,
    stats::Stats,
    world::World,
};

/// How arrivals are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Spacing {
    /// As people come who know nothing of each other: now and then many at once.
    Poisson,
    /// One after another, always as far apart.
    Even,
}

/// How many iterations, for how long.
#[derive(Clone, Debug)]
pub struct OpenPlan {
    /// How many begin in a second.
    pub rate: u32,
    /// How they are spread.
    pub spacing: Spacing,
    /// Most iterations under way at once. What finds no place is not begun and counted as missed.
    pub outstanding: usize,
    /// How long nothing is counted at first.
    pub warmup: Duration,
    /// How long iterations are begun after that.
    pub measured: Duration,
    /// Where each second is written down.
    pub window: Option<Arc<Window>>,
}

/// The times at which iterations begin, counted from the start of the run.
#[derive(Debug)]
pub struct Arrivals {
    rate: u32,
    spacing: Spacing,
    rng: SmallRng,
    count: u32,
    last: Duration,
}

impl Arrivals {
    /// Arrivals that follow from the seed.
    pub fn new(rate: u32, spacing: Spacing, seed: u64) -> Self {
        let rng = SmallRng::seed_from_u64(seed);
        Self { rate, spacing, rng, count: 0, last: Duration::ZERO }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    #[expect(clippy::float_arithmetic, reason = "the gaps of a Poisson process are logarithms")]
    fn next(&mut self) -> Option<Duration> {
        let rate = f64::from(self.rate);
        self.last = match self.spacing {
            Spacing::Even => Duration::from_secs_f64(f64::from(self.count) / rate),
            // The random number is below 1, so the logarithm is finite.
            Spacing::Poisson => {
                let gap = -(1.0 - self.rng.random::<f64>()).ln() / rate;
                self.last + Duration::from_secs_f64(gap)
            }
        };
        self.count += 1;
        Some(self.last)
    }
}

/// Clients that are free, and how many there are in all.
struct Pool {
    scenario: Scenario,
    world: Arc<World>,
    window: Option<Arc<Window>>,
    idle: Vec<(Client, Memory)>,
    made: usize,
    made_max: usize,
}

impl Pool {
    /// The client that was free last, whose connection is warm, or a new one.
    fn take(&mut self) -> Option<(Client, Memory)> {
        if let Some(free) = self.idle.pop() {
            return Some(free);
        }
        if self.made == self.made_max {
            return None;
        }
        let mut client = Client::new(self.world.clone(), self.made, self.scenario.connections());
        client.window.clone_from(&self.window);
        self.made += 1;
        Some((client, Memory::default()))
    }
}

/// Runs a scenario. Iterations that were due in time are counted, and are awaited.
pub async fn run(scenario: Scenario, world: &Arc<World>, plan: &OpenPlan) -> Result<Outcome> {
    let begun = Instant::now();
    let counting_from = begun + plan.warmup;
    let mut arrivals = announce(begun, plan, world.seed)?;
    let mut pool = Pool {
        scenario,
        world: world.clone(),
        window: plan.window.clone(),
        idle: Vec::new(),
        made: 0,
        made_max: plan.outstanding,
    };
    let (mut running, mut missed) = (JoinSet::new(), 0);
    loop {
        tokio::select! {
            biased;
            Some(ended) = running.join_next(), if !running.is_empty() => pool.idle.push(ended?),
            due = arrivals.recv() => {
                let Some(due) = due else { break };
                match pool.take() {
                    Some(free) => {
                        running.spawn(iterate(scenario, free, due, due >= counting_from));
                    }
                    None => {
                        missed += u64::from(due >= counting_from);
                        plan.window.iter().for_each(|window| window.missed());
                    }
                }
            }
        }
    }
    while let Some(ended) = running.join_next().await {
        pool.idle.push(ended?);
    }
    let elapsed = counting_from.elapsed();
    let (mut stats, mut log) = (Stats::default(), Log::default());
    for (client, _) in pool.idle {
        stats.merge(&client.stats);
        log.append(client.log);
    }
    Ok(Outcome { stats, elapsed, log, missed })
}

/// Tells when iterations are due. A thread of its own, because the timer of the runtime counts in
/// milliseconds.
fn announce(
    begun: Instant,
    plan: &OpenPlan,
    seed: u64,
) -> Result<mpsc::UnboundedReceiver<Instant>> {
    let (due, announced) = mpsc::unbounded_channel();
    let total = plan.warmup + plan.measured;
    let arrivals = Arrivals::new(plan.rate, plan.spacing, seed);
    thread::Builder::new().name("arrivals".to_owned()).spawn(move || {
        for at in arrivals.take_while(|at| *at < total).map(|at| begun + at) {
            thread::sleep(at.saturating_duration_since(Instant::now()));
            if due.send(at).is_err() {
                return;
            }
        }
    })?;
    Ok(announced)
}

async fn iterate(
    scenario: Scenario,
    (mut client, mut memory): (Client, Memory),
    due: Instant,
    is_counted: bool,
) -> (Client, Memory) {
    client.stats.is_on = is_counted;
    let outcome: Result<(), Failed> = scenario.iterate(&mut client, &mut memory).await;
    client.iterated(outcome, due.elapsed());
    (client, memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_arrivals_are_as_far_apart() {
        let times: Vec<_> = Arrivals::new(200, Spacing::Even, 1).take(4).collect();
        assert_eq!(times, [0, 5, 10, 15].map(Duration::from_millis));
    }

    #[test]
    fn arrivals_by_chance_keep_the_rate_and_follow_from_the_seed() {
        let times = |seed| Arrivals::new(1_000, Spacing::Poisson, seed).take(20_000);
        let last = times(3).last().unwrap().as_secs_f64();
        assert!((19.0..21.0).contains(&last), "20,000 arrivals at 1,000/s took {last} s");
        assert!(times(3).eq(times(3)) && !times(3).eq(times(4)));
        let gaps: Vec<_> = times(3).zip(times(3).skip(1)).map(|(a, b)| b - a).collect();
        let short = gaps.iter().filter(|gap| **gap < Duration::from_micros(100)).count();
        assert!((1_500..2_300).contains(&short), "one in ten comes at once, not {short}");
    }

    fn world(address: std::net::SocketAddr) -> Arc<World> {
        World::new(vec![address], &crate::world::Goods::default(), 0, 1).unwrap().into()
    }

    #[tokio::test]
    async fn every_arrival_is_begun_or_counted_as_missed() {
        let plan = OpenPlan {
            rate: 100,
            spacing: Spacing::Even,
            outstanding: 1,
            warmup: Duration::ZERO,
            measured: Duration::from_millis(200),
            window: None,
        };
        // Nobody listens there, so every iteration that is begun fails.
        let outcome =
            run(Scenario::Echo, &world("127.0.0.1:9".parse().unwrap()), &plan).await.unwrap();
        assert_eq!(outcome.stats.failed + outcome.missed, 20);
        let full = OpenPlan { outstanding: 0, ..plan };
        let outcome =
            run(Scenario::Echo, &world("127.0.0.1:9".parse().unwrap()), &full).await.unwrap();
        assert_eq!((outcome.stats.failed, outcome.missed), (0, 20), "there is no place at all");
    }

    #[tokio::test]
    async fn what_begins_late_took_as_long_as_it_was_waited_for() {
        let client = Client::new(world(crate::selftest::start().await.unwrap()), 0, 1);
        let due = Instant::now() - Duration::from_secs(3);
        let (client, _) = iterate(Scenario::Echo, (client, Memory::default()), due, true).await;
        assert_eq!(client.stats.iterations.count(), 1);
        assert!(client.stats.iterations.max_us() >= 3_000_000);
    }
}
