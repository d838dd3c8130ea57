//! Orders: what was sold, at which prices, and how far it has come.

mod place;
mod status;
mod steps;

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use place::Placement;
pub use status::{FulfillmentStatus, PaymentStatus, Status};
pub use steps::{LineQuantity, Tracking};

use crate::{
    address::Address,
    id::{CartId, ChannelId, CheckoutId, LineId, OrderId, ProductId, TenantId, VariantId},
    money::Currency,
    origin::Origin,
    promotion::AppliedDiscount,
    text::{Email, Sku, Slug},
    totals::LineTotals,
};

/// Through which door an order came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The REST interface.
    #[default]
    Rest,
    /// The Universal Commerce Protocol over REST.
    Ucp,
    /// The tools of the Model Context Protocol.
    Mcp,
    /// The shop's own pages.
    Page,
}

impl Source {
    /// Every door.
    pub const ALL: [Source; 4] = [Self::Rest, Self::Ucp, Self::Mcp, Self::Page];

    /// The stored text.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Ucp => "ucp",
            Self::Mcp => "mcp",
            Self::Page => "page",
        }
    }
}

/// An order. It keeps all that an invoice needs, even when the catalog has moved on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Identity.
    pub id: OrderId,
    /// The merchant it belongs to.
    pub tenant_id: TenantId,
    /// The number that people read, unique in the shop.
    pub number: i64,
    /// The channel it was sold in.
    pub channel_id: ChannelId,
    /// The checkout it came from.
    pub checkout_id: CheckoutId,
    /// The cart it came from.
    pub cart_id: CartId,
    /// The door it came through.
    pub source: Source,
    /// The program that its checkout was opened by; none where a shopper did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// How far it has come.
    pub status: Status,
    /// Where the receipt goes.
    pub email: Email,
    /// Where the goods go.
    pub shipping_address: Option<Address>,
    /// Who is billed.
    pub billing_address: Option<Address>,
    /// How the goods are sent.
    pub shipping_method: Option<ChosenShipping>,
    /// The currency of every amount.
    pub currency: Currency,
    /// Whether prices contain the tax.
    pub prices_include_tax: bool,
    /// Sum of the lines before discounts, in minor units.
    pub subtotal_minor: i64,
    /// Sum of the discounts, in minor units.
    pub discount_minor: i64,
    /// What promotions took off, as it was when the order was placed.
    #[serde(default)]
    pub discounts: Vec<AppliedDiscount>,
    /// What shipping costs.
    pub shipping: LineTotals,
    /// Sum of the taxes, in minor units.
    pub tax_minor: i64,
    /// What the buyer pays, in minor units.
    pub total_minor: i64,
    /// What was bought.
    pub lines: Vec<OrderLine>,
    /// When the order was placed.
    pub placed_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Until when it waits for money.
    pub reservation_expires_at: Timestamp,
    /// Grows with every change.
    pub version: i64,
    /// The sequence number of its latest event.
    pub event_sequence: i64,
}

/// The shipping method as it was sold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenShipping {
    /// The method's code.
    pub code: Slug,
    /// What the buyer read.
    pub name: String,
}

/// A line of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// Identity, the same as that of the cart line.
    pub id: LineId,
    /// The product sold.
    pub product_id: ProductId,
    /// The variant sold.
    pub variant_id: VariantId,
    /// Its SKU then.
    pub sku: Sku,
    /// The product's title then.
    pub title: String,
    /// The variant's title then.
    pub variant_title: String,
    /// Its picture then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_url: Option<String>,
    /// What was attached.
    #[serde(default, skip_serializing_if = "HashMap::is_empty")]
    pub custom: HashMap<String, String>,
    /// The price of one, in minor units.
    pub unit_price_minor: i64,
    /// What the line costs.
    pub totals: LineTotals,
    /// The tax class.
    pub tax_class: String,
    /// Weight of one, in grams.
    pub weight_grams: i64,
    /// Whether it is sent by post.
    pub requires_shipping: bool,
    /// Whether stock was promised to it.
    pub tracked: bool,
    /// How many were ordered. Never changes.
    pub ordered: i64,
    /// How many of them were canceled.
    pub canceled: i64,
    /// How many of them have shipped.
    pub shipped: i64,
    /// How many of them have arrived.
    pub delivered: i64,
}

impl Order {
    /// The program that it was bought through, by its profile.
    pub fn agent(&self) -> Option<&str> {
        self.origin.as_ref()?.agent.as_deref()
    }
}

impl OrderLine {
    /// How many still have to be shipped.
    pub fn open(&self) -> i64 {
        self.ordered - self.canceled - self.shipped
    }
}
