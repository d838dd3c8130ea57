//! What staff see of messages, and how they send dead ones again.

use std::collections::BTreeSet;

use handel_domain::{
    Code, Refusal,
    id::{DeliveryId, OrderId, TenantId},
};
use handel_store::{Bound, Row, StoreError, Transaction, statements, values};
use jiff::{SignedDuration, Timestamp};

use super::line_up;
use crate::{Context, Engine, Error, Once, Page, Scope};

statements! {
    LIST = "
        select id, order_id, event, host, status, attempts, due_at, last_status, last_error, created_at, updated_at
          from webhook_deliveries where tenant_id = $1 and id < $2 order by id desc limit $3";
    LIST_BY_STATUS = "
        select id, order_id, event, host, status, attempts, due_at, last_status, last_error, created_at, updated_at
          from webhook_deliveries where tenant_id = $1 and status = $4 and id < $2 order by id desc limit $3";
    LIST_BY_ORDER = "
        select id, order_id, event, host, status, attempts, due_at, last_status, last_error, created_at, updated_at
          from webhook_deliveries where tenant_id = $1 and order_id = $4 and id < $2 order by id desc limit $3";
    FIND = "
        select id, order_id, url from webhook_deliveries
         where tenant_id = $1 and id = $2 and status in ('dead', 'gone')";
    DEAD = "
        select id, order_id, url from webhook_deliveries
         where tenant_id = $1 and status = 'dead' order by id limit $2";
    DEAD_OF_HOST = "
        select id, order_id, url from webhook_deliveries
         where tenant_id = $1 and status = 'dead' and host = $3 order by id limit $2";
    LOCK_ORDERS for update = "
        select id from orders where tenant_id = $1 and id in list($2) order by id";
    REVIVE = "
        update webhook_deliveries set status = 'waiting', attempts = 0, updated_at = $3
         where tenant_id = $1 and id = $2 and status in ('dead', 'gone')";
    STATS = "
        select count(case when status = 'waiting' then 1 end), count(case when status = 'dead' then 1 end)
          from webhook_deliveries where status in ('waiting', 'dead')";
    OLDEST = "
        select created_at from webhook_deliveries where due_at is not null order by due_at limit 1";
    RELEASE_ALL = "
        update webhook_deliveries set due_at = $1, lease_owner = null where status = 'waiting' and lease_owner is not null";
    PURGE = "
        delete from webhook_deliveries where (tenant_id, id) in (
            select tenant_id, id from webhook_deliveries
             where status <> 'waiting' and updated_at <= $1 order by updated_at limit 500)";
}

/// How long messages are kept after they were delivered or given up.
const RETENTION: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Most messages that are replayed at once.
const REPLAY_MAX: i64 = 100;

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It is to be sent, or sent again.
    Waiting,
    /// The receiver has it.
    Delivered,
    /// The receiver did not take it, however often it was sent.
    Dead,
    /// The receiver wants no more of them.
    Gone,
}

impl DeliveryStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Delivered, Self::Dead, Self::Gone];

    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Gone => "gone",
        }
    }
}

/// A message as staff see it. Of the address only the host is shown: the rest may hold a secret of the receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryEntry {
    /// Identity.
    pub id: DeliveryId,
    /// The order that it is about.
    pub order_id: OrderId,
    /// The name of the event that it is sent for.
    pub event: String,
    /// Where it goes.
    pub host: String,
    /// How far it has come.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried next; none while an earlier message of the order waits, and when it is over.
    pub due_at: Option<Timestamp>,
    /// What the receiver last answered.
    pub last_status: Option<i64>,
    /// What went wrong the last time.
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Which messages.
#[derive(Clone, Debug, Default)]
pub struct ListDeliveries {
    /// Only those that have come so far.
    pub status: Option<DeliveryStatus>,
    /// Only those about this order. Cannot be combined with a status.
    pub order_id: Option<OrderId>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// How many at most; 1 to 100.
    pub limit: u32,
}

/// Which dead messages are sent again.
#[derive(Clone, Debug, Default)]
pub struct ReplayDeliveries {
    /// Only those to this host.
    pub host: Option<String>,
}

/// How far messages are behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliveryStats {
    /// Messages that wait.
    pub waiting: i64,
    /// Messages that were given up.
    pub dead: i64,
    /// For how long the one that is due next has been waiting, in milliseconds.
    pub oldest_ms: i64,
}

impl Engine {
    /// Messages about orders, newest first.
    pub async fn list_deliveries(
        &self,
        ctx: &Context,
        list: ListDeliveries,
    ) -> Result<Page<DeliveryEntry>, Error> {
        ctx.require(Scope::Operations)?;
        let (tenant_id, status, order_id) = (ctx.tenant_id, list.status, list.order_id);
        if status.is_some() && order_id.is_some() {
            return Err(Refusal::field("/status", "cannot be combined with /order_id").into());
        }
        let name = match (status, order_id) {
            (Some(status), _) => format!("deliveries {}", status.as_str()),
            (None, Some(order_id)) => format!("deliveries {order_id}"),
            (None, None) => "deliveries".to_owned(),
        };
        let bind = move |after: String, count: i64| match (status, order_id) {
            (Some(status), _) => {
                LIST_BY_STATUS.bind(values![tenant_id, after, count, status.as_str()])
            }
            (None, Some(order_id)) => {
                LIST_BY_ORDER.bind(values![tenant_id, after, count, order_id])
            }
            (None, None) => LIST.bind(values![tenant_id, after, count]),
        };
        self.page(&name, list.cursor, list.limit, bind, read_entry).await
    }

