//! The queue before placement: whatever has come while the previous batch was committing becomes the next
//! batch. Nobody waits longer for it, and many orders share a lock on a hot item and an fsync.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use handel_domain::{Code, Refusal};
use handel_ports::System;
use handel_store::Transaction;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{Placed, Ticket, place::place_batch};
use crate::{Engine, Error};

/// Where completions wait for their batch.
pub(crate) struct Queue {
    tickets: mpsc::UnboundedSender<Waiting>,
    pace: Arc<Pace>,
}

/// When a caller should come back to a queue that is too long, in milliseconds.
const RETRY_MS: u64 = 1_000;

pub(crate) struct Waiting {
    ticket: Ticket,
    since: Timestamp,
    answer: oneshot::Sender<Result<Placed, Error>>,
}

/// The other end of the queue.
pub(crate) struct Line {
    incoming: mpsc::UnboundedReceiver<Waiting>,
    waiting: VecDeque<Waiting>,
    pace: Arc<Pace>,
}

/// How long the queue is, and how fast it moves.
struct Pace {
    waiting: AtomicUsize,
    /// Since when the one at the front has been waiting, in microseconds, as far as the placing task knows.
    front_us: AtomicI64,
    /// How long the last batch took.
    batch_us: AtomicI64,
}

impl Queue {
    pub(crate) fn new() -> (Self, Line) {
        // Bounded by the number of requests that doors let in; each waits for its answer.
        let (tickets, incoming) = mpsc::unbounded_channel();
        let pace = Arc::new(Pace {
            waiting: AtomicUsize::new(0),
            front_us: AtomicI64::new(Pace::NOBODY),
            batch_us: AtomicI64::new(0),
        });
        (Self { tickets, pace: pace.clone() }, Line { incoming, waiting: VecDeque::new(), pace })
    }
}

impl Pace {
    const NOBODY: i64 = i64::MAX;

    /// How long whoever comes now would wait, in microseconds: as long as the front has waited already, or as
    /// the batches before them will take.
    fn wait_us(&self, now: Timestamp, batch_max: usize) -> i64 {
        let front_us = self.front_us.load(Ordering::Acquire);
        let batches = self.waiting.load(Ordering::Acquire) / batch_max.max(1);
        let batches = i64::try_from(batches).unwrap_or(i64::MAX);
        let ahead_us = self.batch_us.load(Ordering::Acquire).saturating_mul(batches);
        now.as_microsecond().saturating_sub(front_us).max(ahead_us)
    }

    fn set_front(&self, since: Option<Timestamp>) {
        self.front_us
            .store(since.map_or(Self::NOBODY, Timestamp::as_microsecond), Ordering::Release);
    }
}

impl Line {
    /// The next batch; none once the engine is gone.
    async fn next(&mut self, batch_max: usize, system: &System) -> Option<Vec<Waiting>> {
        if self.waiting.is_empty() {
            self.pace.set_front(None);
            let first = self.incoming.recv().await?;
            self.waiting.push_back(first);
        }
        while let Ok(next) = self.incoming.try_recv() {
            self.waiting.push_back(next);
        }
        let batch: Vec<_> = self.waiting.drain(..batch_max.min(self.waiting.len())).collect();
        self.pace.waiting.fetch_sub(batch.len(), Ordering::AcqRel);
        // Whoever comes while this batch is under way waits no longer than since now.
        let front = self.waiting.front().map_or_else(|| system.now(), |first| first.since);
        self.pace.set_front(Some(front));
        Some(batch)
    }
}

