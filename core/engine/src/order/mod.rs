//! Orders.

mod fulfill;
mod place;
mod queries;
mod queue;
pub(crate) mod sql;
mod story;
mod terminate;

use handel_domain::{
    Code, Refusal,
    id::{OrderId, TenantId},
};
use handel_store::Transaction;

pub use fulfill::Parcel;
pub(crate) use place::{Placed, Ticket, new_attempt};
pub use queries::{AuditEntry, ListOrders, OrderDetails, OrderSummary};
pub(crate) use queue::{Queue, start_placing};
pub use story::{OrderStory, RefundEntry, StoryEvent};
pub(crate) use terminate::Ending;

use crate::{Completion, Engine, Error, PaymentSummary, payment};

/// The refusal of an order that is not there, or not the caller's.
pub(crate) fn unknown() -> Refusal {
    Refusal::new(Code::OrderUnknown, "there is no such order")
}

impl Engine {
    /// An order with its payment and the token by which a guest sees it.
    pub(crate) async fn completion(
        &self,
        tx: &mut Transaction<'_>,
        tenant_id: TenantId,
        id: OrderId,
    ) -> Result<Completion, Error> {
        let order = sql::find(tx, tenant_id, id).await?.ok_or_else(unknown)?;
        let payment = payment::sql::of_order(tx, tenant_id, id).await?;
        let payment = payment.map(|(payment, attempt)| PaymentSummary::new(payment, attempt));
        Ok(Completion {
            order_token: self.0.signer.order_token(tenant_id, id),
            order,
            payment,
            ordered_before: false,
        })
    }

    /// Whether a token gives a guest access to an order.
    pub(crate) fn opens_order(&self, tenant_id: TenantId, id: OrderId, token: &str) -> bool {
        self.0.signer.opens_order(tenant_id, id, token)
    }

    /// The token by which a guest sees an order. Whoever shows it must know that the order is theirs.
    pub fn order_token(&self, tenant_id: TenantId, id: OrderId) -> String {
        self.0.signer.order_token(tenant_id, id)
    }
}
