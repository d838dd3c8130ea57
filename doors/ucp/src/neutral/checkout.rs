//! Carts and checkouts as programs see them.

use std::collections::BTreeMap;

use handel_domain::{
    Refusal,
    channel::Settings,
    checkout::{Buyer, CheckoutStatus, Destination},
    order::{Order, PaymentStatus, Status as OrderStatus},
    refusal::FieldError,
};
use handel_engine::{CartView, CheckoutView, Completion};
use jiff::Timestamp;

use super::{
    Message,
    basket::{self, Goods},
    delivery::{self, Delivery},
    discount::{self, Discounts},
    message::{Severity, path},
    policy::{self, Link, Policy},
};

/// Where a checkout stands (UCP, `checkout.json`, "status").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Incomplete,
    RequiresEscalation,
    ReadyForComplete,
    CompleteInProgress,
    Completed,
    Canceled,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::RequiresEscalation => "requires_escalation",
            Self::ReadyForComplete => "ready_for_complete",
            Self::CompleteInProgress => "complete_in_progress",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether nothing can be changed any more.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled)
    }
}

/// A checkout.
#[derive(Clone, Debug)]
pub(crate) struct Checkout {
    pub(crate) id: String,
    pub(crate) status: Status,
    pub(crate) currency: String,
    pub(crate) goods: Goods,
    pub(crate) buyer: Buyer,
    pub(crate) discounts: Discounts,
    /// None where nothing is sent.
    pub(crate) delivery: Option<Delivery>,
    pub(crate) messages: Vec<Message>,
    pub(crate) links: Vec<Link>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) attribution: BTreeMap<String, String>,
    pub(crate) expires_at: Timestamp,
    /// Where a buyer goes on; none where there is nothing to go on with.
    pub(crate) continue_url: Option<String>,
    /// The order, once it is paid.
    pub(crate) order: Option<Confirmation>,
}

/// A cart.
#[derive(Clone, Debug)]
pub(crate) struct Cart {
    pub(crate) id: String,
    pub(crate) currency: String,
    pub(crate) goods: Goods,
    pub(crate) buyer: Buyer,
    pub(crate) discounts: Discounts,
    pub(crate) messages: Vec<Message>,
    pub(crate) links: Vec<Link>,
    pub(crate) policies: Vec<Policy>,
    pub(crate) expires_at: Timestamp,
    pub(crate) continue_url: Option<String>,
}

/// The order of a checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Confirmation {
    pub(crate) id: String,
    /// What people call it.
    pub(crate) label: String,
    pub(crate) permalink_url: String,
}

impl Confirmation {
    pub(crate) fn new(order: &Order, token: &str, public_url: &str) -> Self {
        Self {
            id: order.id.to_string(),
            label: label(order),
            permalink_url: permalink(order, token, public_url),
        }
    }
}

/// What people call an order.
pub(crate) fn label(order: &Order) -> String {
    format!("#{}", order.number)
}

/// Where a guest sees an order.
pub(crate) fn permalink(order: &Order, token: &str, public_url: &str) -> String {
    format!("{public_url}/orders/{}?token={token}", order.id)
}

/// What a view is shown with.
pub(crate) struct Scene<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) public_url: &'a str,
    /// Where the buyer goes on.
    pub(crate) continue_url: Option<String>,
    pub(crate) now: Timestamp,
    /// Whether the program can say where the goods go; else the buyer must.
    pub(crate) can_deliver: bool,
}

impl Checkout {
    /// A checkout with what is in its way.
    pub(crate) fn new(view: &CheckoutView, scene: Scene<'_>) -> Result<Self, Refusal> {
        let buyer = view.checkout.buyer.clone();
        let has_shipping = buyer.shipping_method.is_some() && view.quote.needs_shipping();
        let ordered =
            view.completion.as_ref().filter(|done| done.order.status != OrderStatus::Canceled);
        let goods = match ordered {
            Some(done) => Goods::of_order(&done.order, scene.public_url)?,
            None => Goods::of_quote(&view.quote, has_shipping, scene.public_url)?,
        };
        let (status, messages) = state(view, ordered, &scene);
        let line_ids = goods.line_ids();
        let applied = ordered.map_or(&view.quote.discounts, |done| &done.order.discounts);
        let order = ordered.filter(|_| status == Status::Completed);
        Ok(Self {
            id: view.checkout.id.to_string(),
            status,
            currency: view.currency.to_string(),
            discounts: Discounts::new(&view.checkout.codes, applied, &line_ids),
            delivery: Delivery::of(view),
            goods,
            buyer,
            messages,
            links: policy::links(scene.settings, scene.public_url),
            policies: policy::policies(scene.settings, scene.public_url),
            attribution: view
                .checkout
                .origin
                .as_ref()
                .map(|origin| origin.attribution.clone())
                .unwrap_or_default(),
            expires_at: view.checkout.expires_at,
            continue_url: scene.continue_url.filter(|_| !status.is_final()),
            order: order
                .map(|done| Confirmation::new(&done.order, &done.order_token, scene.public_url)),
        })
    }
}

