//! Checkouts: a cart on its way to becoming an order.

mod agreement;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::agreement::check_total;
pub use crate::buyer::{Buyer, Consent, DESTINATIONS_MAX, Destination, WithPayment};
use crate::{
    cart::{Cart, CartLine},
    channel::Settings,
    id::{CartId, ChannelId, CheckoutId, OrderId, ProductId, VariantId},
    money::{Currency, Money},
    origin::Origin,
    promotion::{self, AppliedDiscount, Deals, Outcome, RejectedCode, Rejection},
    refusal::{Code, FieldError, Refusal, Shortage},
    stock::Demand,
    text::{Sku, Slug},
    totals::{self, LineInput, ShippingInput, Totals},
};

/// Where a checkout stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckoutStatus {
    /// It can be changed and completed.
    Open,
    /// It became an order.
    Completed,
    /// The buyer gave up.
    Canceled,
}

impl CheckoutStatus {
    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }
}

/// A checkout as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    /// Identity.
    pub id: CheckoutId,
    /// The cart that it was made from.
    pub cart_id: CartId,
    /// The version of the cart that the lines were copied from.
    pub cart_version: i64,
    /// The channel whose rules hold.
    pub channel_id: ChannelId,
    /// Where it stands.
    pub status: CheckoutStatus,
    /// What is bought.
    pub lines: Vec<CartLine>,
    /// The codes that the buyer entered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// What the buyer said.
    pub buyer: Buyer,
    /// The program that opened it; none where a shopper did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The order that it became.
    pub order_id: Option<OrderId>,
    /// The total of the latest answer to its owner; `None` before the first one. Only this total is charged where a
    /// completion names none. It is no part of what the version counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown_total: Option<Money>,
    /// Grows with every change.
    pub version: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it ends if nothing happens.
    pub expires_at: Timestamp,
}

/// What the catalog says of a variant at this moment, in one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The variant.
    pub variant_id: VariantId,
    /// Its product.
    pub product_id: ProductId,
    /// The product's name on the web.
    pub slug: Slug,
    /// The merchant's own name of the variant.
    pub sku: Sku,
    /// What shoppers read of the product.
    pub title: String,
    /// What shoppers read of the variant.
    pub variant_title: String,
    /// Its picture.
    pub image_url: Option<String>,
    /// The tax class.
    pub tax_class: String,
    /// The price of one, in minor units of the channel's currency; none where it is not for sale.
    pub unit_price_minor: Option<i64>,
    /// Weight of one, in grams.
    pub weight_grams: i64,
    /// Whether it is sent by post.
    pub requires_shipping: bool,
    /// Whether stock is counted.
    pub tracked: bool,
    /// How many can be bought now; none where that has no limit.
    pub available: Option<i64>,
}

/// The offers that a cart or checkout needs, by variant.
pub type Offers = HashMap<VariantId, Offer>;

/// What is wrong with a line at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LineProblem {
    /// The variant is no longer for sale here.
    NotForSale,
    /// Fewer are available than the cart holds.
    StockShort {
        /// How many there are.
        available: i64,
    },
    /// The price changed since the line was added.
    PriceChanged {
        /// What it was then, in minor units.
        before_minor: i64,
    },
}

impl LineProblem {
    /// What is wrong with a line that asks for so many, for a person.
    pub fn text(self, requested: i64) -> String {
        match self {
            Self::NotForSale => "this is no longer for sale; take it out of the basket".to_owned(),
            Self::StockShort { available } => {
                format!("{requested} are wanted, and {} are left", available.max(0))
            }
            Self::PriceChanged { .. } => {
                "the price changed since this was put into the basket".to_owned()
            }
        }
    }

    /// Whether not a single unit can be sold.
    fn is_hopeless(self) -> bool {
        match self {
            Self::NotForSale => true,
            Self::StockShort { available } => available <= 0,
            Self::PriceChanged { .. } => false,
        }
    }
}

/// A line with what it costs now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotedLine {
    /// The line.
    pub line: CartLine,
    /// What the catalog says; none where the variant is gone.
    pub offer: Option<Offer>,
    /// What the line costs; zero where it is not for sale.
    pub totals: totals::LineTotals,
    /// What is wrong with it.
    pub problems: Vec<LineProblem>,
}

