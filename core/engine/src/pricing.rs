//! What a basket costs at this moment: everything that decides it, read in one round trip.

use handel_domain::{
    cart::CartLine,
    channel::Settings,
    checkout::{Buyer, Offers, Quote},
    id::{CartId, TenantId, VariantId},
};
use handel_store::{StoreError, Transaction};
use jiff::Timestamp;

use crate::{
    Error, catalog,
    channel::Market,
    promotion::{Asked, Known},
};

/// What the shop says of some variants and codes at one moment.
#[derive(Default)]
pub(crate) struct Prices {
    /// The variants.
    pub(crate) offers: Offers,
    /// The promotions.
    pub(crate) known: Known,
}

/// What somebody means to buy.
#[derive(Clone, Copy)]
pub(crate) struct Purchase<'a> {
    /// The goods.
    pub(crate) lines: &'a [CartLine],
    /// The codes that the buyer gave.
    pub(crate) codes: &'a [String],
    /// What the buyer said.
    pub(crate) buyer: &'a Buyer,
}

impl Prices {
    /// Reads what a purchase of these variants needs. What the cart `own` holds, it can buy.
    pub(crate) async fn read(
        tx: &mut Transaction<'_>,
        tenant_id: TenantId,
        market: &Market,
        variants: &[VariantId],
        purchase: Purchase<'_>,
        own: CartId,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        if variants.is_empty() && purchase.codes.is_empty() {
            return Ok(Self::default());
        }
        let mut asked = Asked::default();
        asked.add(market, purchase.codes, purchase.buyer.email.as_ref());
        let (currency, others) = (market.channel.settings.currency, asked.bounds(tenant_id));
        let (offers, rows) =
            catalog::offers(tx, tenant_id, variants, currency, Some(own), now, others).await?;
        Ok(Self { offers, known: Known::read(&rows)? })
    }

    /// What a purchase costs.
    pub(crate) fn quote(
        &self,
        purchase: Purchase<'_>,
        market: &Market,
        now: Timestamp,
    ) -> Result<Quote, Error> {
        let settings: &Settings = &market.channel.settings;
        let Purchase { lines, codes, buyer } = purchase;
        let deals = self.known.deals(market, codes, buyer.email.as_ref(), now);
        Ok(Quote::compute(lines, &self.offers, buyer, settings, &deals)?)
    }
}