impl Cart {
    /// A cart with what is in its way.
    pub(crate) fn new(view: &CartView, scene: Scene<'_>) -> Result<Self, Refusal> {
        let goods = Goods::of_quote(&view.quote, false, scene.public_url)?;
        let line_ids = goods.line_ids();
        let mut messages = basket::problems(&view.quote);
        messages.extend(discount::rejections(&view.cart.codes, &view.quote));
        Ok(Self {
            id: view.cart.id.to_string(),
            currency: view.currency.to_string(),
            discounts: Discounts::new(&view.cart.codes, &view.quote.discounts, &line_ids),
            goods,
            buyer: view.cart.buyer.clone(),
            messages,
            links: policy::links(scene.settings, scene.public_url),
            policies: policy::policies(scene.settings, scene.public_url),
            expires_at: view.cart.expires_at,
            continue_url: scene.continue_url,
        })
    }
}

/// Whether a checkout has become an order that owes nothing.
pub(crate) fn is_bought(view: &CheckoutView) -> bool {
    view.completion.as_ref().is_some_and(|done| {
        done.order.status != OrderStatus::Canceled && of_payment(done).0 == Status::Completed
    })
}

/// Where a checkout stands, and what is in its way.
fn state(
    view: &CheckoutView,
    ordered: Option<&Completion>,
    scene: &Scene<'_>,
) -> (Status, Vec<Message>) {
    if let Some(done) = ordered {
        return of_payment(done);
    }
    match view.checkout.status {
        CheckoutStatus::Canceled => (Status::Canceled, Vec::new()),
        CheckoutStatus::Open if view.checkout.has_expired(scene.now) => {
            let text = "the checkout has expired; make a new one";
            (Status::Canceled, vec![Message::info("expired", text)])
        }
        // The order was canceled before it was paid.
        CheckoutStatus::Completed => (Status::Canceled, Vec::new()),
        CheckoutStatus::Open => of_basket(view, scene),
    }
}

/// Before anything is ordered.
fn of_basket(view: &CheckoutView, scene: &Scene<'_>) -> (Status, Vec<Message>) {
    let mut messages = basket::problems(&view.quote);
    messages.extend(view.missing.iter().filter_map(|error| missing(error, view, scene)));
    messages.extend(discount::rejections(&view.checkout.codes, &view.quote));
    let status = if messages.iter().any(Message::asks_for_buyer) {
        Status::RequiresEscalation
    } else if messages.iter().any(Message::is_error) {
        Status::Incomplete
    } else {
        Status::ReadyForComplete
    };
    (status, messages)
}

/// After the order was placed: what its money does.
fn of_payment(done: &Completion) -> (Status, Vec<Message>) {
    let Some(payment) = &done.payment else { return (Status::Completed, Vec::new()) };
    let until = done.order.reservation_expires_at.strftime("%Y-%m-%dT%H:%M:%SZ");
    match payment.status {
        PaymentStatus::Paid | PaymentStatus::PartiallyRefunded | PaymentStatus::Refunded => {
            (Status::Completed, Vec::new())
        }
        PaymentStatus::RequiresAction => {
            let text = format!(
                "the buyer must confirm the payment; open `continue_url`. The order waits until {until}"
            );
            let message = Message::error("payment_action_required", Severity::NeedsReview, text);
            (Status::RequiresEscalation, vec![message])
        }
        PaymentStatus::Processing | PaymentStatus::Unknown | PaymentStatus::PartiallyPaid => {
            let text = format!(
                "the payment is under way; look again after a moment. The order waits until {until}"
            );
            let message = Message::info("payment_processing", text);
            (Status::CompleteInProgress, vec![message])
        }
        PaymentStatus::Unpaid => {
            let text = done.payment_refusal().map_or_else(
                || "the payment failed; try another payment method".to_owned(),
                |refusal| refusal.message,
            );
            let text = format!(
                "{text}. The order waits until {until}; until then, complete again with another payment, or update \
                 or cancel the checkout"
            );
            (Status::ReadyForComplete, vec![Message::repairable("payment_failed", text)])
        }
    }
}

/// What a checkout lacks, in the words of the protocol. Lines say themselves what is wrong with them.
fn missing(error: &FieldError, view: &CheckoutView, scene: &Scene<'_>) -> Option<Message> {
    let text = |what: &str| format!("{what} {}", error.message);
    let delivery = |code, what: &str, path: &str| match scene.can_deliver {
        true => Message::repairable(code, text(what)).at(path),
        false => Message::error(code, Severity::NeedsInput, text(what)),
    };
    match error.pointer.as_str() {
        "/email" => {
            Some(Message::repairable("email_required", text("an e-mail address")).at(path::EMAIL))
        }
        "/shipping_address" => {
            Some(delivery("destination_required", "an address", path::DESTINATION))
        }
        "/shipping_method" => Some(delivery("option_required", "a way of sending", path::OPTION)),
        pointer if pointer.starts_with("/lines/") => None,
        pointer if pointer.starts_with("/shipping_address/") => {
            let buyer = &view.checkout.buyer;
            let is_chosen =
                |known: &Destination| Some(&known.id) == buyer.selected_destination.as_ref();
            let at = buyer.destinations.iter().position(is_chosen).unwrap_or_default();
            let field = pointer.trim_start_matches("/shipping_address/");
            let lacking = delivery::lacking(field, at);
            Some(if scene.can_deliver { lacking } else { lacking.for_buyer() })
        }
        _ => Some(Message::repairable("incomplete", error.message.clone())),
    }
}
