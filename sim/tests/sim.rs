//! The simulation itself: it repeats itself, it hurts, and some of it runs with every test run.

use handel_ports::CrashPoint;
use handel_sim::{Cast, Doors, Outcome, Plan, run};

/// A short run with fewer people, so that an unoptimized build stays quick.
fn short(seed: u64) -> Outcome {
    let cast = Cast { shoppers: 40, agents: 50, staff: 2 };
    run(Plan { seed, hours: 1, cast, doors: Doors::ALL, is_loud: false })
}

fn expect_clean(outcome: &Outcome) {
    assert!(outcome.is_clean(), "{}\n{}", outcome.line(), outcome.story());
}

#[test]
fn a_seed_gives_the_same_run_again() {
    let (first, second) = (short(11), short(11));
    expect_clean(&first);
    assert_eq!(
        (first.hash, first.steps, first.orders, first.crashes, &first.counts),
        (second.hash, second.steps, second.orders, second.crashes, &second.counts),
    );
}

#[test]
fn fixed_seeds_keep_every_promise_although_everything_goes_wrong() {
    let outcomes: Vec<Outcome> = (1..=4).map(short).collect();
    outcomes.iter().for_each(expect_clean);
    assert!(outcomes.windows(2).all(|two| two[0].hash != two[1].hash), "each seed is another run");
    let total = |what: &str| outcomes.iter().map(|outcome| outcome.count(what)).sum::<u64>();
    // A run in which nothing happens would prove nothing.
    for what in [
        "calls of the engine",
        "calls over REST",
        "calls over UCP",
        "calls without an answer",
        "profiles read",
        "profiles not read",
        "replies repeated",
        "keys reused",
        "refunds",
        "webhooks",
        "events again",
        "events refused",
        "news",
        "news again",
        "news lost",
        "provider: lost before",
        "provider: lost after",
        "provider: arrived late",
        "provider: arrived twice",
        "provider: never heard of it",
        "disk in trouble",
        "codes that save something",
        "codes that are used up",
        "totals that moved",
        "totals charged as they were shown",
        "visits of programs",
        "checkouts given up",
    ] {
        assert!(total(what) > 0, "nothing of: {what}");
    }
    for point in CrashPoint::ALL {
        let crashed = outcomes.iter().any(|outcome| outcome.points.contains_key(point));
        assert!(crashed, "no process died at {}", point.name());
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "new seeds with every run find new bugs")]
fn random_seeds_keep_every_promise() {
    for _ in 0..2 {
        let outcome = short(rand::random::<u32>().into());
        expect_clean(&outcome);
    }
}
