//! Places the order: one for each form, however often it is sent.

use axum::{extract::State, response::Response};
use handel_domain::{
    Code, Refusal,
    checkout::{Buyer, WithPayment},
    id::CheckoutId,
    order::PaymentStatus,
};
use handel_engine::{Complete, Completion};
use handel_kit::{Door, PathParams, Problem, status_of};
use http::StatusCode;

use super::{Desk, Step, is_declined, is_outdated, order_address, pay, review::Review};
use crate::{field::Complaint, page::see, visit::Form, words::ENGLISH};

pub(super) async fn complete(
    State(door): State<Door>,
    PathParams(id): PathParams<CheckoutId>,
    form: Form,
) -> Result<Response, Problem> {
    let here = format!("/checkout/{id}");
    let desk = Desk::peek(&door, &form.visit, id).await?;
    let ctx = form.once(desk.view.checkout.cart_id, form.fields.get("key"))?;
    let Ok(expected) = form.fields.get("expected_total_minor").parse::<i64>() else {
        return Ok(see(&here));
    };
    let changed = Review::of(&desk.view.checkout).changed_since(form.fields.get("reviewed"));
    if !changed.is_empty() {
        return look_again(&door, &form, id, &changed).await;
    }
    let complete = Complete {
        checkout_id: id,
        payment: pay::read(&door, &form.fields, &id.to_string()),
        said: WithPayment::default(),
        expected_total_minor: Some(expected),
        // What was compared just now is what is bought.
        expected_version: Some(desk.view.checkout.version),
    };
    match door.engine().complete_checkout(&ctx, complete).await {
        Ok(once) => Ok(see(&next(&once.reply, &here))),
        Err(error) => match error.code() {
            // The first click is being worked on, or the provider has not answered yet.
            Code::IdempotencyInFlight | Code::PaymentInProgress => Ok(see(&here)),
            Code::CartChanged => again_from_cart(&door, &form, id).await,
            Code::VersionConflict => {
                let now = Desk::peek(&door, &form.visit, id).await?;
                let changed = Review::of(&now.view.checkout);
                let changed = changed.changed_since(form.fields.get("reviewed"));
                look_again(&door, &form, id, &changed).await
            }
            code if is_outdated(code) => Ok(see(&here)),
            _ => match problems(&error.refusal, &desk, &form) {
                Some(problems) => {
                    let desk = Desk::load(&door, &form.visit, id).await?;
                    match &desk.view.completion {
                        // An order that waits for money: nothing was marked, or the token was wrong.
                        Some(completion) if is_declined(completion) => {
                            Ok(pay::show_again(&door, &desk, completion, problems))
                        }
                        Some(_) => Ok(see(&here)),
                        None => Ok(pay::show_form(&door, &desk, problems)),
                    }
                }
                None => Err(error.into()),
            },
        },
    }
}

/// The checkout is not the one that was reviewed: the buyer looks again, and nothing is bought.
async fn look_again(
    door: &Door,
    form: &Form,
    id: CheckoutId,
    changed: &[&str],
) -> Result<Response, Problem> {
    let desk = Desk::load(door, &form.visit, id).await?;
    let is_ready = desk.view.completion.is_none() && desk.first_open() == Step::Review;
    if !is_ready || desk.view.checkout.has_expired(door.system().now()) {
        return Ok(see(&format!("/checkout/{id}")));
    }
    let changed = if changed.is_empty() { &[ENGLISH.part_any] } else { changed };
    let problems = pay::Problems {
        notice: ENGLISH.review_changed(changed),
        chosen: form.fields.get("payment").to_owned(),
        status: Some(StatusCode::CONFLICT),
        ..pay::Problems::default()
    };
    Ok(pay::show_form(door, &desk, problems))
}

/// Where a buyer goes whose order is placed: to the order, or back to paying it.
fn next(completion: &Completion, here: &str) -> String {
    match completion.payment.as_ref().map(|payment| payment.status) {
        Some(PaymentStatus::Unpaid | PaymentStatus::RequiresAction)
            if completion.order.awaits_payment() =>
        {
            here.to_owned()
        }
        _ => order_address(completion),
    }
}

/// The cart was changed in another window: the checkout takes it over, and the buyer looks again.
async fn again_from_cart(door: &Door, form: &Form, id: CheckoutId) -> Result<Response, Problem> {
    let Some(cart) = &form.visit.cart else { return Ok(see("/cart")) };
    let refreshed = door.engine().create_checkout(&form.visit.ctx, cart, Buyer::default()).await;
    let view = match refreshed {
        Ok(once) if once.reply.checkout.id == id && once.reply.missing.is_empty() => once.reply,
        Ok(once) => return Ok(see(&format!("/checkout/{}", once.reply.checkout.id))),
        Err(error) if error.code() == Code::CartEmpty => return Ok(see("/cart")),
        Err(error) => return Err(error.into()),
    };
    let desk = Desk::of(door, &form.visit, view).await?;
    let problems = pay::Problems {
        notice: ENGLISH.cart_changed.to_owned(),
        chosen: form.fields.get("payment").to_owned(),
        status: Some(StatusCode::CONFLICT),
        ..pay::Problems::default()
    };
    Ok(pay::show_form(door, &desk, problems))
}

/// What to say where the buyer can do something about it.
fn problems(refusal: &Refusal, desk: &Desk, form: &Form) -> Option<pay::Problems> {
    let mut problems = pay::Problems {
        chosen: form.fields.get("payment").to_owned(),
        status: Some(status_of(refusal.code)),
        ..pay::Problems::default()
    };
    match refusal.code {
        Code::TotalsChanged => {
            let now = refusal.details.total_minor.map(|total| desk.format.money(total));
            problems.notice = ENGLISH.total_changed(&now.unwrap_or_default());
        }
        Code::StockShort => {
            let names = shortages(refusal, desk);
            problems.complaints = names.into_iter().map(Complaint::new).collect();
        }
        Code::PaymentTokenInvalid | Code::CardNumberRefused => {
            let text = ENGLISH.sentence(&refusal.message);
            problems.complaints.push(Complaint::at("token", text.clone()));
            problems.token_error = Some(text);
        }
        Code::InputInvalid if form.fields.get("payment").is_empty() => {
            problems.complaints.push(Complaint::at("payments", ENGLISH.choose_payment));
        }
        Code::PromotionUsedUp => {
            problems.complaints.push(Complaint::new(ENGLISH.sentence(&refusal.message)));
        }
        Code::IdempotencyConflict => problems.notice = ENGLISH.form_used.to_owned(),
        Code::PaymentsNotConfigured
        | Code::ProviderUnknown
        | Code::ProviderUnavailable
        | Code::TaxRateMissing => {
            problems.complaints.push(Complaint::at("payments", ENGLISH.sentence(&refusal.message)));
        }
        _ => return None,
    }
    Some(problems)
}

/// What is short, by the names of the goods.
fn shortages(refusal: &Refusal, desk: &Desk) -> Vec<String> {
    let name = |variant_id| {
        let lines = desk.view.quote.lines.iter();
        let offer = { lines }.find(|line| line.line.variant_id == variant_id)?.offer.as_ref()?;
        Some(offer.title.clone())
    };
    let short = refusal.details.shortages.iter();
    short
        .map(|short| {
            let title = name(short.variant_id).unwrap_or_else(|| ENGLISH.something.to_owned());
            match short.available {
                available if available > 0 => ENGLISH.title_short(&title, available),
                _ => ENGLISH.title_sold_out(&title),
            }
        })
        .collect()
}
