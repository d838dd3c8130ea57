//! Promises stock to orders, gives it back, and lets it leave.

use std::collections::{BTreeMap, HashMap};

use handel_domain::{
    Refusal,
    event::{Event, StockChange, StockEvent},
    id::{CheckoutId, LineId, LocationId, OrderId, TenantId, VariantId},
    order::LineQuantity,
    refusal::Shortage,
    stock::{Allocation, Demand, Level, Levels, MovementKind, allocate},
};
use handel_ports::System;
use handel_store::{Bound, StoreError, Transaction, Value, statements, values};
use jiff::Timestamp;

use super::sql::{self, Movement};
use crate::{Context, Error, journal};

statements! {
    INSERT_ALLOCATION = "
        insert into stock_allocations (tenant_id, order_id, line_id, variant_id, location_id, quantity, backordered)
        values ($1, $2, $3, $4, $5, $6, $7)";
    ALLOCATIONS for update = "
        select line_id, variant_id, location_id, quantity from stock_allocations
         where tenant_id = $1 and order_id = $2 and quantity > 0 order by variant_id, location_id";
    TAKE_ALLOCATION = "
        update stock_allocations set quantity = quantity - $5
         where tenant_id = $1 and order_id = $2 and line_id = $3 and location_id = $4 and quantity >= $5";
    TAKE_LEVEL = "
        update stock_levels
           set allocated = allocated - $4, on_hand = on_hand - $5, version = version + 1, updated_at = $6
         where tenant_id = $1 and variant_id = $2 and location_id = $3 and allocated >= $4 and on_hand >= $5";
}

/// Promises that were made in memory and must still be written.
pub(crate) struct Reservation {
    /// What each placement was promised, or what it lacks.
    pub(crate) outcomes: Vec<Result<Vec<Allocation>, Vec<Shortage>>>,
    before: Vec<Level>,
    after: Levels,
    pub(super) holds: Vec<sql::Hold>,
    versions: HashMap<(VariantId, LocationId), i64>,
}

/// Locks the stock that placements need and promises it to them, each all or nothing. Two statements in
/// one round trip for the whole batch.
pub(crate) async fn reserve(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    placements: &[(CheckoutId, Vec<Demand>)],
    now: Timestamp,
) -> Result<Reservation, StoreError> {
    let mut variants: Vec<VariantId> =
        placements.iter().flat_map(|(_, lines)| lines).map(|line| line.variant_id).collect();
    variants.sort_unstable();
    variants.dedup();
    let ids: Value = variants.into_iter().collect();
    let rows = tx.rows(sql::LOCK_LEVELS.bind(values![tenant_id, ids.clone()])).await?;
    let mut versions = HashMap::new();
    let mut before = Vec::with_capacity(rows.len());
    for row in &rows {
        let level = sql::read_level(row)?;
        versions.insert((level.variant_id, level.location_id), row.get(8)?);
        before.push(level);
    }
    let holds = match before.iter().any(|level| level.held > 0) {
        true => sql::holds(tx, tenant_id, ids).await?,
        false => Vec::new(),
    };
    // Expired holds no longer count, and a checkout's own hold becomes its promise.
    let own = |hold: &sql::Hold| {
        placements.iter().any(|(checkout_id, _)| *checkout_id == hold.checkout_id)
    };
    let holds: Vec<_> =
        holds.into_iter().filter(|hold| hold.expires_at <= now || own(hold)).collect();
    let mut free = before.clone();
    for level in &mut free {
        let here = holds.iter().filter(|hold| {
            (hold.variant_id, hold.location_id) == (level.variant_id, level.location_id)
        });
        level.held -= here.map(|hold| hold.quantity).sum::<i64>();
    }
    let mut after = Levels::new(free);
    let demands: Vec<Vec<Demand>> = placements.iter().map(|(_, lines)| lines.clone()).collect();
    let outcomes = allocate(&demands, &mut after);
    Ok(Reservation { outcomes, before, after, holds, versions })
}

