//! Staff pack, ship and deliver orders.

use handel_domain::{
    event::OrderChange,
    id::OrderId,
    order::{LineQuantity, Order, Tracking},
};
use handel_store::Transaction;
use jiff::Timestamp;

use super::{sql, unknown};
use crate::{Context, Engine, Error, Once, Scope, journal, stock};

/// What leaves the warehouse together.
#[derive(Clone, Debug, Default)]
pub struct Parcel {
    /// The units; all that is open where none is named.
    pub units: Vec<LineQuantity>,
    /// How its buyer follows it.
    pub tracking: Tracking,
}

impl Engine {
    /// Somebody starts to pack an order.
    pub async fn pack_order(
        &self,
        ctx: &Context,
        id: OrderId,
        expected: Option<i64>,
    ) -> Result<Once<Order>, Error> {
        self.step(ctx, id, expected, async |_, _, order, now| Ok(order.pack(now)?)).await
    }

    /// Units of an order leave the warehouse, and its stock; all that is open where none is named.
    pub async fn ship_order(
        &self,
        ctx: &Context,
        id: OrderId,
        parcel: Parcel,
        expected: Option<i64>,
    ) -> Result<Once<Order>, Error> {
        let Parcel { units, tracking } = parcel;
        let (system, tracking) = (self.system().clone(), tracking.checked()?);
        self.step(ctx, id, expected, async move |tx, ctx, order, now| {
            let (change, left) = order.ship(&units, tracking.clone(), now)?;
            stock::ship(tx, &system, ctx, order.id, &left, now).await?;
            Ok(change)
        })
        .await
    }

    /// An order has arrived.
    pub async fn deliver_order(
        &self,
        ctx: &Context,
        id: OrderId,
        expected: Option<i64>,
    ) -> Result<Once<Order>, Error> {
        self.step(ctx, id, expected, async |_, _, order, now| Ok(order.deliver(now)?)).await
    }

    /// One step of an order: locked, checked against the version that the caller saw, decided, saved with
    /// its event.
    async fn step<F>(
        &self,
        ctx: &Context,
        id: OrderId,
        expected: Option<i64>,
        step: F,
    ) -> Result<Once<Order>, Error>
    where
        F: for<'a, 'b, 'c, 'd> AsyncFn(
                &'a mut Transaction<'b>,
                &'c Context,
                &'d mut Order,
                Timestamp,
            ) -> Result<OrderChange, Error>
            + Send
            + Sync
            + 'static,
    {
        ctx.require(Scope::OrdersWrite)?;
        let (system, context) = (self.system().clone(), ctx.clone());
        self.write_once(ctx, async move |tx, now| {
            let mut order = sql::lock(tx, context.tenant_id, id).await?.ok_or_else(unknown)?;
            crate::check_version(order.version, expected)?;
            let change = step(tx, &context, &mut order, now).await?;
            let events = journal::record_order(&system, &context, &mut order, vec![change], now);
            let mut bounds = vec![sql::update(&mut order)];
            bounds.extend(sql::update_lines(&order));
            bounds.extend(events);
            if tx.run_all(bounds).await?.first() != Some(&1) {
                return Err(tx.restart().into());
            }
            Ok(order)
        })
        .await
    }
}
