//! Sends what is due, and notes what became of it.

use futures_util::future::join_all;
use handel_domain::id::{DeliveryId, TenantId};
use handel_ports::{CrashPoint, Post, WebAnswer, WebError};
use handel_store::{Bound, Transaction, statements, values};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::{
    line_up,
    take::{Taken, take},
    write::write,
};
use crate::{Engine, Error};

statements! {
    DROP = "
        delete from webhook_deliveries where tenant_id = $1 and id = $2 and lease_owner = $3 and status = 'waiting'";
    AGAIN = "
        update webhook_deliveries set due_at = $4, lease_owner = null, last_status = $5, last_error = $6, updated_at = $7
         where tenant_id = $1 and id = $2 and lease_owner = $3 and status = 'waiting'";
    END = "
        update webhook_deliveries
           set status = $4, due_at = null, lease_owner = null, last_status = $5, last_error = $6, updated_at = $7
         where tenant_id = $1 and id = $2 and lease_owner = $3 and status = 'waiting'";
    END_LATER = "
        update webhook_deliveries
           set status = 'gone', due_at = null, lease_owner = null, last_error = $4, updated_at = $5
         where tenant_id = $1 and order_id = $2 and url = $3 and status = 'waiting'";
    LOCK_ORDER for update = "select id from orders where tenant_id = $1 and id = $2";
}

/// How long a receiver may take, from the look-up of its name to its status.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(15);
/// The pauses after failed attempts. After the last one a message is dead.
const PAUSES_S: [i64; 7] = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
/// Longest error text that is kept, in characters.
const ERROR_MAX: usize = 500;

/// What became of an attempt.
pub(super) enum Outcome {
    /// The receiver has it.
    Delivered(StatusCode),
    /// The receiver wants no more of them.
    Gone,
    /// It did not work. `is_alive` says whether the host answers at all; `None` if nobody found out.
    Failed { status: Option<StatusCode>, reason: String, is_alive: Option<bool> },
    /// The order was given up before it was paid, so its program never heard of it; or the protocol has no word for it.
    Nothing,
    /// Another process has it now.
    Lost,
}

/// One turn of the loop: starts what is due, each in a task of its own, and waits where nothing is. What is under way
/// does not hold up what becomes due.
pub(crate) async fn run_loop(engine: Engine) -> Result<(), Error> {
    let taken = take(&engine).await?;
    if taken.is_empty() {
        engine.pause(&engine.0.news_wake).await;
    }
    for one in taken {
        let sender = engine.clone();
        // A shutdown does not wait for them: what was cut off is sent again, and the receiver knows it by its id.
        engine.system().spawn(async move {
            send(&sender, one).await;
            sender.0.news_wake.notify_one();
        });
    }
    Ok(())
}

/// Sends some of what is due, and waits for all of it. Returns how many messages there were.
pub(crate) async fn send_due(engine: &Engine) -> Result<usize, Error> {
    let taken = take(engine).await?;
    let count = taken.len();
    join_all(taken.into_iter().map(|one| send(engine, one))).await;
    Ok(count)
}

/// Sends a message and notes what became of it. A fault of our own leaves it to whoever comes after the lease.
async fn send(engine: &Engine, one: Taken) {
    let mut place = Place { engine, host: &one.host, is_alive: None };
    let outcome = attempt(engine, &one).await;
    place.is_alive = match &outcome {
        Ok(Outcome::Delivered(_) | Outcome::Gone) => Some(true),
        Ok(Outcome::Failed { is_alive, .. }) => *is_alive,
        Ok(Outcome::Nothing | Outcome::Lost) | Err(_) => None,
    };
    drop(place);
    let noted = match outcome {
        Ok(outcome) => note(engine, &one, outcome).await,
        Err(error) => Err(error),
    };
    if let Err(error) = noted {
        tracing::error!(delivery = %one.id, error = ?error.source, "a message could not be handled; it comes again");
    }
}

/// The place of a message among those on their way. It is free again whatever happens, also after a panic of a door.
struct Place<'e> {
    engine: &'e Engine,
    host: &'e str,
    is_alive: Option<bool>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let now = self.engine.system().now();
        self.engine.0.traffic.leave(self.host, self.is_alive, now);
    }
}

async fn attempt(engine: &Engine, one: &Taken) -> Result<Outcome, Error> {
    let written = match &one.written {
        Some(written) => written.clone(),
        None => match write(engine, one).await? {
            Ok(written) => written,
            Err(outcome) => return Ok(outcome),
        },
    };
    engine.system().reach(CrashPoint::NewsWritten).await;
    let post = Post {
        url: one.url.clone(),
        headers: written.headers,
        body: written.body,
        answer_bytes_max: 0,
        timeout: TIMEOUT,
    };
    let answer = engine.0.web.post(post).await;
    engine.system().reach(CrashPoint::NewsSent).await;
    Ok(judge(answer))
}

