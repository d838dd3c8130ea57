//! Rows of stock levels.

use std::collections::HashMap;

use handel_domain::{
    id::{CartId, CheckoutId, LocationId, TenantId, VariantId},
    stock::{Level, MovementKind},
};
use handel_ports::System;
use handel_store::{Bound, Row, StoreError, Transaction, Value, statements, values};
use jiff::Timestamp;

statements! {
    LEVELS = "
        select variant_id, location_id, priority, on_hand, allocated, held, safety, backorder_limit, version
          from stock_levels where tenant_id = $1 and variant_id in list($2)";
    LOCK_LEVELS for update = "
        select variant_id, location_id, priority, on_hand, allocated, held, safety, backorder_limit, version
          from stock_levels where tenant_id = $1 and variant_id in list($2) order by variant_id, location_id";
    FREE_HOLDS = "
        select variant_id, location_id, cast(sum(quantity) as bigint) from stock_holds
         where tenant_id = $1 and variant_id in list($2)
           and (expires_at <= $3
                or checkout_id in (select id from checkouts where tenant_id = $1 and cart_id = $4))
         group by variant_id, location_id";
    HOLDS = "
        select checkout_id, variant_id, location_id, quantity, expires_at from stock_holds
         where tenant_id = $1 and variant_id in list($2)";
    DELETE_HOLD = "
        delete from stock_holds
         where tenant_id = $1 and checkout_id = $2 and variant_id = $3 and location_id = $4";
    CHANGE_LEVEL = "
        update stock_levels
           set allocated = allocated + $4, held = held + $5, version = version + 1, updated_at = $6
         where tenant_id = $1 and variant_id = $2 and location_id = $3
           and (cast($4 as bigint) + cast($5 as bigint) <= 0 or backorder_limit is null
                or on_hand - allocated - held - safety + backorder_limit >= cast($4 as bigint) + cast($5 as bigint))";
    APPEND_MOVEMENT = "
        insert into stock_movements (tenant_id, id, variant_id, location_id, kind, on_hand_delta, allocated_delta,
                                     order_id, reason, occurred_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
}

/// A hold of a checkout on a level.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub(super) checkout_id: CheckoutId,
    pub(super) variant_id: VariantId,
    pub(super) location_id: LocationId,
    pub(super) quantity: i64,
    pub(super) expires_at: Timestamp,
}

/// Reads the levels of variants without locking them; see [`read_levels`].
pub(crate) fn levels_of(tenant_id: TenantId, variants: Value) -> Bound {
    LEVELS.bind(values![tenant_id, variants])
}

/// Understands level rows. Holds that have expired no longer count, whether or not they were deleted, and
/// those of the cart `own` do not count against it.
pub(crate) async fn read_levels(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    rows: &[Row],
    own: Option<CartId>,
    now: Timestamp,
) -> Result<Vec<Level>, StoreError> {
    let mut levels = rows.iter().map(read_level).collect::<Result<Vec<_>, _>>()?;
    let with_holds: Value =
        levels.iter().filter(|level| level.held > 0).map(|level| level.variant_id).collect();
    if with_holds == Value::List(Vec::new()) {
        return Ok(levels);
    }
    let free = tx.rows(FREE_HOLDS.bind(values![tenant_id, with_holds, now, own])).await?;
    let free = free
        .iter()
        .map(|row| Ok(((row.get(0)?, row.get(1)?), row.get::<i64>(2)?)))
        .collect::<Result<HashMap<(VariantId, LocationId), i64>, StoreError>>()?;
    for level in &mut levels {
        level.held -= free.get(&(level.variant_id, level.location_id)).copied().unwrap_or(0);
    }
    Ok(levels)
}

pub(super) fn read_level(row: &Row) -> Result<Level, StoreError> {
    Ok(Level {
        variant_id: row.get(0)?,
        location_id: row.get(1)?,
        priority: row.get(2)?,
        on_hand: row.get(3)?,
        allocated: row.get(4)?,
        held: row.get(5)?,
        safety: row.get(6)?,
        backorder_limit: row.get(7)?,
    })
}

/// The holds on some variants.
pub(super) async fn holds(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    variants: Value,
) -> Result<Vec<Hold>, StoreError> {
    let rows = tx.rows(HOLDS.bind(values![tenant_id, variants])).await?;
    let read = |row: &Row| {
        Ok(Hold {
            checkout_id: row.get(0)?,
            variant_id: row.get(1)?,
            location_id: row.get(2)?,
            quantity: row.get(3)?,
            expires_at: row.get(4)?,
        })
    };
    rows.iter().map(read).collect()
}

pub(super) fn delete_hold(tenant_id: TenantId, hold: &Hold) -> Bound {
    DELETE_HOLD.bind(values![tenant_id, hold.checkout_id, hold.variant_id, hold.location_id])
}

/// A row of the ledger.
pub(super) struct Movement<'a> {
    pub(super) tenant_id: TenantId,
    pub(super) variant_id: VariantId,
    pub(super) location_id: LocationId,
    pub(super) kind: MovementKind,
    pub(super) on_hand_delta: i64,
    pub(super) allocated_delta: i64,
    pub(super) order_id: Option<handel_domain::id::OrderId>,
    pub(super) reason: Option<&'a str>,
}

impl Movement<'_> {
    pub(super) fn append(&self, system: &System, now: Timestamp) -> Bound {
        APPEND_MOVEMENT.bind(values![
            self.tenant_id,
            system.mint::<handel_domain::id::MovementKind>(now),
            self.variant_id,
            self.location_id,
            self.kind.as_str(),
            self.on_hand_delta,
            self.allocated_delta,
            self.order_id,
            self.reason,
            now,
        ])
    }
}
