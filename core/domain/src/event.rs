//! What happened, in the past tense.
//!
//! An event is written to the outbox, and to the audit log, in the transaction of the change that it
//! describes. Names and fields are a contract: they are only ever added to.

use serde::{Deserialize, Serialize};

use crate::{
    id::{
        CartId, CategoryId, ChannelId, CheckoutId, LocationId, OrderId, PaymentId, ProductId,
        PromotionId, VariantId,
    },
    money::Currency,
    order::{LineQuantity, Tracking},
    refusal::Code,
};

/// A domain event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, rename_all = "snake_case")]
pub enum Event {
    /// A product, or a variant or price of it, was created, changed or deleted.
    Product(ProductEvent),
    /// A category was created, changed or deleted.
    Category(CategoryEvent),
    /// Stock of a variant changed by hand, or crossed a line.
    Stock(StockEvent),
    /// Settings of a channel changed.
    Channel(ChannelEvent),
    /// A promotion was created, changed or deleted.
    Promotion(PromotionEvent),
    /// A cart ended.
    Cart(CartEvent),
    /// An order went a step.
    Order(OrderEvent),
}

/// What happened to a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductEvent {
    /// The product.
    pub product_id: ProductId,
    /// What happened.
    pub change: Change,
}

/// What happened to a category.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryEvent {
    /// The category.
    pub category_id: CategoryId,
    /// What happened.
    pub change: Change,
}

/// What happened to a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelEvent {
    /// The channel.
    pub channel_id: ChannelId,
    /// What happened.
    pub change: Change,
}

/// What happened to a promotion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionEvent {
    /// The promotion.
    pub promotion_id: PromotionId,
    /// What happened.
    pub change: Change,
}

/// The kind of change to a thing that staff keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Created,
    /// It is different.
    Updated,
    /// It is gone.
    Deleted,
}

/// What happened to stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockEvent {
    /// The variant.
    pub variant_id: VariantId,
    /// Where; none for all locations together.
    pub location_id: Option<LocationId>,
    /// What happened.
    pub change: StockChange,
}

/// The kind of change to stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StockChange {
    /// Staff changed what is on hand.
    Adjusted {
        /// By how many.
        delta: i64,
        /// How many there are now.
        on_hand: i64,
        /// Why.
        reason: String,
    },
    /// The last one that could be sold was sold.
    OutOfStock,
    /// There are some again.
    BackInStock,
}

/// What happened to a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartEvent {
    /// The cart.
    pub cart_id: CartId,
}

/// What happened to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEvent {
    /// The order.
    pub order_id: OrderId,
    /// Its number for people.
    pub number: i64,
    /// What happened.
    #[serde(flatten)]
    pub change: OrderChange,
}

/// The steps of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum OrderChange {
    /// A buyer ordered.
    Placed {
        /// From which checkout.
        checkout_id: CheckoutId,
        /// What it costs, in minor units.
        total_minor: i64,
        /// In which currency.
        currency: Currency,
    },
    /// Its stock is promised.
    InventoryReserved,
    /// The provider wants the buyer to do something.
    PaymentActionRequired {
        /// The payment.
        payment_id: PaymentId,
    },
    /// An attempt to pay failed; the order still waits for money.
    PaymentFailed {
        /// The payment.
        payment_id: PaymentId,
        /// Why.
        code: Code,
    },
    /// The outcome of an attempt is not known yet.
    PaymentUnknown {
        /// The payment.
        payment_id: PaymentId,
    },
    /// Money was taken.
    PaymentCaptured {
        /// The payment.
        payment_id: PaymentId,
        /// How much, in minor units.
        amount_minor: i64,
    },
    /// Money arrived that the order cannot keep; it goes back.
    PaymentUnexpected {
        /// The payment.
        payment_id: PaymentId,
        /// How much, in minor units.
        amount_minor: i64,
    },
    /// Money went back.
    PaymentRefunded {
        /// The payment.
        payment_id: PaymentId,
        /// How much, in minor units.
        amount_minor: i64,
    },
    /// Money that should go back was refused by the provider; somebody must look.
    RefundFailed {
        /// The payment.
        payment_id: PaymentId,
        /// How much, in minor units.
        amount_minor: i64,
    },
    /// It is paid.
    Paid,
    /// Somebody is packing it.
    Packing,
    /// All of it is on its way.
    Shipped {
        /// What left now; empty in events of early versions.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<LineQuantity>,
        /// How the parcel is followed.
        #[serde(default, skip_serializing_if = "Tracking::is_empty")]
        tracking: Tracking,
    },
    /// Some of it is on its way.
    PartiallyShipped {
        /// What left now; empty in events of early versions.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lines: Vec<LineQuantity>,
        /// How the parcel is followed.
        #[serde(default, skip_serializing_if = "Tracking::is_empty")]
        tracking: Tracking,
    },
    /// It has arrived.
    Delivered,
    /// It was canceled, and its stock was given back.
    Canceled {
        /// Why.
        reason: String,
        /// How much goes back to the buyer, in minor units.
        refund_minor: i64,
    },
}

impl Event {
    /// The name that consumers subscribe to.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Product(event) => match event.change {
                Change::Created => "product_created",
                Change::Updated => "product_updated",
                Change::Deleted => "product_deleted",
            },
            Self::Category(event) => match event.change {
                Change::Created => "category_created",
                Change::Updated => "category_updated",
                Change::Deleted => "category_deleted",
            },
            Self::Channel(event) => match event.change {
                Change::Created => "channel_created",
                Change::Updated => "channel_updated",
                Change::Deleted => "channel_deleted",
            },
            Self::Promotion(event) => match event.change {
                Change::Created => "promotion_created",
                Change::Updated => "promotion_updated",
                Change::Deleted => "promotion_deleted",
            },
            Self::Stock(event) => match event.change {
                StockChange::Adjusted { .. } => "stock_adjusted",
                StockChange::OutOfStock => "out_of_stock",
                StockChange::BackInStock => "back_in_stock",
            },
            Self::Cart(_) => "cart_expired",
            Self::Order(event) => event.change.name(),
        }
    }

    /// The id of what it happened to. Events of one aggregate are delivered in order.
    pub fn aggregate(&self) -> String {
        match self {
            Self::Product(event) => event.product_id.to_string(),
            Self::Category(event) => event.category_id.to_string(),
            Self::Channel(event) => event.channel_id.to_string(),
            Self::Promotion(event) => event.promotion_id.to_string(),
            Self::Stock(event) => match event.location_id {
                Some(location_id) => format!("{}/{location_id}", event.variant_id),
                None => event.variant_id.to_string(),
            },
            Self::Cart(event) => event.cart_id.to_string(),
            Self::Order(event) => event.order_id.to_string(),
        }
    }
}

impl OrderChange {
    /// The name that consumers subscribe to.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Placed { .. } => "order_placed",
            Self::InventoryReserved => "inventory_reserved",
            Self::PaymentActionRequired { .. } => "payment_action_required",
            Self::PaymentFailed { .. } => "payment_failed",
            Self::PaymentUnknown { .. } => "payment_unknown",
            Self::PaymentCaptured { .. } => "payment_captured",
            Self::PaymentUnexpected { .. } => "payment_unexpected",
            Self::PaymentRefunded { .. } => "payment_refunded",
            Self::RefundFailed { .. } => "refund_failed",
            Self::Paid => "order_paid",
            Self::Packing => "order_packing",
            Self::Shipped { .. } => "order_shipped",
            Self::PartiallyShipped { .. } => "order_partially_shipped",
            Self::Delivered => "order_delivered",
            Self::Canceled { .. } => "order_canceled",
        }
    }
}