/// What a basket costs at this moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The lines in their order.
    pub lines: Vec<QuotedLine>,
    /// The sums. Lines that are not for sale count nothing.
    pub totals: Totals,
    /// What promotions take off, as the totals say it line by line.
    #[serde(default)]
    pub discounts: Vec<AppliedDiscount>,
    /// The codes that do nothing at this moment.
    #[serde(default)]
    pub rejected_codes: Vec<RejectedCode>,
}

impl Quote {
    /// Prices lines with what the catalog says now. `buyer` decides tax and shipping, `deals` what is taken off.
    pub fn compute(
        lines: &[CartLine],
        offers: &Offers,
        buyer: &Buyer,
        settings: &Settings,
        deals: &Deals<'_>,
    ) -> Result<Self, Refusal> {
        let destination = buyer.taxed_at(settings);
        let priced = |line: &CartLine| {
            offers.get(&line.variant_id).and_then(|offer| Some((offer, offer.unit_price_minor?)))
        };
        let goods: Vec<_> =
            lines.iter().filter_map(|line| priced(line).map(|found| (line, found))).collect();
        let method = match needs_shipping(lines, offers) {
            true => buyer.chosen_method(settings)?,
            false => None,
        };
        let outcome = promotion::evaluate(&promotion::Input {
            lines: &goods.iter().map(promoted).collect::<Result<Vec<_>, _>>()?,
            shipping_minor: method.map(|method| method.amount_minor),
            country: buyer.shipping_address.as_ref().map(|address| address.country),
            currency: settings.currency,
            rounding: settings.tax.rounding,
            deals,
        })?;
        let off = outcome.by_line();
        let inputs: Vec<LineInput<'_>> = goods
            .iter()
            .map(|(line, (offer, unit_price_minor))| LineInput {
                quantity: line.quantity,
                unit_price_minor: *unit_price_minor,
                tax_class: &offer.tax_class,
                discount_minor: off.get(&Some(line.id)).copied().unwrap_or(0),
            })
            .collect();
        let shipping = method.map(|method| ShippingInput {
            amount_minor: method.amount_minor,
            tax_class: &method.tax_class,
            discount_minor: off.get(&None).copied().unwrap_or(0),
        });
        let totals = totals::compute(&totals::Input {
            lines: &inputs,
            shipping,
            policy: &settings.tax,
            destination: &destination,
        })?;
        let mut computed = totals.lines.iter();
        let quoted = lines
            .iter()
            .map(|line| QuotedLine {
                totals: priced(line).and_then(|_| computed.next().copied()).unwrap_or_default(),
                problems: problems(line, lines, offers.get(&line.variant_id)),
                offer: offers.get(&line.variant_id).cloned(),
                line: line.clone(),
            })
            .collect();
        let Outcome { discounts, rejected_codes } = outcome;
        Ok(Self { lines: quoted, totals, discounts, rejected_codes })
    }

    /// Whether something of it is sent by post.
    pub fn needs_shipping(&self) -> bool {
        self.lines
            .iter()
            .any(|line| line.offer.as_ref().is_some_and(|offer| offer.requires_shipping))
    }

    /// Refuses a basket of which nothing can be sold at this moment, naming each line as `/lines/N`. An empty one can
    /// still be filled.
    pub fn check_sellable(&self) -> Result<(), Refusal> {
        let stops = |line: &QuotedLine| line.problems.iter().copied().find(|it| it.is_hopeless());
        let stopped: Vec<_> =
            self.lines.iter().filter_map(|line| stops(line).map(|stop| (line, stop))).collect();
        if stopped.is_empty() || stopped.len() < self.lines.len() {
            return Ok(());
        }
        let mut refusal = Refusal::new(Code::VariantUnknown, "nothing of the basket is for sale");
        for (at, (QuotedLine { line, .. }, stop)) in stopped.into_iter().enumerate() {
            let (requested, variant_id) = (line.quantity, line.variant_id);
            if let LineProblem::StockShort { available } = stop {
                refusal.code = Code::StockShort;
                refusal.message = "there is not enough in stock".to_owned();
                refusal.details.shortages.push(Shortage { variant_id, requested, available });
            }
            let (pointer, message) = (format!("/lines/{at}"), stop.text(requested));
            refusal.details.errors.push(FieldError { pointer, message });
        }
        Err(refusal)
    }

    /// The stock that it needs.
    pub fn demand(&self) -> Vec<Demand> {
        let tracked =
            self.lines.iter().filter(|line| line.offer.as_ref().is_some_and(|offer| offer.tracked));
        tracked
            .map(|line| Demand {
                line_id: line.line.id,
                variant_id: line.line.variant_id,
                quantity: line.line.quantity,
            })
            .collect()
    }
}

