//! The page of an order: `GET /orders/{id}?token=…`.

use askama::Template;
use axum::{Router, extract::State, response::Response, routing::get};
use handel_domain::{
    address::Address,
    channel::Settings,
    event::OrderChange,
    id::OrderId,
    order::{FulfillmentStatus, LineQuantity, Order, PaymentStatus, Status},
    payment::OperationStatus,
};
use handel_engine::{Caller, OrderDetails, OrderStory, RefundEntry, StoryEvent};
use handel_kit::{Door, PathParams, Problem};
use http::{StatusCode, Uri};

use crate::{
    basket::{self, Line, Sums},
    checkout::address_lines,
    format::{Format, day, moment},
    page::{Frame, Privacy, show},
    reload::Reload,
    visit::{Fields, Visit},
    words::{ENGLISH, Words},
};

pub(crate) fn router() -> Router<Door> {
    Router::new().route("/orders/{id}", get(show_order))
}

#[derive(Template)]
#[template(path = "order.html")]
struct OrderPage {
    w: &'static Words,
    frame: Frame,
    number: i64,
    placed_at: String,
    /// What there is to say first.
    heading: String,
    text: String,
    tone: &'static str,
    progress: Vec<Stage>,
    payment: String,
    email: String,
    shipping: Vec<String>,
    billing: Vec<String>,
    method: String,
    lines: Vec<Line>,
    sums: Sums,
    parcels: Vec<Parcel>,
    refunds: Vec<String>,
    /// Where it can be paid.
    pay_href: Option<String>,
    /// The address of this page.
    here: String,
    /// When it looks again, while the payment is under way.
    reload: Option<Reload>,
}

/// How far the order has come.
struct Stage {
    label: &'static str,
    is_done: bool,
    is_current: bool,
}

/// What left the warehouse together.
struct Parcel {
    title: String,
    sent_at: String,
    units: Vec<String>,
    carrier: String,
    number: String,
    url: Option<String>,
}

async fn show_order(
    State(door): State<Door>,
    PathParams(id): PathParams<OrderId>,
    uri: Uri,
    visit: Visit,
) -> Result<Response, Problem> {
    let token = Fields::of_query(&uri).some("token");
    let story = door.engine().order_story(&visit.ctx, id, token).await?;
    let details = &story.details;
    let channel = door.engine().channel_of(&visit.ctx, details.order.channel_id).await?;
    let frame = Frame::of(&door, ENGLISH.order_title(details.order.number), &channel).private();
    let reload = is_under_way(details).then(|| Reload::of(&uri));
    let is_buyer = matches!(
        &visit.ctx.caller,
        Caller::Shopper(Some(cart_id)) if *cart_id == details.order.cart_id
    );
    let mut page = page(frame, story, is_buyer, &channel.settings);
    page.here = Reload::of(&uri).now_href;
    page.reload = reload;
    let response = show(&door, StatusCode::OK, Privacy::Secret, &page);
    Ok(match page.reload {
        Some(reload) => reload.put(response),
        None => response,
    })
}

fn is_under_way(details: &OrderDetails) -> bool {
    let status = details.payment.as_ref().map(|payment| payment.status);
    details.order.awaits_payment()
        && matches!(status, Some(PaymentStatus::Processing | PaymentStatus::Unknown))
}

fn page(frame: Frame, story: OrderStory, is_buyer: bool, settings: &Settings) -> OrderPage {
    let OrderStory { details, events, refunds } = story;
    let OrderDetails { order, payment, fulfillment_status } = details;
    let format = &Format::new(order.currency, &settings.locale);
    let address = |address: Option<&Address>| {
        address.map_or_else(Vec::new, |address| address_lines(address, settings.default_country))
    };
    let status = payment.as_ref().map(|payment| payment.status);
    let (heading, text, tone) = news(&order, status, fulfillment_status);
    let owes = matches!(status, Some(PaymentStatus::Unpaid | PaymentStatus::RequiresAction));
    let can_pay = order.awaits_payment() && owes && is_buyer;
    OrderPage {
        w: &ENGLISH,
        frame,
        number: order.number,
        placed_at: day(order.placed_at),
        heading: heading.to_owned(),
        text: match order.awaits_payment() && owes {
            true => ENGLISH.pays_until(&moment(order.reservation_expires_at)),
            false => text.to_owned(),
        },
        tone,
        progress: progress(&order, fulfillment_status),
        payment: payment_text(status).to_owned(),
        email: order.email.to_string(),
        shipping: address(order.shipping_address.as_ref()),
        billing: address(order.billing_address.as_ref()),
        method: order.shipping_method.as_ref().map(|m| m.name.clone()).unwrap_or_default(),
        lines: basket::ordered_lines(&order, format),
        sums: basket::ordered_sums(&order, format),
        parcels: parcels(&events, &order),
        refunds: refunds.iter().map(|refund| refund_text(refund, format)).collect(),
        pay_href: can_pay.then(|| format!("/checkout/{}", order.checkout_id)),
        here: String::new(),
        reload: None,
    }
}