impl Engine {
    /// Places an order in the next batch. Nobody joins a queue that is too long: whoever is told to come back at
    /// once is better off than who hears nothing, and those who wait are served in time.
    pub(crate) async fn place(&self, ticket: Ticket) -> Result<Placed, Error> {
        let (Queue { tickets, pace }, limits) = (&self.0.placements, self.limits());
        let since = self.system().now();
        let wait_us = pace.wait_us(since, limits.placement_batch);
        if i128::from(wait_us) > limits.placement_wait.as_micros().cast_signed() {
            let refusal = Refusal::new(
                Code::Overloaded,
                "too many orders wait to be placed; come back shortly",
            );
            return Err(refusal.retry_after_ms(RETRY_MS).into());
        }
        let (answer, answered) = oneshot::channel();
        let stopped = || Error::internal("orders are no longer placed");
        pace.waiting.fetch_add(1, Ordering::AcqRel);
        tickets.send(Waiting { ticket, since, answer }).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// Starts the task that places orders. It ends with the engine.
pub(crate) fn start_placing(engine: &Engine, mut line: Line) {
    let (weak, batch_max) = (Arc::downgrade(&engine.0), engine.limits().placement_batch);
    let system = engine.system().clone();
    engine.system().spawn(async move {
        while let Some(batch) = line.next(batch_max, &system).await {
            let Some(shared) = weak.upgrade() else { return };
            let begun = system.now();
            run(&Engine(shared), batch).await;
            let took = system.now().duration_since(begun).as_micros();
            line.pace.batch_us.store(i64::try_from(took).unwrap_or(i64::MAX), Ordering::Release);
        }
    });
}

async fn run(engine: &Engine, batch: Vec<Waiting>) {
    let tenants =
        crate::group_by(batch.into_iter().map(|waiting| (waiting.ticket.ctx.tenant_id, waiting)));
    for waiting in tenants.into_values() {
        let (tickets, answers): (Vec<_>, Vec<_>) =
            waiting.into_iter().map(|waiting| (waiting.ticket, waiting.answer)).unzip();
        let outcomes = match place(engine, tickets.clone()).await {
            Ok(outcomes) => outcomes,
            Err(error) if tickets.len() == 1 => vec![Err(error)],
            // One that cannot be placed must not keep the others from it.
            Err(error) => {
                let (orders, code) = (tickets.len(), error.code());
                tracing::warn!(orders, %code, error = ?error.source, "a batch could not be placed; its orders are placed one by one");
                one_by_one(engine, tickets).await
            }
        };
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // A caller that went away changes nothing: the order is placed, and the janitor finds it.
            let _gone = answer.send(outcome);
        }
    }
}

async fn one_by_one(engine: &Engine, tickets: Vec<Ticket>) -> Vec<Result<Placed, Error>> {
    let mut outcomes = Vec::with_capacity(tickets.len());
    for ticket in tickets {
        let placed = place(engine, vec![ticket]).await;
        let placed = placed
            .and_then(|mut one| one.pop().unwrap_or_else(|| Err(Error::internal("no outcome"))));
        outcomes.push(placed);
    }
    outcomes
}

async fn place(engine: &Engine, tickets: Vec<Ticket>) -> Result<Vec<Result<Placed, Error>>, Error> {
    let (own, tickets) = (engine.clone(), Arc::new(tickets));
    engine
        .database()
        .write(async move |tx: &mut Transaction<'_>| place_batch(&own, tx, &tickets).await)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(waiting: usize, batch_ms: i64) -> Pace {
        Pace {
            waiting: AtomicUsize::new(waiting),
            front_us: AtomicI64::new(Pace::NOBODY),
            batch_us: AtomicI64::new(batch_ms * 1_000),
        }
    }

    #[test]
    fn a_rush_to_a_shop_at_rest_is_let_in() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(pace(0, 0).wait_us(now, 64) <= 0);
        assert_eq!(pace(500, 6).wait_us(now, 64), 42_000, "seven batches as short as the last one");
    }

    #[test]
    fn a_queue_that_moves_slowly_or_not_at_all_is_too_long() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(pace(256, 250).wait_us(now, 64), 1_000_000, "four batches");
        let stuck = pace(1, 1);
        stuck.set_front(Some(now));
        let later = Timestamp::from_second(2).expect("a time");
        assert_eq!(stuck.wait_us(later, 64), 2_000_000);
    }
}
