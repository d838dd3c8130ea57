//! What lies where, and how it moved.

use handel_domain::{
    id::{LocationId, MovementKind, OrderId, VariantId},
    stock::Level,
};
use handel_store::{Row, StoreError, Transaction, Value, statements, values};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::sql;
use crate::{Context, Engine, Error, Page, Scope};

statements! {
    MOVEMENTS = "
        select id, location_id, kind, on_hand_delta, allocated_delta, order_id, reason, occurred_at
          from stock_movements
         where tenant_id = $1 and variant_id = $2 and id < $3 order by id desc limit $4";
}

/// The stock of a variant at a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockView {
    /// The numbers.
    pub level: Level,
    /// How many can be bought; none where that has no limit.
    pub available: Option<i64>,
}

impl From<Level> for StockView {
    fn from(level: Level) -> Self {
        Self { level, available: Some(level.available()).filter(|available| *available < i64::MAX) }
    }
}

/// A row of the stock ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovementEntry {
    /// Identity.
    pub id: handel_domain::Id<MovementKind>,
    /// Where.
    pub location_id: LocationId,
    /// `adjustment`, `allocation`, `release` or `shipment`.
    pub kind: String,
    /// By how many what is on hand changed.
    pub on_hand_delta: i64,
    /// By how many what is promised changed.
    pub allocated_delta: i64,
    /// The order that caused it.
    pub order_id: Option<OrderId>,
    /// What staff said.
    pub reason: Option<String>,
    /// When.
    pub occurred_at: Timestamp,
}

impl Engine {
    /// The stock of a variant at every location.
    pub async fn get_stock(
        &self,
        ctx: &Context,
        variant_id: VariantId,
    ) -> Result<Vec<StockView>, Error> {
        ctx.require(Scope::StockRead)?;
        let (tenant_id, system) = (ctx.tenant_id, self.system().clone());
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let ids: Value = [variant_id].into_iter().collect();
                let rows = tx.rows(sql::levels_of(tenant_id, ids)).await?;
                let levels = sql::read_levels(tx, tenant_id, &rows, None, system.now()).await?;
                Ok::<_, Error>(levels.into_iter().map(StockView::from).collect())
            })
            .await
    }

    /// How the stock of a variant moved, newest first.
    pub async fn list_movements(
        &self,
        ctx: &Context,
        variant_id: VariantId,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Page<MovementEntry>, Error> {
        ctx.require(Scope::StockRead)?;
        let tenant_id = ctx.tenant_id;
        self.page(
            &format!("movements {variant_id}"),
            cursor,
            limit,
            move |after, count| MOVEMENTS.bind(values![tenant_id, variant_id, after, count]),
            read,
        )
        .await
    }
}

fn read(row: &Row) -> Result<MovementEntry, StoreError> {
    Ok(MovementEntry {
        id: row.get(0)?,
        location_id: row.get(1)?,
        kind: row.get(2)?,
        on_hand_delta: row.get(3)?,
        allocated_delta: row.get(4)?,
        order_id: row.get(5)?,
        reason: row.get(6)?,
        occurred_at: row.get(7)?,
    })
}
