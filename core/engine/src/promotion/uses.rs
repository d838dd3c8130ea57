//! Which orders use which promotions. The count is in the row of the promotion, where its limit guards it.

use std::collections::BTreeMap;

use handel_domain::{
    id::{PromotionId, TenantId},
    order::Order,
    promotion::customer_of,
};
use handel_store::{Bound, Transaction, statements, values};

use crate::Error;

statements! {
    USE = "
        update promotions set used = used + $3
         where tenant_id = $1 and id = $2 and (usage_limit is null or used + $3 <= usage_limit)";
    /// Comes after the row of the promotion is locked, so nobody else counts at the same time.
    INSERT_USE = "
        insert into promotion_uses (tenant_id, promotion_id, customer, order_id)
        select p.tenant_id, p.id, $3, $4 from promotions p
         where p.tenant_id = $1 and p.id = $2
           and (p.customer_limit is null
                or p.customer_limit > (select count(*) from promotion_uses u
                                        where u.tenant_id = $1 and u.promotion_id = $2 and u.customer = $3))";
    RELEASE = "
        delete from promotion_uses where tenant_id = $1 and promotion_id = $2 and customer = $3 and order_id = $4";
    GIVE_BACK = "
        update promotions set used = used - 1 where tenant_id = $1 and id = $2 and used > 0";
}

/// The uses of a batch of new orders.
#[derive(Default)]
pub(crate) struct Uses {
    counts: BTreeMap<PromotionId, i64>,
    rows: Vec<Bound>,
}

impl Uses {
    /// Adds what an order uses.
    pub(crate) fn add(&mut self, order: &Order) {
        let customer = customer_of(&order.email);
        for discount in &order.discounts {
            *self.counts.entry(discount.promotion_id).or_default() += 1;
            self.rows.push(INSERT_USE.bind(values![
                order.tenant_id,
                discount.promotion_id,
                &customer,
                order.id,
            ]));
        }
    }

    /// The rows that make the uses true, after those of the orders. Each must change exactly one, or the
    /// transaction starts over.
    pub(crate) fn bounds(self, tenant_id: TenantId) -> Vec<Bound> {
        let count = |(id, count)| USE.bind(values![tenant_id, id, count]);
        self.counts.into_iter().map(count).chain(self.rows).collect()
    }
}

/// Gives back what a canceled order used. Comes before its stock, as in the placement of orders.
pub(crate) async fn release(tx: &mut Transaction<'_>, order: &Order) -> Result<(), Error> {
    let mut used: Vec<_> = order.discounts.iter().map(|discount| discount.promotion_id).collect();
    used.sort_unstable();
    let customer = customer_of(&order.email);
    let both = |id| {
        [
            GIVE_BACK.bind(values![order.tenant_id, id]),
            RELEASE.bind(values![order.tenant_id, id, &customer, order.id]),
        ]
    };
    let bounds: Vec<_> = used.into_iter().flat_map(both).collect();
    if bounds.is_empty() {
        return Ok(());
    }
    if tx.run_all(bounds).await?.iter().any(|changed| *changed != 1) {
        return Err(tx.restart().into());
    }
    Ok(())
}
