//! Orders on the wire.

use std::collections::{BTreeMap, HashMap};

use handel_domain::{
    order::{FulfillmentStatus, Order, OrderLine},
    origin::Origin,
};
use handel_engine::{OrderDetails, OrderSummary, PaymentSummary};
use serde::Serialize;
use utoipa::ToSchema;

use super::{AddressBody, PaymentView, discount::DiscountView, payment::PaymentStatusView};

/// An order with everything that an invoice needs.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrderView {
    /// Identity.
    id: String,
    /// The number that people read.
    number: i64,
    /// The token by which a guest sees it: send it as `Order-Token`. Only the buyer gets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// `created`, `reserved`, `paid`, `packing`, `shipped`, `delivered` or `canceled`.
    status: String,
    /// Where the money is; absent where nothing is owed.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_status: Option<PaymentStatusView>,
    /// `unfulfilled`, `partially_shipped`, `shipped`, `partially_delivered` or `delivered`.
    fulfillment_status: &'static str,
    /// The checkout it came from.
    checkout_id: String,
    /// The door that it came through: `rest`, `ucp`, `mcp` or `page`.
    source: &'static str,
    /// The program that it was bought through; absent where a shopper bought, and for buyers.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<OriginView>,
    /// Where the receipt goes.
    email: String,
    /// Where the goods go.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<AddressBody>,
    /// Who is billed.
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_address: Option<AddressBody>,
    /// How the goods are sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_method: Option<String>,
    /// ISO 4217 currency of every amount.
    currency: String,
    /// What was bought.
    lines: Vec<OrderLineView>,
    /// Whether prices contain the tax.
    prices_include_tax: bool,
    /// Sum of the lines before discounts, in minor units.
    subtotal_minor: i64,
    /// Sum of the discounts, in minor units.
    discount_minor: i64,
    /// The discounts, as they were when it was placed.
    discounts: Vec<DiscountView>,
    /// What shipping costs, in minor units.
    shipping_minor: i64,
    /// Sum of the taxes, in minor units.
    tax_minor: i64,
    /// What the buyer pays, in minor units.
    total_minor: i64,
    /// The payment; absent where nothing is owed.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView>,
    /// When it was placed.
    placed_at: String,
    /// When it last changed.
    updated_at: String,
    /// Until when it waits for money; only while it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation_expires_at: Option<String>,
    /// Grows with every change; the ETag.
    pub(crate) version: i64,
}

/// What a program said about itself when it opened the checkout.
#[derive(Serialize, ToSchema)]
pub(crate) struct OriginView {
    /// The door that the checkout was opened through.
    source: &'static str,
    /// The address of the profile by which the program introduced itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://agent.example/profile.json")]
    agent: Option<String>,
    /// The protocol and version that it spoke.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ucp/2026-08-25")]
    protocol: Option<String>,
    /// Which campaign or link led to the shop, as the program said.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attribution: BTreeMap<String, String>,
}

/// A line of an order.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrderLineView {
    /// Identity.
    id: String,
    /// The product sold.
    product_id: String,
    /// The variant sold.
    variant_id: String,
    /// Its SKU then.
    sku: String,
    /// The product's title then.
    title: String,
    /// The variant's title then.
    variant_title: String,
    /// Its picture then.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    /// What was attached.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    custom: HashMap<String, String>,
    /// How many were ordered.
    quantity: i64,
    /// How many of them were canceled.
    canceled: i64,
    /// How many of them have shipped.
    shipped: i64,
    /// How many of them have arrived.
    delivered: i64,
    /// The price of one, in minor units.
    unit_price_minor: i64,
    /// Unit price times quantity, in minor units.
    subtotal_minor: i64,
    /// What was taken off, in minor units.
    discount_minor: i64,
    /// The tax, in minor units.
    tax_minor: i64,
    /// The rate of that tax, in millionths: 190000 is 19 %.
    tax_rate_millionths: u32,
    /// What the buyer pays for it, in minor units.
    total_minor: i64,
}

/// An order in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct OrderSummaryView {
    /// Identity.
    id: String,
    /// The number that people read.
    number: i64,
    /// How far it has come.
    status: String,
    /// Where the receipt went.
    email: String,
    /// ISO 4217 currency.
    currency: String,
    /// What the buyer pays, in minor units.
    total_minor: i64,
    /// When it was placed.
    placed_at: String,
    /// When it last changed.
    updated_at: String,
}

