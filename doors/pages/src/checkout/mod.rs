//! The hosted checkout: contact, delivery, review and payment.
//!
//! Each step is a form that is answered with the address of the next, so it can be left and resumed at any point.
//! What is shown is always what the engine says now; nothing of a form is trusted but the buyer's own words.

mod action;
mod complete;
mod contact;
mod delivery;
mod pay;
mod review;
mod summary;

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::State,
    response::Response,
    routing::{get, post},
};
use handel_domain::{
    Code, address::Country, channel::Channel, checkout::Buyer, id::CheckoutId, order::PaymentStatus,
};
use handel_engine::{CheckoutView, Completion};
use handel_kit::{Door, PathParams, Problem};
use http::{StatusCode, Uri};

use self::summary::Summary;
pub(crate) use self::summary::address_lines;
use crate::{
    format::Format,
    page::{Frame, Privacy, see, show},
    visit::{Fields, Form, Visit},
    words::{ENGLISH, Words},
};

pub(crate) fn router() -> Router<Door> {
    Router::new()
        .route("/checkout", post(start).get(async || see("/cart")))
        .route("/checkout/{id}", get(show_checkout))
        .route("/checkout/{id}/contact", post(contact::save).get(back))
        .route("/checkout/{id}/delivery", post(delivery::save).get(back))
        .route("/checkout/{id}/complete", post(complete::complete).get(back))
}

/// A checkout with all that its pages need.
struct Desk {
    view: CheckoutView,
    channel: Arc<Channel>,
    format: Format,
}

/// Where in the checkout a buyer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Contact,
    Delivery,
    Review,
}

impl Desk {
    /// A checkout for a page that shows it.
    async fn load(door: &Door, visit: &Visit, id: CheckoutId) -> Result<Self, Problem> {
        let view = door.engine().get_checkout(&visit.ctx, id).await?;
        Self::of(door, visit, view).await
    }

    /// A checkout for what must be known before a form is acted on. It must not be shown.
    async fn peek(door: &Door, visit: &Visit, id: CheckoutId) -> Result<Self, Problem> {
        let view = door.engine().peek_checkout(&visit.ctx, id).await?;
        Self::of(door, visit, view).await
    }

    async fn of(door: &Door, visit: &Visit, view: CheckoutView) -> Result<Self, Problem> {
        let channel = door.engine().channel_of(&visit.ctx, view.checkout.channel_id).await?;
        let format = Format::new(view.currency, &channel.settings.locale);
        Ok(Self { view, channel, format })
    }

    /// The country that is not named in addresses.
    fn home(&self) -> Country {
        self.channel.settings.default_country
    }

    fn id(&self) -> CheckoutId {
        self.view.checkout.id
    }

    fn frame(&self, door: &Door, title: &str) -> Frame {
        Frame::of(door, title, &self.channel).bare()
    }

    fn needs_delivery(&self) -> bool {
        self.view.quote.needs_shipping()
    }