/// The rows that make promises true. The first of them guard the levels: each must change exactly one row,
/// or the transaction starts over.
///
/// `orders` names the order of each placement, in their order; none where it was refused.
pub(crate) fn reserve_rows(
    system: &System,
    ctx: &Context,
    reservation: &Reservation,
    orders: &[Option<OrderId>],
    now: Timestamp,
) -> (Vec<Bound>, Vec<Bound>) {
    let (mut guards, mut rows) = (Vec::new(), Vec::new());
    for before in &reservation.before {
        let same = |level: &&Level| {
            (level.variant_id, level.location_id) == (before.variant_id, before.location_id)
        };
        let Some(after) = reservation.after.iter().find(same) else { continue };
        if after == before {
            continue;
        }
        guards.push(sql::CHANGE_LEVEL.bind(values![
            ctx.tenant_id,
            after.variant_id,
            after.location_id,
            after.allocated - before.allocated,
            after.held - before.held,
            now,
        ]));
        let version =
            reservation.versions.get(&(after.variant_id, after.location_id)).copied().unwrap_or(0)
                + 1;
        rows.extend(crossing(system, ctx, before, after, version, now));
    }
    rows.extend(reservation.holds.iter().map(|hold| sql::delete_hold(ctx.tenant_id, hold)));
    for (outcome, order_id) in reservation.outcomes.iter().zip(orders) {
        let (Ok(allocations), Some(order_id)) = (outcome, order_id) else { continue };
        for allocation in allocations {
            rows.push(INSERT_ALLOCATION.bind(values![
                ctx.tenant_id,
                *order_id,
                allocation.line_id,
                allocation.variant_id,
                allocation.location_id,
                allocation.quantity,
                allocation.backordered,
            ]));
            let movement = Movement {
                tenant_id: ctx.tenant_id,
                variant_id: allocation.variant_id,
                location_id: allocation.location_id,
                kind: MovementKind::Allocation,
                on_hand_delta: 0,
                allocated_delta: allocation.quantity,
                order_id: Some(*order_id),
                reason: None,
            };
            rows.push(movement.append(system, now));
        }
    }
    (guards, rows)
}

/// The event of a level that ran out or has some again; nothing in between.
pub(super) fn crossing(
    system: &System,
    ctx: &Context,
    before: &Level,
    after: &Level,
    version: i64,
    now: Timestamp,
) -> Vec<Bound> {
    let change = match (before.available() > 0, after.available() > 0) {
        (true, false) => StockChange::OutOfStock,
        (false, true) => StockChange::BackInStock,
        _ => return Vec::new(),
    };
    let event = Event::Stock(StockEvent {
        variant_id: after.variant_id,
        location_id: Some(after.location_id),
        change,
    });
    journal::record(system, ctx, &event, version, now).into()
}

/// Gives back all that an order was promised and has not shipped.
pub(crate) async fn release_order(
    tx: &mut Transaction<'_>,
    system: &System,
    ctx: &Context,
    order_id: OrderId,
    now: Timestamp,
) -> Result<(), Error> {
    let promised = promised(tx, ctx.tenant_id, order_id).await?;
    take(tx, system, ctx, order_id, &promised, MovementKind::Release, now).await
}

/// Lets units of an order leave: from the places where they were promised.
pub(crate) async fn ship(
    tx: &mut Transaction<'_>,
    system: &System,
    ctx: &Context,
    order_id: OrderId,
    units: &[LineQuantity],
    now: Timestamp,
) -> Result<(), Error> {
    let mut promised = promised(tx, ctx.tenant_id, order_id).await?;
    let mut leaving = Vec::new();
    for unit in units {
        let mut left = unit.quantity;
        let of_line = promised.iter_mut().filter(|allocation| allocation.line_id == unit.line_id);
        for allocation in of_line {
            let quantity = left.min(allocation.quantity);
            left -= quantity;
            allocation.quantity -= quantity;
            leaving.push(Promise { quantity, ..*allocation });
        }
    }
    take(tx, system, ctx, order_id, &leaving, MovementKind::Shipment, now).await
}

