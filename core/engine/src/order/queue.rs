//! The queue before placement: whatever has come while the previous batch was committing becomes the next
//! batch. Nobody waits longer for it, and many orders share a lock on a hot item and an fsync.

use std::sync::Arc;

use handel_store::Transaction;
use tokio::sync::{mpsc, oneshot};

use super::{Placed, Ticket, place::place_batch};
use crate::{Engine, Error};

/// Where completions wait for their batch.
pub(crate) struct Queue(mpsc::UnboundedSender<Waiting>);

pub(crate) struct Waiting {
    ticket: Ticket,
    answer: oneshot::Sender<Result<Placed, Error>>,
}

impl Queue {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Waiting>) {
        // Bounded by the number of requests that doors let in; each waits for its answer.
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }
}

impl Engine {
    /// Places an order in the next batch.
    pub(crate) async fn place(&self, ticket: Ticket) -> Result<Placed, Error> {
        let (answer, answered) = oneshot::channel();
        let stopped = || Error::internal("orders are no longer placed");
        self.0.placements.0.send(Waiting { ticket, answer }).map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// Starts the task that places orders. It ends with the engine.
pub(crate) fn start_placing(engine: &Engine, mut queue: mpsc::UnboundedReceiver<Waiting>) {
    let (weak, batch_max) = (Arc::downgrade(&engine.0), engine.limits().placement_batch);
    engine.system().spawn(async move {
        let mut batch = Vec::with_capacity(batch_max);
        while queue.recv_many(&mut batch, batch_max).await > 0 {
            let Some(shared) = weak.upgrade() else { return };
            run(&Engine(shared), std::mem::take(&mut batch)).await;
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