/// What an answer means.
fn judge(answer: Result<WebAnswer, WebError>) -> Outcome {
    match answer.map(|answer| answer.status) {
        Ok(status) if status.is_success() => Outcome::Delivered(status),
        Ok(StatusCode::GONE) => Outcome::Gone,
        Ok(status) => Outcome::Failed {
            status: Some(status),
            reason: format!("the receiver answered {}", status.as_u16()),
            is_alive: Some(!matches!(
                status,
                StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
            )),
        },
        Err(error) => Outcome::Failed {
            status: None,
            reason: error.to_string(),
            is_alive: match error {
                WebError::Address => None,
                WebError::Redirect | WebError::TooLarge => Some(true),
                WebError::Timeout | WebError::Unreachable | WebError::Tls => Some(false),
            },
        },
    }
}

/// Notes what became of an attempt, and makes the next message of the order due if this one is over.
async fn note(engine: &Engine, one: &Taken, outcome: Outcome) -> Result<(), Error> {
    if matches!(outcome, Outcome::Lost) {
        return Ok(());
    }
    log(one, &outcome);
    let (now, owner) = (engine.system().now(), engine.process());
    let pause = pause(one.attempts, engine.system().bytes::<2>());
    let (tenant_id, id, order_id, url) = (one.tenant_id, one.id, one.order_id, one.url.clone());
    engine
        .database()
        .write(async move |tx: &mut Transaction<'_>| {
            tx.row(LOCK_ORDER.bind(values![tenant_id, order_id])).await?;
            let mine = (tenant_id, id, owner.as_str());
            if tx.run(ending(mine, &outcome, pause, now)).await? != 1 {
                return Ok(());
            }
            let mut rest = Vec::new();
            if matches!(outcome, Outcome::Gone) {
                let reason = "the receiver wants no more news of this order";
                rest.push(END_LATER.bind(values![tenant_id, order_id, &url, reason, now]));
            }
            rest.extend(line_up(tenant_id, order_id, &url, now));
            tx.run_all(rest).await?;
            Ok::<_, Error>(())
        })
        .await
}

/// The statement that notes an outcome. It changes nothing where another process has taken the message over.
fn ending(
    (tenant_id, id, owner): (TenantId, DeliveryId, &str),
    outcome: &Outcome,
    pause: Option<SignedDuration>,
    now: Timestamp,
) -> Bound {
    let end = |status: &str, code: Option<StatusCode>, reason: Option<&str>| {
        let code = code.map(|code| i64::from(code.as_u16()));
        END.bind(values![tenant_id, id, owner, status, code, reason, now])
    };
    match outcome {
        Outcome::Nothing | Outcome::Lost => DROP.bind(values![tenant_id, id, owner]),
        Outcome::Delivered(code) => end("delivered", Some(*code), None),
        Outcome::Gone => end("gone", Some(StatusCode::GONE), Some("the receiver answered 410")),
        Outcome::Failed { status, reason, .. } => {
            let reason: String = reason.chars().take(ERROR_MAX).collect();
            match pause {
                None => end("dead", *status, Some(&reason)),
                Some(pause) => {
                    let code = status.map(|code| i64::from(code.as_u16()));
                    AGAIN.bind(values![tenant_id, id, owner, now + pause, code, reason, now])
                }
            }
        }
    }
}

fn log(one: &Taken, outcome: &Outcome) {
    let Outcome::Failed { reason, .. } = outcome else { return };
    let (delivery, order, host) = (one.id, one.order_id, &one.host);
    if is_last(one.attempts) {
        tracing::error!(%delivery, %order, host, reason, "news of an order could not be delivered; they are dead");
    } else {
        tracing::warn!(%delivery, %order, host, reason, "news of an order could not be delivered; they are sent again");
    }
}

fn is_last(attempts: i64) -> bool {
    usize::try_from(attempts).unwrap_or(0) > PAUSES_S.len()
}

/// How long to wait after a failed attempt, up to a tenth longer by chance, so that what failed together does not come
/// back together. `None` after the last one.
fn pause(attempts: i64, chance: [u8; 2]) -> Option<SignedDuration> {
    let at = usize::try_from(attempts.max(1) - 1).ok()?;
    let pause_ms = PAUSES_S.get(at)? * 1_000;
    let jitter_ms = pause_ms / 10 * i64::from(u16::from_be_bytes(chance)) / i64::from(u16::MAX);
    Some(SignedDuration::from_millis(pause_ms + jitter_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_come_to_an_end_after_eight_attempts() {
        let seconds = |attempts, chance| pause(attempts, chance).map(|pause| pause.as_secs());
        let least: Vec<_> = (1..=8).map(|attempts| seconds(attempts, [0, 0])).collect();
        let (s, m, h) = (1, 60, 3_600);
        let expected = [5 * s, 5 * m, 30 * m, 2 * h, 5 * h, 10 * h, 10 * h];
        assert_eq!(least[..7], expected.map(Some));
        assert_eq!((least[7], is_last(7), is_last(8)), (None, false, true));
        for (at, pause) in (1..).zip(expected) {
            assert_eq!(seconds(at, [255, 255]), Some(pause + pause / 10));
        }
    }
}
