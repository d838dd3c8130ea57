//! Turns a checkout into an order.

use jiff::{SignedDuration, Timestamp};

use super::{ChosenShipping, Order, OrderLine, Source, Status};
use crate::{
    channel::Settings,
    checkout::{Checkout, Quote, QuotedLine},
    event::OrderChange,
    id::{OrderId, TenantId},
};

/// What a checkout becomes, before its stock is promised.
#[derive(Clone, Debug)]
pub struct Placement<'a> {
    /// The id of the new order.
    pub id: OrderId,
    /// The merchant.
    pub tenant_id: TenantId,
    /// The number that people read.
    pub number: i64,
    /// The door it came through.
    pub source: Source,
    /// The checkout. It was checked to be complete.
    pub checkout: &'a Checkout,
    /// What it costs now.
    pub quote: &'a Quote,
    /// The rules of the channel.
    pub settings: &'a Settings,
}

impl Placement<'_> {
    /// Makes the order, reserved: its stock is promised in the same transaction. An order that costs
    /// nothing is paid at once.
    pub fn place(&self, now: Timestamp) -> (Order, Vec<OrderChange>) {
        let (checkout, totals) = (self.checkout, &self.quote.totals);
        let method =
            checkout.buyer.shipping_method.as_ref().filter(|_| self.quote.needs_shipping());
        let shipping_method = method.and_then(|code| {
            let method =
                self.settings.shipping_methods.iter().find(|method| method.code == *code)?;
            Some(ChosenShipping { code: method.code.clone(), name: method.name.clone() })
        });
        let mut order = Order {
            id: self.id,
            tenant_id: self.tenant_id,
            number: self.number,
            channel_id: checkout.channel_id,
            checkout_id: checkout.id,
            cart_id: checkout.cart_id,
            source: self.source,
            origin: checkout.origin.clone(),
            status: Status::Reserved,
            email: checkout
                .buyer
                .email
                .clone()
                .expect("a complete checkout has an address for the receipt"),
            shipping_address: checkout.buyer.shipping_address.clone(),
            billing_address: checkout
                .buyer
                .billing_address
                .clone()
                .or(checkout.buyer.shipping_address.clone()),
            shipping_method,
            currency: self.settings.currency,
            prices_include_tax: totals.prices_include_tax,
            subtotal_minor: totals.subtotal_minor,
            discount_minor: totals.discount_minor,
            discounts: self.quote.discounts.clone(),
            shipping: totals.shipping,
            tax_minor: totals.tax_minor,
            total_minor: totals.total_minor,
            lines: self.quote.lines.iter().map(order_line).collect(),
            placed_at: now,
            updated_at: now,
            reservation_expires_at: now + SignedDuration::from_millis(self.settings.reservation_ms),
            version: 1,
            event_sequence: 0,
        };
        let printed: i64 = order.lines.iter().map(|line| line.totals.total_minor).sum();
        assert_eq!(
            printed + order.shipping.total_minor,
            order.total_minor,
            "an order costs what its lines cost"
        );
        let off: i64 = order.discounts.iter().map(|discount| discount.amount_minor).sum();
        assert_eq!(off, order.discount_minor, "every discount has a promotion");
        let mut changes = vec![
            OrderChange::Placed {
                checkout_id: checkout.id,
                total_minor: order.total_minor,
                currency: order.currency,
            },
            OrderChange::InventoryReserved,
        ];
        if order.total_minor == 0 {
            changes.push(order.pay(now).expect("a reserved order can be paid"));
        }
        (order, changes)
    }
}

fn order_line(quoted: &QuotedLine) -> OrderLine {
    let offer = quoted.offer.as_ref().expect("a complete checkout has offers for all lines");
    OrderLine {
        id: quoted.line.id,
        product_id: offer.product_id,
        variant_id: offer.variant_id,
        sku: offer.sku.clone(),
        title: offer.title.clone(),
        variant_title: offer.variant_title.clone(),
        image_url: offer.image_url.clone(),
        custom: quoted.line.custom.clone(),
        unit_price_minor: offer.unit_price_minor.expect("a complete checkout is priced"),
        totals: quoted.totals,
        tax_class: offer.tax_class.clone(),
        weight_grams: offer.weight_grams,
        requires_shipping: offer.requires_shipping,
        tracked: offer.tracked,
        ordered: quoted.line.quantity,
        canceled: 0,
        shipped: 0,
        delivered: 0,
    }
}
