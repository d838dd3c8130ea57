//! The second step: how the goods are sent.

use askama::Template;
use axum::{extract::State, response::Response};
use handel_domain::{Code, checkout::Buyer, id::CheckoutId, text::Slug};
use handel_kit::{Door, PathParams, Problem};
use http::StatusCode;

use super::{Desk, Step, Summary, is_outdated, summary::address_lines};
use crate::{
    field::{Choice, Complaint},
    page::{Frame, Privacy, see, show},
    visit::Form,
    words::{ENGLISH, Words},
};

#[derive(Template)]
#[template(path = "checkout_delivery.html")]
struct DeliveryPage {
    w: &'static Words,
    frame: Frame,
    c: Summary,
    complaints: Vec<Complaint>,
    address: Vec<String>,
    contact_href: String,
    methods: Vec<Choice>,
}

/// The methods that go to the address; the chosen or the cheapest one is marked.
pub(super) fn show_form(
    door: &Door,
    desk: &Desk,
    complaints: Vec<Complaint>,
    status: StatusCode,
) -> Response {
    let buyer = &desk.view.checkout.buyer;
    let cheapest = desk.view.shipping_prices().next();
    let chosen = buyer.shipping_method.as_ref().or(cheapest.map(|(method, _)| &method.code));
    let methods = desk.view.shipping_prices().map(|(method, price_minor)| {
        let amount = match price_minor {
            0 => ENGLISH.free.to_owned(),
            amount => desk.format.money(amount),
        };
        Choice::new(method.code.as_str(), method.name.clone())
            .aside(amount)
            .chosen(Some(&method.code) == chosen)
    });
    let title = if complaints.is_empty() { ENGLISH.checkout } else { ENGLISH.checkout_wrong };
    let page = DeliveryPage {
        w: &ENGLISH,
        frame: desk.frame(door, title),
        c: Summary::new(desk, Step::Delivery),
        complaints,
        address: match &buyer.shipping_address {
            Some(address) => address_lines(address, desk.home()),
            None => Vec::new(),
        },
        contact_href: Step::Contact.address(desk.id()),
        methods: methods.collect(),
    };
    show(door, status, Privacy::Personal, &page)
}

/// Takes in the choice, and goes on.
pub(super) async fn save(
    State(door): State<Door>,
    PathParams(id): PathParams<CheckoutId>,
    form: Form,
) -> Result<Response, Problem> {
    let wrong = async || -> Result<Response, Problem> {
        let desk = Desk::load(&door, &form.visit, id).await?;
        let complaints = vec![Complaint::at("methods", ENGLISH.choose_method)];
        Ok(show_form(&door, &desk, complaints, StatusCode::UNPROCESSABLE_ENTITY))
    };
    let Ok(method) = Slug::parse("/shipping_method", form.fields.get("method")) else {
        return wrong().await;
    };
    let buyer = Buyer { shipping_method: Some(method), ..Buyer::default() };
    match door.engine().update_checkout(&form.visit.ctx, id, buyer, None).await {
        Ok(_) => Ok(see(&Step::Review.address(id))),
        Err(error) if error.code() == Code::ShippingMethodUnknown => wrong().await,
        Err(error) if is_outdated(error.code()) => Ok(see(&format!("/checkout/{id}"))),
        Err(error) => Err(error.into()),
    }
}