/// A line that is for sale, as promotions see it.
fn promoted(
    (line, (offer, unit_price_minor)): &(&CartLine, (&Offer, i64)),
) -> Result<promotion::Line, Refusal> {
    Ok(promotion::Line {
        line_id: line.id,
        product_id: offer.product_id,
        variant_id: offer.variant_id,
        quantity: line.quantity,
        subtotal_minor: unit_price_minor
            .checked_mul(line.quantity)
            .ok_or_else(Refusal::overflow)?,
    })
}

fn needs_shipping(lines: &[CartLine], offers: &Offers) -> bool {
    lines
        .iter()
        .any(|line| offers.get(&line.variant_id).is_some_and(|offer| offer.requires_shipping))
}

fn problems(line: &CartLine, lines: &[CartLine], offer: Option<&Offer>) -> Vec<LineProblem> {
    let Some((offer, price)) = offer.and_then(|offer| Some((offer, offer.unit_price_minor?)))
    else {
        return vec![LineProblem::NotForSale];
    };
    let mut problems = Vec::new();
    let same = lines.iter().filter(|other| other.variant_id == line.variant_id);
    let wanted = same.fold(0i64, |sum, other| sum.saturating_add(other.quantity));
    if let Some(available) = offer.available.filter(|available| *available < wanted) {
        problems.push(LineProblem::StockShort { available });
    }
    if price != line.added_price_minor {
        problems.push(LineProblem::PriceChanged { before_minor: line.added_price_minor });
    }
    problems
}

impl Checkout {
    /// Starts a checkout from a cart.
    pub fn create(
        id: CheckoutId,
        cart: &Cart,
        buyer: Buyer,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let mut checkout = Self {
            id,
            cart_id: cart.id,
            cart_version: cart.version,
            channel_id: cart.channel_id,
            status: CheckoutStatus::Open,
            lines: Vec::new(),
            codes: Vec::new(),
            buyer: Buyer::default(),
            origin: None,
            order_id: None,
            shown_total: None,
            version: 1,
            created_at: now,
            updated_at: now,
            expires_at: now,
        };
        checkout.refresh(cart, settings, now)?;
        checkout.update(buyer, settings, now)?;
        Ok(checkout)
    }

    /// Takes over the lines and codes of the cart as they are now.
    pub fn refresh(
        &mut self,
        cart: &Cart,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        cart.check_open(now)?;
        if cart.lines.is_empty() {
            return Err(Refusal::new(Code::CartEmpty, "the cart is empty"));
        }
        self.lines.clone_from(&cart.lines);
        self.codes.clone_from(&cart.codes);
        self.cart_version = cart.version;
        self.touch(settings, now);
        Ok(())
    }

    /// Takes over what the buyer said; parts that are absent stay as they were.
    pub fn update(
        &mut self,
        buyer: Buyer,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.buyer.merge(buyer.checked(settings)?);
        self.touch(settings, now);
        Ok(())
    }

    /// Takes over what is said with the payment. It changes nothing that decides what is owed.
    pub fn add_with_payment(
        &mut self,
        said: WithPayment,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        self.buyer.add_with_payment(said, settings)
    }

    /// Leaves out a way of sending that is unknown, or does not go where the goods go. Says whether there was one.
    pub fn leave_out_unknown_method(&mut self, settings: &Settings) -> bool {
        let is_unknown = self.buyer.chosen_method(settings).is_err();
        if is_unknown {
            self.buyer.shipping_method = None;
        }
        is_unknown
    }

    /// Becomes what is said: the lines and codes of the cart, which was replaced just now, and the buyer.
    pub fn replace(
        &mut self,
        cart: &Cart,
        buyer: Buyer,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.check_open(now)?;
        let buyer = buyer.checked(settings)?;
        self.refresh(cart, settings, now)?;
        self.buyer.replace(buyer);
        Ok(())
    }

    /// The program that opened it, by its profile.
    pub fn agent(&self) -> Option<&str> {
        self.origin.as_ref()?.agent.as_deref()
    }

