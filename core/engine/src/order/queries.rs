//! What customers and staff see of orders.

use handel_domain::{
    Currency,
    id::{OrderId, RequestId},
    order::{FulfillmentStatus, Order, Status},
    text::Email,
};
use handel_store::{Json, Row, StoreError, Transaction, statements, values};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{sql, unknown};
use crate::{Completion, Context, Engine, Error, Page, PaymentSummary, Scope, context::Caller};

statements! {
    LIST = "
        select id, number, status, email, currency, total_minor, placed_at, updated_at
          from orders where tenant_id = $1 and id < $2 order by id desc limit $3";
    LIST_BY_STATUS = "
        select id, number, status, email, currency, total_minor, placed_at, updated_at
          from orders where tenant_id = $1 and status = $4 and id < $2 order by id desc limit $3";
    LIST_BY_EMAIL = "
        select id, number, status, email, currency, total_minor, placed_at, updated_at
          from orders where tenant_id = $1 and email = $4 and id < $2 order by id desc limit $3";
    ID_BY_NUMBER = "select id from orders where tenant_id = $1 and number = $2";
    HISTORY = "
        select id, name, actor, request_id, payload, occurred_at
          from events where tenant_id = $1 and aggregate = $2 and id < $3 order by id desc limit $4";
}

/// Which orders.
#[derive(Clone, Debug, Default)]
pub struct ListOrders {
    /// Only those with this status.
    pub status: Option<Status>,
    /// Only those of this buyer.
    pub email: Option<Email>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// How many at most; 1 to 100.
    pub limit: u32,
}

/// An order in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSummary {
    /// Identity.
    pub id: OrderId,
    /// The number that people read.
    pub number: i64,
    /// How far it has come.
    pub status: Status,
    /// Where the receipt went.
    pub email: Email,
    /// The currency.
    pub currency: Currency,
    /// What the buyer pays, in minor units.
    pub total_minor: i64,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// An order with its money and parcels.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OrderDetails {
    /// The order.
    pub order: Order,
    /// Its payment; none where nothing is owed.
    pub payment: Option<PaymentSummary>,
    /// Where its parcels are.
    pub fulfillment_status: FulfillmentStatus,
}

/// What happened, and who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Identity.
    pub id: handel_domain::id::EventId,
    /// What happened.
    pub action: String,
    /// Who did it.
    pub actor: String,
    /// In which request.
    pub request_id: Option<RequestId>,
    /// What exactly.
    pub detail: serde_json::Value,
    /// When.
    pub occurred_at: Timestamp,
}

impl Engine {
    /// Every order of the shop, newest first, for staff.
    pub async fn list_orders(
        &self,
        ctx: &Context,
        list: ListOrders,
    ) -> Result<Page<OrderSummary>, Error> {
        ctx.require(Scope::OrdersRead)?;
        let tenant_id = ctx.tenant_id;
        let status = list.status.map(|status| status.as_str().to_owned());
        let name = format!(
            "orders {} {}",
            status.as_deref().unwrap_or("*"),
            list.email.as_ref().map_or("*", Email::as_str)
        );
        if list.status.is_some() && list.email.is_some() {
            let message = "cannot be combined with /email";
            return Err(handel_domain::Refusal::field("/status", message).into());
        }
        let bind = move |after: String, count: i64| match (&status, &list.email) {
            (Some(status), _) => LIST_BY_STATUS.bind(values![tenant_id, after, count, status]),
            (None, Some(email)) => LIST_BY_EMAIL.bind(values![tenant_id, after, count, email]),
            (None, None) => LIST.bind(values![tenant_id, after, count]),
        };
        self.page(&name, list.cursor, list.limit, bind, read_summary).await
    }

    /// An order: for its buyer by token or by the cart it came from, for the program that opened its checkout, for
    /// staff by scope.
    pub async fn get_order(
        &self,
        ctx: &Context,
        id: OrderId,
        token: Option<String>,
    ) -> Result<OrderDetails, Error> {
        let (engine, ctx) = (self.clone(), ctx.clone());
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                engine.order_details(tx, &ctx, id, token.as_deref()).await
            })
            .await
    }

    /// The same in a transaction.
    pub(super) async fn order_details(
        &self,
        tx: &mut Transaction<'_>,
        ctx: &Context,
        id: OrderId,
        token: Option<&str>,
    ) -> Result<OrderDetails, Error> {
        let tenant_id = ctx.tenant_id;
        let opened = token.is_some_and(|token| self.opens_order(tenant_id, id, token));
        let Completion { order, payment, .. } = self.completion(tx, tenant_id, id).await?;
        let own = match &ctx.caller {
            Caller::Shopper(Some(cart_id)) => *cart_id == order.cart_id,
            _ => ctx.is_agent(order.agent()),
        };
        if !(opened || own || ctx.allows(Scope::OrdersRead)) {
            return Err(unknown().into());
        }
        let fulfillment_status = order.fulfillment_status();
        Ok(OrderDetails { order, payment, fulfillment_status })
    }

    /// The order that became of a cart: for the shopper who holds its token.
    pub async fn list_own_orders(&self, ctx: &Context) -> Result<Vec<OrderDetails>, Error> {
        let Caller::Shopper(Some(cart_id)) = ctx.caller else {
            return Ok(Vec::new());
        };
        let (engine, tenant_id) = (self.clone(), ctx.tenant_id);
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let checkout = crate::checkout::sql::find_of_cart(tx, tenant_id, cart_id).await?;
                let Some(id) = checkout.and_then(|checkout| checkout.order_id) else {
                    return Ok(Vec::new());
                };
                let Completion { order, payment, .. } =
                    engine.completion(tx, tenant_id, id).await?;
                let fulfillment_status = order.fulfillment_status();
                Ok::<_, Error>(vec![OrderDetails { order, payment, fulfillment_status }])
            })
            .await
    }

    /// The id of an order by the number that people read.
    pub async fn order_id_by_number(&self, ctx: &Context, number: i64) -> Result<OrderId, Error> {
        ctx.require(Scope::OrdersRead)?;
        let tenant_id = ctx.tenant_id;
        self.database()
            .read(async move |tx: &mut Transaction<'_>| {
                let row = tx.row(ID_BY_NUMBER.bind(values![tenant_id, number])).await?;
                Ok::<_, Error>(row.ok_or_else(unknown)?.get(0)?)
            })
            .await
    }

    /// What happened to an order, and who did it, newest first.
    pub async fn order_history(
        &self,
        ctx: &Context,
        id: OrderId,
        cursor: Option<String>,
        limit: u32,
    ) -> Result<Page<AuditEntry>, Error> {
        ctx.require(Scope::OrdersRead)?;
        let (tenant_id, subject) = (ctx.tenant_id, id.to_string());
        let bind = move |after: String, count: i64| {
            HISTORY.bind(values![tenant_id, &subject, after, count])
        };
        self.page(&format!("history {id}"), cursor, limit, bind, read_entry).await
    }
}

fn read_summary(row: &Row) -> Result<OrderSummary, StoreError> {
    Ok(OrderSummary {
        id: row.get(0)?,
        number: row.get(1)?,
        status: sql::read_status(row, 2)?,
        email: row.get(3)?,
        currency: row.get(4)?,
        total_minor: row.get(5)?,
        placed_at: row.get(6)?,
        updated_at: row.get(7)?,
    })
}

fn read_entry(row: &Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        id: row.get(0)?,
        action: row.get(1)?,
        actor: row.get(2)?,
        request_id: row.get(3)?,
        detail: row.get(4).map(|Json(detail)| detail)?,
        occurred_at: row.get(5)?,
    })
}