    /// Sends a dead message again, as often as a new one: the same message with its id, time and bytes. Later messages
    /// of the order that still wait come after it.
    pub async fn replay_delivery(&self, ctx: &Context, id: DeliveryId) -> Result<Once<()>, Error> {
        ctx.require(Scope::Operations)?;
        let tenant_id = ctx.tenant_id;
        let once = self
            .write_once(ctx, async move |tx, now| {
                let row = tx.row(FIND.bind(values![tenant_id, id])).await?;
                let unknown = || Refusal::new(Code::NotFound, "there is no such dead message");
                revive(tx, tenant_id, &[Dead::read(&row.ok_or_else(unknown)?)?], now).await?;
                Ok(())
            })
            .await?;
        self.0.news_wake.notify_one();
        Ok(once)
    }

    /// Sends up to 100 dead messages again, oldest first. Returns how many; ask again until there is none.
    pub async fn replay_deliveries(
        &self,
        ctx: &Context,
        replay: ReplayDeliveries,
    ) -> Result<Once<i64>, Error> {
        ctx.require(Scope::Operations)?;
        let tenant_id = ctx.tenant_id;
        let once = self
            .write_once(ctx, async move |tx, now| {
                let select = match &replay.host {
                    Some(host) => DEAD_OF_HOST.bind(values![tenant_id, REPLAY_MAX, host]),
                    None => DEAD.bind(values![tenant_id, REPLAY_MAX]),
                };
                let rows = tx.rows(select).await?;
                let dead = rows.iter().map(Dead::read).collect::<Result<Vec<_>, _>>()?;
                revive(tx, tenant_id, &dead, now).await
            })
            .await?;
        self.0.news_wake.notify_one();
        Ok(once)
    }

    /// How far messages are behind.
    pub async fn delivery_stats(&self) -> Result<DeliveryStats, Error> {
        let now = self.system().now();
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let row = tx.row(STATS.bind(values![])).await?;
                let row = row.ok_or_else(|| Error::internal("a count has one row"))?;
                let oldest = tx.row(OLDEST.bind(values![])).await?;
                let oldest = oldest.map(|row| row.get::<Timestamp>(0)).transpose()?.unwrap_or(now);
                let behind = now.duration_since(oldest.min(now)).as_millis();
                let oldest_ms = i64::try_from(behind).unwrap_or(i64::MAX);
                Ok(DeliveryStats { waiting: row.get(0)?, dead: row.get(1)?, oldest_ms })
            })
            .await
    }
}

/// A message that was given up.
struct Dead {
    id: DeliveryId,
    order_id: OrderId,
    url: String,
}

impl Dead {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self { id: row.get(0)?, order_id: row.get(1)?, url: row.get(2)? })
    }
}

/// Lets messages wait again, before the later ones of their orders. Returns how many were dead.
async fn revive(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    dead: &[Dead],
    now: Timestamp,
) -> Result<i64, Error> {
    let orders = dead.iter().map(|one| one.order_id).collect::<handel_store::Value>();
    tx.rows(LOCK_ORDERS.bind(vec![tenant_id.into(), orders])).await?;
    let revive = |one: &Dead| REVIVE.bind(values![tenant_id, one.id, now]);
    let revived = tx.run_all(dead.iter().map(revive).collect()).await?;
    let lines: BTreeSet<_> = dead.iter().map(|one| (one.order_id, &one.url)).collect();
    let lined_up = lines.into_iter().flat_map(|(id, url)| line_up(tenant_id, id, url, now));
    tx.run_all(lined_up.collect()).await?;
    Ok(revived.iter().map(|count| i64::try_from(*count).unwrap_or(0)).sum())
}

/// Makes every message due that a process was sending. Only where no other process can be alive.
pub(crate) fn release_all(now: Timestamp) -> Bound {
    RELEASE_ALL.bind(values![now])
}

/// Deletes some messages that are over and no longer kept.
pub(crate) fn purge(now: Timestamp) -> Bound {
    PURGE.bind(values![now - RETENTION])
}

fn read_entry(row: &Row) -> Result<DeliveryEntry, StoreError> {
    let status: String = row.get(4)?;
    let known = DeliveryStatus::ALL.into_iter().find(|known| known.as_str() == status);
    Ok(DeliveryEntry {
        id: row.get(0)?,
        order_id: row.get(1)?,
        event: row.get(2)?,
        host: row.get(3)?,
        status: known
            .ok_or_else(|| StoreError::Unit(format!("a message has the status {status}")))?,
        attempts: row.get(5)?,
        due_at: row.get(6)?,
        last_status: row.get(7)?,
        last_error: row.get(8)?,
        created_at: row.get(9)?,
        updated_at: row.get(10)?,
    })
}