    /// Whether a field is missing, or a part of it.
    fn lacks(&self, pointer: &str) -> bool {
        self.view.missing.iter().any(|missing| {
            let rest = missing.pointer.strip_prefix(pointer);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// The first step that is not done.
    fn first_open(&self) -> Step {
        if self.lacks("/email") || self.lacks("/shipping_address") {
            Step::Contact
        } else if self.lacks("/shipping_method") {
            Step::Delivery
        } else {
            Step::Review
        }
    }

    /// The step that was asked for, as far as one may go.
    fn step(&self, asked: &str) -> Step {
        let open = self.first_open();
        match asked {
            "contact" => Step::Contact,
            "delivery" if self.needs_delivery() => Step::Delivery.min(open),
            _ => open,
        }
    }
}

impl Step {
    fn address(self, id: CheckoutId) -> String {
        match self {
            Self::Contact => format!("/checkout/{id}?step=contact"),
            Self::Delivery => format!("/checkout/{id}?step=delivery"),
            Self::Review => format!("/checkout/{id}"),
        }
    }
}

/// Starts a checkout of the browser's cart, or goes on with the one under way.
async fn start(State(door): State<Door>, form: Form) -> Result<Response, Problem> {
    let Some(cart) = &form.visit.cart else { return Ok(see("/cart")) };
    let ctx = &form.visit.ctx;
    match door.engine().create_checkout(ctx, cart, Buyer::default()).await {
        Ok(once) => Ok(see(&format!("/checkout/{}", once.reply.checkout.id))),
        Err(error) => match error.code() {
            // The cart says that nothing can be bought.
            Code::CartEmpty | Code::CartUnknown | Code::PaymentsNotConfigured => Ok(see("/cart")),
            Code::CartClosed | Code::CheckoutClosed => {
                let orders = door.engine().list_own_orders(ctx).await?;
                let order = orders.first().map(|details| details.order.checkout_id);
                Ok(see(&order.map_or("/cart".to_owned(), |id| format!("/checkout/{id}"))))
            }
            _ => Err(error.into()),
        },
    }
}

/// A form has an address that only takes forms; whoever opens it is shown where the checkout stands.
async fn back(PathParams(id): PathParams<CheckoutId>) -> Response {
    see(&format!("/checkout/{id}"))
}

async fn show_checkout(
    State(door): State<Door>,
    PathParams(id): PathParams<CheckoutId>,
    uri: Uri,
    visit: Visit,
) -> Result<Response, Problem> {
    let asked = Fields::of_query(&uri);
    let back = Some(&uri).filter(|_| asked.has(RETURNED));
    if back.is_some() {
        // The provider knows already what became of the payment; its webhook may take a while.
        door.engine().confirm_payment(&visit.ctx, id).await?;
    }
    let desk = Desk::load(&door, &visit, id).await?;
    let wants_change = !asked.get("step").is_empty();
    if let Some(completion) = &desk.view.completion
        && !(wants_change && is_declined(completion))
    {
        return Ok(after(&door, &desk, completion, back));
    }
    if desk.view.checkout.has_expired(door.system().now()) {
        return Ok(expired(&door, &desk));
    }
    Ok(match desk.step(asked.get("step")) {
        Step::Contact => contact::show_form(&door, &desk),
        Step::Delivery => delivery::show_form(&door, &desk, Vec::new(), StatusCode::OK),
        Step::Review => pay::show_form(&door, &desk, pay::Problems::default()),
    })
}

/// What the provider adds to the address when the buyer comes back.
const RETURNED: &str = "returned";

/// What follows when the checkout became an order.
fn after(door: &Door, desk: &Desk, completion: &Completion, back: Option<&Uri>) -> Response {
    let order = &completion.order;
    let waits = order.awaits_payment();
    match completion.payment.as_ref().map(|payment| payment.status) {
        Some(PaymentStatus::RequiresAction) if waits => {
            action::show_action(door, desk, completion, back)
        }
        Some(PaymentStatus::Unpaid) if waits => {
            pay::show_again(door, desk, completion, pay::Problems::default())
        }
        _ => see(&order_address(completion)),
    }
}

/// Whether an order waits although its payment failed: until another payment it can still be changed.
fn is_declined(completion: &Completion) -> bool {
    let status = completion.payment.as_ref().map(|payment| payment.status);
    completion.order.awaits_payment() && status == Some(PaymentStatus::Unpaid)
}

/// The page of an order, with the token that opens it.
fn order_address(completion: &Completion) -> String {
    let token = &completion.order_token;
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("token", token).finish();
    format!("/orders/{}?{query}", completion.order.id)
}

#[derive(Template)]
#[template(path = "checkout_expired.html")]
struct ExpiredPage {
    w: &'static Words,
    frame: Frame,
    c: Summary,
}

/// A checkout that has ended without an order. Its cart is still there.
fn expired(door: &Door, desk: &Desk) -> Response {
    let page = ExpiredPage {
        w: &ENGLISH,
        frame: desk.frame(door, ENGLISH.expired),
        c: Summary::without_steps(desk),
    };
    show(door, StatusCode::GONE, Privacy::Personal, &page)
}

/// What was refused because the checkout is not what the form was made from.
fn is_outdated(code: Code) -> bool {
    matches!(code, Code::CheckoutClosed | Code::CheckoutIncomplete)
}
