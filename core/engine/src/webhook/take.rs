//! Takes messages that are due, so that no other process sends them meanwhile.

use std::collections::BTreeMap;

use handel_domain::id::{DeliveryId, EventId, OrderId, TenantId};
use handel_store::{Json, Row, StoreError, Transaction, statements, values};
use jiff::{SignedDuration, Timestamp};

use super::write::{Written, parse};
use crate::{Engine, Error};

statements! {
    ANY_DUE = "
        select 1 from webhook_deliveries where due_at <= $1 and not (host in list($2)) limit 1";
    DUE for update skip locked = "
        select tenant_id, id, order_id, sequence, event_id, event, format, url, host, attempts, headers, body
          from webhook_deliveries
         where due_at <= $1 and not (host in list($2)) order by due_at, id limit 64";
    LEASE = "
        update webhook_deliveries set lease_owner = $3, due_at = $4, attempts = attempts + 1, updated_at = $5
         where tenant_id = $1 and id = $2 and status = 'waiting'";
}

/// How long a message belongs to the process that took it. Longer than it can take to send and note it.
const LEASE_TIME: SignedDuration = SignedDuration::from_secs(60);

/// A message that this process has taken.
pub(super) struct Taken {
    pub tenant_id: TenantId,
    pub id: DeliveryId,
    pub order_id: OrderId,
    pub sequence: i64,
    pub event_id: EventId,
    pub event: String,
    pub format: String,
    pub url: String,
    pub host: String,
    /// How often it was tried, this attempt included.
    pub attempts: i64,
    pub written: Option<Written>,
}

/// Takes messages that are due, as many as there is room for.
pub(super) async fn take(engine: &Engine) -> Result<Vec<Taken>, Error> {
    let (now, owner) = (engine.system().now(), engine.process());
    let room = engine.0.traffic.room(now);
    if room.is_none() || !is_any_due(engine, now, room.closed()).await? {
        return Ok(Vec::new());
    }
    let taken = engine
        .database()
        .write(async move |tx: &mut Transaction<'_>| {
            let mut room = room.clone();
            let rows = tx.rows(DUE.bind(values![now, room.closed()])).await?;
            let due = rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
            let taken: Vec<_> = due.into_iter().filter(|one| room.take(&one.host)).collect();
            let lease = |one: &Taken| {
                LEASE.bind(values![one.tenant_id, one.id, &owner, now + LEASE_TIME, now])
            };
            tx.run_all(taken.iter().map(lease).collect()).await?;
            Ok::<_, Error>(taken)
        })
        .await?;
    taken.iter().for_each(|one| engine.0.traffic.enter(&one.host));
    Ok(taken)
}

/// Most of the time nothing is, and then nothing is written.
async fn is_any_due(engine: &Engine, now: Timestamp, closed: Vec<String>) -> Result<bool, Error> {
    let any = engine.database().read(async move |tx: &mut Transaction<'_>| {
        Ok::<_, Error>(tx.row(ANY_DUE.bind(values![now, closed.clone()])).await?.is_some())
    });
    any.await
}

fn read(row: &Row) -> Result<Taken, StoreError> {
    let headers = row.get::<Option<Json<BTreeMap<String, String>>>>(10)?;
    let body = row.get::<Option<Vec<u8>>>(11)?;
    let written = headers
        .zip(body)
        .map(|(Json(headers), body)| Written { headers: parse(&headers), body: body.into() });
    Ok(Taken {
        tenant_id: row.get(0)?,
        id: row.get(1)?,
        order_id: row.get(2)?,
        sequence: row.get(3)?,
        event_id: row.get(4)?,
        event: row.get(5)?,
        format: row.get(6)?,
        url: row.get(7)?,
        host: row.get(8)?,
        attempts: row.get::<i64>(9)? + 1,
        written,
    })
}
