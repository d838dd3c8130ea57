//! The books of the test provider: what was charged and given back, whatever Handel's database says.
//!
//! Owns a SQLite file that several processes on one machine may share, and the promise that a key takes
//! money at most once. A change is durable before anybody hears of it, so a caller that dies in between
//! finds it with [`Ledger::find`]. It refuses to know how answers get lost or what a webhook looks like.

mod charges;
mod file;
mod reader;
mod refunds;
mod webhooks;
mod writer;

use std::{path::Path, sync::Arc};

use handel_domain::id::{AttemptId, OrderId};
use handel_ports::Refund;
use jiff::Timestamp;

pub use charges::{ChargeRow, ChargeStatus, Summary};
pub(super) use charges::{Charged, NewCharge};
pub(super) use refunds::Refunded;
pub use webhooks::ChargeEvent;

use reader::Reader;
use writer::Writer;

/// Why the ledger has no answer.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be opened or read.
    #[error("the ledger cannot be read")]
    Storage(#[from] rusqlite::Error),
    /// The file beside it cannot be locked, with which processes take turns.
    #[error("the ledger cannot be locked")]
    Lock(#[source] std::io::Error),
    /// The file was made by another version of this program.
    #[error("the ledger has layout {found}, and this program knows {known}")]
    Layout {
        /// What the file has.
        found: i64,
        /// What this program reads and writes.
        known: i64,
    },
    /// The thread of the writer cannot be started.
    #[error("the ledger's writer cannot be started")]
    Writer(#[source] std::io::Error),
    /// A change may or may not have been made. The log says why.
    #[error("the ledger did not confirm")]
    Unconfirmed,
}

/// The durable record of every charge and refund. Clones share one file and one writer.
#[derive(Clone)]
pub struct Ledger {
    writer: Arc<Writer>,
    reader: Reader,
}

impl Ledger {
    /// Opens the ledger in the given file, which is made if it is missing.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let (connection, turn) = file::open(path)?;
        let reader = Reader::open(path)?;
        Ok(Self { writer: Arc::new(Writer::start(connection, turn)?), reader })
    }

    /// What has moved so far. It reads the whole ledger: for tests and measurements.
    pub async fn summary(&self) -> Result<Summary, LedgerError> {
        self.reader.read(charges::summary).await
    }

    /// The charges of an order, oldest first.
    pub async fn charges_of(&self, order_id: OrderId) -> Result<Vec<ChargeRow>, LedgerError> {
        self.reader.read(move |connection| charges::of_order(connection, order_id)).await
    }

    /// The charge with this key, as it stands at the given time.
    pub async fn find(
        &self,
        key: AttemptId,
        now: Timestamp,
    ) -> Result<Option<ChargeRow>, LedgerError> {
        let charge = self.reader.read(move |connection| charges::find(connection, key)).await?;
        if charge.as_ref().is_none_or(|charge| !charge.settles(now)) {
            return Ok(charge);
        }
        self.writer.write(move |connection| charges::settle(connection, key, now)).await
    }

    /// Books a charge, or says what became of the first one with its key.
    pub(super) async fn charge(&self, charge: NewCharge) -> Result<Charged, LedgerError> {
        self.writer.write(move |connection| charges::insert(connection, charge)).await
    }

    /// Books a refund, or says what became of the first one with its key.
    pub(super) async fn refund(
        &self,
        refund: Refund,
        now: Timestamp,
    ) -> Result<Refunded, LedgerError> {
        self.writer.write(move |connection| refunds::insert(connection, &refund, now)).await
    }

    /// Ends a charge that waits for its buyer and queues the webhook that says so. The first decision
    /// holds. None if there is no such charge.
    pub(super) async fn complete(
        &self,
        key: AttemptId,
        approve: bool,
        now: Timestamp,
    ) -> Result<Option<ChargeRow>, LedgerError> {
        self.writer.write(move |connection| charges::complete(connection, key, approve, now)).await
    }

    /// Takes up to `limit` webhooks that are due, for one try each. Nobody else is given them for
    /// [`WEBHOOK_LEASE_MS`](Self::WEBHOOK_LEASE_MS); after that they are due again unless the try was
    /// reported.
    pub async fn due_webhooks(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<ChargeEvent>, LedgerError> {
        self.writer.write(move |connection| webhooks::claim(connection, now, limit)).await
    }

    /// Notes that a webhook arrived; it is never due again.
    pub async fn webhook_delivered(
        &self,
        event_id: &str,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let event_id = event_id.to_owned();
        self.writer.write(move |connection| webhooks::delivered(connection, &event_id, now)).await
    }

    /// Notes that a try failed; the webhook is due again after a while that doubles with every try, and
    /// given up after many.
    pub async fn webhook_failed(&self, event_id: &str, now: Timestamp) -> Result<(), LedgerError> {
        let event_id = event_id.to_owned();
        self.writer.write(move |connection| webhooks::failed(connection, &event_id, now)).await
    }

    /// For how long a webhook that was taken belongs to the taker, in milliseconds.
    pub const WEBHOOK_LEASE_MS: i64 = 60_000;
}

/// Reads a column that holds the text of a domain type.
fn parsed<T>(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let index = row.as_ref().column_index(column)?;
    row.get_ref(index)?.as_str()?.parse().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            index,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}

/// Reads a column that holds microseconds since 1970.
fn timestamp(row: &rusqlite::Row<'_>, column: &str) -> rusqlite::Result<Timestamp> {
    let index = row.as_ref().column_index(column)?;
    let microseconds = row.get(index)?;
    Timestamp::from_microsecond(microseconds)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(index, microseconds))
}
