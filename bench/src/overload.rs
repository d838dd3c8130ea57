//! More load than the shop can take. What it takes must still be answered soon, what it cannot take must be
//! turned away at once, and whoever watches over it must not be misled.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use http::Uri;
use tokio::time;

use crate::{
    check::Finding,
    cli::OverloadOptions,
    client::{Client, NO_RETRY_AFTER},
    http::get,
    load::{self, Outcome, Plan},
    open::{self, OpenPlan, Spacing},
    report::Run,
    scenario::Scenario,
    stats::{Stats, Step},
    world::World,
};

/// How often the shop's health is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// A client that no scenario has.
const WATCHER: usize = 999_998;

/// What the shop can do when each of its clients waits for it.
pub async fn saturate(world: &Arc<World>, options: &OverloadOptions) -> Outcome {
    let plan = Plan {
        clients: options.clients,
        warmup: Duration::from_secs(1),
        measured: Duration::from_secs(options.seconds),
        stop: Arc::new(AtomicBool::new(false)),
        window: None,
    };
    load::run(Scenario::Flow, world, &plan).await
}

/// Begins purchases at a rate, and looks at the shop's health meanwhile.
pub async fn run(
    world: &Arc<World>,
    rate: u32,
    options: &OverloadOptions,
) -> Result<(Run, Outcome)> {
    let plan = OpenPlan {
        rate,
        spacing: Spacing::Poisson,
        outstanding: options.outstanding,
        warmup: Duration::from_secs(1),
        measured: Duration::from_secs(options.seconds),
        window: None,
    };
    let over = AtomicBool::new(false);
    let load = async {
        let outcome = open::run(Scenario::Flow, world, &plan).await;
        over.store(true, Ordering::Relaxed);
        outcome
    };
    let (outcome, health) = tokio::join!(load, watch(world, &over));
    let mut outcome = outcome?;
    outcome.stats.merge(&health);
    let mut run = Run::new("overload", options.outstanding, &outcome);
    (run.rate, run.missed) = (Some(rate), Some(outcome.missed));
    run.findings = judge(&outcome.stats, options.latency_max_ms);
    Ok((run, outcome))
}

/// Asks whether the shop lives and is ready, as a load balancer does.
async fn watch(world: &Arc<World>, over: &AtomicBool) -> Stats {
    let mut client = Client::new(world.clone(), WATCHER, 1);
    client.stats.is_on = true;
    while !over.load(Ordering::Relaxed) {
        for (step, path) in [(Step::Live, "/health/live"), (Step::Ready, "/health/ready")] {
            // What is not answered well is counted.
            let _ = client.must(step, get(Uri::from_static(path))).await;
        }
        time::sleep(LOOK).await;
    }
    // Nobody waits for them, so they are not what the shop took.
    (client.stats.accepted, client.stats.turned_away) = Default::default();
    client.stats
}

fn judge(stats: &Stats, latency_max_ms: u64) -> Vec<Finding> {
    let of = |wanted: &dyn Fn(Step, u16, &str) -> bool| {
        let found =
            stats.errors.iter().filter(|((step, status, code), _)| wanted(*step, *status, code));
        found.map(|(_, count)| *count).sum::<u64>()
    };
    let looks = stats.of(Step::Live).count() + stats.of(Step::Ready).count();
    let sick = of(&|step, _, _| matches!(step, Step::Live | Step::Ready));
    let impolite = of(&|_, _, code| code == NO_RETRY_AFTER);
    let slow_us = stats.accepted.quantile_us(990);
    let is_slow = slow_us > latency_max_ms * 1_000;
    let other = of(&|_, status, _| status >= 500 && status != 503);
    vec![
        Finding::counted("the shop stays alive and ready", looks, sick),
        Finding::counted(
            "who is turned away is told when to come back",
            stats.turned_away.count(),
            impolite,
        ),
        Finding::counted("nothing fails but for being turned away", stats.requests(), other),
        Finding::of(
            &format!("99 of 100 requests that are taken end within {latency_max_ms} ms"),
            [is_slow.then(|| format!("it took {} ms", slow_us / 1_000))],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(stats: &Stats) -> Vec<String> {
        let findings = judge(stats, 100).into_iter();
        findings.filter(|found| !found.holds()).map(|found| found.rule).collect()
    }

    #[test]
    fn a_shop_that_turns_away_politely_breaks_no_rule() {
        let mut stats = Stats::default();
        stats.is_on = true;
        stats.step(Step::Ready, Duration::from_millis(1));
        stats.accepted.record(Duration::from_millis(100));
        stats.turned_away.record(Duration::from_secs(1));
        stats.error(Step::Complete, 503, "request.overloaded");
        assert_eq!(broken(&stats), [""; 0]);
    }

    #[test]
    fn what_misleads_or_lasts_is_found() {
        let mut stats = Stats::default();
        stats.is_on = true;
        stats.error(Step::Ready, 503, "request.overloaded");
        stats.error(Step::Cart, 503, NO_RETRY_AFTER);
        stats.error(Step::Cart, 500, "internal");
        stats.accepted.record(Duration::from_millis(150));
        assert_eq!(broken(&stats).len(), 4);
    }
}
