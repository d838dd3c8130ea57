//! The closed loop: each client sends its next request when the last one was answered.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{task::JoinSet, time};

use crate::{
    client::{Client, Log},
    scenario::{Memory, Scenario},
    series::Window,
    stats::Stats,
    world::World,
};

/// A client whose iteration failed waits so long, so that a dead server is not asked a million times.
const PAUSE: Duration = Duration::from_millis(10);

/// How many clients, for how long.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many clients there are.
    pub clients: usize,
    /// How long nothing is counted at first.
    pub warmup: Duration,
    /// How long iterations are begun after that.
    pub measured: Duration,
    /// Ends the run early.
    pub stop: Arc<AtomicBool>,
    /// Where each second is written down.
    pub window: Option<Arc<Window>>,
}

/// What a run brought.
#[derive(Debug)]
pub struct Outcome {
    /// What was counted.
    pub stats: Stats,
    /// From the end of the warm-up until the last client was done.
    pub elapsed: Duration,
    /// What the clients left behind.
    pub log: Log,
    /// Iterations of an open loop that were not begun.
    pub missed: u64,
}

/// Runs a scenario. Iterations that were begun in time are counted, and are awaited.
pub async fn run(scenario: Scenario, world: &Arc<World>, plan: &Plan) -> Outcome {
    let counting_from = Instant::now() + plan.warmup;
    let end = counting_from + plan.measured;
    let mut running = JoinSet::new();
    for id in 0..plan.clients {
        let mut client = Client::new(world.clone(), id, scenario.connections());
        client.window.clone_from(&plan.window);
        let stop = plan.stop.clone();
        running.spawn(iterate(scenario, client, counting_from, end, stop));
    }
    let mut outcome = Outcome {
        stats: Stats::default(),
        elapsed: Duration::ZERO,
        log: Log::default(),
        missed: 0,
    };
    while let Some(ended) = running.join_next().await {
        // A client that panicked has counted nothing; the panic was printed.
        let Ok((client, last)) = ended else { continue };
        outcome.stats.merge(&client.stats);
        outcome.log.append(client.log);
        outcome.elapsed = outcome.elapsed.max(last.saturating_duration_since(counting_from));
    }
    outcome
}

async fn iterate(
    scenario: Scenario,
    mut client: Client,
    counting_from: Instant,
    end: Instant,
    stop: Arc<AtomicBool>,
) -> (Client, Instant) {
    let mut memory = Memory::default();
    let mut begun = Instant::now();
    while begun < end && !stop.load(Ordering::Relaxed) {
        client.stats.is_on = begun >= counting_from;
        let outcome = scenario.iterate(&mut client, &mut memory).await;
        client.iterated(outcome, begun.elapsed());
        if outcome.is_err() {
            time::sleep(PAUSE).await;
        }
        begun = Instant::now();
    }
    client.stats.is_on = true;
    scenario.finish(&mut client, memory).await;
    (client, Instant::now())
}
