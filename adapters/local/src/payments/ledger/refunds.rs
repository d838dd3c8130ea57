//! Refunds: one row for each key, and never more than was taken.

use handel_domain::id::OperationId;
use handel_ports::Refund;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::charges::{self, ChargeRow};
use crate::payments::token::TestToken;

/// A refund that was just sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refunded {
    /// Whether the money goes back; refused otherwise.
    pub(crate) is_done: bool,
    /// Whether this is the first time that its key was sent.
    pub(crate) is_new: bool,
    /// What decides over the charge, if there is one.
    pub(crate) token: Option<TestToken>,
}

/// Books a refund unless its key is known; then the first refund stands, whatever this one says.
pub(super) fn insert(
    connection: &Connection,
    refund: &Refund,
    now: Timestamp,
) -> rusqlite::Result<Refunded> {
    let charge = match charges::key_of(&refund.reference) {
        Some(key) => charges::find(connection, key)?,
        None => None,
    };
    let token = charge.as_ref().map(|charge| charge.token);
    if let Some(is_done) = find(connection, refund.key)? {
        return Ok(Refunded { is_done, is_new: false, token });
    }
    let accepted = charge.filter(|charge| accepts(charge, refund));
    if let Some(charge) = &accepted {
        give_back(connection, charge, refund)?;
    }
    let is_done = accepted.is_some();
    note(connection, refund, is_done, now)?;
    Ok(Refunded { is_done, is_new: true, token })
}

fn accepts(charge: &ChargeRow, refund: &Refund) -> bool {
    let left_minor = charge.captured_minor - charge.refunded_minor;
    charge.token != TestToken::RefundFails
        && refund.amount.currency == charge.amount.currency
        && (1..=left_minor).contains(&refund.amount.amount_minor)
}

const FIND_REFUND: &str = "
    select is_done
      from refunds
     where key = ?1";

fn find(connection: &Connection, key: OperationId) -> rusqlite::Result<Option<bool>> {
    connection
        .prepare_cached(FIND_REFUND)?
        .query_row([key.to_string()], |row| row.get(0))
        .optional()
}

const GIVE_BACK: &str = "
    update charges set refunded_minor = refunded_minor + ?2
     where key = ?1 and refunded_minor + ?2 <= captured_minor";

fn give_back(connection: &Connection, charge: &ChargeRow, refund: &Refund) -> rusqlite::Result<()> {
    let changed = connection
        .prepare_cached(GIVE_BACK)?
        .execute(params![charge.key.to_string(), refund.amount.amount_minor])?;
    assert_eq!(changed, 1, "what is left was read in this transaction");
    Ok(())
}

const INSERT_REFUND: &str = "
    insert into refunds (key, reference, amount_minor, currency, is_done, created_at_us)
    values (?1, ?2, ?3, ?4, ?5, ?6)";

fn note(
    connection: &Connection,
    refund: &Refund,
    is_done: bool,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.prepare_cached(INSERT_REFUND)?.execute(params![
        refund.key.to_string(),
        refund.reference,
        refund.amount.amount_minor,
        refund.amount.currency.code(),
        is_done,
        now.as_microsecond(),
    ])?;
    Ok(())
}
