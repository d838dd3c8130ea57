//! Holds: stock that an open checkout keeps from others for a while, where the channel wants that.

use handel_domain::{
    checkout::{Checkout, Quote},
    id::{CheckoutId, LocationId, TenantId, VariantId},
    stock::Demand,
};
use handel_store::{StoreError, Transaction, Value, statements, values};
use jiff::{SignedDuration, Timestamp};

use super::sql;
use crate::{Error, stock::reserve::short};

statements! {
    INSERT_HOLD = "
        insert into stock_holds (tenant_id, checkout_id, variant_id, location_id, quantity, expires_at)
        values ($1, $2, $3, $4, $5, $6)
            on conflict (tenant_id, checkout_id, variant_id, location_id) do update
               set quantity = stock_holds.quantity + excluded.quantity, expires_at = excluded.expires_at";
    OF_CHECKOUT = "
        select variant_id, location_id, quantity from stock_holds
         where tenant_id = $1 and checkout_id = $2 order by variant_id, location_id";
    EXPIRED for update skip locked = "
        select tenant_id, checkout_id, variant_id, location_id, quantity
          from stock_holds where expires_at <= $1 order by variant_id, location_id limit 200";
}

/// Makes the holds of a checkout what its lines need now, until `hold_ms` from now, and lets go of what it no
/// longer needs. Where less than all is there, it is refused, and nothing of the checkout is held.
pub(crate) async fn hold(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    checkout: &Checkout,
    quote: &Quote,
    hold_ms: i64,
    now: Timestamp,
) -> Result<(), Error> {
    let demand: Vec<Demand> = quote.demand();
    let needed = demand.iter().map(|demand| demand.variant_id).collect();
    release(tx, tenant_id, checkout.id, needed, now).await?;
    let placements = [(checkout.id, demand)];
    let reservation = super::reserve(tx, tenant_id, &placements, now).await?;
    let allocations = match reservation.outcomes.into_iter().next() {
        Some(Ok(allocations)) => allocations,
        Some(Err(shortages)) => return Err(short(shortages).into()),
        None => return Ok(()),
    };
    // Reserving gave back expired holds; what was promised is held instead.
    let mut bounds = Vec::new();
    for hold in &reservation.holds {
        bounds.push(sql::delete_hold(tenant_id, hold));
        bounds.push(change(tenant_id, hold.variant_id, hold.location_id, -hold.quantity, now));
    }
    for allocation in &allocations {
        bounds.push(change(
            tenant_id,
            allocation.variant_id,
            allocation.location_id,
            allocation.quantity,
            now,
        ));
        bounds.push(INSERT_HOLD.bind(values![
            tenant_id,
            checkout.id,
            allocation.variant_id,
            allocation.location_id,
            allocation.quantity,
            now + SignedDuration::from_millis(hold_ms),
        ]));
    }
    if tx.run_all(bounds).await?.iter().any(|changed| *changed != 1) {
        return Err(tx.restart().into());
    }
    Ok(())
}

/// Gives back all that a checkout holds.
pub(crate) async fn release_holds(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    checkout_id: CheckoutId,
    now: Timestamp,
) -> Result<(), Error> {
    release(tx, tenant_id, checkout_id, Vec::new(), now).await
}

/// Gives back all that a checkout holds. Levels are locked in their order, with those that are needed next.
async fn release(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    checkout_id: CheckoutId,
    mut next: Vec<VariantId>,
    now: Timestamp,
) -> Result<(), Error> {
    let rows = tx.rows(OF_CHECKOUT.bind(values![tenant_id, checkout_id])).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut bounds = Vec::with_capacity(rows.len() * 2);
    for row in &rows {
        let (variant_id, location_id): (VariantId, LocationId) = (row.get(0)?, row.get(1)?);
        next.push(variant_id);
        bounds.push(change(tenant_id, variant_id, location_id, -row.get::<i64>(2)?, now));
        bounds.push(sql::DELETE_HOLD.bind(values![
            tenant_id,
            checkout_id,
            variant_id,
            location_id
        ]));
    }
    let variants: Value = next.into_iter().collect();
    tx.rows(sql::LOCK_LEVELS.bind(values![tenant_id, variants])).await?;
    if tx.run_all(bounds).await?.iter().any(|changed| *changed != 1) {
        return Err(tx.restart().into());
    }
    Ok(())
}

fn change(
    tenant_id: TenantId,
    variant_id: VariantId,
    location_id: LocationId,
    held_delta: i64,
    now: Timestamp,
) -> handel_store::Bound {
    sql::CHANGE_LEVEL.bind(values![tenant_id, variant_id, location_id, 0i64, held_delta, now])
}

/// Deletes some holds that have expired. They no longer count anyway; this only tidies up.
pub(crate) async fn release_expired_holds(
    tx: &mut Transaction<'_>,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let rows = tx.rows(EXPIRED.bind(values![now])).await?;
    let mut bounds = Vec::with_capacity(rows.len() * 2);
    for row in &rows {
        let tenant_id: TenantId = row.get(0)?;
        let (variant_id, location_id) = (row.get(2)?, row.get(3)?);
        bounds.push(change(tenant_id, variant_id, location_id, -row.get::<i64>(4)?, now));
        let checkout: Value = row.get::<CheckoutId>(1)?.into();
        bounds.push(sql::DELETE_HOLD.bind(vec![
            tenant_id.into(),
            checkout,
            variant_id.into(),
            location_id.into(),
        ]));
    }
    tx.run_all(bounds).await?;
    Ok(rows.len())
}
