//! Carts and checkouts on the wire.

use std::collections::HashMap;

use handel_domain::{
    checkout::{CheckoutStatus, LineProblem, Quote, QuotedLine},
    order::{Order, OrderLine},
    refusal::FieldError,
    shipping::ShippingMethod,
};
use handel_engine as engine;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AddressBody, OrderView, PaymentView,
    discount::{DiscountView, RejectedCodeView},
};

/// A cart with what it costs now.
#[derive(Serialize, ToSchema)]
pub(crate) struct CartView {
    /// The token by which the shopper comes back: send it as `Cart-Token`.
    token: String,
    /// Identity.
    id: String,
    /// `open`, or `ordered` once it was bought.
    status: String,
    /// Grows with every change; the ETag.
    version: i64,
    #[serde(flatten)]
    quote: QuoteView,
    /// The codes that the shopper gave.
    codes: Vec<String>,
    /// When it disappears unless it is used.
    expires_at: String,
}

/// Lines and sums.
#[derive(Serialize, ToSchema)]
struct QuoteView {
    /// ISO 4217 currency of every amount.
    #[schema(example = "USD")]
    currency: String,
    /// The lines.
    lines: Vec<LineView>,
    /// Whether prices contain the tax.
    prices_include_tax: bool,
    /// Sum of the lines before discounts, in minor units.
    subtotal_minor: i64,
    /// Sum of the discounts, in minor units.
    discount_minor: i64,
    /// The discounts in the order in which they were applied.
    discounts: Vec<DiscountView>,
    /// The codes that do nothing at the moment. A code that is in neither list has nothing to take off yet.
    rejected_codes: Vec<RejectedCodeView>,
    /// What shipping costs, in minor units.
    shipping_minor: i64,
    /// Sum of the taxes, in minor units.
    tax_minor: i64,
    /// What the buyer pays, in minor units.
    total_minor: i64,
}

/// A line of a cart or checkout.
#[derive(Serialize, ToSchema)]
struct LineView {
    /// Identity within the cart.
    id: String,
    /// What is bought.
    variant_id: String,
    /// Its product.
    #[serde(skip_serializing_if = "Option::is_none")]
    product_id: Option<String>,
    /// The product's name on the web.
    #[serde(skip_serializing_if = "Option::is_none")]
    product_slug: Option<String>,
    /// The merchant's own name of the variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    /// What shoppers read of the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// What shoppers read of the variant.
    #[serde(skip_serializing_if = "Option::is_none")]
    variant_title: Option<String>,
    /// Its picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<String>,
    /// How many.
    quantity: i64,
    /// The price of one now, in minor units; absent where it is no longer for sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price_minor: Option<i64>,
    /// Unit price times quantity, in minor units.
    subtotal_minor: i64,
    /// What is taken off, in minor units.
    discount_minor: i64,
    /// The tax in it or on top of it, in minor units.
    tax_minor: i64,
    /// What the buyer pays for it, in minor units.
    total_minor: i64,
    /// What is attached.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    custom: HashMap<String, String>,
    /// What is wrong with it at the moment.
    problems: Vec<ProblemView>,
}

/// What is wrong with a line.
#[derive(Serialize, ToSchema)]
struct ProblemView {
    /// `not_for_sale`, `stock_short` or `price_changed`.
    kind: &'static str,
    /// How many there are, where the stock is short.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
    /// The price before it changed, in minor units.
    #[serde(skip_serializing_if = "Option::is_none")]
    before_minor: Option<i64>,
}

/// A checkout with what it costs now and what it lacks.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckoutView {
    /// Identity.
    id: String,
    /// The cart it was made from.
    cart_id: String,
    /// `open`, `completed` or `expired`.
    status: &'static str,
    /// Grows with every change; the ETag.
    version: i64,
    #[serde(flatten)]
    quote: QuoteView,
    /// The codes that the buyer gave.
    codes: Vec<String>,
    /// Where the receipt goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Where the goods go.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<AddressBody>,
    /// Who is billed.
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_address: Option<AddressBody>,
    /// The chosen shipping method.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_method: Option<String>,
    /// The shipping methods to choose from, cheapest first.
    shipping_options: Vec<ShippingOptionView>,
    /// What it lacks before it can be completed.
    missing: Vec<MissingView>,
    /// The order that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderView>,
    /// The payment of that order.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView>,
    /// When it ends unless it is used.
    expires_at: String,
}

/// A shipping method.
#[derive(Serialize, ToSchema)]
struct ShippingOptionView {
    /// What to send as `shipping_method`.
    code: String,
    /// What the buyer reads.
    name: String,
    /// What it costs after promotions, in minor units.
    amount_minor: i64,
}

/// Something that is missing.
#[derive(Serialize, ToSchema)]
struct MissingView {
    /// JSON pointer to the field.
    pointer: String,
    /// What it is needed for.
    message: String,
}

impl From<engine::OwnedCart> for CartView {
    fn from(owned: engine::OwnedCart) -> Self {
        let engine::CartView { cart, quote, currency } = owned.view;
        Self {
            token: owned.token,
            id: cart.id.to_string(),
            status: cart.status.as_str().to_owned(),
            version: cart.version,
            quote: QuoteView::new(quote, currency),
            codes: cart.codes,
            expires_at: cart.expires_at.to_string(),
        }
    }
}

