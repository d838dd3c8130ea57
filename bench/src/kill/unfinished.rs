//! Completions whose answer was lost: sent again with the same key and the same body until they are done.

use std::sync::Arc;

use http::HeaderValue;
use tokio::task::JoinSet;

use crate::{
    client::{Completion, Purchase},
    http::{Answer, Connection, IDEMPOTENT_REPLAYED, Lost},
    scenario::{buy, patience},
    shop::Shop,
};

/// How many are sent again at once.
const HELPERS: usize = 16;
const PAYMENT: &[u8] = br#"{"payment":{"token":"tok_ok"}}"#;

/// A completion that nobody has heard the end of.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// What is sent.
    pub completion: Completion,
    /// How often the payment was begun anew, after the key was answered and the order was still unpaid.
    pub payments: u32,
    /// What was heard last.
    pub last: String,
}

/// How completions ended that were sent again.
#[derive(Debug, Default)]
pub struct Tally {
    /// The orders they brought.
    pub purchases: Vec<Purchase>,
    /// Answered with what the lost answer said.
    pub replayed: usize,
    /// Done by being sent again.
    pub done: usize,
    /// Done by another payment, because nobody was charged by the first.
    pub paid_anew: usize,
    /// Answers that said to wait.
    pub waits: usize,
    /// Refusals that no later request can change, in words.
    pub refused: Vec<String>,
}

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    /// The order is paid.
    Done { purchase: Purchase, is_replay: bool },
    /// The key has its answer, and the order waits for money: a payment with a new key is due.
    PayAnew,
    /// The same request again, later.
    Wait,
    /// It is over.
    Refused(String),
}

impl Unfinished {
    /// What to say of it if it never ends.
    pub fn stuck(&self) -> String {
        let Completion { checkout_id, key, .. } = &self.completion;
        format!("{checkout_id} with key {key:?} does not end; last: {}", self.last)
    }
}

/// Sends everything once more. Returns what is still open.
pub async fn send_again(shop: &Shop, open: Vec<Unfinished>, tally: &mut Tally) -> Vec<Unfinished> {
    let addresses: Arc<[_]> = shop.addresses().into();
    let share = open.len().div_ceil(HELPERS).max(1);
    let mut helpers = JoinSet::new();
    for (helper, part) in open.chunks(share).enumerate() {
        let (part, address) = (part.to_vec(), addresses[helper % addresses.len()]);
        helpers.spawn(async move {
            let mut connection = Connection::new(address);
            let mut outcomes = Vec::new();
            for unfinished in part {
                let payment = bytes::Bytes::from_static(PAYMENT);
                let request = buy::completion_of(&unfinished.completion, payment);
                let outcome = connection.send(request).await;
                outcomes.push((unfinished, outcome));
            }
            outcomes
        });
    }
    let mut still_open = Vec::new();
    while let Some(outcomes) = helpers.join_next().await {
        for (unfinished, outcome) in outcomes.unwrap_or_default() {
            still_open.extend(tally.take(unfinished, &outcome));
        }
    }
    still_open
}

impl Tally {
    /// Counts an outcome. Returns the completion if it is still open.
    fn take(
        &mut self,
        mut unfinished: Unfinished,
        outcome: &Result<Answer, Lost>,
    ) -> Option<Unfinished> {
        unfinished.last = words(outcome);
        match next(&unfinished.completion, outcome) {
            Next::Done { purchase, is_replay } => {
                self.purchases.push(purchase);
                match (unfinished.payments, is_replay) {
                    (0, true) => self.replayed += 1,
                    (0, false) => self.done += 1,
                    _ => self.paid_anew += 1,
                }
                None
            }
            Next::PayAnew => {
                unfinished.payments += 1;
                unfinished.completion.key =
                    successor(&unfinished.completion.key, unfinished.payments);
                Some(unfinished)
            }
            Next::Wait => {
                self.waits += 1;
                Some(unfinished)
            }
            Next::Refused(words) => {
                self.refused.push(words);
                None
            }
        }
    }
}

