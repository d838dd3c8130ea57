//! Staff count, receive and lose stock.

use handel_domain::{
    Code, Refusal,
    catalog::Variant,
    event::{Event, StockChange, StockEvent},
    id::{LocationId, LocationKind, TenantId, VariantId},
    stock::{Level, MovementKind},
    text::{self, Sku, Slug},
};
use handel_ports::System;
use handel_store::{Json, StoreError, Transaction, statements, values};
use jiff::Timestamp;

use super::{
    queries::StockView,
    reserve::crossing,
    sql::{self, Movement},
};
use crate::{Context, Engine, Error, Once, Scope, journal};

statements! {
    VARIANT_BY_SKU = "
        select id, tracked, backorder from variants where tenant_id = $1 and sku = $2 and not deleted";
    VARIANT_BY_ID = "
        select id, tracked, backorder from variants where tenant_id = $1 and id = $2 and not deleted";
    LOCATION = "select id, priority from locations where tenant_id = $1 and code = $2";
    FIRST_LOCATION = "select id, priority from locations where tenant_id = $1 order by priority, id limit 1";
    INSERT_LOCATION = "
        insert into locations (tenant_id, id, code, name, priority) values ($1, $2, $3, $4, $5) on conflict do nothing";
    LOCK_LEVEL for update = "
        select variant_id, location_id, priority, on_hand, allocated, held, safety, backorder_limit, version
          from stock_levels where tenant_id = $1 and variant_id = $2 and location_id = $3";
    INSERT_LEVEL = "
        insert into stock_levels (tenant_id, variant_id, location_id, priority, on_hand, allocated, held, safety,
                                  backorder_limit, version, updated_at)
        values ($1, $2, $3, $4, 0, 0, 0, 0, $5, 1, $6) on conflict do nothing";
    SET_ON_HAND = "
        update stock_levels set on_hand = $4, version = version + 1, updated_at = $5
         where tenant_id = $1 and variant_id = $2 and location_id = $3 and version = $6";
}

/// How a request names a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StockKey {
    /// By its id.
    Id(VariantId),
    /// By its SKU.
    Sku(Sku),
}

/// A change of what is on hand.
#[derive(Clone, Debug)]
pub struct AdjustStock {
    /// The variant.
    pub variant: StockKey,
    /// The location by its code; the first one if none is named.
    pub location: Option<Slug>,
    /// By how many it changes.
    pub delta: i64,
    /// Why, for the ledger.
    pub reason: String,
}

impl Engine {
    /// Changes what is on hand of a variant.
    pub async fn adjust_stock(
        &self,
        ctx: &Context,
        adjust: AdjustStock,
    ) -> Result<Once<StockView>, Error> {
        ctx.require(Scope::StockWrite)?;
        let reason = text::line("/reason", &adjust.reason, 200)?;
        if adjust.delta == 0 {
            return Err(Refusal::field("/delta", "must not be 0").into());
        }
        let (system, context) = (self.system().clone(), ctx.clone());
        let once = self
            .write_once(ctx, async move |tx, now| {
                let variant = find_variant(tx, context.tenant_id, &adjust.variant).await?;
                let place = find_location(tx, context.tenant_id, adjust.location.as_ref()).await?;
                let (level, version) =
                    lock_level(tx, context.tenant_id, &variant, &place, now).await?;
                let after = level.adjust(adjust.delta)?;
                write_level(tx, &system, &context, &level, &after, version, &reason, now).await?;
                Ok(StockView::from(after))
            })
            .await?;
        self.forget_lists();
        Ok(once)
    }
}

/// Makes what is on hand of a variant at the first location a given number, as an import does.
pub(crate) async fn set_on_hand(
    tx: &mut Transaction<'_>,
    system: &System,
    ctx: &Context,
    variant: &Variant,
    on_hand: i64,
    reason: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let found = Found {
        id: variant.id,
        tracked: variant.tracked,
        backorder_limit: variant.backorder.limit(),
    };
    if !found.tracked {
        return Ok(());
    }
    let place = find_location(tx, ctx.tenant_id, None).await?;
    let (level, version) = lock_level(tx, ctx.tenant_id, &found, &place, now).await?;
    if level.on_hand == on_hand {
        return Ok(());
    }
    let after = level.adjust(on_hand - level.on_hand)?;
    write_level(tx, system, ctx, &level, &after, version, reason, now).await
}

