//! Discount codes of a cart: the list of them, and the form that adds and removes.

use axum::{Router, extract::State, response::Response, routing::post};
use handel_domain::{Code, cart::Cart, checkout::Quote, promotion::Rejection};
use handel_kit::{Door, Problem, status_of};

use crate::{
    cart::{Wrong, cart_page, with_cookie},
    field::Complaint,
    page::{Found, Shop, see},
    visit::Form,
    words::ENGLISH,
};

pub(crate) fn router() -> Router<Door> {
    Router::new().route("/cart/codes", post(change).get(async || see("/cart")))
}

/// A code that the shopper gave.
pub(crate) struct CodeRow {
    pub(crate) code: String,
    /// Why it does nothing; empty if it does something.
    pub(crate) problem: &'static str,
}

/// The codes of a cart with what they do.
pub(crate) fn rows(cart: &Cart, quote: &Quote) -> Vec<CodeRow> {
    let problem = |code: &String| {
        let rejected = quote.rejected_codes.iter().find(|rejected| rejected.code == *code);
        rejected.map_or("", |rejected| reason(rejected.reason))
    };
    cart.codes.iter().map(|code| CodeRow { code: code.clone(), problem: problem(code) }).collect()
}

fn reason(rejection: Rejection) -> &'static str {
    let w = &ENGLISH;
    match rejection {
        Rejection::Unknown => w.code_unknown,
        Rejection::Expired => w.code_expired,
        Rejection::NotYetValid => w.code_not_yet,
        Rejection::UsedUp => w.code_used_up,
        Rejection::NotEligible => w.code_not_eligible,
        Rejection::NotCombinable => w.code_not_combinable,
        Rejection::AlreadyApplied => w.code_applied_already,
    }
}

/// Adds the code that was typed, or removes the one whose button was pressed.
async fn change(State(door): State<Door>, form: Form) -> Result<Response, Problem> {
    let shop = Shop::of(&door, &form.visit).await?;
    let (Found::Open(owned), Some(cart)) = (&shop.cart, &form.visit.cart) else {
        return Ok(see("/cart"));
    };
    let mut codes = owned.view.cart.codes.clone();
    match (form.fields.some("remove"), form.fields.some("code")) {
        (Some(removed), _) => codes.retain(|code| *code != removed),
        (None, Some(code)) => codes.push(code),
        (None, None) => {
            let complaint = Complaint::at("code", ENGLISH.code_missing);
            return cart_page(&door, &form.visit, "", wrong(complaint, Code::InputInvalid)).await;
        }
    }
    let version = Some(owned.view.cart.version);
    match door.engine().set_cart_codes(&form.visit.ctx, cart, codes, version).await {
        Ok(once) => Ok(with_cookie(&door, &once.reply, see("/cart?updated"))),
        // The cart was changed in another window: it is shown as it is now.
        Err(error)
            if matches!(
                error.code(),
                Code::VersionConflict | Code::CartUnknown | Code::CartClosed
            ) =>
        {
            Ok(see("/cart"))
        }
        Err(error) if matches!(error.code(), Code::InputInvalid | Code::CardNumberRefused) => {
            let said = error.refusal.details.errors.first().map(|error| error.message.as_str());
            let text = ENGLISH.about(ENGLISH.code, said.unwrap_or(&error.refusal.message));
            let complaint = Complaint::at("code", text);
            cart_page(&door, &form.visit, "", wrong(complaint, error.code())).await
        }
        Err(error) => Err(error.into()),
    }
}

fn wrong(complaint: Complaint, code: Code) -> Wrong {
    Wrong { complaints: vec![complaint], line: String::new(), status: Some(status_of(code)) }
}
