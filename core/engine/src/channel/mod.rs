//! Channels: the settings that everything else is decided by.
//!
//! Settings, and the promotions that hold without a code, are read in each transaction that needs them by one
//! small statement that compares versions, and parsed only when they changed, so a change holds at once in every
//! process.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use handel_domain::{
    Code, Refusal,
    channel::{Channel, Settings},
    event::{Change, ChannelEvent, Event},
    id::{ChannelId, ChannelKind, TenantId},
    promotion::Promotion,
    text::Slug,
};
use handel_store::{Json, Row, StoreError, Transaction, statements, values};
use jiff::Timestamp;

use crate::{Context, Engine, Error, Once, Scope, journal, promotion};

statements! {
    VERSION_BY_CODE = "
        select c.id, c.version, c.updated_at, coalesce(e.edition, 0)
          from channels c left join promotion_editions e on e.tenant_id = c.tenant_id
         where c.tenant_id = $1 and c.code = $2";
    VERSION_OF_FIRST = "
        select c.id, c.version, c.updated_at, coalesce(e.edition, 0)
          from channels c left join promotion_editions e on e.tenant_id = c.tenant_id
         where c.tenant_id = $1 order by c.id limit 1";
    VERSION_BY_ID = "
        select c.id, c.version, c.updated_at, coalesce(e.edition, 0)
          from channels c left join promotion_editions e on e.tenant_id = c.tenant_id
         where c.tenant_id = $1 and c.id = $2";
    GET = "select id, code, settings, version, updated_at from channels where tenant_id = $1 and id = $2";
    LIST = "select id, code, settings, version from channels where tenant_id = $1 order by id limit 500";
    INSERT = "
        insert into channels (tenant_id, id, code, settings, version, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6) on conflict (tenant_id, code) do nothing";
    UPDATE = "
        update channels set settings = $3, version = version + 1, updated_at = $4
         where tenant_id = $1 and id = $2 and version = $5";
}

/// A channel with what decides over prices in it.
pub(crate) struct Market {
    /// The channel.
    pub(crate) channel: Arc<Channel>,
    /// The promotions that hold in it without a code. Some may not have begun, or have ended since.
    pub(crate) automatic: Vec<Promotion>,
    stamp: Stamp,
}

/// The channels that this process has parsed, by id.
#[derive(Default)]
pub(crate) struct Known(RwLock<HashMap<(TenantId, ChannelId), Arc<Market>>>);

/// By what a market is known. The version of the settings alone is not enough: a unit may read what another unit
/// of its group wrote, and when their commit fails, the next change has the same version and other settings.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    version: i64,
    updated_at: Timestamp,
    /// Which of all promotions of the merchant there were.
    edition: i64,
}

impl Known {
    fn get(&self, tenant_id: TenantId, id: ChannelId, stamp: Stamp) -> Option<Arc<Market>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&(tenant_id, id)).filter(|market| market.stamp == stamp).cloned()
    }

    fn put(&self, tenant_id: TenantId, market: Arc<Market>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.insert((tenant_id, market.channel.id), market);
    }
}

/// Which channel a unit of work needs.
#[derive(Clone, Debug)]
pub(crate) enum Which {
    /// The one that the request names, or the first.
    Requested(Option<Slug>),
    /// The one that a cart or checkout belongs to.
    Id(ChannelId),
}

impl From<&Context> for Which {
    fn from(ctx: &Context) -> Self {
        Self::Requested(ctx.channel.clone())
    }
}

impl Engine {
    /// The settings of a channel as they are in this transaction.
    pub(crate) async fn channel(
        &self,
        tx: &mut Transaction<'_>,
        tenant_id: TenantId,
        which: Which,
    ) -> Result<Arc<Channel>, Error> {
        Ok(self.market(tx, tenant_id, which).await?.channel.clone())
    }

    /// The same, with the promotions that hold in it.
    pub(crate) async fn market(
        &self,
        tx: &mut Transaction<'_>,
        tenant_id: TenantId,
        which: Which,
    ) -> Result<Arc<Market>, Error> {
        let version = match &which {
            Which::Requested(Some(code)) => VERSION_BY_CODE.bind(values![tenant_id, code]),
            Which::Requested(None) => VERSION_OF_FIRST.bind(values![tenant_id]),
            Which::Id(id) => VERSION_BY_ID.bind(values![tenant_id, *id]),
        };
        let unknown = || Refusal::new(Code::ChannelUnknown, "there is no such channel");
        let row = tx.row(version).await?.ok_or_else(unknown)?;
        let id = row.get::<ChannelId>(0)?;
        let (edition, now) = (row.get(3)?, self.system().now());
        let wanted = Stamp { version: row.get(1)?, updated_at: row.get(2)?, edition };
        if let Some(market) = self.0.channels.get(tenant_id, id, wanted) {
            return Ok(market);
        }
        let automatic = promotion::automatic(tenant_id, id, now);
        let results = tx.rows_all(vec![GET.bind(values![tenant_id, id]), automatic]).await?;
        let [found, automatic] = &results[..] else {
            return Err(Error::internal("two statements have two results"));
        };
        let row = found.first().ok_or_else(unknown)?;
        // On PostgreSQL the settings may have changed between the two statements. If the promotions did, the
        // next one who reads them finds another edition.
        let stamp = Stamp { version: row.get(3)?, updated_at: row.get(4)?, edition };
        let (channel, automatic) = (Arc::new(read(row)?), promotion::read_all(automatic)?);
        let market = Arc::new(Market { channel, automatic, stamp });
        self.0.channels.put(tenant_id, market.clone());
        Ok(market)
    }