impl CheckoutView {
    pub(crate) fn new(view: engine::CheckoutView, now: jiff::Timestamp) -> Self {
        let shipping_options = view.shipping_prices().map(ShippingOptionView::from).collect();
        let engine::CheckoutView {
            checkout,
            quote,
            currency,
            shipping_options: _,
            shipping_discounts_minor: _,
            preselected: _,
            missing,
            completion,
            is_new: _,
        } = view;
        let status = match checkout.status {
            CheckoutStatus::Open if checkout.has_expired(now) => "expired",
            CheckoutStatus::Open => "open",
            CheckoutStatus::Completed => "completed",
            CheckoutStatus::Canceled => "canceled",
        };
        let order = completion.as_ref().map(|completion| {
            OrderView::new(
                &completion.order,
                completion.payment.as_ref(),
                Some(&completion.order_token),
            )
        });
        let quote = QuoteView::new(quote, currency);
        let quote = match &completion {
            Some(completion) => quote.at_prices_of(&completion.order),
            None => quote,
        };
        Self {
            id: checkout.id.to_string(),
            cart_id: checkout.cart_id.to_string(),
            status,
            version: checkout.version,
            quote,
            codes: checkout.codes,
            email: checkout.buyer.email.map(|email| email.to_string()),
            shipping_address: checkout.buyer.shipping_address.as_ref().map(AddressBody::from),
            billing_address: checkout.buyer.billing_address.as_ref().map(AddressBody::from),
            shipping_method: checkout.buyer.shipping_method.map(|code| code.to_string()),
            shipping_options,
            missing: missing.into_iter().map(MissingView::from).collect(),
            order,
            payment: completion
                .and_then(|completion| completion.payment)
                .as_ref()
                .map(PaymentView::from),
            expires_at: checkout.expires_at.to_string(),
        }
    }
}

impl QuoteView {
    fn new(quote: Quote, currency: handel_domain::Currency) -> Self {
        let totals = quote.totals;
        Self {
            currency: currency.to_string(),
            lines: quote.lines.into_iter().map(LineView::from).collect(),
            prices_include_tax: totals.prices_include_tax,
            subtotal_minor: totals.subtotal_minor,
            discount_minor: totals.discount_minor,
            discounts: quote.discounts.iter().map(DiscountView::from).collect(),
            rejected_codes: quote.rejected_codes.into_iter().map(RejectedCodeView::from).collect(),
            shipping_minor: totals.shipping.subtotal_minor,
            tax_minor: totals.tax_minor,
            total_minor: totals.total_minor,
        }
    }
}

impl QuoteView {
    /// What became an order keeps its prices, whatever the catalog says by now.
    fn at_prices_of(self, order: &Order) -> Self {
        let of_order = |line: LineView| {
            let mut ordered = order.lines.iter();
            match ordered.find(|ordered| ordered.id.to_string() == line.id) {
                Some(ordered) => line.at_prices_of(ordered),
                None => line,
            }
        };
        Self {
            lines: self.lines.into_iter().map(of_order).collect(),
            prices_include_tax: order.prices_include_tax,
            subtotal_minor: order.subtotal_minor,
            discount_minor: order.discount_minor,
            discounts: order.discounts.iter().map(DiscountView::from).collect(),
            rejected_codes: Vec::new(),
            shipping_minor: order.shipping.subtotal_minor,
            tax_minor: order.tax_minor,
            total_minor: order.total_minor,
            ..self
        }
    }
}

impl LineView {
    fn at_prices_of(self, ordered: &OrderLine) -> Self {
        Self {
            unit_price_minor: Some(ordered.unit_price_minor),
            subtotal_minor: ordered.totals.subtotal_minor,
            discount_minor: ordered.totals.discount_minor,
            tax_minor: ordered.totals.tax_minor,
            total_minor: ordered.totals.total_minor,
            problems: Vec::new(),
            ..self
        }
    }
}

impl From<QuotedLine> for LineView {
    fn from(quoted: QuotedLine) -> Self {
        let QuotedLine { line, offer, totals, problems } = quoted;
        let offer = offer.as_ref();
        Self {
            id: line.id.to_string(),
            variant_id: line.variant_id.to_string(),
            product_id: offer.map(|offer| offer.product_id.to_string()),
            product_slug: offer.map(|offer| offer.slug.to_string()),
            sku: offer.map(|offer| offer.sku.to_string()),
            title: offer.map(|offer| offer.title.clone()),
            variant_title: offer.map(|offer| offer.variant_title.clone()),
            image_url: offer.and_then(|offer| offer.image_url.clone()),
            quantity: line.quantity,
            unit_price_minor: offer.and_then(|offer| offer.unit_price_minor),
            subtotal_minor: totals.subtotal_minor,
            discount_minor: totals.discount_minor,
            tax_minor: totals.tax_minor,
            total_minor: totals.total_minor,
            custom: line.custom,
            problems: problems.into_iter().map(ProblemView::from).collect(),
        }
    }
}

impl From<LineProblem> for ProblemView {
    fn from(problem: LineProblem) -> Self {
        let (kind, available, before_minor) = match problem {
            LineProblem::NotForSale => ("not_for_sale", None, None),
            LineProblem::StockShort { available } => ("stock_short", Some(available), None),
            LineProblem::PriceChanged { before_minor } => {
                ("price_changed", None, Some(before_minor))
            }
        };
        Self { kind, available, before_minor }
    }
}

impl From<(&ShippingMethod, i64)> for ShippingOptionView {
    fn from((method, amount_minor): (&ShippingMethod, i64)) -> Self {
        Self { code: method.code.to_string(), name: method.name.clone(), amount_minor }
    }
}

impl From<FieldError> for MissingView {
    fn from(missing: FieldError) -> Self {
        Self { pointer: missing.pointer, message: missing.message }
    }
}
