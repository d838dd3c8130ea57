//! Placement alone: checkouts are prepared first, and only their completion is measured.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use tokio::{task::JoinSet, time};

use crate::{
    client::{Client, Completion, Log},
    load::Outcome,
    scenario::buy,
    stats::Stats,
    world::World,
};

/// How many clients prepare checkouts.
const PREPARERS: usize = 32;
/// How often in a row a client may fail to prepare one before the run is given up.
const FAILURES_MAX: usize = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// Completions that nobody has sent yet.
type Prepared = Arc<Mutex<Vec<Completion>>>;

/// Prepares so many checkouts, and completes them by so many clients.
pub async fn run(world: &Arc<World>, clients: usize, orders: usize) -> Result<Outcome> {
    let prepared = Arc::new(Mutex::new(prepare(world, orders).await?));
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for id in 0..clients {
        running.spawn(complete(Client::new(world.clone(), PREPARERS + id, 1), prepared.clone()));
    }
    let (mut stats, mut log, mut elapsed) = (Stats::default(), Log::default(), Duration::ZERO);
    while let Some(ended) = running.join_next().await {
        let client = ended?;
        elapsed = begun.elapsed();
        stats.merge(&client.stats);
        log.append(client.log);
    }
    Ok(Outcome { stats, elapsed, log, missed: 0 })
}

async fn prepare(world: &Arc<World>, orders: usize) -> Result<Vec<Completion>> {
    let mut running = JoinSet::new();
    for id in 0..PREPARERS {
        let mut client = Client::new(world.clone(), id, 1);
        let share = orders / PREPARERS + usize::from(id < orders % PREPARERS);
        running.spawn(async move {
            let (mut prepared, mut failures) = (Vec::with_capacity(share), 0);
            while prepared.len() < share {
                match buy::prepare(&mut client).await {
                    Ok(completion) => {
                        prepared.push(completion);
                        failures = 0;
                    }
                    Err(_) if failures < FAILURES_MAX => {
                        failures += 1;
                        time::sleep(PAUSE).await;
                    }
                    Err(_) => {
                        bail!("checkouts cannot be prepared; try the scenario `flow` to see why")
                    }
                }
            }
            Ok(prepared)
        });
    }
    let mut all = Vec::with_capacity(orders);
    while let Some(prepared) = running.join_next().await {
        all.extend(prepared??);
    }
    Ok(all)
}

async fn complete(mut client: Client, prepared: Prepared) -> Client {
    client.stats.is_on = true;
    loop {
        let next = prepared.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let Some(completion) = next else { return client };
        let begun = Instant::now();
        let outcome = buy::complete(&mut client, completion).await;
        client.iterated(outcome, begun.elapsed());
    }
}