/// Makes a location unless there is one of that code.
pub(crate) async fn ensure_location(
    tx: &mut Transaction<'_>,
    system: &System,
    tenant_id: TenantId,
    code: &str,
    name: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let id = system.mint::<LocationKind>(now);
    tx.run(INSERT_LOCATION.bind(values![tenant_id, id, code, name, 0i64])).await.map(drop)
}

struct Found {
    id: VariantId,
    tracked: bool,
    backorder_limit: Option<i64>,
}

struct Place {
    id: LocationId,
    priority: i64,
}

async fn find_variant(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    key: &StockKey,
) -> Result<Found, Error> {
    let bound = match key {
        StockKey::Id(id) => VARIANT_BY_ID.bind(values![tenant_id, *id]),
        StockKey::Sku(sku) => VARIANT_BY_SKU.bind(values![tenant_id, sku]),
    };
    let unknown = || Refusal::new(Code::VariantUnknown, "there is no such variant");
    let row = tx.row(bound).await?.ok_or_else(unknown)?;
    let Json(backorder) = row.get::<Json<crate::catalog::BackorderColumn>>(2)?;
    let found =
        Found { id: row.get(0)?, tracked: row.get(1)?, backorder_limit: backorder.policy.limit() };
    if !found.tracked {
        return Err(
            Refusal::new(Code::StockUntracked, "the stock of this variant is not counted").into()
        );
    }
    Ok(found)
}

async fn find_location(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    code: Option<&Slug>,
) -> Result<Place, Error> {
    let bound = match code {
        Some(code) => LOCATION.bind(values![tenant_id, code]),
        None => FIRST_LOCATION.bind(values![tenant_id]),
    };
    let unknown = || Refusal::new(Code::LocationUnknown, "there is no such location");
    let row = tx.row(bound).await?.ok_or_else(unknown)?;
    Ok(Place { id: row.get(0)?, priority: row.get(1)? })
}

async fn lock_level(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    variant: &Found,
    place: &Place,
    now: Timestamp,
) -> Result<(Level, i64), StoreError> {
    let insert = INSERT_LEVEL.bind(values![
        tenant_id,
        variant.id,
        place.id,
        place.priority,
        variant.backorder_limit,
        now,
    ]);
    tx.run(insert).await?;
    let row = tx.row(LOCK_LEVEL.bind(values![tenant_id, variant.id, place.id])).await?;
    let row =
        row.ok_or_else(|| StoreError::Unit("a level that was just made is gone".to_owned()))?;
    Ok((sql::read_level(&row)?, row.get(8)?))
}

#[expect(clippy::too_many_arguments, reason = "one write with everything that its rows say")]
async fn write_level(
    tx: &mut Transaction<'_>,
    system: &System,
    ctx: &Context,
    before: &Level,
    after: &Level,
    version: i64,
    reason: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let delta = after.on_hand - before.on_hand;
    let (variant_id, location_id) = (after.variant_id, after.location_id);
    let save = SET_ON_HAND.bind(values![
        ctx.tenant_id,
        variant_id,
        location_id,
        after.on_hand,
        now,
        version
    ]);
    if tx.run(save).await? != 1 {
        return Err(tx.restart().into());
    }
    let movement = Movement {
        tenant_id: ctx.tenant_id,
        variant_id,
        location_id,
        kind: MovementKind::Adjustment,
        on_hand_delta: delta,
        allocated_delta: 0,
        order_id: None,
        reason: Some(reason),
    };
    let change = StockChange::Adjusted { delta, on_hand: after.on_hand, reason: reason.to_owned() };
    let event = Event::Stock(StockEvent { variant_id, location_id: Some(location_id), change });
    let mut bounds = vec![movement.append(system, now)];
    bounds.extend(journal::record(system, ctx, &event, version + 1, now));
    bounds.extend(crossing(system, ctx, before, after, version + 1, now));
    tx.run_all(bounds).await?;
    Ok(())
}