impl OrderView {
    /// An order with its payment; `token` only for its buyer.
    pub(crate) fn new(
        order: &Order,
        payment: Option<&PaymentSummary>,
        token: Option<&str>,
    ) -> Self {
        Self {
            id: order.id.to_string(),
            number: order.number,
            token: token.map(str::to_owned),
            status: order.status.to_string(),
            payment_status: payment.map(|payment| payment.status.into()),
            fulfillment_status: fulfillment(order.fulfillment_status()),
            checkout_id: order.checkout_id.to_string(),
            source: order.source.as_str(),
            origin: None,
            email: order.email.to_string(),
            shipping_address: order.shipping_address.as_ref().map(AddressBody::from),
            billing_address: order.billing_address.as_ref().map(AddressBody::from),
            shipping_method: order.shipping_method.as_ref().map(|method| method.name.clone()),
            currency: order.currency.to_string(),
            lines: order.lines.iter().map(OrderLineView::from).collect(),
            prices_include_tax: order.prices_include_tax,
            subtotal_minor: order.subtotal_minor,
            discount_minor: order.discount_minor,
            discounts: order.discounts.iter().map(DiscountView::from).collect(),
            shipping_minor: order.shipping.subtotal_minor,
            tax_minor: order.tax_minor,
            total_minor: order.total_minor,
            payment: payment.map(PaymentView::from),
            placed_at: order.placed_at.to_string(),
            updated_at: order.updated_at.to_string(),
            reservation_expires_at: order
                .awaits_payment()
                .then(|| order.reservation_expires_at.to_string()),
            version: order.version,
        }
    }
}

impl OrderView {
    /// Adds what only staff see.
    pub(crate) fn for_staff(mut self, order: &Order) -> Self {
        self.origin = order.origin.as_ref().map(OriginView::from);
        self
    }
}

impl From<&Origin> for OriginView {
    fn from(origin: &Origin) -> Self {
        Self {
            source: origin.source.as_str(),
            agent: origin.agent.clone(),
            protocol: origin.protocol.clone(),
            attribution: origin.attribution.clone(),
        }
    }
}

impl From<&OrderDetails> for OrderView {
    fn from(details: &OrderDetails) -> Self {
        Self::new(&details.order, details.payment.as_ref(), None)
    }
}

fn fulfillment(status: FulfillmentStatus) -> &'static str {
    match status {
        FulfillmentStatus::Unfulfilled => "unfulfilled",
        FulfillmentStatus::PartiallyShipped => "partially_shipped",
        FulfillmentStatus::Shipped => "shipped",
        FulfillmentStatus::PartiallyDelivered => "partially_delivered",
        FulfillmentStatus::Delivered => "delivered",
    }
}

impl From<&OrderLine> for OrderLineView {
    fn from(line: &OrderLine) -> Self {
        Self {
            id: line.id.to_string(),
            product_id: line.product_id.to_string(),
            variant_id: line.variant_id.to_string(),
            sku: line.sku.to_string(),
            title: line.title.clone(),
            variant_title: line.variant_title.clone(),
            image_url: line.image_url.clone(),
            custom: line.custom.clone(),
            quantity: line.ordered,
            canceled: line.canceled,
            shipped: line.shipped,
            delivered: line.delivered,
            unit_price_minor: line.unit_price_minor,
            subtotal_minor: line.totals.subtotal_minor,
            discount_minor: line.totals.discount_minor,
            tax_minor: line.totals.tax_minor,
            tax_rate_millionths: line.totals.tax_rate_millionths,
            total_minor: line.totals.total_minor,
        }
    }
}

impl From<OrderSummary> for OrderSummaryView {
    fn from(order: OrderSummary) -> Self {
        Self {
            id: order.id.to_string(),
            number: order.number,
            status: order.status.to_string(),
            email: order.email.to_string(),
            currency: order.currency.to_string(),
            total_minor: order.total_minor,
            placed_at: order.placed_at.to_string(),
            updated_at: order.updated_at.to_string(),
        }
    }
}