    /// The channel that a request names, or the first.
    pub async fn get_channel(&self, ctx: &Context) -> Result<Arc<Channel>, Error> {
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                engine.channel(tx, ctx.tenant_id, Which::from(&ctx)).await
            })
            .await
    }

    /// The channel that a cart, checkout or order belongs to.
    pub async fn channel_of(&self, ctx: &Context, id: ChannelId) -> Result<Arc<Channel>, Error> {
        let (engine, tenant_id) = (self.clone(), ctx.tenant_id);
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                engine.channel(tx, tenant_id, Which::Id(id)).await
            })
            .await
    }

    /// Every channel, oldest first.
    pub async fn list_channels(&self, ctx: &Context) -> Result<Vec<Channel>, Error> {
        let tenant_id = ctx.tenant_id;
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let rows = tx.rows(LIST.bind(values![tenant_id])).await?;
                Ok::<_, Error>(rows.iter().map(read).collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Makes a channel, or replaces its settings if `expected_version` is the stored one.
    ///
    /// The currency of a channel stays what it is: orders, carts and prices are in it.
    pub async fn put_channel(
        &self,
        ctx: &Context,
        code: Slug,
        settings: Settings,
        expected_version: Option<i64>,
    ) -> Result<Once<Channel>, Error> {
        ctx.require(Scope::ChannelsWrite)?;
        let settings = settings.checked()?;
        let (system, context) = (self.system().clone(), ctx.clone());
        self.write_once(ctx, async move |tx, now| {
            let (settings, code, ctx) = (settings.clone(), code.clone(), &context);
            let existing = tx.row(VERSION_BY_CODE.bind(values![ctx.tenant_id, &code])).await?;
            let (channel, change, save) = match existing {
                Some(row) => {
                    let (id, version) = (row.get::<ChannelId>(0)?, row.get::<i64>(1)?);
                    crate::check_version(version, expected_version)?;
                    let row = tx.row(GET.bind(values![ctx.tenant_id, id])).await?;
                    let before = read(&row.ok_or_else(|| Error::internal("the channel is gone"))?)?;
                    if before.settings.currency != settings.currency {
                        let message = "cannot change; make another channel for another currency";
                        return Err(Refusal::field("/currency", message).into());
                    }
                    let save =
                        UPDATE.bind(values![ctx.tenant_id, id, Json(&settings), now, version]);
                    (Channel { id, code, settings, version: version + 1 }, Change::Updated, save)
                }
                None => {
                    let id = system.mint::<ChannelKind>(now);
                    let save =
                        INSERT.bind(values![ctx.tenant_id, id, &code, Json(&settings), 1i64, now]);
                    (Channel { id, code, settings, version: 1 }, Change::Created, save)
                }
            };
            if tx.run(save).await? != 1 {
                return Err(tx.restart().into());
            }
            let event = Event::Channel(ChannelEvent { channel_id: channel.id, change });
            tx.run_all(journal::record(&system, ctx, &event, channel.version, now).into()).await?;
            Ok(channel)
        })
        .await
    }
}

fn read(row: &Row) -> Result<Channel, StoreError> {
    let Json(settings) = row.get(2)?;
    Ok(Channel { id: row.get(0)?, code: row.get(1)?, settings, version: row.get(3)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_whose_commit_failed_are_not_taken_for_the_next_with_their_version() {
        let settings = serde_json::from_str(crate::upkeep::DEFAULT_CHANNEL).unwrap();
        let id: ChannelId = ChannelId::mint(Timestamp::UNIX_EPOCH, [0; 10]);
        let channel = Channel { id, code: "default".parse().unwrap(), settings, version: 2 };
        let at = |microseconds| Timestamp::from_microsecond(microseconds).unwrap();
        let lost = Stamp { version: 2, updated_at: at(1), edition: 7 };
        let known = Known::default();
        let market = Market { channel: Arc::new(channel), automatic: Vec::new(), stamp: lost };
        known.put(TenantId::DEFAULT, Arc::new(market));
        assert!(known.get(TenantId::DEFAULT, id, lost).is_some());
        let next = Stamp { updated_at: at(2), ..lost };
        assert!(known.get(TenantId::DEFAULT, id, next).is_none(), "other settings, same version");
        let next = Stamp { edition: 8, ..lost };
        assert!(known.get(TenantId::DEFAULT, id, next).is_none(), "other promotions");
    }
}