fn parcels(events: &[StoryEvent], order: &Order) -> Vec<Parcel> {
    let sent = events.iter().filter_map(|event| match &event.change {
        OrderChange::Shipped { lines, tracking }
        | OrderChange::PartiallyShipped { lines, tracking } => Some((event, lines, tracking)),
        _ => None,
    });
    let units = |line: &LineQuantity| {
        let title = order.lines.iter().find(|known| known.id == line.line_id)?.title.as_str();
        Some(ENGLISH.units(line.quantity, title))
    };
    sent.enumerate()
        .map(|(at, (event, lines, tracking))| Parcel {
            title: ENGLISH.parcel(at + 1),
            sent_at: day(event.occurred_at),
            units: lines.iter().filter_map(units).collect(),
            carrier: tracking.carrier.clone().unwrap_or_default(),
            number: tracking.number.clone().unwrap_or_default(),
            url: tracking.url.clone(),
        })
        .collect()
}

fn refund_text(refund: &RefundEntry, format: &Format) -> String {
    let amount = format.money(refund.amount.amount_minor);
    let text = match refund.status {
        OperationStatus::Succeeded => ENGLISH.refund_done,
        OperationStatus::Pending => ENGLISH.refund_pending,
        OperationStatus::Failed => ENGLISH.refund_failed,
    };
    ENGLISH.refund(text, &amount, &day(refund.updated_at))
}

/// What the buyer wants to know first, and how it should look.
fn news(
    order: &Order,
    payment: Option<PaymentStatus>,
    parcels: FulfillmentStatus,
) -> (&'static str, &'static str, &'static str) {
    let w = &ENGLISH;
    match (order.status, payment) {
        (Status::Canceled, Some(PaymentStatus::Refunded)) => {
            (w.canceled, w.canceled_refunded, "ended")
        }
        (Status::Canceled, _) => (w.canceled, w.canceled_text, "ended"),
        (_, Some(PaymentStatus::Unpaid | PaymentStatus::RequiresAction))
            if order.awaits_payment() =>
        {
            (w.not_paid, "", "warn")
        }
        _ if order.awaits_payment() => (w.checking, w.checking_text, "waits"),
        _ => match parcels {
            FulfillmentStatus::Delivered => (w.arrived, w.arrived_text, "good"),
            FulfillmentStatus::Shipped | FulfillmentStatus::PartiallyDelivered => {
                (w.on_its_way, w.on_its_way_text, "good")
            }
            FulfillmentStatus::PartiallyShipped => (w.partly_on_its_way, w.partly_text, "good"),
            FulfillmentStatus::Unfulfilled => (w.thanks, w.thanks_text, "good"),
        },
    }
}

fn progress(order: &Order, parcels: FulfillmentStatus) -> Vec<Stage> {
    if order.status == Status::Canceled {
        return Vec::new();
    }
    let reached = match (order.status, parcels) {
        (Status::Created | Status::Reserved, _) => 0,
        (_, FulfillmentStatus::Delivered) => 4,
        (Status::Shipped, _)
        | (_, FulfillmentStatus::Shipped | FulfillmentStatus::PartiallyDelivered) => 3,
        (Status::Packing, _) | (_, FulfillmentStatus::PartiallyShipped) => 2,
        _ => 1,
    };
    let labels = [
        ENGLISH.stage_placed,
        ENGLISH.stage_paid,
        ENGLISH.stage_packing,
        ENGLISH.stage_shipped,
        ENGLISH.stage_delivered,
    ];
    labels
        .into_iter()
        .enumerate()
        .map(|(at, label)| Stage { label, is_done: at <= reached, is_current: at == reached })
        .collect()
}

fn payment_text(status: Option<PaymentStatus>) -> &'static str {
    let w = &ENGLISH;
    match status {
        None => w.nothing_owed,
        Some(PaymentStatus::Unpaid) => w.unpaid,
        Some(PaymentStatus::RequiresAction) => w.needs_approval,
        Some(PaymentStatus::Processing) => w.processing,
        Some(PaymentStatus::Unknown) => w.payment_unknown,
        Some(PaymentStatus::PartiallyPaid) => w.partly_paid,
        Some(PaymentStatus::Paid) => w.paid,
        Some(PaymentStatus::PartiallyRefunded) => w.partly_refunded,
        Some(PaymentStatus::Refunded) => w.refunded,
    }
}