#[derive(Clone, Copy)]
struct Promise {
    line_id: LineId,
    variant_id: VariantId,
    location_id: LocationId,
    quantity: i64,
}

async fn promised(
    tx: &mut Transaction<'_>,
    tenant_id: TenantId,
    order_id: OrderId,
) -> Result<Vec<Promise>, StoreError> {
    let rows = tx.rows(ALLOCATIONS.bind(values![tenant_id, order_id])).await?;
    let read = |row: &handel_store::Row| {
        Ok(Promise {
            line_id: row.get(0)?,
            variant_id: row.get(1)?,
            location_id: row.get(2)?,
            quantity: row.get(3)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Ends promises: back to the shelf, or out of the door.
async fn take(
    tx: &mut Transaction<'_>,
    system: &System,
    ctx: &Context,
    order_id: OrderId,
    promises: &[Promise],
    kind: MovementKind,
    now: Timestamp,
) -> Result<(), Error> {
    let tenant_id = ctx.tenant_id;
    let mut by_level: BTreeMap<(VariantId, LocationId), i64> = BTreeMap::new();
    for promise in promises.iter().filter(|promise| promise.quantity > 0) {
        *by_level.entry((promise.variant_id, promise.location_id)).or_default() += promise.quantity;
    }
    if by_level.is_empty() {
        return Ok(());
    }
    let variants: Value = by_level.keys().map(|(variant_id, _)| *variant_id).collect();
    let rows = tx.rows(sql::LOCK_LEVELS.bind(values![tenant_id, variants])).await?;
    let leaves = kind == MovementKind::Shipment;
    let mut bounds = Vec::new();
    for row in &rows {
        let before = sql::read_level(row)?;
        let Some(quantity) = by_level.get(&(before.variant_id, before.location_id)).copied() else {
            continue;
        };
        let gone = if leaves { quantity } else { 0 };
        let after = Level {
            allocated: before.allocated - quantity,
            on_hand: before.on_hand - gone,
            ..before
        };
        if after.on_hand < 0 {
            let shortage = Shortage {
                variant_id: before.variant_id,
                requested: quantity,
                available: before.on_hand,
            };
            return Err(short(vec![shortage]).into());
        }
        bounds.push(TAKE_LEVEL.bind(values![
            tenant_id,
            before.variant_id,
            before.location_id,
            quantity,
            gone,
            now
        ]));
        bounds.extend(crossing(system, ctx, &before, &after, row.get::<i64>(8)? + 1, now));
    }
    for promise in promises.iter().filter(|promise| promise.quantity > 0) {
        bounds.extend(end_promise(system, ctx, order_id, promise, kind, now));
    }
    // Every statement concerns exactly one row; a promise that is gone was ended by somebody else.
    if tx.run_all(bounds).await?.iter().any(|changed| *changed != 1) {
        return Err(tx.restart().into());
    }
    Ok(())
}

/// The rows of one promise that ends, each of which must change one.
fn end_promise(
    system: &System,
    ctx: &Context,
    order_id: OrderId,
    promise: &Promise,
    kind: MovementKind,
    now: Timestamp,
) -> [Bound; 2] {
    let take = TAKE_ALLOCATION.bind(values![
        ctx.tenant_id,
        order_id,
        promise.line_id,
        promise.location_id,
        promise.quantity,
    ]);
    let movement = Movement {
        tenant_id: ctx.tenant_id,
        variant_id: promise.variant_id,
        location_id: promise.location_id,
        kind,
        on_hand_delta: if kind == MovementKind::Shipment { -promise.quantity } else { 0 },
        allocated_delta: -promise.quantity,
        order_id: Some(order_id),
        reason: None,
    };
    [take, movement.append(system, now)]
}

/// The refusal of a placement that lacks stock.
pub(crate) fn short(shortages: Vec<Shortage>) -> Refusal {
    let mut refusal = Refusal::new(handel_domain::Code::StockShort, "there is not enough in stock");
    refusal.details.shortages = shortages;
    refusal
}
