//! Orders.

use handel_domain::id::OrderId;

use super::{Stop, Work};
use crate::{Answer, neutral::order::Order};

impl Work<'_> {
    /// An order that was bought through the program that asks. Its id cannot be guessed, and belongs to the profile by
    /// which it was bought.
    pub(super) async fn get_order(&self) -> Result<Answer, Stop> {
        let id: OrderId = self.id()?;
        let engine = self.ucp.engine();
        let story = engine.order_story(&self.ctx, id, None).await.map_err(|e| self.stop(e))?;
        let token = engine.order_token(story.details.order.tenant_id, id);
        let order = Order::new(&story, &token, self.ucp.public_url());
        let order = order.map_err(|refusal| self.stop(refusal.into()))?;
        let body = self.codec.order(&order, self.agreement);
        Ok(Answer::Resource { created: false, body })
    }
}
