//! Pure commerce rules.
//!
//! Owns what a shop *means*: ids, money, catalog, stock, carts, totals, checkouts, orders and
//! payments, and every decision about them. Refuses to own how that is stored, served or timed:
//! nothing here is async, does I/O, reads a clock or draws a random number. Time and entropy come
//! in as arguments, so that each rule can be tested alone and replayed from a seed.

#![warn(missing_docs)]

pub mod address;
pub mod audit;
pub mod basket;
mod buyer;
pub mod cart;
pub mod catalog;
pub mod channel;
pub mod checkout;
pub mod event;
pub mod id;
pub mod money;
pub mod order;
pub mod origin;
pub mod payment;
pub mod policy;
pub mod promotion;
pub mod refusal;
pub mod shipping;
pub mod stock;
pub mod tax;
pub mod text;
pub mod totals;
pub mod web_origin;

pub use id::Id;
pub use money::{Currency, Money};
pub use refusal::{Code, Refusal};

#[cfg(test)]
mod tests {
    use crate::{channel::Settings, order::Order};

    /// Settings of a plain shop.
    pub(crate) fn settings() -> Settings {
        serde_json::from_str(
            r#"{"name": "Test", "currency": "EUR", "locale": "en", "default_country": "DE",
                "tax": {"prices_include_tax": true, "rates": [
                    {"class": "standard", "country": "DE", "rate_millionths": 190000, "name": "VAT 19 %"}]},
                "shipping_methods": [
                    {"code": "standard", "name": "Standard", "amount_minor": 490, "tax_class": "standard"}]}"#,
        )
        .expect("valid settings")
    }

    /// A reserved order of three mugs.
    pub(crate) fn order() -> Order {
        serde_json::from_str(
            r#"{"id": "ord_00000000000000000000000001", "tenant_id": "ten_00000000000000000000000001", "number": 1001,
                "channel_id": "chn_00000000000000000000000001", "checkout_id": "chk_00000000000000000000000001",
                "cart_id": "cart_00000000000000000000000001", "source": "rest", "status": "reserved",
                "email": "ada@example.com", "shipping_address": null, "billing_address": null,
                "shipping_method": null, "currency": "EUR", "prices_include_tax": true, "subtotal_minor": 3000,
                "discount_minor": 0, "tax_minor": 479, "total_minor": 3000,
                "shipping": {"subtotal_minor": 0, "discount_minor": 0, "tax_minor": 0, "tax_rate_millionths": 0, "total_minor": 0},
                "lines": [{"id": "line_00000000000000000000000001", "product_id": "prod_00000000000000000000000001",
                    "variant_id": "var_00000000000000000000000001", "sku": "MUG", "title": "Mug", "variant_title": "Default",
                    "unit_price_minor": 1000, "tax_class": "standard", "weight_grams": 300, "requires_shipping": true,
                    "totals": {"subtotal_minor": 3000, "discount_minor": 0, "tax_minor": 479, "tax_rate_millionths": 190000, "total_minor": 3000},
                    "tracked": true, "ordered": 3, "canceled": 0, "shipped": 0, "delivered": 0}],
                "placed_at": "1970-01-01T00:00:00Z", "updated_at": "1970-01-01T00:00:00Z",
                "reservation_expires_at": "1970-01-01T00:15:00Z", "version": 1, "event_sequence": 0}"#,
        )
        .expect("a valid order")
    }
}
