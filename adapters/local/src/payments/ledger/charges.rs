//! Charges: one row for each key, and the only places where a charge changes.

use std::str::FromStr;

use handel_domain::{
    id::{AttemptId, OrderId},
    money::{Currency, Money},
    refusal::Code,
};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{parsed, timestamp, webhooks};
use crate::payments::token::TestToken;

/// Where a charge stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeStatus {
    /// The money was taken.
    Captured,
    /// The money was not taken and never will be.
    Declined,
    /// The buyer must approve or decline.
    ActionRequired,
    /// It ends by itself a little later.
    Processing,
}

impl ChargeStatus {
    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::ActionRequired => "action_required",
            Self::Processing => "processing",
        }
    }
}

/// A text that is not the status of a charge.
#[derive(Debug, thiserror::Error)]
#[error("unknown status of a charge")]
pub struct UnknownStatus;

impl FromStr for ChargeStatus {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let all = [Self::Captured, Self::Declined, Self::ActionRequired, Self::Processing];
        all.into_iter().find(|status| status.as_str() == text).ok_or(UnknownStatus)
    }
}

/// A charge in the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChargeRow {
    /// The key that it was sent with.
    pub key: AttemptId,
    /// The order that it pays.
    pub order_id: OrderId,
    /// What decides over it.
    pub token: TestToken,
    /// Where it stands.
    pub status: ChargeStatus,
    /// What was asked for.
    pub amount: Money,
    /// What was taken, in minor units.
    pub captured_minor: i64,
    /// What went back, in minor units.
    pub refunded_minor: i64,
    /// Where the buyer goes after a decision, as it was sent.
    pub return_url: Option<String>,
    /// When a charge that is being processed ends.
    pub settles_at: Option<Timestamp>,
    /// When it arrived.
    pub created_at: Timestamp,
}

impl ChargeRow {
    /// The provider's own name of the charge. It follows from the key, so a key has one in every process
    /// and no second index is needed.
    pub fn reference(&self) -> String {
        format!("{REFERENCE_PREFIX}{}", self.key.body())
    }

    /// What was taken.
    pub fn captured(&self) -> Money {
        Money::new(self.captured_minor, self.amount.currency)
    }

    /// Why it was declined, if it was.
    pub fn decline_code(&self) -> Option<Code> {
        (self.status == ChargeStatus::Declined).then(|| self.token.decline_code())
    }

    /// Whether it is being processed and should have ended by now.
    pub(super) fn settles(&self, now: Timestamp) -> bool {
        self.status == ChargeStatus::Processing && self.settles_at.is_some_and(|at| at <= now)
    }
}

const REFERENCE_PREFIX: &str = "test_ch_";

/// The key of the charge that a reference names.
pub(super) fn key_of(reference: &str) -> Option<AttemptId> {
    format!("att_{}", reference.strip_prefix(REFERENCE_PREFIX)?).parse().ok()
}

/// What has moved so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Keys that arrived, whatever became of them.
    pub keys: i64,
    /// Charges that took money. A key has at most one.
    pub charges: i64,
    /// Orders with at least one such charge.
    pub orders_charged: i64,
    /// What they took, in minor units. Currencies are added up as if they were one.
    pub captured_minor: i64,
    /// Refunds that were done.
    pub refunds: i64,
    /// What they gave back, in minor units.
    pub refunded_minor: i64,
}

const SUMMARY: &str = "
    select count(*), count(*) filter (where captured_minor > 0),
           count(distinct order_id) filter (where captured_minor > 0),
           coalesce(sum(captured_minor), 0), coalesce(sum(refunded_minor), 0),
           (select count(*) from refunds where is_done = 1)
      from charges";

pub(super) fn summary(connection: &Connection) -> rusqlite::Result<Summary> {
    connection.prepare_cached(SUMMARY)?.query_row([], |row| {
        Ok(Summary {
            keys: row.get(0)?,
            charges: row.get(1)?,
            orders_charged: row.get(2)?,
            captured_minor: row.get(3)?,
            refunded_minor: row.get(4)?,
            refunds: row.get(5)?,
        })
    })
}

const FIND_CHARGE: &str = "
    select key, order_id, token, status, amount_minor, captured_minor, refunded_minor, currency,
           return_url, settles_at_us, created_at_us
      from charges
     where key = ?1";

pub(super) fn find(connection: &Connection, key: AttemptId) -> rusqlite::Result<Option<ChargeRow>> {
    connection.prepare_cached(FIND_CHARGE)?.query_row([key.to_string()], charge).optional()
}

const CHARGES_OF_ORDER: &str = "
    select key, order_id, token, status, amount_minor, captured_minor, refunded_minor, currency,
           return_url, settles_at_us, created_at_us
      from charges
     where order_id = ?1
     order by created_at_us, key";

