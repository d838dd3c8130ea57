//! The crash loop: buyers buy, a server dies in the middle of it and comes back, over and over. Nothing that
//! a buyer was told may be lost, and nothing may be charged twice.

mod unfinished;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use rand::RngExt as _;
use tokio::time;

use crate::{
    check::{Checker, Finding},
    cli::KillOptions,
    client::{Completion, Log},
    load::{self, Outcome, Plan},
    report::Run,
    scenario::Scenario,
    shop::Shop,
    stats::Stats,
};
use unfinished::{Tally, Unfinished};

/// A server lives between these times, under load.
const LIFE_MS: std::ops::Range<u64> = 1_000..3_000;
/// No run lasts that long; the kill ends it.
const FOREVER: Duration = Duration::from_secs(3_600);
const PAUSE: Duration = Duration::from_millis(500);

/// Kills servers under load, and checks in the end that every promise was kept.
pub async fn run(shop: &mut Shop, checker: &mut Checker, options: &KillOptions) -> Result<Run> {
    let mut total = Outcome {
        stats: Stats::default(),
        elapsed: Duration::ZERO,
        log: Log::default(),
        missed: 0,
    };
    let (mut tally, mut open) = (Tally::default(), Vec::new());
    let (mut lost, mut slowest_ready) = (0, Duration::ZERO);
    for round in 1..=options.rounds {
        let (outcome, ready_after) = round_of(shop, options.clients).await?;
        slowest_ready = slowest_ready.max(ready_after);
        total.stats.merge(&outcome.stats);
        total.elapsed += outcome.elapsed;
        total.log.append(outcome.log);
        let unanswered = std::mem::take(&mut total.log.unanswered);
        lost += unanswered.len();
        open.extend(unanswered.into_iter().map(Unfinished::new));
        open = unfinished::send_again(shop, open, &mut tally).await;
        eprintln!(
            "round {round} of {}: {} orders told of, {lost} answers lost, {} still open, ready again after {ready_after:.1?}",
            options.rounds,
            total.log.purchases.len() + tally.purchases.len(),
            open.len()
        );
    }
    let begun = Instant::now();
    let patience = Duration::from_secs(options.settle);
    while !open.is_empty() && begun.elapsed() < patience {
        time::sleep(PAUSE).await;
        open = unfinished::send_again(shop, open, &mut tally).await;
    }
    let mut run = Run::new("kill", options.clients, &total);
    describe(&mut run, &tally, lost, begun.elapsed(), slowest_ready);
    run.findings.extend(judge(&tally, &open, lost));
    checker.acknowledge(total.log.purchases);
    checker.acknowledge(tally.purchases);
    run.fact("orders that buyers were told of", &checker.acknowledged());
    run.judged(checker.check(shop, patience).await?);
    Ok(run)
}

/// Runs load for a while, kills a server in the middle of it, and starts it again.
async fn round_of(shop: &mut Shop, clients: usize) -> Result<(Outcome, Duration)> {
    let stop = Arc::new(AtomicBool::new(false));
    let plan = Plan {
        clients,
        warmup: Duration::ZERO,
        measured: FOREVER,
        stop: stop.clone(),
        window: None,
    };
    let world = shop.world()?;
    let fleet = shop.fleet.as_mut().context("only a server of our own can be killed")?;
    let victim = rand::rng().random_range(0..fleet.len());
    let life = Duration::from_millis(rand::rng().random_range(LIFE_MS));
    let kill = async {
        time::sleep(life).await;
        let killed = fleet.kill(victim).await;
        stop.store(true, Ordering::Relaxed);
        killed
    };
    let (outcome, killed) = tokio::join!(load::run(Scenario::Flow, &world, &plan), kill);
    killed?;
    fleet.restart(victim).await.context("the server does not start again")?;
    Ok((outcome, fleet.ready_after(victim)))
}

fn describe(run: &mut Run, tally: &Tally, lost: usize, waited: Duration, ready_after: Duration) {
    run.fact("completions whose answer was lost", &lost);
    run.fact("… answered as before when sent again", &tally.replayed);
    run.fact("… done when sent again", &tally.done);
    run.fact("… that needed another payment", &tally.paid_anew);
    run.fact("… times told to wait", &tally.waits);
    run.fact("time until no key was open", &format!("{waited:.1?}"));
    run.fact("slowest start after a kill", &format!("{ready_after:.1?}"));
}

fn judge(tally: &Tally, open: &[Unfinished], lost: usize) -> Vec<Finding> {
    let stuck = open.iter().map(Unfinished::stuck).map(Some);
    let finished = (open.len()..lost).map(|_| None);
    let refused = tally.refused.iter().cloned().map(Some);
    let answered = (tally.refused.len()..lost).map(|_| None);
    vec![
        Finding::of("no key is stuck", stuck.chain(finished)),
        Finding::of("a checkout that was acknowledged can be completed", refused.chain(answered)),
    ]
}

impl Unfinished {
    /// A completion whose answer was lost.
    fn new(completion: Completion) -> Self {
        Self { completion, payments: 0, last: "never sent again".to_owned() }
    }
}
