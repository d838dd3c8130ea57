//! The last step: everything once more, and how it is paid.

use askama::Template;
use axum::response::Response;
use handel_domain::promotion::Rejection;
use handel_engine::{Completion, PaymentChoice};
use handel_kit::Door;
use handel_ports::Secret;
use http::StatusCode;

use super::{Desk, RETURNED, Step, Summary, review::Review, summary};
use crate::{
    field::{Choice, Complaint, Field},
    page::{Frame, Link, Privacy, TEST_PROVIDER, is_test_shop, show},
    visit::Fields,
    words::{ENGLISH, Words},
};

#[derive(Template)]
#[template(path = "checkout_pay.html")]
struct PayPage {
    w: &'static Words,
    frame: Frame,
    c: Summary,
    heading: &'static str,
    /// Why the last payment failed.
    decline: Option<String>,
    complaints: Vec<Complaint>,
    /// What happened, before the buyer is asked again.
    notice: String,
    /// What was said so far, and where it is changed.
    answers: Vec<Answer>,
    policies: Vec<Link>,
    payments: Vec<Choice>,
    token: Field,
    /// Whether tokens of the test provider can be tried.
    has_test: bool,
    /// Why it cannot be paid.
    cannot_pay: Option<&'static str>,
    /// Makes two clicks one order.
    key: String,
    /// What the buyer saw: nothing is bought for another amount.
    expected_total_minor: i64,
    /// Digests of all else that the buyer saw.
    reviewed: String,
    button: String,
    /// Whether something must change first.
    is_blocked: bool,
    cart_href: Option<&'static str>,
}

struct Answer {
    label: &'static str,
    lines: Vec<String>,
    href: String,
}

/// What went wrong when the order was to be placed.
#[derive(Default)]
pub(super) struct Problems {
    pub(super) complaints: Vec<Complaint>,
    pub(super) notice: String,
    pub(super) token_error: Option<String>,
    pub(super) chosen: String,
    pub(super) status: Option<StatusCode>,
}

/// What the test provider can be made to do, as choices.
const TEST_CARDS: [(&str, &str, &str); 5] = [
    ("tok_ok", ENGLISH.card_ok, ENGLISH.card_ok_note),
    ("tok_action_required", ENGLISH.card_action, ENGLISH.card_action_note),
    ("tok_async_ok", ENGLISH.card_async, ENGLISH.card_async_note),
    ("tok_declined", ENGLISH.card_declined, ENGLISH.card_declined_note),
    ("tok_insufficient_funds", ENGLISH.card_funds, ENGLISH.card_funds_note),
];

/// The review of a checkout that lacks nothing.
pub(super) fn show_form(door: &Door, desk: &Desk, problems: Problems) -> Response {
    let quote = &desk.view.quote;
    let mut complaints = problems.complaints;
    let c = Summary::new(desk, Step::Review);
    let has_short = c.lines.iter().any(|line| !line.problems.is_empty());
    let gone = desk.view.missing.iter().any(|missing| missing.pointer.starts_with("/lines/"));
    if gone && complaints.is_empty() {
        complaints.push(Complaint::new(ENGLISH.something_gone));
    }
    let has_used_up =
        quote.rejected_codes.iter().any(|rejected| rejected.reason == Rejection::UsedUp);
    let form = PayForm {
        decline: None,
        complaints,
        notice: problems.notice,
        token_error: problems.token_error,
        chosen: Some(problems.chosen),
        is_blocked: gone,
        cart_href: (gone || has_short || has_used_up).then_some("/cart"),
        total_minor: quote.totals.total_minor,
        status: problems.status.unwrap_or(StatusCode::OK),
    };
    form.show(door, desk, c, ENGLISH.pay_heading)
}

/// The order is placed, but the payment failed: the buyer may try again as long as it waits, with a payment method
/// that they choose anew.
pub(super) fn show_again(
    door: &Door,
    desk: &Desk,
    completion: &Completion,
    problems: Problems,
) -> Response {
    let refusal = completion.payment_refusal();
    let decline = refusal.map(|refusal| ENGLISH.sentence(&refusal.message));
    let heading = if decline.is_some() { ENGLISH.not_paid_heading } else { ENGLISH.not_paid };
    let order = &completion.order;
    let kept_until = crate::format::moment(order.reservation_expires_at);
    let form = PayForm {
        decline,
        complaints: problems.complaints,
        notice: match problems.notice.is_empty() {
            true => ENGLISH.order_kept(order.number, &kept_until),
            false => problems.notice,
        },
        token_error: problems.token_error,
        chosen: None,
        is_blocked: false,
        cart_href: None,
        total_minor: completion.payment.as_ref().map_or(0, |payment| payment.payment.amount_minor),
        status: problems.status.unwrap_or(StatusCode::OK),
    };
    form.show(door, desk, Summary::of_order(desk, order), heading)
}

