//! The queue before placement: whatever has come while the previous batch was committing becomes the next
//! batch. Nobody waits longer for it, and many orders share a lock on a hot item and an fsync.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use handel_domain::{Code, Refusal};
use handel_store::Transaction;
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::{Placed, Ticket, place::place_batch};
use crate::{Engine, Error};

/// Where completions wait for their batch.
pub(crate) struct Queue {
    tickets: mpsc::UnboundedSender<Waiting>,
    front: Front,
}

/// Since when the one at the front has been waiting, in microseconds, as far as the placing task knows.
#[derive(Clone)]
struct Front(Arc<AtomicI64>);

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
    front: Front,
}

impl Queue {
    pub(crate) fn new() -> (Self, Line) {
        // Bounded by the number of requests that doors let in; each waits for its answer.
        let (tickets, incoming) = mpsc::unbounded_channel();
        let front = Front(Arc::new(AtomicI64::new(Front::NOBODY)));
        (Self { tickets, front: front.clone() }, Line { incoming, waiting: VecDeque::new(), front })
    }
}

impl Front {
    const NOBODY: i64 = i64::MAX;

    fn set(&self, since: Option<Timestamp>) {
        self.0.store(since.map_or(Self::NOBODY, Timestamp::as_microsecond), Ordering::Release);
    }

    fn waited_ms(&self, now: Timestamp) -> i64 {
        now.as_microsecond().saturating_sub(self.0.load(Ordering::Acquire)) / 1_000
    }
}

impl Line {
    /// The next batch; none once the engine is gone.
    async fn next(
        &mut self,
        batch_max: usize,
        now: impl Fn() -> Timestamp,
    ) -> Option<Vec<Waiting>> {
        if self.waiting.is_empty() {
            self.front.set(None);
            let first = self.incoming.recv().await?;
            self.waiting.push_back(first);
        }
        while let Ok(next) = self.incoming.try_recv() {
            self.waiting.push_back(next);
        }
        let batch = self.waiting.drain(..batch_max.min(self.waiting.len())).collect();
        // Whoever comes while this batch is under way waits no longer than since now.
        self.front.set(Some(self.waiting.front().map_or_else(now, |first| first.since)));
        Some(batch)
    }
}

impl Engine {
    /// Places an order in the next batch. While others wait for too long, nobody joins them: whoever is told
    /// to come back at once is better off than who hears nothing, and those who wait are served in time.
    pub(crate) async fn place(&self, ticket: Ticket) -> Result<Placed, Error> {
        let Queue { tickets, front } = &self.0.placements;
        let since = self.system().now();
        if i128::from(front.waited_ms(since))
            > self.limits().placement_wait.as_millis().cast_signed()
        {
            let refusal = Refusal::new(
                Code::Overloaded,
                "too many orders wait to be placed; come back shortly",
            );
            return Err(refusal.retry_after_ms(RETRY_MS).into());
        }
        let (answer, answered) = oneshot::channel();
        let stopped = || Error::internal("orders are no longer placed");
        tickets.send(Waiting { ticket, since, answer }).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// Starts the task that places orders. It ends with the engine.
pub(crate) fn start_placing(engine: &Engine, mut line: Line) {
    let (weak, batch_max) = (Arc::downgrade(&engine.0), engine.limits().placement_batch);
    let system = engine.system().clone();
    engine.system().spawn(async move {
        while let Some(batch) = line.next(batch_max, || system.now()).await {
            let Some(shared) = weak.upgrade() else { return };
            run(&Engine(shared), batch).await;
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
            Err(_) => one_by_one(engine, tickets).await,
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