fn next(completion: &Completion, outcome: &Result<Answer, Lost>) -> Next {
    let Ok(answer) = outcome else { return Next::Wait };
    if patience::wait_of(answer).is_some() || answer.status.is_server_error() {
        return Next::Wait;
    }
    if answer.status.as_u16() == 402 {
        return Next::PayAnew;
    }
    match buy::purchase(answer, completion.checkout_id) {
        Some(purchase) if purchase.is_paid => {
            Next::Done { purchase, is_replay: answer.headers.contains_key(IDEMPOTENT_REPLAYED) }
        }
        Some(_) => Next::PayAnew,
        None => {
            let checkout_id = completion.checkout_id;
            Next::Refused(format!("{checkout_id} was refused for good: {}", words(outcome)))
        }
    }
}

fn words(outcome: &Result<Answer, Lost>) -> String {
    match outcome {
        Ok(answer) => format!("{} {}", answer.status, answer.code()),
        Err(lost) => lost.0.to_owned(),
    }
}

/// The key of another payment for the same checkout.
fn successor(key: &HeaderValue, payments: u32) -> HeaderValue {
    let first = key.to_str().unwrap_or_default();
    let first = first.split_once('+').map_or(first, |(first, _)| first);
    HeaderValue::try_from(format!("{first}+{payments}")).expect("a key stays fit for a header")
}

#[cfg(test)]
mod tests {
    use handel_domain::id::{CheckoutId, OrderId};
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn unfinished() -> Unfinished {
        Unfinished::new(Completion {
            cart: HeaderValue::from_static("token"),
            checkout_id: CheckoutId::from_u128(1),
            key: HeaderValue::from_static("key"),
        })
    }

    fn answer(status: u16, body: String) -> Result<Answer, Lost> {
        let status = StatusCode::from_u16(status).unwrap();
        Ok(Answer { status, headers: HeaderMap::new(), body: body.into() })
    }

    fn order(status: &str) -> String {
        let id = OrderId::from_u128(1);
        format!(r#"{{"order":{{"id":"{id}","status":"{status}","total_minor":5}}}}"#)
    }

    #[test]
    fn what_is_under_way_or_unreachable_is_sent_again_as_it_was() {
        let mut tally = Tally::default();
        for outcome in [
            answer(409, r#"{"code":"idempotency.in_flight"}"#.to_owned()),
            answer(503, String::new()),
            answer(500, r#"{"code":"internal"}"#.to_owned()),
            Err(Lost("no connection")),
        ] {
            let open = tally.take(unfinished(), &outcome).unwrap();
            assert_eq!(open.completion.key, "key");
        }
        assert_eq!((tally.waits, tally.purchases.len()), (4, 0));
    }

    #[test]
    fn a_paid_order_ends_it() {
        let mut tally = Tally::default();
        assert!(tally.take(unfinished(), &answer(201, order("paid"))).is_none());
        let mut replay = answer(201, order("paid"));
        if let Ok(answer) = &mut replay {
            answer.headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        assert!(tally.take(unfinished(), &replay).is_none());
        assert_eq!((tally.done, tally.replayed, tally.purchases.len()), (1, 1, 2));
    }

    #[test]
    fn an_order_that_stays_unpaid_is_paid_with_a_new_key() {
        let mut tally = Tally::default();
        let open = tally.take(unfinished(), &answer(202, order("reserved"))).unwrap();
        assert_eq!(open.completion.key, "key+1");
        let declined = answer(402, r#"{"code":"payment.declined"}"#.to_owned());
        let open = tally.take(open, &declined).unwrap();
        assert_eq!(open.completion.key, "key+2");
        assert!(tally.take(open, &answer(201, order("paid"))).is_none());
        assert_eq!(tally.paid_anew, 1);
    }

    #[test]
    fn a_checkout_that_is_gone_is_a_broken_promise() {
        let mut tally = Tally::default();
        let gone = answer(404, r#"{"code":"checkout.unknown"}"#.to_owned());
        assert!(tally.take(unfinished(), &gone).is_none());
        assert_eq!(tally.refused.len(), 1);
    }
}