struct PayForm {
    decline: Option<String>,
    complaints: Vec<Complaint>,
    notice: String,
    token_error: Option<String>,
    /// The payment method that is marked: this one, else the first. None marks none.
    chosen: Option<String>,
    is_blocked: bool,
    cart_href: Option<&'static str>,
    total_minor: i64,
    status: StatusCode,
}

impl PayForm {
    fn show(self, door: &Door, desk: &Desk, c: Summary, heading: &'static str) -> Response {
        let payments = match self.total_minor {
            0 => Vec::new(),
            _ => choices(&door.engine().provider_names(), self.chosen.as_deref()),
        };
        let cannot_pay =
            (self.total_minor > 0 && payments.is_empty()).then_some(ENGLISH.no_payments);
        let mut token =
            Field::text("token", ENGLISH.token, "off").optional("").hint(ENGLISH.token_hint);
        token.error = self.token_error;
        let amount = desk.format.money(self.total_minor);
        let title = match (&self.decline, self.complaints.is_empty()) {
            (Some(_), true) => ENGLISH.not_paid_heading,
            (None, true) => ENGLISH.checkout,
            (_, false) => ENGLISH.checkout_wrong,
        };
        let frame = desk.frame(door, title);
        let page = PayPage {
            w: &ENGLISH,
            c,
            heading,
            decline: self.decline,
            has_test: is_test_shop(door),
            is_blocked: self.is_blocked || cannot_pay.is_some(),
            cannot_pay,
            complaints: self.complaints,
            notice: self.notice,
            answers: answers(desk),
            policies: frame.policies.clone(),
            frame,
            button: if self.total_minor == 0 {
                ENGLISH.order_free.to_owned()
            } else {
                ENGLISH.pay(&amount)
            },
            payments,
            token,
            key: door.engine().request_id().to_string(),
            expected_total_minor: self.total_minor,
            reviewed: Review::of(&desk.view.checkout).written(),
            cart_href: self.cart_href,
        };
        show(door, self.status, Privacy::Personal, &page)
    }
}

fn answers(desk: &Desk) -> Vec<Answer> {
    let buyer = &desk.view.checkout.buyer;
    let href = |step: Step| step.address(desk.id());
    let mut answers = Vec::new();
    if let Some(email) = &buyer.email {
        let lines = vec![email.to_string()];
        answers.push(Answer { label: ENGLISH.receipt_to, lines, href: href(Step::Contact) });
    }
    for (label, address) in
        [(ENGLISH.ship_to, &buyer.shipping_address), (ENGLISH.bill_to, &buyer.billing_address)]
    {
        if let Some(address) = address {
            let lines = summary::address_lines(address, desk.home());
            answers.push(Answer { label, lines, href: href(Step::Contact) });
        }
    }
    if let Some(name) = summary::method_name(desk).filter(|_| desk.needs_delivery()) {
        answers.push(Answer {
            label: ENGLISH.ship_by,
            lines: vec![name],
            href: href(Step::Delivery),
        });
    }
    answers
}

/// The payment methods: the cards of the test provider, and every other provider by its name.
fn choices(providers: &[&'static str], chosen: Option<&str>) -> Vec<Choice> {
    let mut choices = Vec::new();
    for provider in providers {
        if *provider == TEST_PROVIDER {
            let cards = TEST_CARDS.iter();
            choices.extend(cards.map(|(token, label, note)| {
                Choice::new(format!("{provider}/{token}"), *label).note(*note)
            }));
        } else {
            choices.push(Choice::new(format!("{provider}/"), *provider).note(ENGLISH.by_token));
        }
    }
    if let Some(chosen) = chosen {
        let at = choices.iter().position(|choice| choice.value == chosen).unwrap_or(0);
        choices.get_mut(at).into_iter().for_each(|choice| choice.is_chosen = true);
    }
    choices
}

/// How the buyer wants to pay; none where nothing was chosen, because nothing is owed.
pub(super) fn read(door: &Door, fields: &Fields, id: &str) -> Option<PaymentChoice> {
    let chosen = fields.some("payment")?;
    let (provider, card) = chosen.split_once('/').unwrap_or((&chosen, ""));
    let token = fields.some("token").unwrap_or_else(|| card.to_owned());
    Some(PaymentChoice {
        provider: Some(provider.to_owned()),
        token: Secret::new(token),
        return_url: Some(format!("{}/checkout/{id}?{RETURNED}", door.settings().public_url)),
    })
}