pub(super) fn of_order(
    connection: &Connection,
    order_id: OrderId,
) -> rusqlite::Result<Vec<ChargeRow>> {
    connection
        .prepare_cached(CHARGES_OF_ORDER)?
        .query_map([order_id.to_string()], charge)?
        .collect()
}

fn charge(row: &Row<'_>) -> rusqlite::Result<ChargeRow> {
    let currency: Currency = parsed(row, "currency")?;
    let settles: Option<i64> = row.get("settles_at_us")?;
    Ok(ChargeRow {
        key: parsed(row, "key")?,
        order_id: parsed(row, "order_id")?,
        token: parsed(row, "token")?,
        status: parsed(row, "status")?,
        amount: Money::new(row.get("amount_minor")?, currency),
        captured_minor: row.get("captured_minor")?,
        refunded_minor: row.get("refunded_minor")?,
        return_url: row.get("return_url")?,
        settles_at: settles.map(|_| timestamp(row, "settles_at_us")).transpose()?,
        created_at: timestamp(row, "created_at_us")?,
    })
}

/// A charge on its way into the books.
#[derive(Clone, Debug)]
pub(crate) struct NewCharge {
    pub(crate) key: AttemptId,
    pub(crate) order_id: OrderId,
    pub(crate) token: TestToken,
    pub(crate) status: ChargeStatus,
    pub(crate) amount: Money,
    pub(crate) return_url: Option<String>,
    /// When it ends, if it is processed for a while.
    pub(crate) settles_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

/// A charge that was just sent.
#[derive(Clone, Debug)]
pub(crate) struct Charged {
    pub(crate) charge: ChargeRow,
    /// Whether this is the first time that its key was sent.
    pub(crate) is_new: bool,
}

const INSERT_CHARGE: &str = "
    insert into charges (key, order_id, token, status, amount_minor, captured_minor, currency,
                         return_url, settles_at_us, created_at_us)
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        on conflict (key) do nothing";

/// Books a charge unless its key is known; then the first charge stands, whatever this one says.
pub(super) fn insert(connection: &Connection, new: NewCharge) -> rusqlite::Result<Charged> {
    let captured_minor = match new.status {
        ChargeStatus::Captured => new.token.taken_minor(new.amount.amount_minor),
        _ => 0,
    };
    let inserted = connection.prepare_cached(INSERT_CHARGE)?.execute(params![
        new.key.to_string(),
        new.order_id.to_string(),
        new.token.as_str(),
        new.status.as_str(),
        new.amount.amount_minor,
        captured_minor,
        new.amount.currency.code(),
        new.return_url,
        new.settles_at.map(Timestamp::as_microsecond),
        new.created_at.as_microsecond(),
    ])?;
    if inserted == 0 {
        let charge = find(connection, new.key)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        return Ok(Charged { charge, is_new: false });
    }
    if let Some(settles_at) = new.settles_at {
        webhooks::insert(connection, new.key, settles_at)?;
    }
    let charge = ChargeRow {
        key: new.key,
        order_id: new.order_id,
        token: new.token,
        status: new.status,
        amount: new.amount,
        captured_minor,
        refunded_minor: 0,
        return_url: new.return_url,
        settles_at: new.settles_at,
        created_at: new.created_at,
    };
    Ok(Charged { charge, is_new: true })
}

/// Ends a charge whose time of processing is over, and returns it as it then is.
pub(super) fn settle(
    connection: &Connection,
    key: AttemptId,
    now: Timestamp,
) -> rusqlite::Result<Option<ChargeRow>> {
    match find(connection, key)? {
        Some(charge) if charge.settles(now) => {
            let is_taken = charge.token != TestToken::AsyncDeclined;
            end(connection, charge, is_taken).map(Some)
        }
        other => Ok(other),
    }
}

/// Ends a charge that waits for its buyer, and queues the webhook that says so.
pub(super) fn complete(
    connection: &Connection,
    key: AttemptId,
    approve: bool,
    now: Timestamp,
) -> rusqlite::Result<Option<ChargeRow>> {
    match find(connection, key)? {
        Some(charge) if charge.status == ChargeStatus::ActionRequired => {
            webhooks::insert(connection, key, now)?;
            end(connection, charge, approve).map(Some)
        }
        other => Ok(other),
    }
}

const END_CHARGE: &str = "
    update charges set status = ?3, captured_minor = ?4
     where key = ?1 and status = ?2";

fn end(connection: &Connection, charge: ChargeRow, is_taken: bool) -> rusqlite::Result<ChargeRow> {
    let (status, captured_minor) = match is_taken {
        true => (ChargeStatus::Captured, charge.amount.amount_minor),
        false => (ChargeStatus::Declined, 0),
    };
    let ended = connection.prepare_cached(END_CHARGE)?.execute(params![
        charge.key.to_string(),
        charge.status.as_str(),
        status.as_str(),
        captured_minor,
    ])?;
    assert_eq!(ended, 1, "the charge was read in this transaction");
    Ok(ChargeRow { status, captured_minor, ..charge })
}
