//! Webhooks that wait to be delivered.
//!
//! Owns when an event is due and how often it is tried. It stores no body: what an event says is read
//! from its charge, which has ended by then.

use handel_domain::{id::AttemptId, money::Money};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    Ledger,
    charges::{self, ChargeStatus},
    parsed,
};

/// An event about a charge that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeEvent {
    /// Identity. It stays the same however often the event is delivered.
    pub id: String,
    /// The key of the charge.
    pub key: AttemptId,
    /// The provider's own name of the charge.
    pub reference: String,
    /// Whether the money was taken; it was declined otherwise.
    pub is_captured: bool,
    /// What was taken, or what was asked for.
    pub amount: Money,
}

/// After this many tries nobody is told any more; who asks still learns it.
const ATTEMPTS_MAX: i64 = 32;
/// Longest wait between two tries, in milliseconds.
const RETRY_MS_MAX: i64 = 5 * 60_000;

const INSERT_WEBHOOK: &str = "
    insert into webhooks (event_id, key, status, due_at_us)
    values (?1, ?2, 'due', ?3)";

/// Queues the one event that a charge ever has.
pub(super) fn insert(
    connection: &Connection,
    key: AttemptId,
    due_at: Timestamp,
) -> rusqlite::Result<()> {
    let event_id = format!("test_evt_{}", key.body());
    connection.prepare_cached(INSERT_WEBHOOK)?.execute(params![
        event_id,
        key.to_string(),
        due_at.as_microsecond()
    ])?;
    Ok(())
}

const CLAIM_WEBHOOKS: &str = "
       update webhooks set attempts = attempts + 1, due_at_us = ?3
        where event_id in (select event_id
                             from webhooks
                            where status = 'due' and due_at_us <= ?1
                            order by due_at_us
                            limit ?2)
    returning event_id, key";

pub(super) fn claim(
    connection: &Connection,
    now: Timestamp,
    limit: u32,
) -> rusqlite::Result<Vec<ChargeEvent>> {
    let leased_until = later(now, Ledger::WEBHOOK_LEASE_MS);
    let mut claimed = connection
        .prepare_cached(CLAIM_WEBHOOKS)?
        .query_map(params![now.as_microsecond(), limit, leased_until], |row| {
            Ok((row.get("event_id")?, parsed(row, "key")?))
        })?
        .collect::<rusqlite::Result<Vec<(String, AttemptId)>>>()?;
    // `returning` promises no order, and a simulation needs one.
    claimed.sort();
    let events = claimed.into_iter().map(|(id, key)| event(connection, id, key, now));
    events.filter_map(Result::transpose).collect()
}

fn event(
    connection: &Connection,
    id: String,
    key: AttemptId,
    now: Timestamp,
) -> rusqlite::Result<Option<ChargeEvent>> {
    let Some(charge) = charges::settle(connection, key, now)? else { return Ok(None) };
    let (is_captured, amount) = match charge.status {
        ChargeStatus::Captured => (true, charge.captured()),
        ChargeStatus::Declined => (false, charge.amount),
        ChargeStatus::ActionRequired | ChargeStatus::Processing => return Ok(None),
    };
    Ok(Some(ChargeEvent { id, key, reference: charge.reference(), is_captured, amount }))
}

const DELIVERED: &str = "
    update webhooks set status = 'delivered', delivered_at_us = ?2
     where event_id = ?1 and status <> 'delivered'";

pub(super) fn delivered(
    connection: &Connection,
    event_id: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.prepare_cached(DELIVERED)?.execute(params![event_id, now.as_microsecond()])?;
    Ok(())
}

const ATTEMPTS: &str = "
    select attempts
      from webhooks
     where event_id = ?1 and status = 'due'";

const FAILED: &str = "
    update webhooks set status = ?2, due_at_us = ?3
     where event_id = ?1";

pub(super) fn failed(
    connection: &Connection,
    event_id: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let attempts: Option<i64> =
        connection.prepare_cached(ATTEMPTS)?.query_row([event_id], |row| row.get(0)).optional()?;
    let Some(attempts) = attempts else { return Ok(()) };
    let status = if attempts < ATTEMPTS_MAX { "due" } else { "given_up" };
    let due_at = later(now, retry_ms(attempts));
    connection.prepare_cached(FAILED)?.execute(params![event_id, status, due_at])?;
    Ok(())
}

/// How long to wait after so many tries: 1 s, 2 s, 4 s … up to five minutes.
fn retry_ms(attempts: i64) -> i64 {
    let exponent = u32::try_from((attempts - 1).clamp(0, 16)).expect("clamped");
    (1_000i64 << exponent).min(RETRY_MS_MAX)
}

/// A later time, as it is stored.
fn later(now: Timestamp, wait_ms: i64) -> i64 {
    let later = now.saturating_add(SignedDuration::from_millis(wait_ms));
    later.unwrap_or(Timestamp::MAX).as_microsecond()
}
