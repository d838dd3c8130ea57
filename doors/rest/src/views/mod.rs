//! What the interface shows: wire types, converted by hand from what the engine returns.

mod address;
mod basket;
mod discount;
mod order;
mod payment;

pub(crate) use address::AddressBody;
pub(crate) use basket::{CartView, CheckoutView};
pub(crate) use order::{OrderSummaryView, OrderView};
pub(crate) use payment::PaymentView;
