//! Buyers whose network repeats everything: each completion is sent two or three times at once, and again
//! when it is long over. There must be one order, and every answer must name it.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use handel_domain::id::OrderId;

use super::{buy, patience};
use crate::{
    client::{Client, Completion, Failed, Purchase},
    http::{Answer, IDEMPOTENT_REPLAYED, Lost},
    stats::Step,
};

/// Connections of each client: how often a completion is sent at once, at most.
pub const COPIES_MAX: usize = 3;
/// These buyers are in a hurry: a second of waiting for each copy would leave little to repeat.
const WAIT_MAX: Duration = Duration::from_millis(20);
/// How many iterations pass before a completion is sent again.
const LATER: usize = 16;

/// Completions that were answered and will be sent again.
pub type Answered = VecDeque<(Completion, OrderId)>;

/// One purchase, completed several times at once.
pub async fn duplicates(client: &mut Client, answered: &mut Answered) -> Result<(), Failed> {
    let completion = buy::prepare(client).await?;
    let copies = 2 + client.pick(COPIES_MAX - 1);
    let outcomes = send_at_once(client, &completion, copies).await;
    let Some(purchase) = agree(client, &completion, &outcomes) else {
        client.log.unanswered.push(completion);
        return Err(Failed::Lost);
    };
    client.log.purchases.push(purchase);
    answered.push_back((completion, purchase.order_id));
    if answered.len() > LATER
        && let Some((completion, order_id)) = answered.pop_front()
    {
        repeat(client, &completion, order_id).await?;
    }
    if purchase.is_paid { Ok(()) } else { Err(Failed::Refused) }
}

/// Sends everything that was answered and not yet repeated.
pub async fn finish(client: &mut Client, answered: Answered) {
    for (completion, order_id) in answered {
        // What goes wrong is counted, and nothing depends on it.
        let _ = repeat(client, &completion, order_id).await;
    }
}

async fn send_at_once(
    client: &mut Client,
    completion: &Completion,
    copies: usize,
) -> Vec<Result<Answer, Lost>> {
    let request = buy::request(client, completion);
    let send = async |connection: &mut crate::http::Connection| {
        let sent = Instant::now();
        let outcome = patience::until_final(connection, &request, WAIT_MAX).await;
        (sent, outcome)
    };
    let outcomes = join_all(client.connections[..copies].iter_mut().map(send)).await;
    for (sent, outcome) in &outcomes {
        client.count(Step::Complete, *sent, outcome);
    }
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// The order that all answers name. If they name several, or more than one claims to be the first answer,
/// that is written down.
fn agree(
    client: &mut Client,
    completion: &Completion,
    outcomes: &[Result<Answer, Lost>],
) -> Option<Purchase> {
    let successes = || outcomes.iter().flatten().filter(|answer| answer.status.is_success());
    let mut purchases =
        successes().filter_map(|answer| buy::purchase(answer, completion.checkout_id));
    let first = purchases.next()?;
    let agrees = purchases
        .all(|other| (other.order_id, other.total_minor) == (first.order_id, first.total_minor));
    let originals =
        successes().filter(|answer| !answer.headers.contains_key(IDEMPOTENT_REPLAYED)).count();
    if !agrees || originals > 1 {
        client.log.contradictions.push(format!(
            "{} was completed {originals} times with one key, first as {}",
            completion.checkout_id, first.order_id
        ));
    }
    Some(first)
}

async fn repeat(
    client: &mut Client,
    completion: &Completion,
    order_id: OrderId,
) -> Result<(), Failed> {
    let request = buy::request(client, completion);
    let answer = client.must(Step::Repeat, request).await?;
    let is_replay = answer.headers.contains_key(IDEMPOTENT_REPLAYED);
    let purchase = buy::purchase(&answer, completion.checkout_id);
    if !is_replay || purchase.is_none_or(|purchase| purchase.order_id != order_id) {
        client.log.contradictions.push(format!(
            "{order_id} was answered with something else when its key was sent again"
        ));
    }
    Ok(())
}
