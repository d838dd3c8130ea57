//! Loads what baskets need to know of promotions, together with their offers.
//!
//! The promotions of a channel that need no code are remembered with it. What is left to be read are those that
//! a code asks for, and how often limited ones were used; where there are neither, nothing is read.

use std::collections::{BTreeSet, HashMap};

use handel_domain::{
    id::{PromotionId, TenantId},
    promotion::{AppliedDiscount, Candidate, CouponCode, Deals, Promotion, customer_of},
    text::Email,
};
use handel_store::{Bound, Row, StoreError, Value, statements, values};
use jiff::Timestamp;

use super::sql::read;
use crate::channel::Market;

statements! {
    /// Whoever places an order locks every promotion that it may use, before its stock.
    LOCK_USED for update = "
        select id, used from promotions
         where tenant_id = $1
           and (id in list($2)
                or id in (select promotion_id from promotion_codes where tenant_id = $1 and code in list($3)))
         order by id";
    USED = "select id, used from promotions where tenant_id = $1 and id in list($2)";
    BY_CODE = "
        select c.code, p.id, p.rules, p.automatic, p.version, p.created_at, p.updated_at, p.used
          from promotion_codes c
          join promotions p on p.tenant_id = c.tenant_id and p.id = c.promotion_id
         where c.tenant_id = $1 and c.code in list($2)";
    USED_BY = "
        select u.promotion_id, u.customer, count(*)
          from promotion_uses u
         where u.tenant_id = $1 and u.customer in list($4)
           and u.promotion_id in (
               select id from promotions where tenant_id = $1 and id in list($2) and customer_limit is not null
               union select p.id from promotion_codes c
                       join promotions p on p.tenant_id = c.tenant_id and p.id = c.promotion_id
                      where c.tenant_id = $1 and c.code in list($3) and p.customer_limit is not null)
         group by u.promotion_id, u.customer";
}

/// What some baskets need to know.
#[derive(Default)]
pub(crate) struct Asked {
    is_order: bool,
    automatic: BTreeSet<PromotionId>,
    codes: BTreeSet<CouponCode>,
    customers: BTreeSet<String>,
}

impl Asked {
    /// For baskets that become orders: the promotions are locked, and nobody else uses them meanwhile.
    pub(crate) fn for_orders() -> Self {
        Self { is_order: true, ..Self::default() }
    }

    /// Adds a basket.
    pub(crate) fn add(&mut self, market: &Market, codes: &[String], email: Option<&Email>) {
        let is_counted = |promotion: &&Promotion| self.is_order || promotion.rules.is_limited();
        self.automatic.extend(market.automatic.iter().filter(is_counted).map(|one| one.id));
        self.codes.extend(codes.iter().map(|code| CouponCode::meant_by(code)));
        self.customers.extend(email.map(customer_of));
    }

    /// The statements that find it out, for [`Known::read`]: none about codes where nobody gave one.
    pub(crate) fn bounds(&self, tenant_id: TenantId) -> Vec<Bound> {
        if self.automatic.is_empty() && self.codes.is_empty() {
            return Vec::new();
        }
        let codes: Vec<String> = self.codes.iter().map(|code| code.as_str().to_owned()).collect();
        let (ids, codes): (Value, Value) = (self.automatic.iter().copied().collect(), codes.into());
        let customers: Value = self.customers.iter().cloned().collect::<Vec<_>>().into();
        let used = match self.is_order {
            true => LOCK_USED.bind(values![tenant_id, ids.clone(), codes.clone()]),
            false => USED.bind(values![tenant_id, ids.clone()]),
        };
        let used_by = USED_BY.bind(values![tenant_id, ids, codes.clone(), customers]);
        let by_code = (!self.codes.is_empty()).then(|| BY_CODE.bind(values![tenant_id, codes]));
        [used, used_by].into_iter().chain(by_code).collect()
    }
}

/// What is known of promotions besides what channels remember.
#[derive(Default)]
pub(crate) struct Known {
    by_code: HashMap<String, Promotion>,
    used: HashMap<PromotionId, i64>,
    used_by: HashMap<(PromotionId, String), i64>,
}

impl Known {
    /// Understands the results of [`Asked::bounds`].
    pub(crate) fn read(results: &[Vec<Row>]) -> Result<Self, StoreError> {
        let mut known = Self::default();
        let [used, used_by, by_code @ ..] = results else { return Ok(known) };
        for row in used {
            known.used.insert(row.get(0)?, row.get(1)?);
        }
        for row in by_code.iter().flatten() {
            let promotion = read(row, 1)?;
            known.used.insert(promotion.id, row.get(7)?);
            known.by_code.insert(row.get(0)?, promotion);
        }
        for row in used_by {
            known.used_by.insert((row.get(0)?, row.get(1)?), row.get(2)?);
        }
        Ok(known)
    }

    /// What it means for a basket.
    pub(crate) fn deals<'a>(
        &'a self,
        market: &'a Market,
        codes: &'a [String],
        email: Option<&Email>,
        now: Timestamp,
    ) -> Deals<'a> {
        // Most promotions have no limit for each buyer, and then there is nobody to look for.
        let customer = email.filter(|_| !self.used_by.is_empty()).map(customer_of);
        let candidate = |promotion: &'a Promotion, code| {
            let used_by_customer = customer
                .as_ref()
                .and_then(|customer| self.used_by.get(&(promotion.id, customer.clone())))
                .copied();
            Candidate {
                promotion,
                code,
                used: self.used.get(&promotion.id).copied().unwrap_or(0),
                used_by_customer: used_by_customer.unwrap_or(0),
            }
        };
        let automatic = market.automatic.iter().map(|promotion| candidate(promotion, None));
        let meant: BTreeSet<CouponCode> =
            codes.iter().map(|code| CouponCode::meant_by(code)).collect();
        let by_code = meant.iter().filter_map(|code| {
            let (code, promotion) = self.by_code.get_key_value(code.as_str())?;
            Some(candidate(promotion, Some(code.as_str())))
        });
        let candidates = automatic.chain(by_code).collect();
        Deals { now, channel_id: market.channel.id, codes, candidates }
    }

    /// An order of the same batch uses promotions: for whoever comes after it there is one use less.
    pub(crate) fn take(&mut self, discounts: &[AppliedDiscount], email: Option<&Email>) {
        for discount in discounts {
            *self.used.entry(discount.promotion_id).or_default() += 1;
            if let Some(email) = email {
                *self.used_by.entry((discount.promotion_id, customer_of(email))).or_default() += 1;
            }
        }
    }

    /// For what became an order: it has its uses, and what is left for others does not concern it.
    pub(crate) fn forget_uses(&mut self) {
        self.used.clear();
        self.used_by.clear();
    }
}