    /// Whether its time ran out before it became anything.
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.status == CheckoutStatus::Open && self.expires_at <= now
    }

    /// Refuses a checkout that ended.
    pub fn check_open(&self, now: Timestamp) -> Result<(), Refusal> {
        let ended = match self.status {
            CheckoutStatus::Open if !self.has_expired(now) => return Ok(()),
            CheckoutStatus::Open => "the checkout has expired; make a new one from the cart",
            CheckoutStatus::Completed => "the checkout became an order",
            CheckoutStatus::Canceled => "the checkout was canceled; make a new one from the cart",
        };
        let mut refusal = Refusal::new(Code::CheckoutClosed, ended);
        refusal.details.order_id = self.order_id;
        Err(refusal)
    }

    /// The checkout became an order. It is kept until `keep_until`, so that its buyer finds the order and
    /// may pay it as long as it waits.
    pub fn complete(&mut self, order_id: OrderId, keep_until: Timestamp, now: Timestamp) {
        assert_eq!(self.status, CheckoutStatus::Open, "only an open checkout becomes an order");
        self.status = CheckoutStatus::Completed;
        self.order_id = Some(order_id);
        self.updated_at = now;
        self.expires_at = keep_until.max(self.expires_at);
    }

    /// The buyer gave up. It can be looked at as long as an open one could.
    pub fn cancel(&mut self, settings: &Settings, now: Timestamp) {
        assert_eq!(self.status, CheckoutStatus::Open, "only an open checkout is canceled");
        self.status = CheckoutStatus::Canceled;
        self.touch(settings, now);
    }

    /// The order was canceled before it was paid: the buyer may try again.
    pub fn reopen(&mut self, settings: &Settings, now: Timestamp) {
        self.status = CheckoutStatus::Open;
        self.order_id = None;
        self.touch(settings, now);
    }

    /// What is still missing before it can be completed.
    pub fn missing(&self, quote: &Quote) -> Vec<FieldError> {
        let lacks = |pointer: &str, message: &str| FieldError {
            pointer: pointer.to_owned(),
            message: message.to_owned(),
        };
        let (buyer, mut missing) = (&self.buyer, Vec::new());
        if buyer.email.is_none() {
            missing.push(lacks("/email", "is needed for the receipt"));
        }
        if quote.needs_shipping() {
            match &buyer.shipping_address {
                Some(address) => missing.extend(address.missing("/shipping_address")),
                None => missing.push(lacks("/shipping_address", "is needed to send the goods")),
            }
            if buyer.shipping_method.is_none() {
                missing.push(lacks("/shipping_method", "is needed to send the goods"));
            }
        }
        for (at, line) in quote.lines.iter().enumerate() {
            if line.problems.contains(&LineProblem::NotForSale) {
                let gone = "is no longer for sale; remove it from the cart";
                missing.push(lacks(&format!("/lines/{at}"), gone));
            }
        }
        missing
    }

    /// Refuses to complete what is not complete, what relies on a code that others have used up, or what costs
    /// another total than the buyer agreed to; see [`Checkout::check_agreed`].
    pub fn check_complete(
        &self,
        quote: &Quote,
        currency: Currency,
        expected_total_minor: Option<i64>,
    ) -> Result<(), Refusal> {
        let missing = self.missing(quote);
        if !missing.is_empty() {
            let mut refusal = Refusal::new(
                Code::CheckoutIncomplete,
                "the checkout lacks what is needed to complete it",
            );
            refusal.details.errors = missing;
            return Err(refusal);
        }
        let total_minor = quote.totals.total_minor;
        let used_up = |rejected: &&RejectedCode| rejected.reason == Rejection::UsedUp;
        if let Some(rejected) = quote.rejected_codes.iter().find(used_up) {
            let message = format!(
                "the code {} was used as often as it may be; remove it to buy without",
                rejected.code
            );
            let mut refusal = Refusal::new(Code::PromotionUsedUp, message);
            refusal.details.total_minor = Some(total_minor);
            return Err(refusal);
        }
        self.check_agreed(Money::new(total_minor, currency), expected_total_minor)
    }

    fn touch(&mut self, settings: &Settings, now: Timestamp) {
        self.updated_at = now;
        self.expires_at = now + SignedDuration::from_millis(settings.checkout_ttl_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A checkout that lacks everything but a line.
    pub(super) fn open_checkout() -> Checkout {
        serde_json::from_str(
            r#"{"id": "chk_00000000000000000000000001", "cart_id": "cart_00000000000000000000000001",
                "cart_version": 1, "channel_id": "chn_00000000000000000000000001", "status": "open", "lines": [],
                "buyer": {}, "order_id": null, "version": 1, "created_at": "1970-01-01T00:00:00Z",
                "updated_at": "1970-01-01T00:00:00Z", "expires_at": "1970-01-01T04:00:00Z"}"#,
        )
        .expect("a valid checkout")
    }
}
